//! Every key of the experiment file, once: its type, its default, its meaning. Checks, defaults and messages read it.

use Kind::{Expr, Matrix, Number, Numbers, Section, Switch, Text, Whole};
use twolayer::method::registry;
use twolayer::problem::{
    Algorithm, Data, DisplacementOf, Engine, Geometry, Loss, Preprocess, ReadoutMoments, ReadoutSource, ReuseOrder,
    Spacing, StartMode, Terms, Word,
};

use super::{
    tree::{Node, Table, Value},
    words::{AUTO, BiasLaw, FigureAxis, FigureDirections, FirstLayerKind, KeptQ, Quantity, Scale, SecondLayerInit},
};

/// A key of the experiment file.
#[derive(Debug)]
pub struct Key {
    /// Its dotted path; keys of the tables of `[[view]]` are `view.…`.
    pub path: &'static str,
    /// What it takes.
    pub kind: Kind,
    /// What it is where it is not written.
    pub default: Default,
    /// What it means, in a few words.
    pub meaning: &'static str,
}

/// Words, each with its meaning.
pub type Words = &'static [(&'static str, &'static str)];

/// What a key takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A `[section]`, whose keys are listed.
    Section,
    /// A table of constants, of any names.
    Constants,
    /// `[[…]]`.
    Tables,
    /// A table whose keys are listed.
    Table,
    /// The same, or a string that stands for this one of its keys.
    TableOr(&'static str),
    /// An activation: its name, an expression in h, or a table whose keys are listed.
    Activation,
    /// The keys that a view overrides.
    Override,
    /// Lists of values, by the paths of keys.
    Sweep,
    /// An array of tables whose keys are listed.
    List,
    /// A string.
    Text,
    /// An expression in z1 … zk.
    Rule,
    /// One of these words.
    Word(Words),
    /// A limit theory: a word of the library's registry of methods, or "auto".
    Method,
    /// One of these words, or the path of another key.
    WordOrPath(Words),
    /// One of these words, or a matrix.
    WordOrMatrix(Words),
    /// true or false.
    Switch,
    /// A whole number, at least this.
    Whole(u64),
    /// A finite number.
    Number,
    /// A number, or an expression in the sizes and constants.
    Expr,
    /// The same, or "infinite".
    Dimension,
    /// An array of strings.
    Texts,
    /// An array of numbers.
    Numbers,
    /// The same, or a number, or an expression in r, one value for each unit.
    Weights,
    /// A matrix, as an array of rows.
    Matrix,
    /// A number, or an expression in the sizes and constants; or a list of them.
    Exprs,
}

/// What a key is where it is not written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Default {
    /// It must be written.
    Required,
    /// This word.
    Word(&'static str),
    /// This, as TOML.
    Toml(&'static str),
    /// Nothing, or what the section's reader works out.
    Absent,
}

const fn required(path: &'static str, kind: Kind, meaning: &'static str) -> Key {
    Key { path, kind, default: Default::Required, meaning }
}

const fn default(path: &'static str, kind: Kind, toml: &'static str, meaning: &'static str) -> Key {
    Key { path, kind, default: Default::Toml(toml), meaning }
}

const fn optional(path: &'static str, kind: Kind, meaning: &'static str) -> Key {
    Key { path, kind, default: Default::Absent, meaning }
}

/// A choice by a word, with the default that its words have; without one, nothing is chosen.
const fn choice<T: Word>(path: &'static str, meaning: &'static str) -> Key {
    let default = match T::DEFAULT {
        Some(word) => Default::Word(word),
        None => Default::Absent,
    };
    Key { path, kind: Kind::Word(T::WORDS), default, meaning }
}

/// Every key, in the order of the reference.
#[rustfmt::skip]
pub const KEYS: &[Key] = &[
    default("title", Text, r#""""#, "for figure and report"),
    default("cite", Kind::Texts, "[]", "arXiv numbers"),
    default("note", Text, r#""""#, "for figure and report"),
    optional("constants", Kind::Constants, "names usable in every expression"),

    optional("target", Section, "the rule that labels the data"),
    optional("target.expression", Kind::Rule, "g, in z1 … zk"),
    optional("target.committee", Kind::Table, "y = scale · Σ c_r σ(z_r)"),
    required("target.committee.units", Expr, "k, the number of units"),
    required("target.committee.activation", Kind::Activation, "σ of the target"),
    required("target.committee.activation.hermite", Numbers, "orthonormal Hermite coefficients of σ, of degree 0 first"),
    default("target.committee.output_scale", Expr, r#""1/k""#, "what multiplies the sum"),
    default("target.committee.weights", Kind::Weights, "1", "c_r of y = scale · Σ c_r σ(z_r): a list, or an expression in r"),
    optional("target.hermite", Numbers, "g(z1) by its orthonormal Hermite coefficients, E[g(z) He_q(z)]/√q!, of degree 0 first"),
    optional("target.overlaps", Matrix, "P, k×k; the identity where it is not written"),
    default("target.noise", Expr, "0", "Δ, the variance of the label noise"),

    optional("network", Section, "the network that learns"),
    required("network.width", Expr, "p, the number of neurons"),
    required("network.activation", Kind::Activation, "σ: a name, he0 … he20, or an expression in h"),
    required("network.activation.hermite", Numbers, "orthonormal Hermite coefficients of σ, of degree 0 first"),
    default("network.output_scale", Expr, r#""1/p""#, "s"),
    default("network.first_layer", Kind::TableOr("kind"), "{}", "where the w_j start"),
    choice::<FirstLayerKind>("network.first_layer.kind", "their law"),
    default("network.first_layer.scale", Expr, "1", "multiplies every w_j"),
    default("network.first_layer.symmetric", Switch, "false", "paired neurons, so that f = 0 at the start"),
    optional("network.first_layer.overlaps", Kind::Table, "the start, given by its overlaps"),
    required("network.first_layer.overlaps.M", Matrix, "M, p×k"),
    required("network.first_layer.overlaps.Q", Matrix, "Q, p×p"),
    default("network.second_layer", Kind::Table, "{}", "where the a_j start, and whether they move"),
    choice::<SecondLayerInit>("network.second_layer.init", "the law of the a_j"),
    optional("network.second_layer.values", Numbers, "the a_j themselves"),
    default("network.second_layer.scale", Expr, "1", "multiplies every a_j"),
    default("network.second_layer.train", Switch, "false", "whether the a_j are trained"),
    default("network.second_layer.rate_ratio", Expr, "1", "η_a/η"),
    default("network.bias", Kind::TableOr("init"), r#""none""#, "the b_j: f(x) = s Σ_j a_j σ(⟨w_j, x⟩ + b_j)"),
    choice::<BiasLaw>("network.bias.init", "where the b_j start"),
    default("network.bias.train", Switch, "false", "whether the b_j are trained"),
    choice::<StartMode>("network.start", "one draw for all, or one for each replicate"),
    default("network.start_seed", Whole(0), "0", "seed of the shared draw"),
    default("network.start_dimension", Expr, r#""d""#, "dimension in which the shared start is drawn"),

    optional("training", Section, "how the network is trained"),
    choice::<Algorithm>("training.algorithm", "the algorithm"),
    required("training.dimension", Kind::Dimension, "d"),
    choice::<Data>("training.data", "where the samples come from"),
    optional("training.samples", Expr, "n, the size of a fixed data set"),
    default("training.batch", Expr, "1", "n_b"),
    choice::<ReuseOrder>("training.reuse_order", "which rows make a batch"),
    default("training.repeats", Expr, "1", "how often each batch is used in a row"),
    default("training.displacement", Expr, "0", "ρ: the gradient is taken at W − ρ∇"),
    // Without a default, so that the hash of a file that does not say it stays.
    optional("training.displacement_of", Kind::Word(DisplacementOf::WORDS), "whose gradient that ∇ is: the batch's unless said; the same for a batch of one"),
    choice::<Preprocess>("training.preprocess", "what is subtracted from the labels of each batch, estimated on it"),
    optional("training.learning_rate", Expr, "η"),
    optional("training.steps", Expr, "how many steps"),
    optional("training.time", Expr, "how long, t = νηs"),
    choice::<Loss>("training.loss", "what is minimised"),
    choice::<Geometry>("training.geometry", "where the rows live"),
    default("training.weight_decay", Expr, "0", "λ_w"),

    optional("record", Section, "what is recorded"),
    default("record.points", Whole(1), "200", "how many moments"),
    choice::<Spacing>("record.spacing", "how they are spread"),
    optional("record.first", Expr, "start of a log grid: a time; of giant steps and reused data, a step"),
    choice::<KeptQ>("record.Q", "how much of Q is kept"),
    default("record.gradients", Switch, "false", "whether gradients are recorded"),
    optional("record.spectrum", Switch, "whether the eigenvalues of the covariance of the features are recorded"),
    default("record.crossings", Kind::List, "[]", "levels whose crossing is recorded"),
    required("record.crossings.quantity", Text, "risk, cosine (the largest |cosine|) or cosine:1 (with direction z1)"),
    required("record.crossings.level", Number, "the level"),
    default("record.crossings.stop", Switch, "false", "whether the run ends there"),

    optional("readout", Kind::Table, "a second layer fitted by ridge regression on the features"),
    default("readout.samples", Kind::Exprs, r#""4*d""#, "n_2, an expression or a list of them"),
    choice::<ReadoutSource>("readout.data", "the samples that it is fitted to"),
    default("readout.ridge", Kind::Exprs, "1e-3", "λ of Σ (y − s Σ b σ(h))² + λ‖b‖², a number or a list of them"),
    choice::<ReadoutMoments>("readout.at", "after which steps"),
    default("readout.test_samples", Whole(2), "10000", "fresh samples that the error is measured on"),
    default("readout.bounds", Switch, "true", "whether lower bounds are recorded"),

    optional("view", Kind::Tables, "one way to look at the experiment"),
    required("view.engine", Kind::Word(Engine::WORDS), "what looks"),
    optional("view.name", Text, "a name for its curves and files"),
    optional("view.dimension", Kind::Dimension, "d of this view"),
    optional("view.replicates", Whole(1), "independent runs: 16, or 1 for a limit"),
    default("view.seed", Whole(0), "0", "seed of all but a shared start"),
    default("view.tolerance", Number, "1e-4", "of integrations and averages; one that is written and not met is an error"),
    Key { path: "view.method", kind: Kind::Method, default: Default::Word(AUTO), meaning: "the limit theory" },
    choice::<Terms>("view.terms", "terms of the ODE"),
    default("view.override", Kind::Override, "{}", "other values for the keys above, by path"),

    optional("figure", Kind::Tables, "what is drawn"),
    choice::<Quantity>("figure.y", "what is drawn"),
    optional("figure.x", Kind::WordOrPath(FigureAxis::WORDS), "against what"),
    choice::<Scale>("figure.x_scale", "scale of x; what fits, where it is not written"),
    choice::<Scale>("figure.y_scale", "scale of y; likewise"),
    Key { kind: Kind::WordOrMatrix(FigureDirections::WORDS), ..choice::<FigureDirections>("figure.directions", "along which overlaps and cosines are drawn") },
    default("figure.at", Numbers, "[]", "times of the panels of scatter, histogram, cloud and gradient; steps for giant steps and reused data"),
    default("figure.neurons", Numbers, "[]", "which neurons, from 1"),

    optional("sweep", Kind::Sweep, "lists of values, by the paths of keys: all combinations"),
    optional("sweep.together", Kind::Sweep, "`[[sweep.together]]`: lists of equal length, varied together"),
];

/// Keys of which one is written; where `true`, one must be.
pub const ALTERNATIVES: &[(&[&str], bool)] = &[
    (&["target.expression", "target.committee", "target.hermite"], true),
    (&["network.first_layer.kind", "network.first_layer.overlaps"], false),
    (&["network.second_layer.init", "network.second_layer.values"], false),
    (&["training.steps", "training.time"], true),
];

/// Sections whose keys a view may override.
pub const OVERRIDABLE: &[&str] = &["constants", "target", "network", "training", "record", "readout"];

/// The key at a dotted path.
pub fn key(path: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.path == path)
}

/// The keys whose parent is `parent` (`""`: of the file), by their last word.
pub fn children(parent: &str) -> impl Iterator<Item = (&'static str, &'static Key)> {
    KEYS.iter().filter(move |key| self::parent(key.path) == parent).map(|key| (last(key.path), key))
}

/// All of a path but its last word.
pub fn parent(path: &str) -> &str {
    path.rsplit_once('.').map_or("", |(parent, _)| parent)
}

/// The last word of a path.
pub fn last(path: &str) -> &str {
    path.rsplit_once('.').map_or(path, |(_, last)| last)
}

/// The other keys of which only one is written together with `path`.
pub fn alternatives(path: &str) -> impl Iterator<Item = &'static str> {
    let group = ALTERNATIVES.iter().find(|(group, _)| group.contains(&path)).map_or(&[][..], |(group, _)| group);
    group.iter().copied().filter(move |other| *other != path)
}

impl Key {
    /// Its default, unless nothing stands for it or one of its alternatives is written in `tree`.
    pub fn default_in(&self, tree: &Table) -> Option<Node> {
        if alternatives(self.path).any(|other| tree.get(other).is_some()) {
            return None;
        }
        match self.default {
            Default::Word(word) => Some(Node { span: 0..0, value: Value::Text(word.into()) }),
            Default::Toml(toml) => Some(Node { span: 0..0, ..Node::parse(toml).ok()? }),
            Default::Required | Default::Absent => None,
        }
    }
}

impl Kind {
    /// The words that it takes, with their meanings, if it takes any.
    pub fn words(self) -> Option<Vec<(&'static str, String)>> {
        match self {
            Self::Word(words) | Self::WordOrPath(words) | Self::WordOrMatrix(words) => {
                Some(words.iter().map(|(word, meaning)| (*word, meaning.to_string())).collect())
            }
            Self::Method => Some(methods()),
            _ => None,
        }
    }

    fn list_of_words(self) -> String {
        list(self.words().unwrap_or_default().iter().map(|(word, _)| *word))
    }

    fn has_word(self, text: &str) -> bool {
        self.words().is_some_and(|words| words.iter().any(|(word, _)| *word == text))
    }

    /// What to write, for "expected …".
    pub fn expected(self) -> String {
        match self {
            Self::Section | Self::Table | Self::Constants | Self::Override => "a table".into(),
            Self::Sweep => "a table of lists".into(),
            Self::List => "an array of tables".into(),
            Self::Tables => "a list of tables".into(),
            Self::TableOr(_) => "a string or a table".into(),
            Self::Activation => "a string or { hermite = […] }".into(),
            Self::Rule => "an expression in quotes".into(),
            Self::Text => "a string".into(),
            Self::Word(_) | Self::WordOrPath(_) | Self::Method => format!("one of {}", self.list_of_words()),
            Self::WordOrMatrix(_) => format!("{}, or rows of one length, [[…], […]]", self.list_of_words()),
            Self::Switch => "true or false".into(),
            Self::Whole(least) => format!("a whole number ≥ {least}"),
            Self::Number => "a number".into(),
            Self::Expr => "a number, or an expression in quotes".into(),
            Self::Dimension => "a number, an expression in quotes, or \"infinite\"".into(),
            Self::Texts => "an array of strings".into(),
            Self::Numbers => "an array of numbers".into(),
            Self::Weights => "an array of numbers, or an expression in r in quotes".into(),
            Self::Matrix => "a matrix as an array of rows of one length, [[…], […]]".into(),
            Self::Exprs => "a number, an expression in quotes, or a list of them".into(),
        }
    }

    /// Whether `node` is of this kind, the keys of tables aside.
    pub fn fits(self, node: &Node) -> bool {
        match self {
            Self::Section | Self::Table | Self::Constants | Self::Override => node.table().is_some(),
            Self::Sweep => node.table().is_some(),
            Self::Tables | Self::List => {
                node.array().is_some_and(|items| items.iter().all(|item| item.table().is_some()))
            }
            Self::TableOr(_) | Self::Activation => node.text().is_some() || node.table().is_some(),
            Self::Text | Self::Rule => node.text().is_some(),
            Self::Word(_) | Self::Method => node.text().is_some_and(|text| self.has_word(text)),
            Self::WordOrPath(_) => node
                .text()
                .is_some_and(|text| self.has_word(text) || key(text).is_some() || parent(text) == "constants"),
            Self::WordOrMatrix(_) => match node.text() {
                Some(text) => self.has_word(text),
                None => Self::Matrix.fits(node),
            },
            Self::Switch => node.switch().is_some(),
            Self::Whole(least) => node.whole().is_some_and(|whole| whole >= least),
            Self::Number => node.number().is_some_and(f64::is_finite),
            Self::Expr | Self::Dimension => node.text().is_some() || node.number().is_some(),
            Self::Texts => node.array().is_some_and(|items| items.iter().all(|item| item.text().is_some())),
            Self::Numbers => node.numbers().is_some_and(|numbers| numbers.iter().all(|x| x.is_finite())),
            Self::Weights => node.text().is_some() || node.number().is_some() || Self::Numbers.fits(node),
            Self::Matrix => node.matrix().is_some_and(|rows| rows.iter().flatten().all(|x| x.is_finite())),
            Self::Exprs => match node.array() {
                Some(items) => items.iter().all(|item| Self::Expr.fits(item)),
                None => Self::Expr.fits(node),
            },
        }
    }
}

/// Each word of a limit theory, with the titles of the methods that it stands for.
fn methods() -> Vec<(&'static str, String)> {
    let titles = |word| {
        let entries = registry::METHODS.iter().filter(|entry| entry.word == Some(word));
        entries.map(|entry| entry.title).collect::<Vec<_>>().join(", or ")
    };
    let named = registry::words().into_iter().map(|word| (word, titles(word)));
    std::iter::once((AUTO, "the one that the scaling gives".into())).chain(named).collect()
}

/// `"a", "b", "c"`.
pub fn list<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    words.into_iter().map(|word| format!("{word:?}")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_is_a_value_of_its_key() {
        for key in KEYS {
            match key.default_in(&Table::default()) {
                Some(node) => assert!(key.kind.fits(&node), "{} = {node:?}", key.path),
                None => assert!(matches!(key.default, Default::Required | Default::Absent), "{}", key.path),
            }
        }
    }

    #[test]
    fn every_key_has_a_parent_and_every_alternative_is_a_key() {
        for Key { path, .. } in KEYS {
            assert!(parent(path).is_empty() || key(parent(path)).is_some(), "{path}");
            assert_eq!(KEYS.iter().filter(|other| other.path == *path).count(), 1, "{path}");
        }
        for path in ALTERNATIVES.iter().flat_map(|(group, _)| group.iter().copied()) {
            assert!(key(path).is_some(), "{path}");
        }
    }
}

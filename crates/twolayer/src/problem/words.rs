//! Words of the experiment file that stand for a choice: each an `enum` that holds word, meaning and default in one
//! place, from which the reader, the schema, the reference and the messages all come.

/// A choice that the experiment file makes by a word.
pub trait Word: Copy + Eq + 'static {
    /// Every choice, in the order of the reference.
    const ALL: &'static [Self];
    /// Word and meaning of each, in the same order.
    const WORDS: &'static [(&'static str, &'static str)];
    /// The word of what is chosen where none is written; `None`: one must be, or nothing is chosen.
    const DEFAULT: Option<&'static str>;

    /// The choice that `word` stands for.
    fn named(word: &str) -> Option<Self> {
        let place = Self::WORDS.iter().position(|(known, _)| *known == word)?;
        Some(Self::ALL[place])
    }
}

/// Declares a choice by its words: `Variant = "word": "meaning"`, the default, if there is one, after the name.
///
/// ```
/// use twolayer::problem::Word;
///
/// twolayer::words! {
///     /// How the day begins.
///     pub enum Drink default Tea {
///         Tea = "tea": "leaves in hot water",
///         Coffee = "coffee": "roasted beans in hot water",
///     }
/// }
/// assert_eq!(Drink::named("coffee"), Some(Drink::Coffee));
/// assert_eq!((Drink::Tea.name(), Drink::Coffee.meaning()), ("tea", "roasted beans in hot water"));
/// assert_eq!((Drink::default(), Drink::DEFAULT), (Drink::Tea, Some("tea")));
/// ```
#[macro_export]
macro_rules! words {
    (
        $(#[$attribute:meta])*
        $visibility:vis enum $name:ident $(default $default:ident)? {
            $($variant:ident = $word:literal : $meaning:literal),+ $(,)?
        }
    ) => {
        $(#[$attribute])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        $visibility enum $name {
            $(#[doc = $meaning] $variant),+
        }

        impl $name {
            /// The word, as the experiment file writes it.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $word),+
                }
            }

            /// What it means, in a few words.
            pub const fn meaning(self) -> &'static str {
                match self {
                    $(Self::$variant => $meaning),+
                }
            }
        }

        impl $crate::problem::Word for $name {
            const ALL: &'static [Self] = &[$(Self::$variant),+];
            const WORDS: &'static [(&'static str, &'static str)] = &[$(($word, $meaning)),+];
            const DEFAULT: Option<&'static str> = $crate::words!(@default $($default)?);
        }

        $(
            impl Default for $name {
                fn default() -> Self {
                    Self::$default
                }
            }
        )?
    };
    (@default) => { None };
    (@default $default:ident) => { Some(Self::$default.name()) };
}

words! {
    /// What looks at the problem. (theory.md §3)
    pub enum Engine {
        Direct = "direct": "real weights, real data: the ground truth of small sizes",
        Reduced = "reduced": "the same law in a few coordinates per neuron, whatever d: up to d = 10⁹",
        Limit = "limit": "d → ∞: online ODE, giant steps, one leap step or dynamical mean-field theory, as the scaling says",
    }
}

words! {
    /// Which terms of the online ODE are kept. (theory.md §5.1)
    pub enum Terms default Auto {
        Auto = "auto": "as the scaling says: `flow` where κ = lim ηs·d/n_b is 0, else `all`",
        Flow = "flow": "no η² term: gradient flow",
        LabelNoise = "label-noise": "of the η² term, only the label noise: D's small-step correction",
        All = "all": "all: Saad–Solla",
        ExactStep = "exact-step": "the mean of one step at the problem's own d, n_b and η, nothing dropped (theory.md §2)",
    }
}

words! {
    /// The algorithm.
    pub enum Algorithm default Sgd {
        Sgd = "sgd": "stochastic gradient descent, of any batch size",
        GradientFlow = "gradient-flow": "its limit ηs → 0 without noise; limit views only",
    }
}

words! {
    /// Where the samples come from.
    pub enum Data default Fresh {
        Fresh = "fresh": "a new batch at each step: one pass",
        Reused = "reused": "a fixed set of n samples: multi-pass",
    }
}

words! {
    /// How batches are drawn from a fixed data set of n samples.
    pub enum ReuseOrder default Full {
        Full = "full": "the whole data set at every step",
        Cyclic = "cyclic": "one batch after the other, round and round",
        WithReplacement = "with-replacement": "each step draws n_b distinct rows, independently of earlier steps",
    }
}

words! {
    /// What keeps the rows of the first layer on their sphere. (theory.md §1)
    pub enum Geometry default Free {
        Free = "free": "nothing",
        Spherical = "spherical": "gradient projected on the tangent space, step, old norm",
        Normalised = "normalised": "step, old norm",
    }
}

words! {
    /// What is subtracted from the labels of each batch, estimated on that batch.
    pub enum Preprocess default None {
        None = "none": "nothing",
        Mean = "mean": "their mean",
        Linear = "linear": "their mean and the moment estimate of their linear part, Xᵀ(y − ȳ)/n_b",
        LeastSquares = "least-squares": "their mean and the least-squares estimate of their linear part; direct views only",
    }
}

impl Preprocess {
    /// Whether a linear part is subtracted.
    pub fn is_linear(self) -> bool {
        matches!(self, Self::Linear | Self::LeastSquares)
    }
}

words! {
    /// The samples that a readout is fitted to.
    pub enum ReadoutSource default Fresh {
        Fresh = "fresh": "fresh ones",
        Same = "same": "the batch of the step just made",
    }
}

words! {
    /// After which steps a readout is made.
    pub enum ReadoutMoments default End {
        End = "end": "the last one",
        EveryStep = "every-step": "every one, step 0 (random features) included",
    }
}

words! {
    /// What is minimised: it decides the e of the error signal.
    pub enum Loss default Squared {
        Squared = "squared": "½(f − y)²: e = f − y",
        Correlation = "correlation": "−f y: e = −y",
    }
}

words! {
    /// Whether replicates share their start.
    pub enum StartMode default Shared {
        Shared = "shared": "one draw of the overlaps and of the second layer, for every view and replicate and for the limit",
        Independent = "independent": "each replicate draws its own",
    }
}

words! {
    /// How the recorded moments are spread.
    pub enum Spacing default Log {
        Log = "log": "evenly on a log scale",
        Linear = "linear": "evenly",
    }
}

words! {
    /// An activation that has a name; its meaning is its formula.
    pub enum NamedActivation {
        Relu = "relu": "max(h, 0)",
        Erf = "erf": "erf(h/√2)",
        Tanh = "tanh": "tanh(h)",
        Linear = "linear": "h",
        Square = "square": "h²",
        Softplus = "softplus": "ln(1 + eʰ)",
        Sigmoid = "sigmoid": "1/(1 + e⁻ʰ)",
        Gelu = "gelu": "h Φ(h)",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What leaves the program, letter by letter.
    #[test]
    fn words_and_defaults_are_those_of_the_contract() {
        fn words<T: Word>() -> (Vec<&'static str>, Option<&'static str>) {
            (T::WORDS.iter().map(|(word, _)| *word).collect(), T::DEFAULT)
        }
        assert_eq!(words::<Engine>(), (vec!["direct", "reduced", "limit"], None));
        assert_eq!(words::<Terms>(), (vec!["auto", "flow", "label-noise", "all", "exact-step"], Some("auto")));
        assert_eq!(words::<Algorithm>(), (vec!["sgd", "gradient-flow"], Some("sgd")));
        assert_eq!(words::<Data>(), (vec!["fresh", "reused"], Some("fresh")));
        assert_eq!(words::<ReuseOrder>(), (vec!["full", "cyclic", "with-replacement"], Some("full")));
        assert_eq!(words::<Geometry>(), (vec!["free", "spherical", "normalised"], Some("free")));
        assert_eq!(words::<Preprocess>(), (vec!["none", "mean", "linear", "least-squares"], Some("none")));
        assert_eq!(words::<Loss>(), (vec!["squared", "correlation"], Some("squared")));
        assert_eq!(words::<StartMode>(), (vec!["shared", "independent"], Some("shared")));
        assert_eq!(words::<Spacing>(), (vec!["log", "linear"], Some("log")));
        let names = vec!["relu", "erf", "tanh", "linear", "square", "softplus", "sigmoid", "gelu"];
        assert_eq!(words::<NamedActivation>(), (names, None));
    }

    #[test]
    fn a_word_stands_for_its_own_choice() {
        fn each<T: Word + std::fmt::Debug>(name: fn(T) -> &'static str) {
            assert_eq!(T::ALL.len(), T::WORDS.len());
            for (choice, (word, _)) in T::ALL.iter().zip(T::WORDS) {
                assert_eq!((T::named(word), name(*choice)), (Some(*choice), *word));
            }
            assert_eq!(T::named("nonsense"), None);
        }
        each(Engine::name);
        each(NamedActivation::name);
    }
}

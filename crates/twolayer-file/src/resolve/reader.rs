//! Reads keys of one tree as values of the library; what is wrong becomes a diagnostic at the key.

use std::{borrow::Cow, collections::BTreeMap, ops::Range};

use faer::Mat;
use twolayer::{
    Error,
    expression::{Expression, Vocabulary},
    problem::{Activation, Formula, Sizes, Word},
};

use crate::{
    diagnostic::{Diagnostic, Severity, Source},
    text::{
        keys::{self, Key, Kind},
        place,
        tree::{Node, Table, Value},
        words::INFINITE,
    },
};

/// Sizes of which nothing is known.
pub const NO_SIZES: Sizes = Sizes { d: f64::NAN, p: f64::NAN, k: f64::NAN, n: f64::NAN, n_b: f64::NAN };

/// The keys of `tree`, by dotted path, with their defaults.
///
/// A getter gives `None` where the key is absent and has no default, or where it is at fault and a diagnostic says so.
pub struct Reader<'a> {
    source: &'a Source<'a>,
    tree: &'a Table,
    constants: BTreeMap<String, f64>,
    faults: &'a mut Vec<Diagnostic>,
}

impl<'a> Reader<'a> {
    /// A reader of `tree`, with its constants, that puts diagnostics into `faults`.
    pub fn new(source: &'a Source<'a>, tree: &'a Table, faults: &'a mut Vec<Diagnostic>) -> Self {
        let mut reader = Self { source, tree, constants: BTreeMap::new(), faults };
        let constants = tree.get("constants").and_then(|entry| entry.node.table());
        for entry in constants.map(|table| &table.0[..]).unwrap_or_default() {
            let word = entry.key.as_str();
            let letters = word.starts_with(|c: char| c.is_ascii_alphabetic())
                && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            let index = word.strip_prefix('z').is_some_and(|index| index.chars().all(|c| c.is_ascii_digit()));
            if !letters || index || ["pi", "h"].contains(&word) || Sizes::NAMES.contains(&word) {
                let reason = format!("`{word}` cannot be the name of a constant: expressions could not tell it apart");
                let remedy = "write a word of letters, digits and _ that is not pi, h, z1, d, p, k, n or n_b";
                reader.report(entry.at.clone(), reason, remedy);
            } else if let Some(number) = entry.node.number() {
                reader.constants.insert(word.into(), number);
            }
        }
        reader
    }

    /// The constants by name.
    pub fn constants(&self) -> &BTreeMap<String, f64> {
        &self.constants
    }

    /// Whether the key is written.
    pub fn has(&self, path: &str) -> bool {
        self.tree.get(path).is_some()
    }

    /// Where the key is written, or should be.
    pub fn place(&self, path: &str) -> Range<usize> {
        place(self.tree, path)
    }

    /// Adds a diagnostic.
    pub fn report(&mut self, span: Range<usize>, reason: impl Into<String>, remedy: impl Into<String>) {
        self.faults.push(self.source.diagnostic(Severity::Error, span, reason, remedy));
    }

    /// Adds a diagnostic about a key.
    pub fn fault(&mut self, path: &str, reason: impl Into<String>, remedy: impl Into<String>) {
        self.report(self.place(path), reason, remedy);
    }

    /// Adds what the library says; where it names no key itself, it is about `path`.
    pub fn refuse(&mut self, path: &str, error: Error) {
        match error {
            Error::Syntax { span, reason, remedy } => self.report(self.inside(path, span), reason, remedy),
            Error::Invalid(advice) | Error::Refused(advice) => self.fault(&advice.key, advice.reason, advice.remedy),
            Error::Numerical(_) | Error::Interrupted => self.fault(path, error.to_string(), "change this value"),
        }
    }

    /// Bytes of the file that bytes `span` of the string at `path` are; all of the string where it has escapes.
    fn inside(&self, path: &str, span: Range<usize>) -> Range<usize> {
        let whole = self.place(path);
        let text = self.tree.get(path).and_then(|entry| entry.node.text()).unwrap_or_default();
        let written = self.source.text.get(whole.clone()).unwrap_or_default();
        match written.find(text) {
            Some(start) if !text.is_empty() => {
                let start = whole.start + start;
                start + span.start.min(text.len())..start + span.end.min(text.len())
            }
            _ => whole,
        }
    }

    /// What is written, or the default.
    pub fn node(&self, path: &str) -> Option<Cow<'a, Node>> {
        match self.tree.get(path) {
            Some(entry) => Some(Cow::Borrowed(&entry.node)),
            None => keys::key(path)?.default_in(self.tree).map(Cow::Owned),
        }
    }

    /// A choice, by its word.
    pub fn choice<T: Word>(&self, path: &str) -> Option<T> {
        T::named(self.node(path)?.text()?)
    }

    /// A string.
    pub fn text(&self, path: &str) -> Option<String> {
        self.node(path)?.text().map(String::from)
    }

    /// An array of strings.
    pub fn texts(&self, path: &str) -> Vec<String> {
        let node = self.node(path);
        let items = node.as_ref().and_then(|node| node.array()).unwrap_or_default();
        items.iter().filter_map(Node::text).map(String::from).collect()
    }

    /// A switch, off where it has no default.
    pub fn switch(&self, path: &str) -> bool {
        self.node(path).and_then(|node| node.switch()).unwrap_or(false)
    }

    /// A whole number.
    pub fn whole(&self, path: &str) -> Option<u64> {
        self.node(path)?.whole()
    }

    /// A plain number.
    pub fn number(&self, path: &str) -> Option<f64> {
        self.node(path)?.number()
    }

    /// An array of numbers.
    pub fn numbers(&self, path: &str) -> Option<Vec<f64>> {
        self.node(path)?.numbers()
    }

    /// A matrix.
    pub fn matrix(&self, path: &str) -> Option<Mat<f64>> {
        let rows = self.node(path)?.matrix()?;
        Some(Mat::from_fn(rows.len(), rows[0].len(), |i, j| rows[i][j]))
    }

    /// A number or an expression in the sizes.
    pub fn formula(&mut self, path: &str) -> Option<Formula> {
        match &self.node(path)?.value {
            Value::Text(text) => match Formula::parse(text, &self.constants) {
                Ok(formula) => Some(formula),
                Err(error) => {
                    self.refuse(path, error);
                    None
                }
            },
            Value::Integer(integer) => Some(Formula::number(*integer as f64)),
            Value::Float(float) => Some(Formula::number(*float)),
            _ => None,
        }
    }

    /// A number or an expression in the sizes, or a list of them.
    pub fn formulas(&mut self, path: &str) -> Option<Vec<Formula>> {
        let node = self.node(path)?;
        let items: Vec<Node> = match node.array() {
            Some(items) => items.to_vec(),
            None => vec![node.into_owned()],
        };
        let mut formulas = Vec::with_capacity(items.len());
        for item in items {
            let formula = match (item.text(), item.number()) {
                (Some(text), _) => Formula::parse(text, &self.constants),
                (None, Some(number)) => Ok(Formula::number(number)),
                _ => {
                    let remedy = "write a number, an expression, or a list of them, e.g. [\"d\", \"4*d\"]";
                    self.fault(path, format!("`{path}` is neither a number nor an expression"), remedy);
                    return None;
                }
            };
            formulas.push(match formula {
                Ok(formula) => formula,
                Err(error) => {
                    self.refuse(path, error);
                    return None;
                }
            });
        }
        Some(formulas)
    }

    /// c_1 … c_k: numbers, one for all, or an expression in r (and k).
    pub fn weights(&mut self, path: &str, k: usize) -> Option<Vec<f64>> {
        if let Some(numbers) = self.numbers(path) {
            if numbers.len() == k {
                return Some(numbers);
            }
            let reason = format!("`{path}` has {} numbers for {k} units", numbers.len());
            self.fault(path, reason, "write one number for each unit, or an expression in r, e.g. \"1/r\"");
            return None;
        }
        let node = self.node(path)?;
        if let Some(number) = node.number() {
            return Some(vec![number; k]);
        }
        let text = node.text()?.to_string();
        let variables = vec!["r".into(), "k".into()];
        let vocabulary = Vocabulary { variables, indexed: None, constants: self.constants.clone() };
        let expression = self.accept(path, Expression::parse(&text, &vocabulary))?;
        let weights: Vec<f64> = (1..=k).map(|r| expression.value(&[r as f64, k as f64])).collect();
        if let Some(r) = weights.iter().position(|weight| !weight.is_finite()) {
            let reason = format!("`{path}` = {text:?} is {} at r = {}", weights[r], r + 1);
            self.fault(path, reason, "write an expression that is finite for r = 1 … k");
            return None;
        }
        Some(weights)
    }

    /// An expression in z1 … zk.
    pub fn rule(&mut self, path: &str) -> Option<Expression> {
        let text = self.text(path)?;
        let constants = self.constants.clone();
        let vocabulary = Vocabulary { indexed: Some("z".into()), constants, ..Vocabulary::default() };
        self.accept(path, Expression::parse(&text, &vocabulary))
    }

    /// Reads every expression and every activation that is written, so that a file is told all its slips at once;
    /// `None` where there are any.
    pub fn spelling(&mut self) -> Option<()> {
        let before = self.faults.len();
        for Key { path, kind, .. } in keys::KEYS.iter().filter(|key| self.tree.get(key.path).is_some()) {
            match kind {
                Kind::Rule => drop(self.rule(path)),
                Kind::Expr => drop(self.formula(path)),
                Kind::Dimension if !self.says_infinite(path) => drop(self.formula(path)),
                Kind::Activation => drop(self.activation(path)),
                _ => {}
            }
        }
        (self.faults.len() == before).then_some(())
    }

    /// Whether a dimension is "infinite".
    pub fn says_infinite(&self, path: &str) -> bool {
        self.text(path).is_some_and(|text| text.trim() == INFINITE)
    }

    /// The value of an expression, at `sizes`, as a finite number.
    pub fn value(&mut self, path: &str, sizes: &Sizes) -> Option<f64> {
        let formula = self.formula(path)?;
        self.accept(path, formula.finite(path, sizes))
    }

    /// The value of an expression, at `sizes`, as a size from 1 to `most`.
    pub fn size(&mut self, path: &str, sizes: &Sizes, most: f64) -> Option<u64> {
        let formula = self.formula(path)?;
        let size = self.accept(path, formula.size(path, sizes))?;
        if size > most {
            self.fault(
                path,
                format!("`{}` is {size}, and at most {most} is treated", formula.text()),
                "write a smaller size",
            );
            return None;
        }
        Some(size as u64)
    }

    /// The value, or a diagnostic about `path`.
    pub fn accept<T>(&mut self, path: &str, result: twolayer::Result<T>) -> Option<T> {
        result.map_err(|error| self.refuse(path, error)).ok()
    }

    /// An activation: its name, an expression in h, or its Hermite coefficients.
    pub fn activation(&mut self, path: &str) -> Option<Activation> {
        match self.text(path) {
            Some(text) => {
                let activation = Activation::parse(&text, &self.constants);
                self.accept(path, activation)
            }
            None => self.series(&format!("{path}.hermite")),
        }
    }

    /// A function by its orthonormal Hermite coefficients.
    pub fn series(&mut self, path: &str) -> Option<Activation> {
        let coefficients = self.numbers(path)?;
        if coefficients.iter().skip(1).all(|c| *c == 0.0) {
            let reason = "these are the coefficients of a constant";
            self.fault(path, reason, "write c_0, c_1, … with one that is not 0 after c_0, as in [0, 1]");
            return None;
        }
        Some(Activation::series(coefficients))
    }
}

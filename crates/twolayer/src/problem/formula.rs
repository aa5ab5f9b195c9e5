//! Numbers that may depend on the sizes: `"0.5/d"`, `"3*d"`, or plain `0.3`.

use std::collections::BTreeMap;

use crate::{
    error::{Error, Result},
    expression::{Expression, Vocabulary},
};

/// The sizes that formulas may use; NaN where a problem does not have them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sizes {
    /// d, infinite for a limit without a dimension.
    pub d: f64,
    /// p.
    pub p: f64,
    /// k.
    pub k: f64,
    /// n, of a fixed data set.
    pub n: f64,
    /// n_b.
    pub n_b: f64,
}

impl Sizes {
    /// Their names, in the order of evaluation.
    pub const NAMES: [&'static str; 5] = ["d", "p", "k", "n", "n_b"];

    fn values(&self) -> [f64; 5] {
        [self.d, self.p, self.k, self.n, self.n_b]
    }
}

/// A number, or an expression in d, p, k, n, n_b and the constants of the experiment.
///
/// ```
/// use twolayer::{Formula, problem::Sizes};
///
/// # fn main() -> twolayer::Result<()> {
/// let sizes = Sizes { d: 100.0, p: 4.0, k: 2.0, n: f64::NAN, n_b: 1.0 };
/// assert_eq!(Formula::try_from("p/(2*d)")?.value(&sizes), 0.02);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Formula {
    text: String,
    expression: Option<Expression>,
    number: f64,
}

impl From<f64> for Formula {
    fn from(number: f64) -> Self {
        Self::number(number)
    }
}

impl From<i32> for Formula {
    fn from(number: i32) -> Self {
        Self::number(f64::from(number))
    }
}

/// A number, or an expression in d, p, k, n, n_b.
impl TryFrom<&str> for Formula {
    type Error = Error;

    fn try_from(text: &str) -> Result<Self> {
        Self::parse(text, &BTreeMap::new())
    }
}

impl Formula {
    /// A plain number.
    pub fn number(number: f64) -> Self {
        Self { text: number.to_string(), expression: None, number }
    }

    /// Parses `text`, e.g. `0.5/d`.
    ///
    /// # Errors
    /// [`Error::Syntax`].
    pub fn parse(text: &str, constants: &BTreeMap<String, f64>) -> Result<Self> {
        let variables = Sizes::NAMES.map(String::from).to_vec();
        let expression =
            Expression::parse(text, &Vocabulary { variables, indexed: None, constants: constants.clone() })?;
        if (0..Sizes::NAMES.len()).any(|size| expression.uses(size)) {
            Ok(Self { text: text.into(), expression: Some(expression), number: f64::NAN })
        } else {
            Ok(Self { text: text.into(), expression: None, number: expression.value(&[f64::NAN; 5]) })
        }
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it is the same number at all sizes.
    pub fn is_number(&self) -> bool {
        self.expression.is_none()
    }

    /// `` `network.width` = "2*k" ``, or the key alone where a number is written, which is its value.
    pub fn named(&self, key: &str) -> String {
        if self.is_number() { format!("`{key}`") } else { format!("`{key}` = \"{}\"", self.text) }
    }

    /// Its value; NaN where it uses a size that the problem does not have.
    pub fn value(&self, sizes: &Sizes) -> f64 {
        match &self.expression {
            Some(expression) => expression.value(&sizes.values()),
            None => self.number,
        }
    }

    /// Its value as a finite number.
    ///
    /// # Errors
    /// [`Error::Invalid`] about `key` where it is not finite.
    pub fn finite(&self, key: &str, sizes: &Sizes) -> Result<f64> {
        let value = self.value(sizes);
        if value.is_finite() {
            return Ok(value);
        }
        let missing: Vec<&str> = (Sizes::NAMES.iter().zip(sizes.values()))
            .enumerate()
            .filter(|(i, (_, v))| v.is_nan() && self.expression.as_ref().is_some_and(|e| e.uses(*i)))
            .map(|(_, (name, _))| *name)
            .collect();
        Err(if missing.is_empty() {
            Error::invalid(key, format!("{} is {value}", self.named(key)), "write an expression with a finite value")
        } else {
            let reason =
                format!("{} uses {}, which this experiment does not have here", self.named(key), missing.join(", "));
            let remedy = if missing.contains(&"n") { "n exists with data = \"reused\" only" } else { "use d, p, k" };
            Error::invalid(key, reason, remedy)
        })
    }

    /// Its value as a size: finite, rounded to the nearest integer, at least 1.
    ///
    /// # Errors
    /// [`Error::Invalid`] about `key` where it is not finite, or rounds to less than 1.
    pub fn size(&self, key: &str, sizes: &Sizes) -> Result<f64> {
        let value = self.finite(key, sizes)?;
        if value <= 0.0 {
            let reason = format!("{} is {value}, and a size is at least 1", self.named(key));
            return Err(Error::invalid(key, reason, "write a number or an expression that is at least 1"));
        }
        Ok(value.round().max(1.0))
    }
}

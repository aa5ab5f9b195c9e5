//! The rule that labels the data.

use std::collections::BTreeMap;

use faer::Mat;

use crate::{
    error::{Error, Result},
    expression::{Expression, Vocabulary},
    overlaps::symmetric_root,
    problem::Activation,
};

/// `y = g(z) + √Δ ξ` with `z ~ N(0, P)`.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// g.
    pub rule: Rule,
    /// P, k×k.
    pub overlaps: Mat<f64>,
    /// Δ, the variance of the label noise.
    pub noise: f64,
}

/// g.
#[derive(Debug, Clone, PartialEq)]
pub enum Rule {
    /// An expression in z1 … zk.
    Expression(Expression),
    /// `Σ_r c_r σ(z_r)`.
    Committee {
        /// σ.
        activation: Activation,
        /// c_r, one for each unit; the scale included.
        weights: Vec<f64>,
    },
}

impl Rule {
    /// A function of z1 alone: a committee of one.
    pub fn single_index(function: Activation) -> Self {
        Self::committee(function, 1, 1.0)
    }

    /// `scale · Σ_{r≤units} σ(z_r)`.
    pub fn committee(activation: Activation, units: usize, scale: f64) -> Self {
        Self::Committee { activation, weights: vec![scale; units] }
    }
}

/// A function of z1 alone.
impl From<Activation> for Target {
    fn from(function: Activation) -> Self {
        Self::new(Rule::single_index(function))
    }
}

impl From<Rule> for Target {
    fn from(rule: Rule) -> Self {
        Self::new(rule)
    }
}

/// An expression in z1, z2, …
impl TryFrom<&str> for Rule {
    type Error = Error;

    fn try_from(text: &str) -> Result<Self> {
        let vocabulary = Vocabulary { variables: Vec::new(), indexed: Some("z".into()), constants: BTreeMap::new() };
        Ok(Self::Expression(Expression::parse(text, &vocabulary)?))
    }
}

/// An expression in z1, z2, …
impl TryFrom<&str> for Target {
    type Error = Error;

    fn try_from(text: &str) -> Result<Self> {
        Rule::try_from(text).map(Self::new)
    }
}

impl Target {
    /// A target with P = I and no noise.
    pub fn new(rule: Rule) -> Self {
        let k = match &rule {
            Rule::Expression(expression) => expression.arity().max(1),
            Rule::Committee { weights, .. } => weights.len(),
        };
        Self { rule, overlaps: Mat::identity(k, k), noise: 0.0 }
    }

    /// k, the number of directions.
    pub fn directions(&self) -> usize {
        self.overlaps.nrows()
    }

    /// As a formula for people.
    pub fn formula(&self) -> String {
        match &self.rule {
            Rule::Expression(expression) => expression.source().into(),
            Rule::Committee { activation, weights } => {
                let sum = match &weights[..] {
                    [1.0] => "σ(z1)".into(),
                    [first, ..] if weights.iter().all(|weight| weight == first) => {
                        format!("{first} · Σ_{{r≤{}}} σ(z_r)", weights.len())
                    }
                    weights if weights.len() <= 6 => {
                        let term = |(r, weight): (usize, &f64)| format!("{weight} σ(z{})", r + 1);
                        weights.iter().enumerate().map(term).collect::<Vec<_>>().join(" + ")
                    }
                    [first, second, .., last] => {
                        format!("{first} σ(z1) + {second} σ(z2) + … + {last} σ(z{})", weights.len())
                    }
                    _ => "0".into(),
                };
                format!("{sum}, σ(h) = {}", activation.formula())
            }
        }
    }

    pub(super) fn validate(&self) -> Result<()> {
        let k = match &self.rule {
            Rule::Expression(expression) => expression.arity(),
            Rule::Committee { weights, .. } => weights.len(),
        };
        if self.overlaps.ncols() != self.overlaps.nrows() || self.overlaps.nrows() < k.max(1) {
            let reason =
                format!("P is {}×{}, the target has {k} directions", self.overlaps.nrows(), self.overlaps.ncols());
            return Err(Error::invalid("target.overlaps", reason, "write a k×k matrix"));
        }
        if let Rule::Committee { weights, .. } = &self.rule
            && let Some(weight) = weights.iter().find(|weight| !weight.is_finite())
        {
            let reason = format!("a weight of the committee is {weight}");
            return Err(Error::invalid("target.committee", reason, "write finite weights and a finite output_scale"));
        }
        if !(self.noise >= 0.0 && self.noise.is_finite()) {
            let reason = format!("the variance of the label noise is {}", self.noise);
            return Err(Error::invalid("target.noise", reason, "write a number ≥ 0"));
        }
        let asymmetric = (0..self.directions())
            .any(|i| (0..i).any(|j| (self.overlaps[(i, j)] - self.overlaps[(j, i)]).abs() > 1e-12));
        if asymmetric || symmetric_root(self.overlaps.as_ref()).is_err() {
            let reason = "P is not symmetric positive semi-definite";
            return Err(Error::invalid("target.overlaps", reason, "write the Gram matrix of the target directions"));
        }
        Ok(())
    }
}

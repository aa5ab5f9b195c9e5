//! The rule that labels the data.

use faer::Mat;

use crate::{
    error::{Error, Result},
    expression::Expression,
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
    /// `scale · Σ_r σ(z_r)`.
    Committee {
        /// σ.
        activation: Activation,
        /// k.
        units: usize,
        /// Default 1/k.
        scale: f64,
    },
}

impl Rule {
    /// A function of z1 alone: a committee of one.
    pub fn single_index(function: Activation) -> Self {
        Self::Committee { activation: function, units: 1, scale: 1.0 }
    }
}

impl Target {
    /// A target with P = I and no noise.
    pub fn new(rule: Rule) -> Self {
        let k = match &rule {
            Rule::Expression(expression) => expression.arity().max(1),
            Rule::Committee { units, .. } => *units,
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
            Rule::Committee { activation, units: 1, scale: 1.0 } => format!("σ(z1), σ(h) = {}", activation.formula()),
            Rule::Committee { activation, units, scale } => {
                format!("{scale} · Σ_{{r≤{units}}} σ(z_r), σ(h) = {}", activation.formula())
            }
        }
    }

    pub(super) fn validate(&self) -> Result<()> {
        let k = match &self.rule {
            Rule::Expression(expression) => expression.arity(),
            Rule::Committee { units, .. } => *units,
        };
        if self.overlaps.ncols() != self.overlaps.nrows() || self.overlaps.nrows() < k.max(1) {
            let reason =
                format!("P is {}×{}, the target has {k} directions", self.overlaps.nrows(), self.overlaps.ncols());
            return Err(Error::invalid("target.overlaps", reason, "write a k×k matrix"));
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

//! Exact asymptotics of ridge after one giant step: spiked random features. (theory.md §8, after Cui et al. 2024)
//!
//! One step from unit rows W_0 with a_j = 1/√p, n_0 = α_0 d samples and η s a = η̃ on a single-index target
//! `y = g(⟨θ,x⟩) + √Δ ξ` leaves, as d → ∞ with p/d fixed, features of
//!
//! ```text
//! W = c_W W_0 + r 1 v̂ᵀ,   r = η̃ h_1 √(h*_2/α_0 + h*_1²),   c_W² = 1 + η̃² (h*_2/α_0) E(σ' − h_1)²
//! ⟨v̂, θ⟩ = γ = h*_1/√(h*_2/α_0 + h*_1²),   h_1 = E[zσ],   h*_1 = E[zg],   h*_2 = E y²
//! ```
//!
//! provided that E\[y\] = 0 or `c_2 = E[σ He_2] = 0`. Given κ = ⟨v̂, x⟩ a feature is Gaussian in its linear part, and the
//! error of ridge on fresh samples is a fixed point of few numbers ([`Spiked::test_error`]). One-step gradient descent
//! itself lies 2–3 % below at d = 500–2000: terms of order d^{−1/2} in each neuron that the model leaves out.

mod asymptotics;
mod bulk;
mod fixed_point;
mod moments;

pub use asymptotics::{asymptotics, conditions};
use moments::{Conditional, expectations};

use crate::{
    error::Result,
    problem::{Activation, Average},
};

/// Halvings of the panels and spacings of every quadrature whose result is reported: the next one tells the error.
const LEVEL: u32 = 1;

/// What the theory needs to know of a network, a target and the step that it made.
#[derive(Clone, Copy)]
pub struct Setting<'a> {
    /// σ.
    pub activation: &'a Activation,
    /// `u ← g(u)`, with u = ⟨θ, x⟩ standard normal.
    pub target: &'a dyn Fn(&mut [f64]),
    /// Δ, the variance of the label noise.
    pub noise: f64,
    /// p/d.
    pub ratio: f64,
    /// The step; none for random features.
    pub step: Option<Step>,
}

/// One giant step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// α_0 = n_0/d.
    pub samples: f64,
    /// η̃ = η s a_j.
    pub rate: f64,
}

/// W = c_W W_0 + r 1 v̂ᵀ.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Weights {
    /// r.
    pub spike: f64,
    /// c_W.
    pub bulk: f64,
    /// γ = ⟨v̂, θ⟩.
    pub alignment: f64,
}

/// The features after the step (or before it), and what the fixed point needs of them at two precisions.
#[derive(Debug, Clone)]
pub struct Spiked {
    /// W.
    pub weights: Weights,
    ratio: f64,
    noise: f64,
    fine: Vec<Conditional>,
    coarse: Vec<Conditional>,
}

impl Spiked {
    /// The features of `setting`.
    ///
    /// # Errors
    /// [`Error::Numerical`](crate::Error::Numerical) where an average of σ or g is not finite.
    pub fn new(setting: &Setting<'_>) -> Result<Self> {
        let weights = Weights::of(setting)?;
        let conditional = |level| moments::conditional(setting, &weights, level);
        Ok(Self {
            weights,
            ratio: setting.ratio,
            noise: setting.noise,
            fine: conditional(LEVEL)?,
            coarse: conditional(LEVEL - 1)?,
        })
    }

    /// `E(f − y)²/2` on fresh labels, noise included, after ridge λ on n_2 = `samples`·d fresh samples, with features
    /// σ(Wx)/√p. The error is that of halving every quadrature.
    ///
    /// # Errors
    /// [`Error::Numerical`](crate::Error::Numerical) where the fixed point is not reached.
    pub fn test_error(&self, samples: f64, ridge: f64) -> Result<Average> {
        let at = |table: &[Conditional], level| {
            let bulk = bulk::eigenvalues(self.ratio, self.weights.bulk, level);
            let solver = fixed_point::Solver { table, bulk: &bulk, ratio: self.ratio, noise: self.noise };
            solver.error(samples, ridge, self.weights.bulk)
        };
        let (fine, coarse) = (at(&self.fine, LEVEL)?, at(&self.coarse, LEVEL - 1)?);
        Ok(Average { value: 0.5 * fine, error: 0.5 * (fine - coarse).abs() + 1e-12 * fine })
    }
}

impl Weights {
    fn of(setting: &Setting<'_>) -> Result<Self> {
        let Some(step) = setting.step else {
            return Ok(Self { spike: 0.0, bulk: 1.0, alignment: 0.0 });
        };
        let averages = expectations(setting)?;
        let square = averages.label_square / step.samples;
        let length = (square + averages.slope * averages.slope).sqrt();
        Ok(Self {
            spike: step.rate * averages.linear * length,
            bulk: (1.0 + step.rate * step.rate * square * averages.slope_variance).sqrt(),
            alignment: averages.slope / length,
        })
    }
}

/// The largest eigenvalue of W Wᵀ away from the bulk, and the edges of the bulk, for weights of ratio p/d: for figures of
/// spectra of weights.
pub fn edges(ratio: f64, bulk: f64) -> [f64; 2] {
    let root = ratio.sqrt();
    [(1.0 - root).powi(2), (1.0 + root).powi(2)].map(|edge| bulk * bulk * edge)
}

#[cfg(test)]
mod tests;

//! Averages over two neurons, in whichever form the activation has.

use super::{
    relu::{ReluNeurons, relu_pairs},
    series::{Expansion, series_pairs},
};

/// Neurons prepared for averages over pairs: preactivations `h_j ~ N(b_j, q_j)`.
#[derive(Debug, Clone)]
pub(super) enum Neurons {
    /// max(h, 0): closed forms.
    Relu(ReluNeurons),
    /// Hermite coefficients.
    Series(Expansion),
}

/// The averages of one neuron, j, with each of a list, l; what was not asked for is left as it is.
#[derive(Debug, Clone, Default)]
pub(super) struct Row {
    /// E\[σ(h_j) σ(h_l)\].
    pub values: Vec<f64>,
    /// E\[σ'(h_j) σ'(h_l)\].
    pub slopes: Vec<f64>,
    /// E\[σ'(h_j) σ(h_l)\].
    pub mixed: Vec<f64>,
    /// `√q_j E[σ''(h_j) σ(h_l)]`, σ'' in the sense of distributions.
    pub curved: Vec<f64>,
}

impl Row {
    pub fn new(count: usize) -> Self {
        let zeros = || vec![0.0; count];
        Self { values: zeros(), slopes: zeros(), mixed: zeros(), curved: zeros() }
    }
}

/// What of a [`Row`] is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// E\[σσ\].
    Values,
    /// E\[σ'σ'\].
    Slopes,
    /// All.
    All,
}

impl Neurons {
    /// The averages of neuron `j` with the first `rho.len()` of `others`, at correlations `rho` of the fields.
    ///
    /// Both must be of one form.
    pub fn row(&self, j: usize, others: &Self, rho: &[f64], wanted: Wanted, out: &mut Row) {
        match (self, others) {
            (Self::Relu(left), Self::Relu(right)) => relu_pairs(left, j, right, rho, wanted, out),
            (Self::Series(left), Self::Series(right)) => series_pairs(left, j, right, rho, wanted, out),
            // The kernel prepares both lists in the same form.
            _ => unreachable!(),
        }
    }
}

/// Correlations `c_l/(root · roots_l)` of a field with others, from its covariances with them, clipped to \[−1, 1\]; 0 for fields
/// that vanish.
pub(super) fn correlations(covariances: &[f64], root: f64, roots: &[f64], out: &mut [f64]) {
    for ((rho, c), other) in out.iter_mut().zip(covariances).zip(roots) {
        let size = root * other;
        *rho = if size > 0.0 { (c / size).clamp(-1.0, 1.0) } else { 0.0 };
    }
}

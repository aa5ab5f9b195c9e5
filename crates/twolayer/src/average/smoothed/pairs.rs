//! Averages over two neurons, in whichever form the activation has.

use super::{
    relu::{ReluNeurons, relu_pairs},
    row::{Row, Wanted},
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

//! What a target and the neurons give: the averages of each neuron with it, and what of the neurons it needs to know.

use faer::Mat;

use super::pairs::Neurons;

/// Averages of neurons with the target g.
#[derive(Debug, Clone)]
pub(super) struct Against {
    /// E\[σ(h_j) g\].
    pub values: Vec<f64>,
    /// E\[σ'(h_j) g\].
    pub slopes: Vec<f64>,
    /// `√q_j E[σ''(h_j) g]`.
    pub curved: Vec<f64>,
    /// `E[σ'(h_j) ∂g/∂z_r]`, p×k, in the sense of distributions: with `curved` it gives, by Stein,
    /// `E[σ'(h_j) x g] = Cov(x, λ_j)/√q_j · curved_j + Σ_r Cov(x, z_r) gradient_jr` for every field x.
    pub gradients: Mat<f64>,
    /// Error of `Σ_j s a_j values_j`.
    pub value_error: f64,
    /// Error of `E[σ'(h_j) x g]` for a field x of variance 1.
    pub drift_errors: Vec<f64>,
}

impl Against {
    pub fn zeros(p: usize, k: usize) -> Self {
        let zeros = || vec![0.0; p];
        Self {
            values: zeros(),
            slopes: zeros(),
            curved: zeros(),
            gradients: Mat::zeros(p, k),
            value_error: 0.0,
            drift_errors: zeros(),
        }
    }
}

/// The neurons at one state, as a target sees them.
pub(super) struct View<'a> {
    /// M.
    pub student_teacher: &'a Mat<f64>,
    /// P.
    pub teacher: &'a Mat<f64>,
    /// q.
    pub variance: &'a [f64],
    /// √q.
    pub roots: &'a [f64],
    /// b.
    pub bias: &'a [f64],
    /// s a.
    pub coefficients: &'a [f64],
    /// The neurons, in the form that the target needs.
    pub neurons: &'a Neurons,
}

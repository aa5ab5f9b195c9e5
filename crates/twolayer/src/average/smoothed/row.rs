//! What pairs of neurons give: the averages of one neuron with each of a list.

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

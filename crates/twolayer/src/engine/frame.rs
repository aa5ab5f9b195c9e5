//! What a simulation asks of the weights, in whatever coordinates an engine keeps them.

use crate::{overlaps::Overlaps, signal::Samples};

/// p student vectors: d-vectors (`dense`), or an LQ factor (`gaussian`).
///
/// Geometry, losses, weight decay and the second layer live in [`simulate`](super::simulate()) and
/// [`Signal`](crate::signal::Signal), in field space, so that every frame gets them for free.
pub trait Frame {
    /// Fields `λ_jμ = ⟨w_j, x_μ⟩` of a batch of fresh samples, neuron-major (p×n_b), whose coordinates along the target
    /// are given.
    fn fields(&mut self, batch: &Samples<'_>, fields: &mut [f64]);

    /// `w_j ← keep·w_j − Σ_μ signal_jμ x_μ` over the samples of the last call of [`fields`](Self::fields), which must be
    /// given again; `signal` is neuron-major (p×n_b).
    fn descend(&mut self, keep: f64, batch: &Samples<'_>, signal: &[f64]);

    /// Multiply-adds of one step with n_b samples, roughly: how often the observer is asked depends on it.
    fn work(&self, batch: usize) -> u64;

    /// Writes M and Q after the last step; P is left as it is.
    fn overlaps(&mut self, into: &mut Overlaps);
}

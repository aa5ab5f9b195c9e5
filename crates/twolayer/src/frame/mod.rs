//! What a simulation asks of the weights, in whatever coordinates an engine keeps them.

pub mod direct;
pub mod fresh;
mod products;
pub mod reused;

use crate::{
    overlaps::Overlaps,
    signal::{Batch, StepContext, Sums},
};

/// p student vectors: d-vectors ([`direct`]), an LQ factor ([`fresh`]), or a growing basis ([`reused`]).
///
/// Geometry, losses, weight decay, biases and the second layer live in [`simulate`](crate::simulate::simulate) and
/// [`Signal`](crate::signal::Signal), in field space, so that every frame gets them for free.
pub trait Frame {
    /// Looks at a batch, in one pass over its samples: their fields `λ_jμ = ⟨w_j, x_μ⟩`, the signals that `context` makes of
    /// them, and `Σ_μ signal_jμ x_μ`, which is remembered for [`descend`](Self::descend). `sums` become those of the batch.
    fn look(&mut self, batch: &Batch<'_>, context: &StepContext<'_>, sums: &mut Sums);

    /// `w_j ← factor_j w_j − factor Σ_μ signal_jμ x_μ` with the signals of the last [`look`](Self::look).
    fn descend(&mut self, row_factors: &[f64], factor: f64);

    /// `‖w_j‖` (p).
    fn norms(&mut self, norms: &mut [f64]);

    /// `w_j ← factor_j w_j`.
    fn scale_rows(&mut self, factor: &[f64]);

    /// Remembers the weights, for [`restore`](Self::restore); what is known of the data stays known.
    fn save(&mut self);

    /// Puts back the weights of the last [`save`](Self::save).
    fn restore(&mut self);

    /// Multiply-adds of one step with n_b samples, roughly: how often the observer is asked depends on it.
    fn work(&self, batch: usize) -> u64;

    /// Writes M and Q after the last step; P is left as it is.
    fn overlaps(&mut self, into: &mut Overlaps);
}

/// A frame that is looked at after the run.
impl<F: Frame> Frame for &mut F {
    fn look(&mut self, batch: &Batch<'_>, context: &StepContext<'_>, sums: &mut Sums) {
        (**self).look(batch, context, sums);
    }

    fn descend(&mut self, row_factors: &[f64], factor: f64) {
        (**self).descend(row_factors, factor);
    }

    fn norms(&mut self, norms: &mut [f64]) {
        (**self).norms(norms);
    }

    fn scale_rows(&mut self, factor: &[f64]) {
        (**self).scale_rows(factor);
    }

    fn save(&mut self) {
        (**self).save();
    }

    fn restore(&mut self) {
        (**self).restore();
    }

    fn work(&self, batch: usize) -> u64 {
        (**self).work(batch)
    }

    fn overlaps(&mut self, into: &mut Overlaps) {
        (**self).overlaps(into);
    }
}

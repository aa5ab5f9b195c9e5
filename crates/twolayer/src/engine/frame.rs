//! What a simulation asks of the weights, in whatever coordinates an engine keeps them.

use crate::{
    overlaps::Overlaps,
    signal::{Batch, Sight, Sums},
};

/// p student vectors: d-vectors (`dense`), an LQ factor (`gaussian`), or a growing basis (`revealed`).
///
/// Geometry, losses, weight decay, biases and the second layer live in [`simulate`](super::simulate()) and
/// [`Signal`](crate::signal::Signal), in field space, so that every frame gets them for free.
pub trait Frame {
    /// Looks at a batch, in one pass over its samples: their fields `λ_jμ = ⟨w_j, x_μ⟩`, the signals that `sight` makes of
    /// them, and `Σ_μ signal_jμ x_μ`, which is remembered for [`descend`](Self::descend). `sums` become those of the batch.
    fn look(&mut self, batch: &Batch<'_>, sight: &Sight<'_>, sums: &mut Sums);

    /// `w_j ← keep_j w_j − factor Σ_μ signal_jμ x_μ` with the signals of the last [`look`](Self::look).
    fn descend(&mut self, keep: &[f64], factor: f64);

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
    fn look(&mut self, batch: &Batch<'_>, sight: &Sight<'_>, sums: &mut Sums) {
        (**self).look(batch, sight, sums);
    }

    fn descend(&mut self, keep: &[f64], factor: f64) {
        (**self).descend(keep, factor);
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

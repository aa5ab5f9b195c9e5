//! What a simulation asks of the weights, in whatever coordinates an engine keeps them.

use std::ops::Range;

use crate::{overlaps::Overlaps, signal::Batch};

/// What a step makes of the fields of its batch.
pub trait Sight {
    /// The signals at `fields`, both p×n_b, of which those of `samples` must be right; called for one range of samples after
    /// the other.
    fn signals(&mut self, fields: &[f64], samples: Range<usize>) -> &[f64];
}

/// p student vectors: d-vectors (`dense`), or an LQ factor (`gaussian`).
///
/// Geometry, losses, weight decay, biases and the second layer live in [`simulate`](super::simulate()) and
/// [`Signal`](crate::signal::Signal), in field space, so that every frame gets them for free.
pub trait Frame {
    /// Fields `λ_jμ = ⟨w_j, x_μ⟩` of a batch, neuron-major (p×n_b).
    fn fields(&mut self, batch: &Batch<'_>, fields: &mut [f64]);

    /// [`fields`](Self::fields), and the signals that `sight` makes of them; a frame that has the samples at hand may prepare
    /// [`descend`](Self::descend) with the same signals.
    fn look(&mut self, batch: &Batch<'_>, fields: &mut [f64], sight: &mut dyn Sight) {
        self.fields(batch, fields);
        sight.signals(fields, 0..batch.count());
    }

    /// `w_j ← keep_j w_j − Σ_μ signal_jμ x_μ` over the samples of the last call of [`fields`](Self::fields), which must be
    /// given again; `signal` is neuron-major (p×n_b).
    fn descend(&mut self, keep: &[f64], batch: &Batch<'_>, signal: &[f64]);

    /// `‖w_j‖` (p).
    fn norms(&mut self, norms: &mut [f64]);

    /// `w_j ← factor_j w_j`.
    fn scale_rows(&mut self, factor: &[f64]);

    /// Remembers the weights, for [`restore`](Self::restore); what is known of the data stays known, and what a look has
    /// prepared is forgotten.
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
    fn fields(&mut self, batch: &Batch<'_>, fields: &mut [f64]) {
        (**self).fields(batch, fields);
    }

    fn look(&mut self, batch: &Batch<'_>, fields: &mut [f64], sight: &mut dyn Sight) {
        (**self).look(batch, fields, sight);
    }

    fn descend(&mut self, keep: &[f64], batch: &Batch<'_>, signal: &[f64]) {
        (**self).descend(keep, batch, signal);
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

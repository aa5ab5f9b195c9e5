//! What a simulation asks of the weights, in whatever coordinates an engine keeps them.

pub mod direct;
pub mod fresh;
mod normal;
mod products;
pub mod reused;
mod row_map;

pub use normal::NormalFields;
pub use row_map::{Factor, Gram, MOST_SLOTS, RowMap, Slot};

use crate::{
    error::{Error, Result},
    overlaps::Overlaps,
    random::Stream,
    signal::{Batch, Samples, StepContext, Sums},
};

/// p rows in each slot, in whatever coordinates a frame keeps them: d-vectors ([`direct`]), an LQ factor ([`fresh`]), or a
/// growing basis ([`reused`]). Slot 0 are the weights.
///
/// Geometry, losses, weight decay, biases and the second layer live in the training loop, `simulate`, and
/// [`Signal`](crate::signal::Signal), in field space and as [`RowMap`]s, so that every frame gets them for free.
pub trait Frame {
    /// Looks at a batch, in one pass over its samples: their fields `λ_jμ = ⟨w_j, x_μ⟩`, the signals that `context` makes of
    /// them, and `G_j = Σ_μ signal_jμ x_μ`, which is remembered for [`apply`](Self::apply). `sums` become those of the batch.
    fn look(&mut self, batch: &Batch<'_>, context: &StepContext<'_>, sums: &mut Sums);

    /// Changes the rows, by themselves and by G of the last [`look`](Self::look).
    fn apply(&mut self, map: &RowMap);

    /// Inner products with G of the last [`look`](Self::look), before it is applied.
    fn gram(&mut self, into: &mut Gram);

    /// `‖w_j‖` (p).
    fn norms(&mut self, norms: &mut [f64]);

    /// Multiply-adds of one step with n_b samples, roughly: how often the observer is asked depends on it.
    fn work(&self, batch: usize) -> u64;

    /// Writes M and Q after the last step; P is left as it is.
    fn overlaps(&mut self, into: &mut Overlaps);

    /// Writes the fields of samples that are not trained on (p×m, neuron-major), whose inputs are real and come from
    /// `stream`; false where a frame has no inputs: given Ω fields are normal, and [`NormalFields`] draws them.
    fn fields(&mut self, _samples: &Samples<'_>, _stream: &mut Stream, _into: &mut Vec<f64>) -> bool {
        false
    }

    /// Turns the last row from the moment estimate `Xᵀ(y − ȳ)/n_b` into that of least squares, `(XᵀX)⁻¹ Xᵀ(y − ȳ)`, on the
    /// batch that was looked at.
    ///
    /// # Errors
    /// [`Error::Refused`] where a frame has no inputs, [`Error::Numerical`] where XᵀX is singular.
    fn least_squares(&mut self, _batch: &Batch<'_>) -> Result<()> {
        let remedy = "use the direct view, or preprocess = \"linear\"";
        Err(Error::refused("training.preprocess", "least squares needs the inputs themselves", remedy))
    }
}

/// A frame that is looked at after the run.
impl<F: Frame> Frame for &mut F {
    fn look(&mut self, batch: &Batch<'_>, context: &StepContext<'_>, sums: &mut Sums) {
        (**self).look(batch, context, sums);
    }

    fn apply(&mut self, map: &RowMap) {
        (**self).apply(map);
    }

    fn gram(&mut self, into: &mut Gram) {
        (**self).gram(into);
    }

    fn norms(&mut self, norms: &mut [f64]) {
        (**self).norms(norms);
    }

    fn work(&self, batch: usize) -> u64 {
        (**self).work(batch)
    }

    fn overlaps(&mut self, into: &mut Overlaps) {
        (**self).overlaps(into);
    }

    fn fields(&mut self, samples: &Samples<'_>, stream: &mut Stream, into: &mut Vec<f64>) -> bool {
        (**self).fields(samples, stream, into)
    }

    fn least_squares(&mut self, batch: &Batch<'_>) -> Result<()> {
        (**self).least_squares(batch)
    }
}

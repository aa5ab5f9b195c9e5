//! What is looked at on the way of a training run or a recursion: each thing a [`Probe`], called at the moments it asks for.

pub(crate) mod crossing;
mod gradients;
mod population;
mod readout;
mod recorder;

pub use gradients::Gradients;
pub use population::{Known, Population};
pub use readout::ReadoutProbe;
pub use recorder::Recorder;

use crate::{
    average::State,
    error::{Error, Result},
    frame::Gram,
    random::Stream,
    record::Trajectory,
    signal::{Head, Samples},
};

/// Never: no step is so late.
pub const NEVER: u64 = u64::MAX;

/// What is looked at, at moments of a loop or of a recursion, and written into the record of the run.
pub trait Probe {
    /// The step after which it looks next, [`NEVER`] where it has seen all. It rises with every look.
    fn due(&self) -> u64;

    /// Looks at the run after ν steps.
    ///
    /// # Errors
    /// [`Error::Numerical`] where an average or a regression fails.
    fn look(&mut self, at: &mut dyn Moment, into: &mut Trajectory) -> Result<Verdict>;

    /// The step whose gradient it looks at next: that from ν to ν + 1.
    fn due_gradient(&self) -> u64 {
        NEVER
    }

    /// Looks at a gradient before the step is made; its rows carry `rate`.
    fn look_at_gradient(&mut self, _gradient: &Gram, _rate: f64, _into: &mut Trajectory) {}
}

/// What a probe thinks of a run that it has looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It goes on.
    GoOn,
    /// It has come to where it was to stop.
    Stop,
    /// It has diverged; nothing was written.
    Diverged,
}

/// What can be seen of a run after ν steps. What costs something is computed when it is first asked for.
pub trait Moment {
    /// ν.
    fn step(&self) -> u64;

    /// Distinct samples seen.
    fn samples(&self) -> f64;

    /// Sample gradients computed.
    fn gradients(&self) -> f64;

    /// a and b.
    fn head(&self) -> &Head;

    /// M, Q, P, a and b.
    ///
    /// # Errors
    /// [`Error::Numerical`] where they are no covariance.
    fn state(&mut self) -> Result<&State>;

    /// The population risk and its numerical error.
    ///
    /// # Errors
    /// [`Error::Numerical`] where the average fails.
    fn risk(&mut self) -> Result<(f64, f64)>;

    /// ½ mean (f−y)² over the stored data set, where there is one.
    fn training_risk(&mut self) -> Option<f64> {
        None
    }

    /// Fields `λ_jμ = ⟨w_j, x_μ⟩` of samples that are not trained on (rows·m, neuron-major); where a linear part is
    /// subtracted from the labels, its row stands behind the neurons. What is not in the samples comes from `stream`.
    ///
    /// # Errors
    /// [`Error::Numerical`] where there are no samples, or a covariance is none.
    fn fields(&mut self, _samples: &Samples<'_>, _stream: &mut Stream, _into: &mut Vec<f64>) -> Result<()> {
        Err(Error::Numerical("a recursion has no samples".into()))
    }

    /// The same for the batch of the step just made (all n_b of it), and its labels; `None` before the first step.
    fn batch(&mut self, _into: &mut Vec<f64>) -> Option<Vec<f64>> {
        None
    }

    /// ȳ of that batch, where a mean is subtracted from its labels.
    fn label_mean(&self) -> f64 {
        0.0
    }
}

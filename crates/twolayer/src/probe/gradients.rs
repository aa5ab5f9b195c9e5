//! The gradients of the steps after recorded moments.

use super::{Moment, NEVER, Probe, Verdict};
use crate::{error::Result, frame::Gram, problem::Record, record::Trajectory};

/// Records `G W*ᵀ` and ‖G_j‖ of the step after each moment but the last, where they are asked for.
#[derive(Debug)]
pub struct Gradients<'a> {
    /// Those that are left.
    moments: &'a [u64],
}

impl<'a> Gradients<'a> {
    /// Of a run that records these moments.
    pub fn new(record: &Record, moments: &'a [u64]) -> Self {
        Self { moments: if record.gradients { moments } else { &[] } }
    }
}

impl Probe for Gradients<'_> {
    fn due(&self) -> u64 {
        NEVER
    }

    fn look(&mut self, _: &mut dyn Moment, _: &mut Trajectory) -> Result<Verdict> {
        Ok(Verdict::GoOn)
    }

    fn due_gradient(&self) -> u64 {
        self.moments.first().copied().unwrap_or(NEVER)
    }

    fn look_at_gradient(&mut self, gradient: &Gram, rate: f64, into: &mut Trajectory) {
        into.push_gradient(&gradient.teacher, &gradient.gradient, 1.0 / rate);
        self.moments = self.moments.get(1..).unwrap_or_default();
    }
}

//! Turns overlaps into the entries of a trajectory.

use super::{Moment, NEVER, Probe, Verdict};
use crate::{
    average::feature_covariance,
    error::Result,
    problem::{Problem, Record},
    readout::Tridiagonal,
    record::{
        Entry, Trajectory,
        observable::{RISK, SPECTRUM, TRAINING_RISK},
    },
};

/// A risk or a ‖w_j‖² this many times the first one (or 1) is a run that has diverged.
const DIVERGED: f64 = 1e12;

/// Records overlaps and risk at given moments.
#[derive(Debug)]
pub struct Recorder<'a> {
    problem: &'a Problem,
    /// Those that are left.
    moments: &'a [u64],
    /// Whether the eigenvalues of the covariance of the features are recorded.
    spectrum: bool,
    /// max |Q_jl| of the first entry.
    first_norm: Option<f64>,
}

impl<'a> Recorder<'a> {
    /// For a run of `problem`, of which these moments are recorded.
    pub fn new(problem: &'a Problem, record: &Record, moments: &'a [u64]) -> Self {
        Self { problem, moments, spectrum: record.spectrum, first_norm: None }
    }
}

impl Probe for Recorder<'_> {
    fn due(&self) -> u64 {
        self.moments.first().copied().unwrap_or(NEVER)
    }

    fn look(&mut self, at: &mut dyn Moment, into: &mut Trajectory) -> Result<Verdict> {
        self.moments = self.moments.get(1..).unwrap_or_default();
        let norm = at.state()?.overlaps.student_student.norm_max();
        if !norm.is_finite() || norm > DIVERGED * self.first_norm.unwrap_or(norm).max(1.0) {
            return Ok(Verdict::Diverged);
        }
        self.first_norm.get_or_insert(norm);
        let (risk, risk_error) = at.risk()?;
        let first = into.of(&RISK).first().copied().unwrap_or(f64::INFINITY);
        if risk.is_nan() || risk > DIVERGED * first.max(1.0) {
            return Ok(Verdict::Diverged);
        }
        let step = at.step() as f64;
        let (samples, gradients) = (at.samples(), at.gradients());
        let state = at.state()?;
        into.push(&Entry {
            step,
            time: step * self.problem.step_time(),
            samples,
            gradients,
            risk,
            risk_error,
            overlaps: &state.overlaps,
            squares: None,
            second_layer: &state.second_layer,
            bias: &state.bias,
        });
        if self.spectrum {
            let covariance = feature_covariance(&self.problem.network.activation, state);
            into.append(&SPECTRUM, Tridiagonal::new(covariance)?.eigenvalues()?);
        }
        if let Some(risk) = at.training_risk() {
            into.append(&TRAINING_RISK, [risk]);
        }
        Ok(Verdict::GoOn)
    }
}

//! Turns overlaps into the entries of a trajectory.

use crate::overlaps::Overlaps;
use crate::{
    average::{Averages, Kernel, State, Want},
    error::Result,
    problem::{Problem, Record},
    record::{Entry, Trajectory},
    signal::Head,
};

/// A risk or a ‖w_j‖² this many times the first one (or 1) is a run that has diverged.
const DIVERGED: f64 = 1e12;

/// Where a simulation is, apart from its overlaps.
#[derive(Debug, Clone, Copy)]
pub struct Moment<'a> {
    /// ν.
    pub step: u64,
    /// Distinct samples seen.
    pub samples: f64,
    /// Sample gradients computed.
    pub gradients: f64,
    /// a and b.
    pub head: &'a Head,
    /// ½ mean (f−y)² over the stored data set, where there is one.
    pub training_risk: Option<f64>,
}

/// Turns overlaps into entries of a trajectory.
pub struct Recorder<'a> {
    problem: &'a Problem,
    kernel: &'a dyn Kernel,
    /// The overlaps to record are written here.
    pub state: State,
    averages: Averages,
    /// What has been recorded.
    pub trajectory: Trajectory,
    /// max |Q_jl| of the first entry.
    first_norm: Option<f64>,
}

impl<'a> Recorder<'a> {
    /// For runs of `problem`, whose risk is the kernel's.
    pub fn new(problem: &'a Problem, kernel: &'a dyn Kernel, record: &Record) -> Self {
        let (p, k) = (problem.width(), problem.directions());
        let overlaps = Overlaps { teacher_teacher: problem.target.overlaps.clone(), ..Overlaps::zeros(p, k) };
        let mut trajectory = Trajectory::new(p, k, record.keep_q(p));
        if record.gradients {
            (trajectory.gradient_teacher, trajectory.gradient_norm) = (Some(Vec::new()), Some(Vec::new()));
        }
        trajectory.crossing_step = vec![f64::NAN; record.crossings.len()];
        Self {
            problem,
            kernel,
            state: State { overlaps, second_layer: vec![0.0; p], bias: vec![0.0; p] },
            averages: Averages::zeros(p, k),
            trajectory,
            first_norm: None,
        }
    }

    /// The last risk computed.
    pub fn risk(&self) -> f64 {
        self.averages.risk
    }

    /// Computes the population risk at the overlaps of [`state`](Self::state) and this head.
    ///
    /// # Errors
    /// [`Error::Numerical`](crate::Error::Numerical) where the kernel fails.
    pub fn evaluate(&mut self, head: &Head) -> Result<f64> {
        self.state.second_layer.copy_from_slice(&head.second_layer);
        if !head.bias.is_empty() {
            self.state.bias.copy_from_slice(&head.bias);
        }
        self.kernel.averages(&self.state, Want::RISK, &mut self.averages)?;
        Ok(self.averages.risk)
    }

    /// Records the overlaps of [`state`](Self::state); false, with nothing recorded, where the run has diverged.
    ///
    /// # Errors
    /// [`Error::Numerical`](crate::Error::Numerical) where the kernel fails.
    pub fn record(&mut self, at: &Moment<'_>) -> Result<bool> {
        let norm = self.state.overlaps.student_student.norm_max();
        if !norm.is_finite() || norm > DIVERGED * self.first_norm.unwrap_or(norm).max(1.0) {
            return Ok(false);
        }
        self.first_norm.get_or_insert(norm);
        let risk = self.evaluate(at.head)?;
        let first = self.trajectory.risk.first().copied().unwrap_or(f64::INFINITY);
        if risk.is_nan() || risk > DIVERGED * first.max(1.0) {
            return Ok(false);
        }
        let step = at.step as f64;
        self.trajectory.push(&Entry {
            step,
            time: step * self.problem.step_time(),
            samples: at.samples,
            gradients: at.gradients,
            risk,
            risk_error: self.averages.risk_error,
            overlaps: &self.state.overlaps,
            second_layer: &at.head.second_layer,
            bias: &self.state.bias,
        });
        if let Some(risk) = at.training_risk {
            self.trajectory.training_risk.get_or_insert_default().push(risk);
        }
        Ok(true)
    }
}

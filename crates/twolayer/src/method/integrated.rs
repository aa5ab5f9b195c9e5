//! What the limits that integrate in time have in common: the record of an integration beside that of its looser check.

use crate::{
    overlaps::Overlaps,
    problem::{Algorithm, Problem},
    record::{
        Entry, KeepQ, Status, Trajectory,
        observable::{STUDENT_SQUARES_ERROR, STUDENT_TEACHER_ERROR},
    },
    solve::{Ending, Solution},
};

/// A state at one of the times, with its risk.
pub struct Point<'a> {
    /// The risk, and its error by the averages alone.
    pub risk: (f64, f64),
    /// The check's risk, where it came so far.
    pub other_risk: Option<f64>,
    /// M, P, and as much of Q as there is.
    pub overlaps: &'a Overlaps,
    /// diag Q, where the overlaps hold none.
    pub squares: Option<&'a [f64]>,
    /// a.
    pub second_layer: &'a [f64],
    /// b.
    pub bias: &'a [f64],
}

/// A record in the making.
pub struct Integrated<'a> {
    problem: &'a Problem,
    times: &'a [f64],
    /// The relative tolerance of the integration.
    tolerance: f64,
    trajectory: Trajectory,
    overlap_errors: Vec<f64>,
    square_errors: Vec<f64>,
}

impl<'a> Integrated<'a> {
    /// An empty record of an integration of this relative tolerance, to be read at `times`.
    pub fn new(problem: &'a Problem, times: &'a [f64], tolerance: f64, keep_q: KeepQ) -> Self {
        let trajectory = Trajectory::new(problem.width(), problem.directions(), keep_q);
        Self { problem, times, tolerance, trajectory, overlap_errors: Vec::new(), square_errors: Vec::new() }
    }

    /// The step at `time`; NaN where steps are not counted.
    fn step(&self, time: f64) -> f64 {
        let counted = self.problem.training.algorithm == Algorithm::Sgd && self.problem.dimension().is_some();
        if counted { time / self.problem.step_time() } else { f64::NAN }
    }

    /// The distance of a number to that of the check, and the tolerance; NaN where the check did not come so far.
    fn error(&self, own: f64, other: Option<f64>) -> f64 {
        other.map_or(f64::NAN, |other| (own - other).abs()) + self.tolerance * own.abs()
    }

    /// Appends the errors of M's entries, each beside that of the check.
    pub fn overlaps(&mut self, pairs: impl IntoIterator<Item = (f64, Option<f64>)>) {
        for (own, other) in pairs {
            self.overlap_errors.push(self.error(own, other));
        }
    }

    /// Appends errors of M that are known otherwise.
    pub fn overlap_errors(&mut self, errors: impl IntoIterator<Item = f64>) {
        self.overlap_errors.extend(errors);
    }

    /// Appends the errors of diag Q, each entry beside that of the check.
    pub fn squares(&mut self, pairs: impl IntoIterator<Item = (f64, Option<f64>)>) {
        for (own, other) in pairs {
            self.square_errors.push(self.error(own, other));
        }
    }

    /// Appends the state at the next of the times.
    pub fn push(&mut self, point: &Point<'_>) {
        let time = self.times[self.trajectory.valid];
        let (step, (risk, own_error)) = (self.step(time), point.risk);
        let samples = step * self.problem.batch() as f64;
        let distance = point.other_risk.map_or(f64::NAN, |other| (other - risk).abs());
        self.trajectory.push(&Entry {
            step,
            time,
            samples,
            gradients: samples,
            risk,
            risk_error: distance + own_error + self.tolerance * risk,
            overlaps: point.overlaps,
            squares: point.squares,
            second_layer: point.second_layer,
            bias: point.bias,
        });
    }

    /// The record, with its errors and how it ended; times that were not reached are NaN.
    pub fn finish(mut self, main: &Solution, check: &Solution) -> Trajectory {
        let rest: Vec<(f64, f64)> = self.times[main.reached..].iter().map(|&time| (self.step(time), time)).collect();
        self.trajectory.set(&STUDENT_TEACHER_ERROR, self.overlap_errors);
        self.trajectory.set(&STUDENT_SQUARES_ERROR, self.square_errors);
        // A check that was stopped leaves the errors unknown.
        let ending = match (main.ending, check.ending) {
            (Ending::Done, Ending::Interrupted) => Ending::Interrupted,
            (ending, _) => ending,
        };
        self.trajectory.status = Status::from(ending);
        self.trajectory.pad(rest);
        self.trajectory
    }
}

//! The only training loop, over any [`Frame`]. (theory.md §1)

use super::Frame;
use crate::{
    error::Result,
    kernel::{Kernel, Moments, State, Want},
    observer::{Observer, Progress},
    overlaps::Overlaps,
    problem::{Problem, Start},
    random::Streams,
    signal::{Labels, Signal},
    trajectory::{Entry, KeepQ, Status, Trajectory},
};

/// A risk or a ‖w_j‖² this many times the first one (or 1) is a run that has diverged.
const DIVERGED: f64 = 1e12;

/// Multiply-adds between two words with the observer: some hundredths of a second.
const BREATH: u64 = 1 << 26;

/// Trains the weights of `frame` on fresh batches and records the steps of `moments` (rising, from 0).
///
/// A step: fields of a new batch, error signals, `w_j ← (1 − ηλ_w) w_j − (η/n_b) Σ_μ g_jμ x_μ`, and, where the second
/// layer is trained, `a_j ← a_j − (η_a/n_b) Σ_μ s e_μ σ(λ_jμ)` with the same forward pass. The population risk at each
/// recorded step is the `kernel`'s.
///
/// # Errors
/// [`Error::Numerical`](crate::Error::Numerical) where the kernel fails. A run that diverges or is interrupted is not an
/// error: it is the [`Status`] of the trajectory, whose entries up to there are valid.
#[allow(clippy::too_many_arguments)] // Each is a separate choice of the caller.
pub fn simulate<F: Frame>(
    problem: &Problem,
    mut frame: F,
    start: &Start,
    kernel: &dyn Kernel,
    streams: Streams,
    moments: &[u64],
    keep_q: KeepQ,
    observer: &dyn Observer,
) -> Result<Trajectory> {
    let (p, k, batch) = (problem.width(), problem.directions(), problem.batch());
    let rate = problem.learning_rate() / batch as f64;
    let second_rate = if problem.network.second_layer.train { rate * problem.rate_ratio() } else { 0.0 };
    let keep = 1.0 - problem.learning_rate() * problem.training.weight_decay;
    let breath = (BREATH / frame.work(batch).max(1)).clamp(1, 1 << 16);
    let last = moments.last().copied().unwrap_or(0);

    let mut labels = Labels::new(problem, batch, streams)?;
    let mut signal = Signal::new(problem, batch);
    let mut fields = vec![0.0; p * batch];
    let mut a = start.second_layer.clone();
    let mut recorder = Recorder::new(problem, kernel, keep_q);

    let mut step = 0;
    'moments: for &moment in moments {
        while step < moment {
            let samples = labels.next(batch);
            frame.fields(&samples, &mut fields);
            let size = signal.evaluate(rate, &fields, samples.labels, &a);
            if !size.is_finite() {
                recorder.trajectory.status = Status::Diverged { at: step as f64 };
                break 'moments;
            }
            frame.descend(keep, &samples, signal.signal());
            if second_rate != 0.0 {
                signal.train_second_layer(second_rate, &mut a);
            }
            step += 1;
            if step % breath == 0 {
                let at = Progress { done: step as f64, total: last as f64, risk: recorder.risk() };
                if observer.progress(&at).is_break() {
                    recorder.trajectory.status = Status::Interrupted;
                    break 'moments;
                }
            }
        }
        frame.overlaps(&mut recorder.state.overlaps);
        if !recorder.record(step, &a)? {
            recorder.trajectory.status = Status::Diverged { at: step as f64 };
            break;
        }
    }
    let mut trajectory = recorder.trajectory;
    let rest = &moments[trajectory.valid..];
    trajectory.pad(rest.iter().map(|&step| (step as f64, step as f64 * problem.step_time())));
    debug_assert_eq!(trajectory.student_teacher.len(), moments.len() * p * k);
    Ok(trajectory)
}

/// Turns overlaps into entries of a trajectory.
struct Recorder<'a> {
    problem: &'a Problem,
    kernel: &'a dyn Kernel,
    state: State,
    moments: Moments,
    trajectory: Trajectory,
    /// max |Q_jl| of the first entry.
    first_norm: Option<f64>,
}

impl<'a> Recorder<'a> {
    fn new(problem: &'a Problem, kernel: &'a dyn Kernel, keep_q: KeepQ) -> Self {
        let (p, k) = (problem.width(), problem.directions());
        let overlaps = Overlaps { teacher_teacher: problem.target.overlaps.clone(), ..Overlaps::zeros(p, k) };
        Self {
            problem,
            kernel,
            state: State { overlaps, second_layer: vec![0.0; p], bias: vec![0.0; p] },
            moments: Moments::zeros(p, k),
            trajectory: Trajectory::new(p, k, keep_q),
            first_norm: None,
        }
    }

    /// The last risk recorded.
    fn risk(&self) -> f64 {
        self.moments.risk
    }

    /// Records the state at `step`; false, with nothing recorded, where it has diverged.
    fn record(&mut self, step: u64, a: &[f64]) -> Result<bool> {
        self.state.second_layer.copy_from_slice(a);
        let norm = self.state.overlaps.student_student.norm_max();
        if !norm.is_finite() || norm > DIVERGED * self.first_norm.unwrap_or(norm).max(1.0) {
            return Ok(false);
        }
        self.first_norm.get_or_insert(norm);
        self.kernel.moments(&self.state, Want::RISK, &mut self.moments)?;
        let first = self.trajectory.risk.first().copied().unwrap_or(f64::INFINITY);
        let risk = self.moments.risk;
        if risk.is_nan() || risk > DIVERGED * first.max(1.0) {
            return Ok(false);
        }
        let samples = step as f64 * self.problem.batch() as f64;
        self.trajectory.push(&Entry {
            step: step as f64,
            time: step as f64 * self.problem.step_time(),
            samples,
            gradients: samples,
            risk: self.moments.risk,
            risk_error: self.moments.risk_error,
            overlaps: &self.state.overlaps,
            second_layer: a,
            bias: &self.state.bias,
        });
        Ok(true)
    }
}

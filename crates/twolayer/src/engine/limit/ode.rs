//! The online ODE, ηs → 0 with fresh batches. (theory.md §5.1; Saad & Solla 1995, Goldt et al. 2019, paper D)
//!
//! With `ĝ = g/s`, κ = ηsd/n_b and the averages D, N, A of the kernel:
//!
//! ```text
//! dM/dt = −D_z/s − (λ_w/s) M
//! dQ/dt = −(D_λ + D_λᵀ)/s + κ N/s² − 2(λ_w/s) Q
//! da/dt = −(η_a/η) A/s                              where the second layer is trained
//! ```

use std::{cell::RefCell, ops::ControlFlow};

use crate::{
    error::{Error, Result},
    kernel::{self, Kernel, Moments, State, Want},
    observer::{Observer, Progress},
    overlaps::Overlaps,
    problem::{Algorithm, Problem, Terms},
    solve::{self, Ending, Method, Options, Solution, VectorField},
    trajectory::{Entry, KeepQ, Status, Trajectory},
};

/// How a limit was computed, for the manifest.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// The integrator that ran, and why that one.
    pub method: String,
    /// The kernel.
    pub kernel: String,
    /// Relative tolerance of the integration.
    pub relative_tolerance: f64,
    /// Drifts computed, the run that measures the error included.
    pub evaluations: usize,
    /// Steps, the same.
    pub steps: usize,
}

/// The integration that measures the error is this much looser.
const LOOSER: f64 = 10.0;

/// Integrates the ODE of `problem` from `start` and records it at `times` (rising, from 0 on).
///
/// `kappa` is κ, of no consequence for [`Terms::Flow`]; [`Terms::Auto`] stands for all terms, or the flow where κ = 0.
/// `tolerance` is the relative accuracy wanted; the integration is 10⁴ times finer, because a risk near its floor is a
/// difference of overlaps of order 1, but not finer than 10⁻⁶ where the kernel itself is less precise than that. The
/// trajectory's `risk_error` and `student_teacher_error` are the distance to a second integration, 10 times looser, plus
/// the kernel's own error of the risk.
///
/// # Errors
/// [`Error::Refused`] for terms that need a κ where there is none, [`Error::Numerical`] for a start whose Ω is not a
/// covariance. Divergence is a [`Status`].
#[allow(clippy::too_many_arguments)] // One call from the plan, which has each of these at hand separately.
pub fn run(
    problem: &Problem,
    start: &State,
    kappa: f64,
    terms: Terms,
    times: &[f64],
    tolerance: f64,
    keep_q: KeepQ,
    observer: &dyn Observer,
) -> Result<(Trajectory, Report)> {
    let kernel = kernel::for_problem(problem, tolerance)?;
    let field = OnlineFlow::new(problem, start, kappa, terms, kernel.as_ref())?;
    let mut moments = Moments::zeros(problem.width(), problem.directions());
    kernel.moments(start, Want::DRIFT, &mut moments)?;
    let relative_tolerance = (1e-4 * tolerance).max(moments.drift_error.min(1e-6)).max(1e-12);
    let absolute_tolerance = relative_tolerance * 1e-2 * smallest_scale(start);
    let fine = Options { relative_tolerance, absolute_tolerance, method: Method::Auto, ..Options::default() };
    let loose = Options {
        relative_tolerance: LOOSER * relative_tolerance,
        absolute_tolerance: LOOSER * absolute_tolerance,
        ..fine
    };
    let y0 = field.pack(start);
    let solution = solve::integrate(&field, &y0, times, &fine, observer)?;
    let reached = &times[..solution.reached];
    let check = solve::integrate(&field, &y0, reached, &loose, &Finished(observer))?;
    let trajectory = record(problem, &field, times, &solution, &check, relative_tolerance, keep_q)?;
    let report = Report {
        method: solution.method,
        kernel: kernel.describe(),
        relative_tolerance,
        evaluations: solution.evaluations + check.evaluations,
        steps: solution.steps + check.steps,
    };
    Ok((trajectory, report))
}

/// The scale below which overlaps do not matter at the start: the typical M, which decides when a plateau is left.
fn smallest_scale(start: &State) -> f64 {
    let m = &start.overlaps.student_teacher;
    let typical = m.norm_l2() / ((m.nrows() * m.ncols()) as f64).sqrt();
    if typical > 0.0 { typical.clamp(1e-8, 1.0) } else { 1e-2 }
}

/// The recorded states with their risks and errors.
fn record(
    problem: &Problem,
    field: &OnlineFlow<'_>,
    times: &[f64],
    solution: &Solution,
    check: &Solution,
    relative_tolerance: f64,
    keep_q: KeepQ,
) -> Result<Trajectory> {
    let (p, k) = (field.students, field.directions);
    let mut trajectory = Trajectory::new(p, k, keep_q);
    let mut errors = Vec::with_capacity(times.len() * p * k);
    let counts_steps = problem.training.algorithm == Algorithm::Sgd && problem.dimension().is_some();
    let step = |time: f64| if counts_steps { time / problem.step_time() } else { f64::NAN };
    let mut state = field.scratch.borrow().state.clone();
    let mut moments = Moments::zeros(p, k);
    for (i, y) in solution.states.iter().enumerate() {
        let other = check.states.get(i);
        let other_risk = match other {
            Some(other) => field.risk(other, &mut state, &mut moments)?,
            None => f64::NAN,
        };
        let risk = field.risk(y, &mut state, &mut moments)?;
        for m in 0..p * k {
            let distance = other.map_or(f64::NAN, |other| (other[m] - y[m]).abs());
            errors.push(distance + relative_tolerance * y[m].abs());
        }
        let samples = step(times[i]) * problem.batch() as f64;
        trajectory.push(&Entry {
            step: step(times[i]),
            time: times[i],
            samples,
            gradients: samples,
            risk,
            risk_error: (other_risk - risk).abs() + moments.risk_error + relative_tolerance * risk,
            overlaps: &state.overlaps,
            second_layer: &state.second_layer,
            bias: &state.bias,
        });
    }
    trajectory.student_teacher_error = Some(errors);
    trajectory.status = match solution.ending {
        Ending::Done if check.ending == Ending::Interrupted => Status::Interrupted,
        Ending::Done => Status::Done,
        Ending::Interrupted => Status::Interrupted,
        Ending::Diverged { at } => Status::Diverged { at },
        Ending::Stiff { at } => Status::Stiff { at },
    };
    trajectory.pad(times[solution.reached..].iter().map(|&time| (step(time), time)));
    Ok(trajectory)
}

/// Tells of an integration whose main part is done, and still hears that it should stop.
struct Finished<'a>(&'a dyn Observer);

impl Observer for Finished<'_> {
    fn progress(&self, at: &Progress) -> ControlFlow<()> {
        self.0.progress(&Progress { done: at.total, ..*at })
    }
}

/// The vector field of the ODE; y = (M row by row, the lower triangle of Q row by row, a where it is trained).
pub struct OnlineFlow<'a> {
    kernel: &'a dyn Kernel,
    want: Want,
    students: usize,
    directions: usize,
    /// 1/s.
    per_scale: f64,
    /// κ/s².
    noise: f64,
    /// λ_w/s.
    decay: f64,
    /// (η_a/η)/s; `None`: the second layer is fixed.
    second_layer: Option<f64>,
    scratch: RefCell<Scratch>,
}

struct Scratch {
    state: State,
    moments: Moments,
}

impl<'a> OnlineFlow<'a> {
    /// The vector field of `problem`, with P, fixed second layer and biases as in `start`.
    ///
    /// # Errors
    /// [`Error::Refused`] for terms that need a κ where it is not a finite number.
    pub fn new(problem: &Problem, start: &State, kappa: f64, terms: Terms, kernel: &'a dyn Kernel) -> Result<Self> {
        if terms != Terms::Flow && !kappa.is_finite() {
            let reason = format!("the noise terms are multiplied by κ = ηs·d/n_b, which is {kappa} here");
            return Err(Error::refused(
                "training.learning_rate",
                reason,
                "use the flow, or a rate of the order of 1/d",
            ));
        }
        let want = match terms {
            Terms::Flow => Want::DRIFT,
            Terms::LabelNoise => Want { label_noise: true, ..Want::DRIFT },
            Terms::Auto | Terms::All if kappa == 0.0 => Want::DRIFT,
            Terms::Auto | Terms::All => Want { noise: true, ..Want::DRIFT },
        };
        let (p, k, s) = (problem.width(), problem.directions(), problem.output_scale());
        Ok(Self {
            kernel,
            want,
            students: p,
            directions: k,
            per_scale: 1.0 / s,
            noise: kappa / (s * s),
            decay: problem.training.weight_decay / s,
            second_layer: problem.network.second_layer.train.then(|| problem.rate_ratio() / s),
            scratch: RefCell::new(Scratch { state: start.clone(), moments: Moments::zeros(p, k) }),
        })
    }

    /// A state as the vector y.
    pub fn pack(&self, state: &State) -> Vec<f64> {
        let Overlaps { student_teacher, student_student, .. } = &state.overlaps;
        let (p, k) = (self.students, self.directions);
        let mut y = Vec::with_capacity(self.dim());
        y.extend((0..p).flat_map(|j| (0..k).map(move |r| student_teacher[(j, r)])));
        y.extend((0..p).flat_map(|j| (0..=j).map(move |l| student_student[(j, l)])));
        if self.second_layer.is_some() {
            y.extend_from_slice(&state.second_layer);
        }
        y
    }

    /// The vector y as a state; P, biases and a fixed second layer stay as they are in `state`.
    pub fn unpack(&self, y: &[f64], state: &mut State) {
        let (p, k) = (self.students, self.directions);
        let (m, rest) = y.split_at(p * k);
        let (q, a) = rest.split_at(p * (p + 1) / 2);
        for j in 0..p {
            for r in 0..k {
                state.overlaps.student_teacher[(j, r)] = m[j * k + r];
            }
        }
        let mut entries = q.iter();
        for j in 0..p {
            for (l, &entry) in entries.by_ref().take(j + 1).enumerate() {
                state.overlaps.student_student[(j, l)] = entry;
                state.overlaps.student_student[(l, j)] = entry;
            }
        }
        if self.second_layer.is_some() {
            state.second_layer.copy_from_slice(a);
        }
    }

    /// R at y, which is left in `state`, with its error in `moments`.
    fn risk(&self, y: &[f64], state: &mut State, moments: &mut Moments) -> Result<f64> {
        self.unpack(y, state);
        self.kernel.moments(state, Want::RISK, moments)?;
        Ok(moments.risk)
    }
}

impl VectorField for OnlineFlow<'_> {
    fn dim(&self) -> usize {
        let (p, k) = (self.students, self.directions);
        p * k + p * (p + 1) / 2 + if self.second_layer.is_some() { p } else { 0 }
    }

    fn drift(&self, _: f64, y: &[f64], dy: &mut [f64]) -> Result<()> {
        let mut scratch = self.scratch.borrow_mut();
        let Scratch { state, moments } = &mut *scratch;
        self.unpack(y, state);
        self.kernel.moments(state, self.want, moments)?;
        let (p, k) = (self.students, self.directions);
        let noisy = self.want.noise || self.want.label_noise;
        let mut at = 0;
        for j in 0..p {
            for r in 0..k {
                dy[at] = -self.per_scale * moments.drift_teacher[(j, r)] - self.decay * y[at];
                at += 1;
            }
        }
        for j in 0..p {
            for l in 0..=j {
                let drift = moments.drift_student[(j, l)] + moments.drift_student[(l, j)];
                let noise = if noisy { self.noise * moments.noise[(j, l)] } else { 0.0 };
                dy[at] = noise - self.per_scale * drift - 2.0 * self.decay * y[at];
                at += 1;
            }
        }
        if let Some(rate) = self.second_layer {
            for (dy, second) in dy[at..].iter_mut().zip(&moments.second) {
                *dy = -rate * second;
            }
        }
        Ok(())
    }
}

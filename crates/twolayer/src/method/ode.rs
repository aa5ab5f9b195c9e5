//! The online ODE, ηs → 0 with fresh batches. (theory.md §5.1; Saad & Solla 1995, Goldt et al. 2019, paper D)
//!
//! With `ĝ = g/s`, κ = ηsd/n_b and the averages D, N, A of the kernel:
//!
//! ```text
//! dM/dt = −D_z/s − (λ_w/s) M
//! dQ/dt = −(D_λ + D_λᵀ)/s + κ N/s² − 2(λ_w/s) Q
//! da/dt = −(η_a/η) A/s                              where the second layer is trained
//! db/dt = −E[ĝ]                                     where the biases are trained
//! ```
//!
//! On the sphere `Ṁ_jr −= ½ M_jr Φ_jj/Q_jj`, `Q̇_jl −= ½ Q_jl (Φ_jj/Q_jj + Φ_ll/Q_ll)` with Φ the Q̇ above. The terms of the
//! exact step replace dQ/dt by `(E[Q'] − Q)/(ηs)` of theory.md §2, at the problem's own d, n_b and η:
//!
//! ```text
//! E[Q'] = c² Q − ηc (D_λ + D_λᵀ) + η² [ ((d − rank Ω) N + E[g gᵀ (λ,z)Ω⁺(λ,z)ᵀ])/n_b + (1 − 1/n_b) D Ω⁺ Dᵀ ],  c = 1 − ηλ_w
//! ```

use std::cell::RefCell;

use super::exact_step::ExactStep;
use crate::{
    average::{self, Averages, Kernel, State, Want},
    error::{Error, Result},
    observer::{Finished, Observer},
    overlaps::Overlaps,
    problem::{Algorithm, Dimension, Geometry, Problem, Start, Terms},
    random::Streams,
    record::{Entry, KeepQ, Status, Trajectory},
    solve::{self, Ending, Method, Options, Solution, VectorField},
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
/// trajectory's `risk_error`, `student_teacher_error` and `student_squares_error` are the distance to a second integration, 10 times looser and with
/// samples of its own where the kernel takes any, plus the kernel's own error of the risk.
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
    let kernel = average::for_problem(problem, tolerance)?;
    let field = OnlineFlow::new(problem, start, kappa, terms, kernel.as_ref())?;
    let mut averages = Averages::zeros(problem.width(), problem.directions());
    kernel.averages(start, field.want, &mut averages)?;
    let error = averages.drift_error.max(averages.noise_error);
    let relative_tolerance = (1e-4 * tolerance).max(error.min(1e-6)).max(1e-12);
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
    let other = if error > SAMPLED { Some(average::seeded(problem, tolerance, 1)?) } else { None };
    let kernel_of_check = other.as_deref().unwrap_or(kernel.as_ref());
    let field_of_check = OnlineFlow::new(problem, start, kappa, terms, kernel_of_check)?;
    let check = solve::integrate(&field_of_check, &y0, reached, &loose, &Finished(observer))?;
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

/// A kernel with a larger error than this may have taken samples.
const SAMPLED: f64 = 1e-9;

/// The start of the limit of independent starts: the mean of their law, `M = 0`, `Q ∝ I` where it is drawn at random.
///
/// # Errors
/// As for [`Problem::start`].
pub fn mean_start(problem: &Problem) -> Result<Start> {
    // In infinite dimension the law has no spread.
    let mut mean = problem.clone();
    mean.training.dimension = Dimension::Infinite;
    mean.network.start_dimension = None;
    mean.start(Streams { seed: mean.network.start_seed, replicate: 0 })
}

/// Refuses [`Terms::ExactStep`] where a step has no exact mean.
///
/// # Errors
/// [`Error::Refused`] for an infinite dimension, a gradient flow, or rows that keep their norms.
pub fn has_exact_step(problem: &Problem) -> Result<()> {
    ExactStep::of(problem).map(drop)
}

/// Whether M does not move from `start`: `D_z + λ_w M = 0` within rounding, or within the kernel's error.
///
/// # Errors
/// As for [`Kernel::averages`].
pub fn is_fixed(problem: &Problem, start: &State, kernel: &dyn Kernel) -> Result<bool> {
    let mut averages = Averages::zeros(problem.width(), problem.directions());
    kernel.averages(start, Want::DRIFT, &mut averages)?;
    let decay = problem.training.weight_decay;
    let drift = &averages.drift_teacher + &start.overlaps.student_teacher * faer::Scale(decay);
    let a = start.second_layer.iter().fold(0.0, |m: f64, a| m.max(a.abs()));
    Ok(drift.norm_max() <= 5.0 * averages.drift_error + 1e-10 * problem.output_scale() * a)
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
    let mut norm_errors = Vec::with_capacity(times.len() * p);
    let counts_steps = problem.training.algorithm == Algorithm::Sgd && problem.dimension().is_some();
    let step = |time: f64| if counts_steps { time / problem.step_time() } else { f64::NAN };
    let mut state = field.scratch.borrow().state.clone();
    let mut averages = Averages::zeros(p, k);
    for (i, y) in solution.states.iter().enumerate() {
        let other = check.states.get(i);
        let other_risk = match other {
            Some(other) => field.risk(other, &mut state, &mut averages)?,
            None => f64::NAN,
        };
        let norms: Vec<f64> = (0..p).map(|j| state.overlaps.student_student[(j, j)]).collect();
        let risk = field.risk(y, &mut state, &mut averages)?;
        for (j, norm) in norms.into_iter().enumerate() {
            let own = state.overlaps.student_student[(j, j)];
            let distance = if other.is_some() { (norm - own).abs() } else { f64::NAN };
            norm_errors.push(distance + relative_tolerance * own);
        }
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
            risk_error: (other_risk - risk).abs() + averages.risk_error + relative_tolerance * risk,
            overlaps: &state.overlaps,
            second_layer: &state.second_layer,
            bias: &state.bias,
        });
    }
    trajectory.student_teacher_error = Some(errors);
    trajectory.student_squares_error = Some(norm_errors);
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

/// The vector field of the ODE; y = (M row by row, the lower triangle of Q row by row, a and b where they are trained).
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
    trains_bias: bool,
    /// Rows keep their norm.
    on_sphere: bool,
    exact: Option<ExactStep>,
    scratch: RefCell<Scratch>,
}

struct Scratch {
    state: State,
    averages: Averages,
}

impl<'a> OnlineFlow<'a> {
    /// The vector field of `problem`, with P, fixed second layer and biases as in `start`.
    ///
    /// # Errors
    /// [`Error::Refused`] for terms that need a κ where it is not a finite number.
    pub fn new(problem: &Problem, start: &State, kappa: f64, terms: Terms, kernel: &'a dyn Kernel) -> Result<Self> {
        if !matches!(terms, Terms::Flow | Terms::ExactStep) && !kappa.is_finite() {
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
            Terms::ExactStep => Want { noise: true, radial: true, ..Want::DRIFT },
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
            trains_bias: problem.network.bias.is_some_and(|bias| bias.train),
            on_sphere: problem.training.geometry != Geometry::Free,
            exact: if terms == Terms::ExactStep { Some(ExactStep::of(problem)?) } else { None },
            scratch: RefCell::new(Scratch { state: start.clone(), averages: Averages::zeros(p, k) }),
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
        if self.trains_bias {
            y.extend_from_slice(&state.bias);
        }
        y
    }

    /// The vector y as a state; P, fixed biases and a fixed second layer stay as they are in `state`.
    pub fn unpack(&self, y: &[f64], state: &mut State) {
        let (p, k) = (self.students, self.directions);
        let (m, rest) = y.split_at(p * k);
        let (q, rest) = rest.split_at(p * (p + 1) / 2);
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
        let (a, b) = rest.split_at(if self.second_layer.is_some() { p } else { 0 });
        if self.second_layer.is_some() {
            state.second_layer.copy_from_slice(a);
        }
        if self.trains_bias {
            state.bias.copy_from_slice(b);
        }
    }

    /// R at y, which is left in `state`, with its error in `averages`.
    fn risk(&self, y: &[f64], state: &mut State, averages: &mut Averages) -> Result<f64> {
        self.unpack(y, state);
        self.kernel.averages(state, Want::RISK, averages)?;
        Ok(averages.risk)
    }
}

impl VectorField for OnlineFlow<'_> {
    fn dim(&self) -> usize {
        let (p, k) = (self.students, self.directions);
        let layers = usize::from(self.second_layer.is_some()) + usize::from(self.trains_bias);
        p * k + p * (p + 1) / 2 + p * layers
    }

    fn drift(&self, _: f64, y: &[f64], dy: &mut [f64]) -> Result<()> {
        let mut scratch = self.scratch.borrow_mut();
        let Scratch { state, averages } = &mut *scratch;
        self.unpack(y, state);
        self.kernel.averages(state, self.want, averages)?;
        let (p, k) = (self.students, self.directions);
        let noisy = self.want.noise || self.want.label_noise;
        let exact = match &self.exact {
            Some(step) => Some(step.squares(&state.overlaps, averages)?),
            None => None,
        };
        let mut at = 0;
        for j in 0..p {
            for r in 0..k {
                dy[at] = -self.per_scale * averages.drift_teacher[(j, r)] - self.decay * y[at];
                at += 1;
            }
        }
        for j in 0..p {
            for l in 0..=j {
                let drift = self.per_scale * (averages.drift_student[(j, l)] + averages.drift_student[(l, j)]);
                dy[at] = match (&exact, &self.exact) {
                    // ((c² − 1)Q − ηc(D + Dᵀ) + η²X)/(ηs)
                    (Some(squares), Some(step)) => {
                        self.per_scale * step.rate * squares[(j, l)]
                            - (1.0 - step.decay) * drift
                            - (2.0 - step.decay) * self.decay * y[at]
                    }
                    _ => {
                        let noise = if noisy { self.noise * averages.noise[(j, l)] } else { 0.0 };
                        noise - drift - 2.0 * self.decay * y[at]
                    }
                };
                at += 1;
            }
        }
        if self.on_sphere {
            keep_norms(p, k, y, dy);
        }
        if let Some(rate) = self.second_layer {
            for (dy, second) in dy[at..at + p].iter_mut().zip(&averages.second) {
                *dy = -rate * second;
            }
            at += p;
        }
        if self.trains_bias {
            for (dy, bias) in dy[at..].iter_mut().zip(&averages.bias) {
                *dy = -self.per_scale * bias;
            }
        }
        Ok(())
    }
}

/// Takes from the velocities of M and Q what changes the norms of the rows.
fn keep_norms(p: usize, k: usize, y: &[f64], dy: &mut [f64]) {
    let diagonal = |j: usize| p * k + (j + 1) * (j + 2) / 2 - 1;
    let shrink = |x: f64, norm: f64| if norm > 0.0 { 0.5 * x / norm } else { 0.0 };
    let rates: Vec<f64> = (0..p).map(|j| shrink(dy[diagonal(j)], y[diagonal(j)])).collect();
    let (m, q) = dy.split_at_mut(p * k);
    for (at, dm) in m.iter_mut().enumerate() {
        *dm -= rates[at / k] * y[at];
    }
    let pairs = (0..p).flat_map(|j| (0..=j).map(move |l| (j, l)));
    for (at, ((j, l), dq)) in pairs.zip(q).enumerate() {
        *dq -= (rates[j] + rates[l]) * y[p * k + at];
    }
}

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

mod exact_step;
mod flow;
mod trial;

pub use flow::OnlineFlow;

use super::{
    contract::{Cost, Entry, Fit, Job, Method, Question, Run, Warning, start_in_overlaps},
    falling,
    integrated::{Integrated, Point},
    limit::{When, check_moves, check_start, own_kappa, refuse_preprocess, refuse_second_looks},
    memory,
};
use crate::{
    average::{self, Averages, Kernel, State, Want},
    citation,
    error::{Error, Result},
    observer::{Finished, Observer},
    problem::{Engine, Problem, Terms, scaling::Regime},
    record::{KeepQ, Trajectory},
    solve::{self, Ending, Options, Solution},
};
use exact_step::ExactStep;

/// Its line in the registry.
pub const ENTRY: Entry = Entry {
    id: "ode",
    title: "ode",
    engine: Engine::Limit,
    word: Some("ode"),
    citations: &[citation::SAAD_1995, citation::GOLDT_2019],
    accepts,
};

/// Drifts computed by a typical integration and its check.
const EVALUATIONS: f64 = 2000.0;

/// Width above which an integration is not tried before it is run.
const WIDE: usize = 500;

/// Vectors that an integrator keeps.
const STAGES: f64 = 20.0;

/// The online ODE of one view.
#[derive(Debug)]
struct Ode {
    /// κ = lim ηs·d/n_b, the coefficient of the η² term.
    kappa: f64,
    /// The terms that are kept.
    terms: Terms,
    reason: String,
    advice: Option<String>,
    /// Whether it is the gradient flow of its own risk.
    only_falls: bool,
}

/// Everything that the scaling gives to it.
fn accepts(question: &Question<'_>) -> Fit {
    match question.scaling {
        Ok(reading) if let Regime::Ode { kappa } = reading.regime => chosen(question, kappa).into(),
        _ => Fit::Other,
    }
}

fn chosen(question: &Question<'_>, kappa: f64) -> Result<Ode> {
    let Question { problem, view, .. } = *question;
    check_start(problem)?;
    refuse_second_looks(problem)?;
    refuse_preprocess(problem)?;
    let time = problem.time();
    if !(time.is_finite() && time > 0.0) {
        let reason = format!("the number of steps says nothing about the time of an ODE at d = ∞ (t = {time})");
        return Err(Error::refused("training.steps", reason, "write time = … in place of steps"));
    }
    let terms = match view.terms {
        Terms::Auto if kappa == 0.0 => Terms::Flow,
        Terms::Auto => Terms::All,
        chosen => chosen,
    };
    // A plain gradient flow asked for small steps' noise takes κ at its own d: D's small-step correction.
    let kappa = if kappa == 0.0 && terms != Terms::Flow { own_kappa(problem) } else { kappa };
    if terms == Terms::ExactStep {
        ExactStep::of(problem)?;
    }
    let reading = question.scaling.as_ref().map_err(Clone::clone)?;
    let only_falls = terms == Terms::Flow && falling::only_falls(problem);
    Ok(Ode { kappa, terms, reason: reading.reason.clone(), advice: reading.advice.clone(), only_falls })
}

impl Method for Ode {
    fn reason(&self) -> String {
        self.reason.clone()
    }

    fn variant(&self) -> Option<&'static str> {
        Some(match self.terms {
            Terms::Flow => "gradient flow",
            Terms::LabelNoise => "label-noise term",
            Terms::ExactStep => "exact step",
            Terms::Auto | Terms::All => "all terms",
        })
    }

    fn advice(&self) -> Vec<String> {
        self.advice.iter().cloned().collect()
    }

    fn warnings(&self, seen: Option<&Trajectory>) -> Vec<Warning> {
        seen.filter(|_| self.only_falls).and_then(falling::rises).into_iter().collect()
    }

    fn cost(&self, question: &Question<'_>, _: usize) -> Cost {
        let noise = matches!(self.terms, Terms::All | Terms::ExactStep);
        let Question { problem, view, entries, .. } = *question;
        let want = Want { noise, ..Want::DRIFT };
        let (p, k) = (problem.width() as f64, problem.directions() as f64);
        let numbers = p * k + 0.5 * p * (p + 1.0) + 2.0 * p;
        // The states of two integrations, and the stages of one.
        let states = 8.0 * numbers * (2.0 * entries as f64 + STAGES);
        let bytes = states + 2.0 * average::bytes(problem, view.tolerance, want) + memory::of_risk(problem.width());
        Cost { seconds: average::seconds(problem, want) * EVALUATIONS, bytes }
    }

    fn trial(&self, question: &Question<'_>, clock: &dyn Fn() -> f64) -> Result<Option<Cost>> {
        let Question { problem, view, .. } = *question;
        // Neither the start nor a drift may take long.
        if problem.width() > WIDE || average::seconds(problem, Want::DRIFT) > trial::SECONDS {
            return Ok(None);
        }
        let state = start_in_overlaps(problem, view, 0)?;
        trial::cost(problem, &state, self.kappa, self.terms, view.tolerance, clock)
    }

    fn records(&self, observable: &str) -> Result<(), &'static str> {
        if matches!(observable, "gradient_M" | "gradient_norm") { Err("an ODE takes no steps") } else { Ok(()) }
    }

    fn check(&self, question: &Question<'_>) -> Result<()> {
        check_moves(question.problem, question.view, When::Planned)
    }

    fn run(&self, job: &Job<'_>, observer: &dyn Observer) -> Result<Run> {
        let (problem, state, times) = (job.problem, job.state()?, job.times());
        let keep_q = job.record.keep_q(problem.width());
        let tolerance = job.view.tolerance;
        let (trajectory, report) = run(problem, &state, self.kappa, self.terms, &times, tolerance, keep_q, observer)?;
        Ok(Run { trajectory, kernel: format!("{}; {}", report.kernel, report.method) })
    }
}

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
/// covariance. Divergence is a [`Status`](crate::record::Status).
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
    let fine = fine_options(start, error, tolerance);
    let Options { relative_tolerance, absolute_tolerance, .. } = fine;
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
    let trajectory = recorded(problem, &field, times, &solution, &check, relative_tolerance, keep_q)?;
    let report = Report {
        method: solution.method,
        kernel: kernel.describe(),
        relative_tolerance,
        evaluations: solution.evaluations + check.evaluations,
        steps: solution.steps + check.steps,
    };
    Ok((trajectory, report))
}

/// The risks at the start and at the problem's end, with all terms, without a check; infinite where the flow diverges.
///
/// # Errors
/// [`Error::Interrupted`]; [`Error::Numerical`] where the flow is too stiff, or a kernel fails.
pub(super) fn risks(
    problem: &Problem,
    start: &State,
    kappa: f64,
    kernel: &dyn Kernel,
    tolerance: f64,
    observer: &dyn Observer,
) -> Result<[f64; 2]> {
    let field = OnlineFlow::new(problem, start, kappa, Terms::All, kernel)?;
    let options = Options {
        relative_tolerance: 1e-2 * tolerance,
        absolute_tolerance: 1e-4 * tolerance * smallest_scale(start),
        ..Options::default()
    };
    let (y0, mut state) = (field.pack(start), start.clone());
    let solution = solve::integrate(&field, &y0, &[problem.time()], &options, observer)?;
    let mut averages = Averages::zeros(problem.width(), problem.directions());
    let first = field.risk(&y0, &mut state, &mut averages)?;
    match (solution.ending, solution.states.last()) {
        (Ending::Diverged { .. }, _) => Ok([first, f64::INFINITY]),
        (Ending::Interrupted, _) => Err(Error::Interrupted),
        (Ending::Done, Some(y)) => Ok([first, field.risk(y, &mut state, &mut averages)?]),
        (Ending::Stiff { at }, _) => Err(Error::Numerical(format!("the flow is too stiff at t = {at}"))),
        (Ending::Done, None) => Err(Error::Numerical("the flow has no end".into())),
    }
}

/// A kernel with a larger error than this may have taken samples.
const SAMPLED: f64 = 1e-9;

/// The integration itself, whose averages have this error.
fn fine_options(start: &State, error: f64, tolerance: f64) -> Options {
    let relative_tolerance = (1e-4 * tolerance).max(error.min(1e-6)).max(1e-12);
    let absolute_tolerance = relative_tolerance * 1e-2 * smallest_scale(start);
    Options { relative_tolerance, absolute_tolerance, method: solve::Method::Auto, ..Options::default() }
}

/// The scale below which overlaps do not matter at the start: the typical M, which decides when a plateau is left.
fn smallest_scale(start: &State) -> f64 {
    let m = &start.overlaps.student_teacher;
    let typical = m.norm_l2() / ((m.nrows() * m.ncols()) as f64).sqrt();
    if typical > 0.0 { typical.clamp(1e-8, 1.0) } else { 1e-2 }
}

/// The recorded states with their risks and errors.
fn recorded(
    problem: &Problem,
    field: &OnlineFlow<'_>,
    times: &[f64],
    solution: &Solution,
    check: &Solution,
    relative_tolerance: f64,
    keep_q: KeepQ,
) -> Result<Trajectory> {
    let (p, k) = (field.students, field.directions);
    let mut record = Integrated::new(problem, times, relative_tolerance, keep_q);
    let mut state = field.scratch.borrow().state.clone();
    let mut averages = Averages::zeros(p, k);
    for (i, y) in solution.states.iter().enumerate() {
        let other = check.states.get(i);
        let other_risk = other.map(|other| field.risk(other, &mut state, &mut averages)).transpose()?;
        let squares: Vec<f64> = (0..p).map(|j| state.overlaps.student_student[(j, j)]).collect();
        let risk = field.risk(y, &mut state, &mut averages)?;
        record.overlaps((0..p * k).map(|m| (y[m], other.map(|other| other[m]))));
        record.squares((0..p).map(|j| (state.overlaps.student_student[(j, j)], other.map(|_| squares[j]))));
        record.push(&Point {
            risk: (risk, averages.risk_error),
            other_risk,
            overlaps: &state.overlaps,
            squares: None,
            second_layer: &state.second_layer,
            bias: &state.bias,
        });
    }
    Ok(record.finish(solution, check))
}

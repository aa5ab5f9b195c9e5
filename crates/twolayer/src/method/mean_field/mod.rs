//! Mean-field theory, p → ∞ at a fixed number of dimensions or at d = ∞. (theory.md §5.4; paper D)
//!
//! The state is (M, q), q = diag(Q − M P⁻¹ Mᵀ); what neurons have outside the target's space points in independent random
//! directions of D = d − k dimensions, and every drift is averaged over them:
//!
//! ```text
//! Ṁ = −E_Ξ E[ĝ zᵀ] − (λ_w/s) M,   q̇_j = −2 E_Ξ E[ĝ_j λ⊥_j] + κ (D/d) E[ĝ_j²] − 2(λ_w/s) q_j
//! ```
//!
//! The average over pairs includes i = j, as two independent copies of the neuron. The off-diagonal entries of a given start's Q
//! are not used, and p + k > d is allowed. Beside a network of p neurons this leaves out terms of order 1/p.

mod field;

use faer::Mat;

use self::field::SphereFlow;
use super::{
    contract::{Cost, Entry, Fit, Job, Method, Question, Run},
    integrated::{Integrated, Point},
    limit::{When, check_moves, check_start, own_kappa, refuse_preprocess, refuse_second_looks},
    ode::Report,
};
use crate::{
    average::{SphereAverages, SphereKernel, SphereState, Want},
    citation,
    error::{Error, Result},
    observer::{Finished, Observer},
    overlaps::{Overlaps, inverse_root, symmetric_root},
    problem::{Engine, Problem, Start, Terms, scaling::Regime},
    record::{KeepQ, Trajectory},
    solve::{self, Options, Solution},
};

/// Its word in `view.method`.
const WORD: &str = "mean-field";

/// Its line in the registry.
pub const ENTRY: Entry = Entry {
    id: "mean-field",
    title: "mean field",
    engine: Engine::Limit,
    word: Some(WORD),
    citations: &[citation::ARNABOLDI_2023],
    accepts,
};

/// Drifts computed by a typical integration and its check.
const EVALUATIONS: f64 = 1000.0;

/// Mean-field theory of one view.
#[derive(Debug)]
struct MeanField {
    /// ηs·d/n_b, the coefficient of the η² term.
    kappa: f64,
    terms: Terms,
    /// Seconds of one drift.
    seconds: f64,
    reason: String,
    advice: Vec<String>,
}

/// What the ODE accepts, where it is asked for, or where the width grows with d.
fn accepts(question: &Question<'_>) -> Fit {
    let asked = question.view.method == Some(WORD);
    let grows = question.problem.width_exponent().is_some_and(|exponent| exponent > 1e-3);
    if !(asked || grows) {
        return Fit::Other;
    }
    match question.scaling {
        Ok(reading) if let Regime::Ode { kappa } = reading.regime => {
            match chosen(question, kappa, &reading.reason, grows) {
                Ok(method) => Fit::Yes(Box::new(method)),
                Err(why) if asked => Fit::Refused(why),
                Err(_) => Fit::Other,
            }
        }
        Err(why) if asked => Fit::Refused(why.clone()),
        _ => Fit::Other,
    }
}

fn chosen(question: &Question<'_>, kappa: f64, scaling: &str, grows: bool) -> Result<MeanField> {
    let Question { problem, view, .. } = *question;
    check_start(problem)?;
    refuse_second_looks(problem)?;
    refuse_preprocess(problem)?;
    let time = problem.time();
    if !(time.is_finite() && time > 0.0) {
        let reason = format!("the number of steps says nothing about the time of a limit at d = ∞ (t = {time})");
        return Err(Error::refused("training.steps", reason, "write time = … in place of steps"));
    }
    let terms = if view.terms == Terms::Auto { Terms::Flow } else { view.terms };
    let kappa = if kappa == 0.0 && terms != Terms::Flow { own_kappa(problem) } else { kappa };
    let kernel = kernel(problem, terms, view.tolerance)?;
    let why = if grows { "p → ∞ with d" } else { "p → ∞, as asked for" };
    let mut advice = Vec::new();
    if terms == Terms::Flow && kappa >= 0.02 {
        advice.push(format!(
            "p → ∞ leaves out the η² term, κ = ηs·d/n_b = {kappa:.3} here; terms = \"label-noise\" keeps its part of the labels"
        ));
    }
    let outside = outside(problem);
    let dimensions = if outside.is_finite() { format!("{outside} dimensions") } else { "infinitely many".into() };
    Ok(MeanField {
        kappa,
        terms,
        seconds: kernel.seconds(problem.width(), problem.directions()),
        reason: format!("{scaling}; {why}: orientations averaged over {dimensions} outside the target's space"),
        advice,
    })
}

impl Method for MeanField {
    fn reason(&self) -> String {
        self.reason.clone()
    }

    fn variant(&self) -> Option<&'static str> {
        Some(match self.terms {
            Terms::LabelNoise => "label-noise term",
            Terms::All => "all terms",
            _ => "gradient flow",
        })
    }

    fn advice(&self) -> Vec<String> {
        self.advice.clone()
    }

    fn cost(&self, question: &Question<'_>, _: usize) -> Cost {
        let size = question.problem.width() * (question.problem.directions() + 1);
        // The integrator keeps some thirty vectors.
        Cost { seconds: EVALUATIONS * (self.seconds + 1e-8 * size as f64), bytes: 8.0 * 30.0 * size as f64 }
    }

    fn records(&self, observable: &str) -> Result<(), &'static str> {
        if matches!(observable, "gradient_M" | "gradient_norm") { Err("a flow takes no steps") } else { Ok(()) }
    }

    fn check(&self, question: &Question<'_>) -> Result<()> {
        check_moves(question.problem, question.view, When::Planned)
    }

    fn run(&self, job: &Job<'_>, observer: &dyn Observer) -> Result<Run> {
        let (problem, times) = (job.problem, job.times());
        let state = start(problem, &job.start()?)?;
        let keep_q = job.record.keep_q(problem.width());
        let tolerance = job.view.tolerance;
        let (trajectory, report) = run(problem, &state, self.kappa, self.terms, &times, tolerance, keep_q, observer)?;
        Ok(Run { trajectory, kernel: format!("{}; {}", report.kernel, report.method) })
    }
}

/// The integration that measures the error is this much looser.
const LOOSER: f64 = 10.0;

/// D: dimensions beside the target's.
pub fn outside(problem: &Problem) -> f64 {
    match problem.dimension() {
        Some(d) => d as f64 - problem.directions() as f64,
        None => f64::INFINITY,
    }
}

/// The averages of `problem`, checked to have the terms asked for.
///
/// # Errors
/// [`Error::Refused`] for d = k, for an activation without averages over pairs, and for all terms of an error that is no
/// quadratic form.
pub fn kernel(problem: &Problem, terms: Terms, tolerance: f64) -> Result<SphereKernel> {
    let dimension = outside(problem);
    if dimension < 1.0 {
        let reason = "mean-field theory averages over directions outside the target's space, and d = k leaves none";
        return Err(Error::refused("training.dimension", reason, "use the ode, which is exact there, or raise d"));
    }
    let kernel = SphereKernel::new(problem, dimension, tolerance)?;
    match terms {
        Terms::ExactStep => {
            let reason = "the exact step has terms of the order of 1/p, which p → ∞ leaves out";
            Err(Error::refused("view.terms", reason, "write terms = \"flow\" or \"label-noise\", or method = \"ode\""))
        }
        Terms::All if !kernel.has_noise() => {
            let reason = "the whole η² term is known for networks and targets of degree 2 only";
            Err(Error::refused("view.terms", reason, "write terms = \"flow\" or \"label-noise\""))
        }
        _ => Ok(kernel),
    }
}

/// (M, q) of a start.
///
/// # Errors
/// [`Error::Numerical`] where P is not a covariance.
pub fn start(problem: &Problem, start: &Start) -> Result<SphereState> {
    let root = symmetric_root(problem.target.overlaps.as_ref())?;
    Ok(SphereState {
        student_teacher: &start.teacher * root,
        orthogonal: (0..problem.width()).map(|j| start.complement.row(j).squared_norm_l2()).collect(),
        second_layer: start.second_layer.clone(),
        bias: start.bias.clone(),
    })
}

/// Integrates mean-field theory from `start` and records it at `times` (rising, from 0 on); arguments, tolerances and errors as
/// of [`ode::run`](super::ode::run). Recorded Q is M P⁻¹ Mᵀ + diag q.
///
/// # Errors
/// As for [`kernel`]. Divergence is a [`Status`](crate::record::Status).
#[allow(clippy::too_many_arguments)] // One call from the plan, which has each of these at hand separately.
pub fn run(
    problem: &Problem,
    start: &SphereState,
    kappa: f64,
    terms: Terms,
    times: &[f64],
    tolerance: f64,
    keep_q: KeepQ,
    observer: &dyn Observer,
) -> Result<(Trajectory, Report)> {
    let terms = if terms == Terms::Auto { Terms::Flow } else { terms };
    let kernel = kernel(problem, terms, tolerance)?;
    let field = SphereFlow::new(problem, start, kappa, terms, &kernel)?;
    let mut averages = SphereAverages::zeros(problem.width(), problem.directions());
    kernel.averages(start, Want::DRIFT, &mut averages);
    let relative_tolerance = (1e-4 * tolerance).max(averages.drift_error.min(1e-6)).max(1e-12);
    let absolute_tolerance = 1e-2 * relative_tolerance;
    let fine = Options { relative_tolerance, absolute_tolerance, method: solve::Method::Auto, ..Options::default() };
    let loose = Options {
        relative_tolerance: LOOSER * relative_tolerance,
        absolute_tolerance: LOOSER * absolute_tolerance,
        ..fine
    };
    let y0 = field.pack(start);
    let solution = solve::integrate(&field, &y0, times, &fine, observer)?;
    let check = solve::integrate(&field, &y0, &times[..solution.reached], &loose, &Finished(observer))?;
    let trajectory = recorded(problem, &field, start, times, &solution, &check, relative_tolerance, keep_q)?;
    let report = Report {
        method: solution.method,
        kernel: kernel.describe(),
        relative_tolerance,
        evaluations: solution.evaluations + check.evaluations,
        steps: solution.steps + check.steps,
    };
    Ok((trajectory, report))
}

/// The recorded states with their risks and errors.
#[allow(clippy::too_many_arguments)] // The results of one integration and of its check.
fn recorded(
    problem: &Problem,
    field: &SphereFlow<'_>,
    start: &SphereState,
    times: &[f64],
    solution: &Solution,
    check: &Solution,
    relative_tolerance: f64,
    keep_q: KeepQ,
) -> Result<Trajectory> {
    let (p, k) = (problem.width(), problem.directions());
    let whiten = inverse_root(problem.target.overlaps.as_ref())?;
    let mut record = Integrated::new(problem, times, relative_tolerance, keep_q);
    let (mut state, mut other) = (start.clone(), start.clone());
    let norms = |state: &SphereState| -> Vec<f64> {
        let m = &state.student_teacher * &whiten;
        (0..p).map(|j| m.row(j).squared_norm_l2() + state.orthogonal[j]).collect()
    };
    let mut overlaps = Overlaps {
        student_teacher: Mat::zeros(p, k),
        student_student: Mat::zeros(0, 0),
        teacher_teacher: problem.target.overlaps.clone(),
    };
    for (i, y) in solution.states.iter().enumerate() {
        let risk = field.risk(y, &mut state);
        let other_risk = check.states.get(i).map(|y| field.risk(y, &mut other).0);
        let (squares, other_squares) = (norms(&state), norms(&other));
        let known = |number: f64| other_risk.map(|_| number);
        let entries = (0..p).flat_map(|j| (0..k).map(move |r| (j, r)));
        record.overlaps(entries.map(|at| (state.student_teacher[at], known(other.student_teacher[at]))));
        record.squares((0..p).map(|j| (squares[j], known(other_squares[j]))));
        overlaps.student_teacher.copy_from(&state.student_teacher);
        if keep_q == KeepQ::Full {
            let m = &state.student_teacher * &whiten;
            let inner = &m * m.transpose();
            overlaps.student_student =
                Mat::from_fn(p, p, |j, l| inner[(j, l)] + if j == l { state.orthogonal[j] } else { 0.0 });
        }
        record.push(&Point {
            risk,
            other_risk,
            overlaps: &overlaps,
            squares: Some(&squares),
            second_layer: &state.second_layer,
            bias: &state.bias,
        });
    }
    Ok(record.finish(solution, check))
}

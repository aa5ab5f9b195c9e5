//! The limit of giant steps on fresh batches, n_b = α d and η of order one. (theory.md §5.2)

use faer::Mat;

use super::{
    contract::{Cost, Entry, Fit, Job, Method, Question, Run},
    limit::{When, check_moves, check_start, refuse_preprocess, refuse_second_looks},
};
use crate::{
    average::{self, Averages, State, Want},
    citation,
    error::{Error, Result},
    frame::Gram,
    observer::{Observer, Progress},
    overlaps::inverse_root,
    probe::{Gradients, Known, Population, Probe, Recorder, Verdict},
    problem::{Engine, Geometry, Problem, Record, scaling::Regime},
    record::{
        Status, Trajectory,
        observable::{RISK_ERROR, STUDENT_SQUARES_ERROR, STUDENT_TEACHER_ERROR},
    },
    signal::Head,
};

/// Its line in the registry.
pub const ENTRY: Entry = Entry {
    id: "giant-step",
    title: "giant steps",
    engine: Engine::Limit,
    word: Some("giant-step"),
    citations: &[citation::DANDI_2023],
    accepts,
};

/// Matrices (p+k)×(p+k) at the peak, measured at p = 512.
const SQUARES: f64 = 50.0;

/// The giant steps of one view.
#[derive(Debug)]
struct GiantSteps {
    /// α = lim n_b/d, possibly infinite.
    alpha: f64,
    reason: String,
    advice: Option<String>,
}

/// Steps that stay of order one, on fresh batches that grow like d or faster.
fn accepts(question: &Question<'_>) -> Fit {
    let Ok(reading) = question.scaling else { return Fit::Other };
    let Regime::GiantStep { alpha } = reading.regime else { return Fit::Other };
    let chosen = || {
        check_start(question.problem)?;
        refuse_second_looks(question.problem)?;
        refuse_preprocess(question.problem)?;
        Ok(GiantSteps { alpha, reason: reading.reason.clone(), advice: reading.advice.clone() })
    };
    chosen().into()
}

impl Method for GiantSteps {
    fn reason(&self) -> String {
        self.reason.clone()
    }

    fn advice(&self) -> Vec<String> {
        self.advice.iter().cloned().collect()
    }

    fn cost(&self, question: &Question<'_>, _: usize) -> Cost {
        let problem = question.problem;
        let (p, k) = (problem.width() as f64, problem.directions() as f64);
        let averages = 2.0 * average::seconds(problem, Want::ALL) + average::seconds(problem, Want::RISK);
        let seconds = problem.steps() as f64 * (averages + 2e-9 * (p + k).powi(3));
        // Two recursions, each with its averages and the root of Ω.
        let kernels = 2.0 * average::bytes(problem, question.view.tolerance, Want::ALL);
        Cost { seconds, bytes: kernels + 8.0 * SQUARES * (p + k) * (p + k) }
    }

    fn to_save_memory(&self, _: &Problem) -> (&'static str, &'static str) {
        ("network.width", "lower the width, or record fewer points")
    }

    fn check(&self, question: &Question<'_>) -> Result<()> {
        check_moves(question.problem, question.view, When::Planned)
    }

    fn run(&self, job: &Job<'_>, observer: &dyn Observer) -> Result<Run> {
        let (state, steps) = (job.state()?, job.steps());
        let (trajectory, kernel) =
            run(job.problem, &state, self.alpha, &steps, job.view.tolerance, job.record, observer)?;
        Ok(Run { trajectory, kernel })
    }
}

/// Follows the overlaps through the steps of `entries` (rising, from 0), from `start`:
///
/// ```text
/// M' = c M − η D_z,   Q' = c² Q − ηc (D_λ + D_λᵀ) + η² [ D Ω⁺ Dᵀ + N/α ],   c = 1 − ηλ_w
/// ```
///
/// with α = ∞ dropping the last term; a and b move by the same averages. On the sphere, c grows by η D_jj/‖w_j‖² for row
/// j, and rows get their first norm back. A second recursion, whose averages are over other samples where they are over
/// any, runs beside it: the distance between the two, and the averages' own error, is the error stated. O(p²·(p + k)) a
/// step beside the averages.
///
/// # Errors
/// [`Error::Numerical`] where the averages fail. Divergence and interruption are the trajectory's status.
#[allow(clippy::too_many_arguments)] // One call from the engine, which has each of these at hand separately.
pub fn run(
    problem: &Problem,
    start: &State,
    alpha: f64,
    entries: &[u64],
    tolerance: f64,
    record: &Record,
    observer: &dyn Observer,
) -> Result<(Trajectory, String)> {
    let kernel = average::for_problem(problem, tolerance)?;
    let other = average::seeded(problem, tolerance, 1)?;
    let (p, k) = (problem.width(), problem.directions());
    let mut population = Population::new(problem, kernel.as_ref());
    let mut recorder = Recorder::new(problem, record, entries);
    let mut gradients = Gradients::new(record, entries);
    let mut trajectory = Trajectory::of_run(problem, record, Engine::Direct);
    let mut fine = Recursion::new(problem, start, alpha);
    let mut check = Recursion::new(problem, start, alpha);
    let (mut errors, mut norm_errors) = (Vec::new(), Vec::new());
    let mut risk_errors = Vec::new();
    let last = entries.last().copied().unwrap_or(0);
    let (mut step, mut spread, mut norm_spread) = (0, 0.0, 0.0);
    'entries: for &entry in entries {
        while step < entry {
            let at = Progress { done: step as f64, total: last as f64, risk: population.risk() };
            if observer.progress(&at).is_break() {
                trajectory.status = Status::Interrupted;
                break 'entries;
            }
            kernel.averages(&fine.state, Want::ALL, &mut fine.averages)?;
            other.averages(&check.state, Want::ALL, &mut check.averages)?;
            let rate = problem.learning_rate();
            spread += rate * fine.averages.drift_error;
            norm_spread += 2.0 * rate * fine.averages.drift_error + rate * rate * fine.averages.noise_error / alpha;
            let gradient = fine.advance()?;
            check.advance()?;
            if gradients.due_gradient() == step {
                gradients.look_at_gradient(&gradient, 1.0, &mut trajectory);
            }
            step += 1;
        }
        // The check's risk first: the population keeps the last one.
        population.state.overlaps.clone_from(&check.state.overlaps);
        let apart = if check.state.overlaps.student_student.norm_max().is_finite() {
            population.set_head(&check.head());
            population.evaluate()?
        } else {
            f64::NAN
        };
        population.state.overlaps.clone_from(&fine.state.overlaps);
        let samples = if problem.dimension().is_some() { step as f64 * problem.batch() as f64 } else { f64::NAN };
        let head = fine.head();
        let mut at = Known { population: &mut population, head: &head, step, samples };
        if recorder.look(&mut at, &mut trajectory)? == Verdict::Diverged {
            trajectory.status = Status::Diverged { at: step as f64 };
            break;
        }
        risk_errors.push((apart - population.risk()).abs());
        let (m, other) = (&fine.state.overlaps.student_teacher, &check.state.overlaps.student_teacher);
        for j in 0..p {
            errors.extend((0..k).map(|r| (m[(j, r)] - other[(j, r)]).abs() + spread));
            let norm = |of: &Recursion<'_>| of.state.overlaps.student_student[(j, j)];
            norm_errors.push((norm(&fine) - norm(&check)).abs() + norm_spread);
        }
    }
    let own = trajectory.of_mut(&RISK_ERROR).iter_mut();
    own.zip(&risk_errors).for_each(|(own, distance)| *own += distance);
    trajectory.set(&STUDENT_TEACHER_ERROR, errors);
    trajectory.set(&STUDENT_SQUARES_ERROR, norm_errors);
    let rest = &entries[trajectory.valid..];
    trajectory.pad(rest.iter().map(|&step| (step as f64, step as f64 * problem.step_time())));
    Ok((trajectory, kernel.describe()))
}

/// One state and its averages.
struct Recursion<'a> {
    problem: &'a Problem,
    state: State,
    averages: Averages,
    /// lim n_b/d, possibly infinite.
    alpha: f64,
    /// ‖w_j‖² of the start.
    squares: Vec<f64>,
}

impl<'a> Recursion<'a> {
    fn new(problem: &'a Problem, start: &State, alpha: f64) -> Self {
        let (p, k) = (problem.width(), problem.directions());
        let squares = (0..p).map(|j| start.overlaps.student_student[(j, j)]).collect();
        Self { problem, state: start.clone(), averages: Averages::zeros(p, k), alpha, squares }
    }

    fn head(&self) -> Head {
        Head { second_layer: self.state.second_layer.clone(), bias: self.state.bias.clone() }
    }

    /// One step with the averages at hand; returns the inner products of the gradient, `G W*ᵀ = D_z` and
    /// `G Gᵀ = D Ω⁺ Dᵀ + N/α`.
    fn advance(&mut self) -> Result<Gram> {
        let (p, k) = (self.problem.width(), self.problem.directions());
        let rate = self.problem.learning_rate();
        let Averages { drift_student, drift_teacher, noise, second, bias, .. } = &self.averages;
        if !drift_student.norm_max().is_finite() {
            return Err(Error::Numerical("the averages over a batch are not finite".into()));
        }
        let drift =
            Mat::from_fn(p, p + k, |j, i| if i < p { drift_student[(j, i)] } else { drift_teacher[(j, i - p)] });
        let inside = drift * inverse_root(self.state.overlaps.omega().as_ref())?;
        let mut square = &inside * inside.transpose();
        if self.alpha.is_finite() {
            square += noise * faer::Scale(1.0 / self.alpha);
        }
        let decay = 1.0 - rate * self.problem.training.weight_decay;
        let mut keep = vec![decay; p];
        if self.problem.training.geometry == Geometry::Spherical {
            (0..p).for_each(|j| keep[j] += rate * drift_student[(j, j)] / self.squares[j]);
        }
        let overlaps = &mut self.state.overlaps;
        let mut m =
            Mat::from_fn(p, k, |j, r| keep[j] * overlaps.student_teacher[(j, r)] - rate * drift_teacher[(j, r)]);
        let mut q = Mat::from_fn(p, p, |j, l| {
            keep[j] * keep[l] * overlaps.student_student[(j, l)]
                - rate * (keep[l] * drift_student[(j, l)] + keep[j] * drift_student[(l, j)])
                + rate * rate * square[(j, l)]
        });
        if self.problem.training.geometry != Geometry::Free {
            let factor: Vec<f64> = (0..p).map(|j| (self.squares[j] / q[(j, j)]).sqrt()).collect();
            m = Mat::from_fn(p, k, |j, r| factor[j] * m[(j, r)]);
            q = Mat::from_fn(p, p, |j, l| factor[j] * factor[l] * q[(j, l)]);
        }
        (overlaps.student_teacher, overlaps.student_student) = (m, q);
        if self.problem.network.second_layer.train {
            let rate = rate * self.problem.rate_ratio();
            self.state.second_layer.iter_mut().zip(second).for_each(|(a, gradient)| *a -= rate * gradient);
        }
        if self.problem.network.bias.is_some_and(|bias| bias.train) {
            self.state.bias.iter_mut().zip(bias).for_each(|(b, gradient)| *b -= rate * gradient);
        }
        Ok(Gram { teacher: drift_teacher.clone(), along: Vec::new(), gradient: square })
    }
}

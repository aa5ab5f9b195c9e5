//! What the limits of fresh and of reused data have in common: where they start, and what none of them can treat.

use crate::{
    average::{self, Averages, Kernel, State, Want},
    error::{Error, Result},
    problem::{Algorithm, BiasInit, Init, Preprocess, Problem, StartMode, View},
};

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

/// Refuses starts that do not fit, and independent ones whose mean is random itself. Forms none of them.
///
/// # Errors
/// [`Error::Refused`], or as for [`Problem::start`].
pub fn check_start(problem: &Problem) -> Result<()> {
    if problem.network.start != StartMode::Independent {
        return problem.check_start();
    }
    let random_layer = matches!(problem.network.second_layer.init, Init::Signs | Init::Gaussian | Init::Uniform);
    let random_bias = problem.network.bias.is_some_and(|bias| bias.init != BiasInit::Zero);
    if random_layer || random_bias {
        let what = if random_layer { "a second layer" } else { "biases" };
        let reason = format!("the limit starts from the mean of independent starts, and that of {what} drawn is zero");
        return Err(Error::refused("network.start", reason, SHARED));
    }
    Ok(())
}

/// What to write where the limit of independent starts says nothing.
const SHARED: &str = "write start = \"shared\", or drop the limit view";

/// Seconds that a plan may take to see whether a limit moves; where it takes longer, the run sees it.
const SOON: f64 = 0.2;

/// When it is checked whether a limit moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// By the plan.
    Planned,
    /// By the run.
    Run,
}

/// Refuses independent starts from whose mean the limit does not move: by the plan, or by the run where it takes long.
///
/// # Errors
/// [`Error::Refused`], or as for [`Problem::start`].
pub fn check_moves(problem: &Problem, view: &View, now: When) -> Result<()> {
    let when = if average::seconds(problem, Want::DRIFT) > SOON { When::Run } else { When::Planned };
    if problem.network.start != StartMode::Independent || when != now {
        return Ok(());
    }
    let start = problem.mean_start()?;
    let state = State {
        overlaps: start.overlaps(&problem.target.overlaps)?,
        bias: vec![0.0; problem.width()],
        second_layer: start.second_layer,
    };
    let kernel = average::for_problem(problem, view.tolerance)?;
    if is_fixed(problem, &state, kernel.as_ref())? {
        let reason = "the limit starts from the mean of independent starts, M = 0, and from there M does not move: what \
                      moves it is their spread of order 1/√d";
        return Err(Error::refused("network.start", reason, SHARED));
    }
    Ok(())
}

/// Refuses labels from which something is subtracted.
///
/// # Errors
/// [`Error::Refused`].
pub fn refuse_preprocess(problem: &Problem) -> Result<()> {
    if problem.training.preprocess == Preprocess::None {
        return Ok(());
    }
    let reason =
        "of labels from which something is subtracted there is a limit for one step on n_b ~ d^2 samples or more";
    Err(Error::refused("training.preprocess", reason, "use the reduced view, or write preprocess = \"none\""))
}

/// ηs·d/n_b at the problem's own d; 0 where there is none.
pub fn own_kappa(problem: &Problem) -> f64 {
    match problem.dimension() {
        Some(d) if problem.training.algorithm == Algorithm::Sgd => {
            problem.step_time() * d as f64 / problem.batch() as f64
        }
        _ => 0.0,
    }
}

/// Refuses batches that are looked at twice: the second look sees what the first has learnt of them.
///
/// # Errors
/// [`Error::Refused`].
pub fn refuse_second_looks(problem: &Problem) -> Result<()> {
    let displaced = !problem.training.displacement.is_number() || problem.displacement() != 0.0;
    let key = match (problem.training.repeats > 1, displaced) {
        (true, _) => "training.repeats",
        (_, true) => "training.displacement",
        _ => return Ok(()),
    };
    let reason = "there is no limit theory of fresh batches that are looked at twice";
    Err(Error::refused(key, reason, "use the reduced view at a large d, e.g. dimension = 100000"))
}

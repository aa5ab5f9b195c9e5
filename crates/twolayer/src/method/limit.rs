//! What the limits of fresh and of reused data have in common: where they start, and what none of them can treat.

use crate::{
    average::{self, Averages, Kernel, State, Want},
    error::{Error, Result},
    problem::{Algorithm, BiasInit, Dimension, Init, Problem, Start, StartMode, View},
    random::Streams,
};

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

/// Refuses starts that do not fit, and independent ones whose mean is random itself, or from which the limit does not move.
///
/// # Errors
/// [`Error::Refused`], or as for [`Problem::start`].
pub fn check_start(problem: &Problem, view: &View) -> Result<()> {
    if problem.network.start != StartMode::Independent {
        return problem.start(Streams { seed: view.seed, replicate: 0 }).map(drop);
    }
    let refused = |reason: String, remedy: &str| Err(Error::refused("network.start", reason, remedy));
    let random_layer = matches!(problem.network.second_layer.init, Init::Signs | Init::Gaussian | Init::Uniform);
    let random_bias = problem.network.bias.is_some_and(|bias| bias.init != BiasInit::Zero);
    if random_layer || random_bias {
        let what = if random_layer { "a second layer" } else { "biases" };
        let reason = format!("the limit starts from the mean of independent starts, and that of {what} drawn is zero");
        return refused(reason, "write start = \"shared\", or drop the limit view");
    }
    let start = mean_start(problem)?;
    let state = State {
        overlaps: start.overlaps(&problem.target.overlaps)?,
        bias: vec![0.0; problem.width()],
        second_layer: start.second_layer,
    };
    let kernel = average::for_problem(problem, view.tolerance)?;
    if is_fixed(problem, &state, kernel.as_ref())? {
        let reason = "the limit starts from the mean of independent starts, M = 0, and from there M does not move: what \
                      moves it is their spread of order 1/√d";
        return refused(reason.into(), "write start = \"shared\", or drop the limit view");
    }
    Ok(())
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

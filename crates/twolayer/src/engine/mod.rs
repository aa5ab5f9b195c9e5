//! Engines: functions of a [`Problem`](crate::problem::Problem), a seed and an observer.

pub mod dense;
pub mod frame;
pub mod gaussian;
pub mod limit;
pub mod plan;
pub mod simulate;

pub use frame::Frame;
pub use plan::{Cost, Machine, Method, Plan, plan};
pub use simulate::simulate;

use crate::{
    error::Result,
    kernel,
    observer::Observer,
    problem::{Grid, Problem, StartMode, View},
    random::Streams,
    trajectory::{KeepQ, Trajectory},
};

/// What one replicate gave.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// The record.
    pub trajectory: Trajectory,
    /// How the population averages were taken, and by which integrator: `erf, closed form`.
    pub kernel: String,
}

/// Runs one replicate of a planned view and records the moments of `grid`.
///
/// # Errors
/// [`Error::Numerical`] where a covariance is none or an integrator fails, [`Error::Refused`] where the grid does not fit
/// the method. Divergence and interruption are the trajectory's status.
pub fn run(
    problem: &Problem,
    view: &View,
    plan: &Plan,
    replicate: u64,
    grid: &Grid,
    keep_q: KeepQ,
    observer: &dyn Observer,
) -> Result<Run> {
    // Engines that are compared must not share their noise: each has its own streams.
    let streams = Streams { seed: view.seed, replicate }.of_engine(view.engine.name());
    let start = match plan.method {
        Method::Ode { .. } if problem.network.start == StartMode::Independent => limit::ode::mean_start(problem)?,
        _ => problem.start(streams)?,
    };
    let steps = || grid.steps(problem);
    match plan.method {
        Method::Direct { dimension } => {
            let kernel = kernel::for_problem(problem, view.tolerance)?;
            let frame = dense::Dense::new(problem, &start, dimension, streams)?;
            let trajectory = simulate(problem, frame, &start, kernel.as_ref(), streams, &steps(), keep_q, observer)?;
            Ok(Run { trajectory, kernel: kernel.describe() })
        }
        Method::Reduced { dimension } => {
            let kernel = kernel::for_problem(problem, view.tolerance)?;
            let frame = gaussian::Gaussian::new(problem, &start, dimension, streams)?;
            let trajectory = simulate(problem, frame, &start, kernel.as_ref(), streams, &steps(), keep_q, observer)?;
            Ok(Run { trajectory, kernel: kernel.describe() })
        }
        Method::Ode { kappa, terms } => {
            let state = kernel::State {
                overlaps: start.overlaps(&problem.target.overlaps)?,
                bias: vec![0.0; problem.width()],
                second_layer: start.second_layer,
            };
            let times = grid.times(problem);
            let (trajectory, report) =
                limit::ode::run(problem, &state, kappa, terms, &times, view.tolerance, keep_q, observer)?;
            Ok(Run { trajectory, kernel: format!("{}; {}", report.kernel, report.method) })
        }
    }
}

//! Engines: functions of a [`Problem`](crate::problem::Problem), a seed and an observer.

pub mod dmft;
mod exact_step;
pub mod giant_step;
pub mod leap_step;
pub mod ode;
pub mod plan;
pub mod single_index;

pub use plan::{Cost, Machine, Method, Plan, plan};

use crate::{
    average,
    error::Result,
    frame::{direct, fresh, reused},
    observer::Observer,
    probe::crossing,
    problem::{Grid, Problem, Record, Start, StartMode, View},
    random::Streams,
    record::Trajectory,
    signal::Feed,
    simulate::simulate,
};

/// How often a limit looks closer at its crossings.
const REFINEMENTS: usize = 2;

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
    record: &Record,
    observer: &dyn Observer,
) -> Result<Run> {
    if plan.method.is_simulation() {
        return one(problem, view, plan, replicate, grid, record, observer);
    }
    // Crossings of a limit are found between its entries: among those asked for, then closer and closer around them.
    let plain = Record { crossings: Vec::new(), ..record.clone() };
    let crossed = |grid: &Grid| -> Result<Run> {
        let mut run = one(problem, view, plan, replicate, grid, &plain, observer)?;
        crossing::of_entries(&mut run.trajectory, &record.crossings, &problem.target.overlaps);
        Ok(run)
    };
    let mut run = crossed(grid)?;
    let mut closer = run.trajectory.clone();
    let mut moments = grid.clone();
    for _ in 0..REFINEMENTS {
        let more = crossing::around(&closer, &moments);
        if more == moments {
            break;
        }
        closer = crossed(&more)?.trajectory;
        moments = more;
    }
    run.trajectory.crossing_step = closer.crossing_step;
    Ok(run)
}

fn one(
    problem: &Problem,
    view: &View,
    plan: &Plan,
    replicate: u64,
    grid: &Grid,
    record: &Record,
    observer: &dyn Observer,
) -> Result<Run> {
    // Engines that are compared must not share their noise: each has its own streams.
    let streams = Streams { seed: view.seed, replicate }.of_engine(view.engine.name());
    let start = match plan.method {
        method if !method.is_simulation() && problem.network.start == StartMode::Independent => {
            ode::mean_start(problem)?
        }
        _ => problem.start(streams)?,
    };
    let steps = || grid.steps(problem);
    match plan.method {
        Method::Direct { dimension } => {
            let kernel = plan.kernel.of(problem, view.tolerance)?;
            let (feed, stored) = Feed::new(problem, streams)?;
            let frame = direct::Direct::new(problem, &start, dimension, stored.as_ref(), streams, plan.threads)?;
            let trajectory = simulate(problem, frame, feed, &start, kernel.as_ref(), &steps(), record, observer)?;
            Ok(Run { trajectory, kernel: kernel.describe() })
        }
        Method::Reduced { dimension } => {
            let kernel = plan.kernel.of(problem, view.tolerance)?;
            let (feed, _) = Feed::new(problem, streams)?;
            let keeps_batches = problem.keeps_batches() || record.gradients;
            let frame = fresh::Fresh::new(problem, &start, dimension, keeps_batches, streams, plan.threads)?;
            let trajectory = simulate(problem, frame, feed, &start, kernel.as_ref(), &steps(), record, observer)?;
            Ok(Run { trajectory, kernel: kernel.describe() })
        }
        Method::GiantStep { alpha } => {
            let state = state(problem, start)?;
            let (trajectory, kernel) =
                giant_step::run(problem, &state, alpha, &steps(), view.tolerance, record, observer)?;
            Ok(Run { trajectory, kernel })
        }
        Method::LeapStep { degree } => {
            let state = state(problem, start)?;
            let (trajectory, kernel) = leap_step::run(problem, &state, degree, &steps(), view.tolerance, record)?;
            Ok(Run { trajectory, kernel })
        }
        Method::ReducedReused { dimension } => {
            let kernel = plan.kernel.of(problem, view.tolerance)?;
            let (feed, stored) = Feed::new(problem, streams)?;
            let stored = stored.unwrap_or_default();
            let frame = reused::Reused::new(problem, &start, dimension, &stored, streams, plan.threads)?;
            drop(stored);
            let trajectory = simulate(problem, frame, feed, &start, kernel.as_ref(), &steps(), record, observer)?;
            Ok(Run { trajectory, kernel: kernel.describe() })
        }
        Method::Dmft { beta } => {
            let (trajectory, kernel) =
                dmft::run(problem, &start, beta, &steps(), view, record, plan.threads, observer)?;
            Ok(Run { trajectory, kernel })
        }
        Method::Ode { kappa, terms } => {
            let state = state(problem, start)?;
            let times = grid.times(problem);
            let keep_q = record.keep_q(problem.width());
            let (trajectory, report) =
                ode::run(problem, &state, kappa, terms, &times, view.tolerance, keep_q, observer)?;
            Ok(Run { trajectory, kernel: format!("{}; {}", report.kernel, report.method) })
        }
    }
}

/// The start in overlaps.
fn state(problem: &Problem, start: Start) -> Result<average::State> {
    Ok(average::State {
        overlaps: start.overlaps(&problem.target.overlaps)?,
        bias: start.bias,
        second_layer: start.second_layer,
    })
}

//! Ways to compute a view: functions of a [`Problem`], a seed and an observer, chosen from one registry.
//!
//! A method is a file with an [`Entry`] (its id, title, word, citations, and whether it answers a view) and a [`Method`] that
//! the entry makes, with all that was chosen for the view; and its line in the [`registry`]. Nothing else knows its name.

mod caution;
mod contract;
#[doc(hidden)]
pub mod dmft;
mod falling;
mod giant_step;
mod integrated;
mod leap_step;
mod limit;
#[doc(hidden)]
pub mod mean_field;
mod memory;
#[doc(hidden)]
pub mod ode;
mod plan;
mod ready;
pub mod registry;
mod simulation;
#[doc(hidden)]
pub mod single_index;

pub use caution::{FIXED_POINT, KnownRates, TOO_LARGE, warnings};
pub use contract::{Cost, Entry, Fit, Job, Machine, Method, Question, Run, Warning, human_bytes};
pub use plan::{Plan, plan};
pub use ready::Ready;

use crate::{
    error::Result,
    observer::Observer,
    probe::crossing,
    problem::{Engine, Grid, Problem, Record, View},
    readout::{bounds::Bounds, spiked},
    record::observable::{CROSSING_STEP, STEP, TIME},
};

/// How often a limit looks closer at its crossings.
const REFINEMENTS: usize = 2;

/// Runs one replicate of a planned view and records the moments of `grid`.
///
/// # Errors
/// As for [`Method::run`].
pub fn run(
    problem: &Problem,
    view: &View,
    plan: &Plan,
    replicate: u64,
    grid: &Grid,
    record: &Record,
    observer: &dyn Observer,
) -> Result<Run> {
    let job = Job { problem, view, replicate, grid, record, threads: plan.threads };
    if view.engine != Engine::Limit {
        let mut run = plan.method.run(&job, observer)?;
        run.trajectory.end_with_its_numbers(&STEP);
        return Ok(run);
    }
    // Crossings of a limit are found between its entries: among those asked for, then closer and closer around them.
    let plain = Record { crossings: Vec::new(), readout: None, ..record.clone() };
    let crossed = |grid: &Grid| -> Result<Run> {
        let mut run = plan.method.run(&Job { grid, record: &plain, ..job }, observer)?;
        run.trajectory.end_with_its_numbers(&TIME);
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
    run.trajectory.set(&CROSSING_STEP, closer.of(&CROSSING_STEP).to_vec());
    if let Some(readout) = record.readout.as_ref().filter(|readout| spiked::conditions(problem, readout).is_ok()) {
        spiked::asymptotics(problem, readout, &mut run.trajectory)?;
        if readout.bounds {
            Bounds::of(problem, readout)?.write(&mut run.trajectory);
        }
    }
    Ok(run)
}

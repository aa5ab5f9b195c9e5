//! Runs an experiment: every replicate of every view at every point of a sweep, in parallel, with progress, until done
//! or told to stop. [`run`] keeps the results in memory; a [`Session`] keeps each finished task on disk.

mod enter;
mod execute;
mod finish;
mod session;

use std::sync::{Arc, Mutex, PoisonError};

use twolayer::{method::Plan, observer::Progress};
use twolayer_file::experiment::Experiment;

pub use crate::tolerance::advice as advice_on_error;
use crate::{
    outcome::Outcome,
    plan::moments,
    store::Part,
    task::{self, Prepared, Task},
};
pub use enter::{Denied, Entry, Mode, enter, hold};
pub use execute::{Stopped, execute};
pub use finish::{About, Finished};
pub use session::Session;

/// Watches a run; shared by all threads.
pub trait Monitor: Sync {
    /// A task is at `at`.
    fn progress(&self, task: &Task, at: &Progress);

    /// A task has ended, well or not.
    fn finished(&self, task: &Task, part: &Part);

    /// Whether the run should stop and keep what is done.
    fn interrupted(&self) -> bool;
}

/// Nobody watches: the run goes on to its end.
#[derive(Debug, Clone, Copy)]
pub struct Unwatched;

impl Monitor for Unwatched {
    fn progress(&self, _: &Task, _: &Progress) {}

    fn finished(&self, _: &Task, _: &Part) {}

    fn interrupted(&self) -> bool {
        false
    }
}

/// Runs every view on `threads` threads. Results do not depend on their number: each replicate has its own streams and
/// runs on one thread. A run that the monitor stops keeps what is done, with the status of each replicate; what an engine
/// could not do is a status too.
///
/// # Errors
/// [`Stopped::Threads`].
pub fn run(
    experiment: &Experiment,
    plans: &[Plan],
    threads: usize,
    monitor: &dyn Monitor,
) -> Result<Vec<Outcome>, Stopped> {
    let moments = moments(experiment);
    let prepared = Arc::new(Prepared {
        experiment: experiment.clone(),
        plans: plans.to_vec(),
        moments,
        advice: Vec::new(),
        cores: threads,
    });
    let tasks = prepared.tasks(0);
    let parts: Mutex<Vec<Option<Part>>> = Mutex::new(vec![None; tasks.len()]);
    let keep = |task: &Task, part: Part| {
        let place = tasks.iter().position(|other| (other.view, other.replicate) == (task.view, task.replicate));
        if let Some(place) = place {
            parts.lock().unwrap_or_else(PoisonError::into_inner)[place] = Some(part);
        }
        Ok(())
    };
    execute(&task::by_length(tasks.clone()), &|_| Ok(prepared.clone()), threads, monitor, &keep)?;
    let mut parts = parts.into_inner().unwrap_or_else(PoisonError::into_inner).into_iter();
    Ok(prepared.outcomes(&mut |_| parts.next().flatten()))
}

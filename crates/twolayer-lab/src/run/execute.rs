//! Runs tasks in their order, one at a time on each thread.

use std::{
    ops::ControlFlow,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use twolayer::{
    method,
    observer::{Observer, Progress},
    problem::Grid,
    record::{Status, Trajectory},
};

use super::Monitor;
use crate::{
    outcome::Outcome,
    store::{self, Part},
    task::{Prepared, Task},
    tolerance,
};

/// Why a run could not go on. What was finished before is kept.
#[derive(Debug, thiserror::Error)]
pub enum Stopped {
    /// A finished task could not be written.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The system gave no threads.
    #[error("the threads could not be started: {0} (run with fewer --threads)")]
    Threads(String),
    /// A point of the sweep that was right before is not any more.
    #[error("{0}")]
    Point(String),
}

/// Runs `tasks` on `threads` threads; `point` gives what the tasks of a point need, `keep` takes what each gave, whole
/// or interrupted. When the monitor says stop, running tasks are interrupted and the others are not begun.
///
/// # Errors
/// The first thing that hindered it.
pub fn execute(
    tasks: &[Task],
    point: &(dyn Fn(usize) -> Result<Arc<Prepared>, Stopped> + Sync),
    threads: usize,
    monitor: &dyn Monitor,
    keep: &(dyn Fn(&Task, Part) -> Result<(), store::Error> + Sync),
) -> Result<(), Stopped> {
    if tasks.is_empty() {
        return Ok(());
    }
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads.clamp(1, tasks.len()))
        .build()
        .map_err(|error| Stopped::Threads(error.to_string()))?;
    let next = AtomicUsize::new(0);
    let failed = AtomicBool::new(false);
    let first = Mutex::new(None);
    let one = |task: &Task| -> Result<(), Stopped> {
        let prepared = point(task.point)?;
        let part = prepared.run(task, &Watch { monitor, failed: &failed, task });
        monitor.finished(task, &part);
        Ok(keep(task, part)?)
    };
    pool.broadcast(|_| {
        while let Some(task) = tasks.get(next.fetch_add(1, Ordering::Relaxed)) {
            if failed.load(Ordering::Relaxed) || monitor.interrupted() {
                return;
            }
            if let Err(error) = one(task) {
                failed.store(true, Ordering::Relaxed);
                first.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
            }
        }
    });
    first.into_inner().unwrap_or_else(PoisonError::into_inner).map_or(Ok(()), Err)
}

impl Prepared {
    /// Runs one task; what its engine cannot do is a status.
    fn run(&self, task: &Task, watch: &Watch<'_>) -> Part {
        let named = &self.experiment.views[task.view];
        let (plan, moments) = (&self.plans[task.view], &self.moments[task.view]);
        let started = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64());
        let clock = Instant::now();
        let result =
            method::run(&named.problem, &named.view, plan, task.replicate as u64, moments, &named.record, watch);
        let (trajectory, kernel) = match result {
            Ok(mut run) => {
                tolerance::judge(named, &mut run.trajectory);
                (run.trajectory, run.kernel)
            }
            Err(twolayer::Error::Interrupted) => (self.nothing(task.view, Status::Interrupted), String::new()),
            Err(error) => (self.nothing(task.view, Status::Failed { reason: error.to_string() }), String::new()),
        };
        Part { trajectory, kernel, started, seconds: clock.elapsed().as_secs_f64() }
    }

    /// The trajectory of a replicate that has no entry: all NaN.
    fn nothing(&self, view: usize, status: Status) -> Trajectory {
        let named = &self.experiment.views[view];
        let mut trajectory = Trajectory::of_run(&named.problem, &named.record, named.view.engine);
        let step_time = named.problem.step_time();
        match &self.moments[view] {
            Grid::Steps(steps) => trajectory.pad(steps.iter().map(|&step| (step as f64, step as f64 * step_time))),
            Grid::Times(times) => trajectory.pad(times.iter().map(|&time| (time / step_time, time))),
        }
        trajectory.status = status;
        trajectory
    }

    /// What each view gave: `part` is asked for every task in the order of views and replicates, and has none for one
    /// that was not begun.
    pub fn outcomes(&self, part: &mut dyn FnMut(&Task) -> Option<Part>) -> Vec<Outcome> {
        let tasks = self.tasks(0);
        let mut tasks = tasks.iter().peekable();
        let (mut outcomes, mut known) = (Vec::new(), method::KnownRates::default());
        for (view, plan) in self.plans.iter().enumerate() {
            let mut outcome = Outcome {
                method_id: plan.id().into(),
                method: plan.title(),
                reason: plan.reason.clone(),
                kernel: String::new(),
                trajectories: Vec::new(),
                seconds: 0.0,
                core_seconds: 0.0,
                bytes: plan.cost.bytes,
                advice: plan.advice.clone(),
                warnings: Vec::new(),
                expected: plan.method.expected().iter().map(Into::into).collect(),
            };
            let mut spans = Vec::new();
            while let Some(task) = tasks.next_if(|task| task.view == view) {
                let Some(part) = part(task) else {
                    outcome.trajectories.push(self.nothing(view, Status::Interrupted));
                    continue;
                };
                outcome.core_seconds += part.seconds;
                spans.push((part.started, part.started + part.seconds));
                if outcome.kernel.is_empty() {
                    outcome.kernel = part.kernel;
                }
                outcome.trajectories.push(part.trajectory);
            }
            outcome.seconds = covered(spans);
            let (named, until) = (&self.experiment.views[view], Until(Instant::now() + LOOKING));
            let found = method::warnings(&named.problem, &named.view, plan, &outcome.trajectories, &mut known, &until);
            outcome.warnings = found.into_iter().map(Into::into).collect();
            outcome.advice.extend(tolerance::advice(&self.experiment.views[view], &outcome.trajectories));
            outcomes.push(outcome);
        }
        outcomes
    }
}

/// The length of the union of intervals.
pub(super) fn covered(mut spans: Vec<(f64, f64)>) -> f64 {
    spans.sort_by(|left, right| left.0.total_cmp(&right.0));
    let mut end = f64::NEG_INFINITY;
    let mut length = 0.0;
    for (from, to) in spans {
        length += (to - from.max(end)).max(0.0);
        end = end.max(to);
    }
    length
}

/// How long a view is looked at after it has run: from which rate on it explodes, when finite runs leave a fixed point.
const LOOKING: Duration = Duration::from_secs(15);

/// The observer that says stop when the time is up.
struct Until(Instant);

impl Observer for Until {
    fn progress(&self, _: &Progress) -> ControlFlow<()> {
        if Instant::now() > self.0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

/// One task's observer.
struct Watch<'a> {
    monitor: &'a dyn Monitor,
    failed: &'a AtomicBool,
    task: &'a Task,
}

impl Observer for Watch<'_> {
    fn progress(&self, at: &Progress) -> ControlFlow<()> {
        self.monitor.progress(self.task, at);
        let stop = self.failed.load(Ordering::Relaxed) || self.monitor.interrupted();
        if stop { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::covered;

    #[test]
    fn seconds_are_those_in_which_something_ran() {
        assert_eq!(covered(vec![]), 0.0);
        // Two at the same time, a night in between, one more that covers another.
        assert_eq!(covered(vec![(0.0, 2.0), (1.0, 3.0), (103.0, 107.0), (104.0, 105.0)]), 7.0);
    }
}

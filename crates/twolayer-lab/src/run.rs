//! Runs an experiment: every replicate of every view, in parallel, with progress, until done or told to stop.

use std::{
    ops::ControlFlow,
    sync::atomic::{AtomicBool, Ordering},
    time::Instant,
};

use rayon::prelude::*;
use twolayer::{
    Error,
    engine::{self, Machine, Plan},
    observer::{Observer, Progress},
    problem::{Engine, Grid},
    trajectory::{Status, Trajectory},
};

use crate::{
    compare::same_problem,
    experiment::{Experiment, NamedView},
    outcome::Outcome,
};

/// Watches a run; shared by all threads.
pub trait Monitor: Sync {
    /// A replicate of view `view` (its index) is at `at`.
    fn progress(&self, view: usize, replicate: usize, at: &Progress);

    /// A replicate of view `view` has ended.
    fn finished(&self, view: usize, replicate: usize);

    /// Whether the run should stop and keep what is done.
    fn interrupted(&self) -> bool;
}

/// A view that cannot run: its index, and why.
pub type Refusal = (usize, Error);

/// Plans every view. Where the file leaves the views to the program, a limit that is refused is left out; the advice
/// returned says why.
///
/// # Errors
/// Every view that is refused: its index, and why.
pub fn plan(experiment: &mut Experiment, machine: &Machine) -> Result<(Vec<Plan>, Vec<String>), Vec<Refusal>> {
    let plan = |named: &NamedView| engine::plan(&named.problem, &named.view, named.record.points + 1, machine);
    let mut advice = Vec::new();
    if experiment.default_views && experiment.views.len() > 1 {
        experiment.keep_views(|named| match (named.view.engine, plan(named)) {
            (Engine::Limit, Err(Error::Refused(why))) => {
                advice.push(format!("the limit view is left out: {} ({})", why.reason, why.remedy));
                false
            }
            _ => true,
        });
    }
    let (mut plans, mut refused) = (Vec::new(), Vec::new());
    for (view, named) in experiment.views.iter().enumerate() {
        match plan(named) {
            Ok(plan) => plans.push(plan),
            Err(error) => refused.push((view, error)),
        }
    }
    if refused.is_empty() { Ok((plans, advice)) } else { Err(refused) }
}

/// What each view records: whole steps for simulations; for a limit, the times recorded by the simulations of the same
/// problem, or its own grid where there are none.
pub fn moments(experiment: &Experiment, plans: &[Plan]) -> Vec<Grid> {
    let grid = |named: &NamedView| named.record.grid(&named.problem, named.problem.counts_steps());
    let views = || experiment.views.iter().zip(plans);
    let steps = |named: &NamedView| grid(named).steps(&named.problem);
    views()
        .map(|(named, plan)| {
            if plan.method.is_simulation() {
                return Grid::Steps(steps(named));
            }
            // Rounding to whole steps may carry a simulation a little beyond the time asked for.
            let rounded = named.problem.steps() as f64 * named.problem.step_time();
            let last = named.problem.time().max(rounded) * (1.0 + 1e-9);
            let mut times: Vec<f64> = views()
                .filter(|(other, plan)| plan.method.is_simulation() && same_problem(named, other))
                .flat_map(|(other, _)| {
                    let step_time = other.problem.step_time();
                    steps(other).into_iter().map(move |step| step as f64 * step_time)
                })
                .filter(|time| *time <= last)
                .collect();
            if times.is_empty() {
                return Grid::Times(grid(named).times(&named.problem));
            }
            times.sort_by(f64::total_cmp);
            times.dedup_by(|later, earlier| (*later - *earlier).abs() <= 1e-12 * *later);
            Grid::Times(times)
        })
        .collect()
}

/// Runs every view on `threads` threads. Results do not depend on their number: each replicate has its own streams and
/// runs on one thread. A run that the monitor stops keeps what is done, with the status of each replicate.
///
/// # Errors
/// What a view's engine could not do: its index, and why.
pub fn run(
    experiment: &Experiment,
    plans: &[Plan],
    threads: usize,
    monitor: &dyn Monitor,
) -> Result<Vec<Outcome>, Refusal> {
    let moments = moments(experiment, plans);
    let mut tasks: Vec<(usize, usize)> = (0..experiment.views.len())
        .flat_map(|view| (0..experiment.views[view].view.replicates).map(move |replicate| (view, replicate)))
        .collect();
    // Limits first, which take milliseconds and should survive an interruption; then long tasks first, so that the last
    // thread is not left alone with one.
    let cost = |&(view, _): &(usize, usize)| {
        plans[view].cost.seconds / experiment.views[view].view.replicates.div_ceil(threads.max(1)) as f64
    };
    let rank = |task: &(usize, usize)| plans[task.0].method.is_simulation();
    tasks.sort_by(|left, right| {
        rank(left).cmp(&rank(right)).then(cost(right).total_cmp(&cost(left))).then(left.cmp(right))
    });

    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads.clamp(1, tasks.len().max(1)))
        .build()
        .map_err(|error| (0, Error::Numerical(format!("the threads could not be started: {error}"))))?;
    let failed = AtomicBool::new(false);
    let work = |&(view, replicate): &(usize, usize)| {
        let named = &experiment.views[view];
        let started = Instant::now();
        let watch = Watch { monitor, failed: &failed, view, replicate };
        let result = if watch.stopped() {
            let kept = engine::Run { trajectory: unstarted(named, &moments[view]), kernel: String::new() };
            Ok(kept)
        } else {
            engine::run(
                &named.problem,
                &named.view,
                &plans[view],
                replicate as u64,
                &moments[view],
                &named.record,
                &watch,
            )
        };
        monitor.finished(view, replicate);
        if result.is_err() {
            failed.store(true, Ordering::Relaxed);
        }
        let result = result.map_err(|error| (view, error))?;
        Ok(Done { view, replicate, result, started, ended: Instant::now() })
    };
    // One task at a time per thread, in that order.
    let mut done: Vec<Done> = pool.install(|| tasks.par_iter().with_max_len(1).map(work).collect::<Result<_, _>>())?;
    done.sort_by_key(|done| (done.view, done.replicate));
    Ok(gather(plans, done))
}

/// One finished task.
struct Done {
    view: usize,
    replicate: usize,
    result: engine::Run,
    started: Instant,
    ended: Instant,
}

fn gather(plans: &[Plan], done: Vec<Done>) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    let mut done = done.into_iter().peekable();
    for (view, plan) in plans.iter().enumerate() {
        let mut outcome = Outcome {
            method: plan.method.name().into(),
            reason: plan.reason.clone(),
            kernel: String::new(),
            trajectories: Vec::new(),
            seconds: 0.0,
            core_seconds: 0.0,
            bytes: plan.cost.bytes,
            advice: plan.advice.clone(),
        };
        let mut span: Option<(Instant, Instant)> = None;
        while let Some(task) = done.next_if(|task| task.view == view) {
            outcome.core_seconds += (task.ended - task.started).as_secs_f64();
            let (first, last) = span.unwrap_or((task.started, task.ended));
            span = Some((first.min(task.started), last.max(task.ended)));
            if outcome.kernel.is_empty() {
                outcome.kernel = task.result.kernel;
            }
            outcome.trajectories.push(task.result.trajectory);
        }
        outcome.seconds = span.map_or(0.0, |(first, last)| (last - first).as_secs_f64());
        outcomes.push(outcome);
    }
    outcomes
}

/// The trajectory of a replicate that was stopped before it began: all NaN.
fn unstarted(named: &NamedView, moments: &Grid) -> Trajectory {
    let (p, k) = (named.problem.width(), named.problem.directions());
    let mut trajectory = Trajectory::new(p, k, named.record.keep_q(p));
    let step_time = named.problem.step_time();
    match moments {
        Grid::Steps(steps) => trajectory.pad(steps.iter().map(|&step| (step as f64, step as f64 * step_time))),
        Grid::Times(times) => {
            trajectory.student_teacher_error = Some(Vec::new());
            trajectory.pad(times.iter().map(|&time| (time / step_time, time)));
        }
    }
    trajectory.status = Status::Interrupted;
    trajectory
}

/// One task's observer.
struct Watch<'a> {
    monitor: &'a dyn Monitor,
    failed: &'a AtomicBool,
    view: usize,
    replicate: usize,
}

impl Watch<'_> {
    fn stopped(&self) -> bool {
        self.failed.load(Ordering::Relaxed) || self.monitor.interrupted()
    }
}

impl Observer for Watch<'_> {
    fn progress(&self, at: &Progress) -> ControlFlow<()> {
        self.monitor.progress(self.view, self.replicate, at);
        if self.stopped() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

//! How each view of an experiment will be computed, what it records, and what to know before it runs.

use std::time::Instant;

use twolayer::{
    Error, hierarchy,
    method::{self, Machine, Plan},
    problem::{Data, Engine, Formula, Grid},
};
use twolayer_file::experiment::{Experiment, NamedView};

use twolayer_view::same_problem;

/// A view that cannot run: its index, and why.
pub type Refusal = (usize, Error);

/// How a view will be computed, with advice on what it is asked to record.
///
/// # Errors
/// As [`method::plan`].
pub fn plan_view(experiment: &Experiment, view: usize, machine: &Machine) -> Result<Plan, Error> {
    let named = &experiment.views[view];
    let mut entries = entries(named);
    if named.view.engine == Engine::Limit {
        let others = experiment.views.iter().filter(|other| simulates(other) && same_problem(named, other));
        entries = others.map(self::entries).sum::<usize>().max(entries);
    }
    let mut plan = method::plan(&named.problem, &named.view, &named.record, entries, machine)?;
    if let (true, Err(why)) = (named.record.gradients, plan.method.records("gradient_M")) {
        let advice =
            format!("record.gradients: {why}: no gradient is recorded here; simulations and giant steps record it");
        plan.advice.push(advice);
    }
    Ok(plan)
}

/// Entries that a view records, apart from those that it takes from others.
fn entries(named: &NamedView) -> usize {
    named.record.entries(&named.problem, named.problem.counts_steps(), simulates(named))
}

fn simulates(named: &NamedView) -> bool {
    named.view.engine != Engine::Limit
}

/// Seconds of all trials of one command: of so many views the time is tried, the others' is a rule of thumb.
const TRIALS: f64 = 1.0;

/// Time for trials.
#[derive(Debug, Clone, Copy)]
pub struct Trials(Instant);

impl Trials {
    /// From now on.
    #[allow(clippy::new_without_default)] // It begins to count.
    pub fn new() -> Self {
        Self(Instant::now())
    }

    /// Predicts how long each view will take by a short trial of it, while there is time for any.
    pub fn try_out(&self, experiment: &Experiment, view: usize, plan: &mut Plan) {
        let clock = || self.0.elapsed().as_secs_f64();
        if clock() < TRIALS {
            let named = &experiment.views[view];
            plan.try_out(&named.problem, &named.view, &named.record, &clock);
        }
    }
}

/// Plans every view. Where the file leaves the views to the program, those that are refused are left out, unless all are;
/// the advice returned says why.
///
/// # Errors
/// Every view that is refused: its index, and why.
pub fn plan(experiment: &mut Experiment, machine: &Machine) -> Result<(Vec<Plan>, Vec<String>), Vec<Refusal>> {
    let mut advice: Vec<String> = unused_samples(experiment).into_iter().chain(no_variance(experiment)).collect();
    let mut plans: Vec<_> = (0..experiment.views.len()).map(|view| plan_view(experiment, view, machine)).collect();
    if experiment.default_views && plans.iter().any(Result::is_ok) {
        let mut plan = plans.iter();
        experiment.keep_views(|named| match plan.next() {
            Some(Err(Error::Refused(why))) => {
                let engine = named.view.engine.name();
                advice.push(format!("the {engine} view is left out: {} ({})", why.reason, why.remedy));
                false
            }
            _ => true,
        });
        plans.retain(|plan| !matches!(plan, Err(Error::Refused(_))));
    }
    let (mut planned, mut refused) = (Vec::new(), Vec::new());
    for (view, plan) in plans.into_iter().enumerate() {
        match plan {
            Ok(plan) => planned.push(plan),
            Err(error) => refused.push((view, error)),
        }
    }
    if refused.is_empty() { Ok((planned, advice)) } else { Err(refused) }
}

/// What to know where a data set is described and every sample is fresh. A view that overrides the data leaves the data
/// set to the others.
fn unused_samples(experiment: &Experiment) -> Option<String> {
    let chosen = |keys: &[(String, String)]| keys.iter().any(|(key, _)| key == "training.data");
    let unused = |named: &NamedView| {
        let training = &named.problem.training;
        training.data == Data::Fresh && training.samples.is_some() && !named.problem.depends_on_samples()
    };
    let view = experiment.views.iter().find(|named| unused(named) && !chosen(&named.overrides))?;
    let samples = view.problem.training.samples.as_ref().map(Formula::text).unwrap_or_default();
    (!chosen(&experiment.point)).then(|| {
        format!(
            "training.samples = {samples} is not used: data = \"fresh\" draws new samples at every step; write data = \
             \"reused\", or remove the line"
        )
    })
}

/// What to know of a target whose labels have no variance.
fn no_variance(experiment: &Experiment) -> Option<String> {
    let why = |named: &NamedView| hierarchy::infinite_variance(&named.problem.target).ok().flatten();
    let why = experiment.views.iter().find_map(why)?;
    Some(format!(
        "{why}; no risk exists, and the one printed is that of the points it was taken at: write a target with a variance"
    ))
}

/// What each view records: whole steps for simulations; for a limit, the times recorded by the simulations of the same
/// problem, and those of its own grid that lie beyond them.
pub fn moments(experiment: &Experiment) -> Vec<Grid> {
    let grid = |named: &NamedView| named.record.grid(&named.problem, named.problem.counts_steps());
    let steps = |named: &NamedView| grid(named).steps(&named.problem);
    (experiment.views.iter())
        .map(|named| {
            if simulates(named) {
                return Grid::Steps(steps(named));
            }
            // Rounding to whole steps may carry a simulation a little beyond the time asked for.
            let rounded = named.problem.steps() as f64 * named.problem.step_time();
            let last = named.problem.time().max(rounded) * (1.0 + 1e-9);
            let mut times: Vec<f64> = (experiment.views.iter())
                .filter(|other| simulates(other) && same_problem(named, other))
                .flat_map(|other| {
                    let step_time = other.problem.step_time();
                    steps(other).into_iter().map(move |step| step as f64 * step_time)
                })
                .filter(|time| *time <= last)
                .collect();
            let simulated = times.iter().copied().fold(f64::NEG_INFINITY, f64::max) * (1.0 + 1e-9);
            times.extend(grid(named).times(&named.problem).into_iter().filter(|time| *time > simulated));
            times.sort_by(f64::total_cmp);
            times.dedup_by(|later, earlier| (*later - *earlier).abs() <= 1e-12 * *later);
            Grid::Times(times)
        })
        .collect()
}

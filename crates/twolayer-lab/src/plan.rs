//! How each view of an experiment will be computed, what it records, and what to know before it runs.

use twolayer::{
    Error, hierarchy,
    method::{self, Machine, Plan},
    problem::{Data, Engine, Formula, Grid},
};
use twolayer_file::experiment::{Experiment, NamedView};

use crate::compare::same_problem;

/// A view that cannot run: its index, and why.
pub type Refusal = (usize, Error);

/// How a view will be computed, with advice on what it is asked to record.
///
/// # Errors
/// As [`method::plan`].
pub fn plan_view(named: &NamedView, machine: &Machine) -> Result<Plan, Error> {
    let entries = match named.record.grid(&named.problem, named.problem.counts_steps()) {
        Grid::Steps(steps) => steps.len(),
        Grid::Times(times) => times.len(),
    };
    let mut plan = method::plan(&named.problem, &named.view, &named.record, entries, machine)?;
    if let (true, Err(why)) = (named.record.gradients, plan.method.records("gradient_M")) {
        let advice =
            format!("record.gradients: {why}: no gradient is recorded here; simulations and giant steps record it");
        plan.advice.push(advice);
    }
    Ok(plan)
}

/// Plans every view. Where the file leaves the views to the program, those that are refused are left out, unless all are;
/// the advice returned says why.
///
/// # Errors
/// Every view that is refused: its index, and why.
pub fn plan(experiment: &mut Experiment, machine: &Machine) -> Result<(Vec<Plan>, Vec<String>), Vec<Refusal>> {
    let mut advice: Vec<String> = unused_samples(experiment).into_iter().chain(no_variance(experiment)).collect();
    let mut plans: Vec<_> = experiment.views.iter().map(|named| plan_view(named, machine)).collect();
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
    let simulates = |named: &NamedView| named.view.engine != Engine::Limit;
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

//! The task list: every replicate of every view at every point of a sweep, each named by all that determines its result.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use twolayer::{
    Error,
    method::{Machine, Plan},
    problem::{Engine, Grid},
};
use twolayer_file::{
    Study,
    diagnostic::{Diagnostic, Severity},
    experiment::Experiment,
    hash,
    point::in_words,
};

use crate::{
    plan,
    store::{self, Owner},
};

/// One replicate of one view at one point.
#[derive(Debug, Clone, PartialEq)]
pub struct Task {
    /// The point of the sweep.
    pub point: usize,
    /// The view, by its number in the experiment of that point.
    pub view: usize,
    /// Its name, for people.
    pub view_name: String,
    /// The files of its arrays.
    pub files: Vec<String>,
    /// The replicate.
    pub replicate: usize,
    /// The hash of the program's version, the resolved problem and view, the moments recorded and the replicate: of all
    /// that determines the result, and of no title, figure or name. Equal tasks are run once.
    pub name: String,
    /// Whether it is a simulation.
    pub simulation: bool,
    /// Predicted seconds.
    pub seconds: f64,
}

/// The experiment of one point with everything that its tasks need.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// The experiment.
    pub experiment: Experiment,
    /// How each view is computed.
    pub plans: Vec<Plan>,
    /// What each view records.
    pub moments: Vec<Grid>,
    /// What the reader should know.
    pub advice: Vec<String>,
    /// Replicates that were planned to run at the same time.
    pub cores: usize,
}

impl Prepared {
    /// Plans the views of point number `point`.
    ///
    /// # Errors
    /// A diagnostic for each view that is refused.
    pub fn new(study: &Study, point: usize, machine: &Machine) -> Result<Self, Vec<Diagnostic>> {
        let mut experiment = study.experiment(point)?;
        let (plans, advice) = plan::plan(&mut experiment, machine).map_err(|refused| {
            refused.iter().map(|(view, error)| refusal(&experiment, *view, error)).collect::<Vec<_>>()
        })?;
        let moments = plan::moments(&experiment);
        Ok(Self { experiment, plans, moments, advice, cores: machine.cores })
    }

    /// The tasks of this point, in the order of views and replicates.
    pub fn tasks(&self, point: usize) -> Vec<Task> {
        let mut tasks = Vec::new();
        for (view, (named, plan)) in self.experiment.views.iter().zip(&self.plans).enumerate() {
            let text = self.identity(view);
            let replicates = named.view.replicates;
            let seconds = plan.cost.seconds / replicates.div_ceil(self.cores.max(1)).max(1) as f64;
            tasks.extend((0..replicates).map(|replicate| Task {
                point,
                view,
                view_name: named.name.clone(),
                files: store::array_names(&named.name, named.record.readout.is_some()),
                replicate,
                name: hash::long(format!("{text}\n{replicate}").as_bytes()),
                simulation: named.view.engine != Engine::Limit,
                seconds,
            }));
        }
        tasks
    }

    /// All that determines the results of a view.
    fn identity(&self, view: usize) -> String {
        let mut resolved = self.experiment.resolved.json["views"][view].clone();
        // How it is called, and how many there are of it, changes no replicate.
        if let Some(keys) = resolved.get_mut("view").and_then(Value::as_object_mut) {
            keys.remove("name");
            keys.remove("replicates");
        }
        let moments: Value = match &self.moments[view] {
            Grid::Steps(steps) => json!({ "steps": steps }),
            Grid::Times(times) => json!({ "times": times }),
        };
        let version = env!("CARGO_PKG_VERSION");
        // A tolerance that is written is a demand: the same numbers may then be out of tolerance.
        let demands = self.experiment.views[view].tolerance_written;
        json!([version, resolved, self.plans[view].id(), moments, demands]).to_string()
    }
}

/// An error of the library about view number `view`, at its place in the file.
pub fn refusal(experiment: &Experiment, view: usize, error: &Error) -> Diagnostic {
    let name = experiment.views.get(view).map_or("", |view| view.name.as_str());
    match error {
        Error::Invalid(advice) | Error::Refused(advice) => {
            let mut advice = advice.clone();
            advice.reason = format!("view `{name}`: {}", advice.reason);
            experiment.diagnose(view, &advice, Severity::Error)
        }
        other => {
            let point = experiment.point_in_words().map(|point| format!(" at {point}")).unwrap_or_default();
            let reason = format!("view `{name}`{point}: {other}");
            Diagnostic::about_file(&experiment.path, reason, "change this view, or leave it out with --only")
        }
    }
}

/// The whole list, and what it says of the experiment.
#[derive(Debug, Clone, PartialEq)]
pub struct Tasks {
    /// In the order of points, views and replicates.
    pub all: Vec<Task>,
    /// Of all that the results depend on, at every point: tells one experiment from another.
    pub identity: String,
    /// What the reader should know, each once.
    pub advice: Vec<String>,
}

impl Tasks {
    /// Plans every point, one after the other, and keeps only what its tasks are.
    ///
    /// # Errors
    /// A diagnostic for each view that is refused, of the first point where one is.
    pub fn new(study: &Study, machine: &Machine) -> Result<Self, Vec<Diagnostic>> {
        let mut all = Vec::new();
        let mut identity = study.keys();
        let (mut advice, mut told) = (Vec::new(), BTreeSet::new());
        let trials = plan::Trials::new();
        for (number, point) in study.points().iter().enumerate() {
            let mut prepared = Prepared::new(study, number, machine)?;
            for (view, plan) in prepared.plans.iter_mut().enumerate() {
                trials.try_out(&prepared.experiment, view, plan);
            }
            identity.push(prepared.experiment.resolved.hash.clone());
            all.extend(prepared.tasks(number));
            let views = prepared.experiment.views.iter().zip(&prepared.plans);
            let of_views = views.flat_map(|(view, plan)| {
                plan.advice.iter().map(move |advice| format!("view `{}`: {advice}", view.name))
            });
            for words in prepared.advice.iter().cloned().chain(of_views) {
                if told.insert(words.clone()) {
                    let at = if study.is_sweep() { format!("at {}: ", in_words(&point.values)) } else { String::new() };
                    advice.push(format!("{at}{words}"));
                }
            }
        }
        Ok(Self { all, identity: hash::long(identity.join("\n").as_bytes()), advice })
    }

    /// Whose results they are.
    pub fn owner(&self) -> Owner<'_> {
        Owner {
            identity: &self.identity,
            tasks: self.all.iter().map(|task| task.name.as_str()).collect(),
            word: self.of_point_in_a_word(0),
        }
    }

    /// The tasks of one point.
    pub fn of_point(&self, point: usize) -> &[Task] {
        let first = self.all.partition_point(|task| task.point < point);
        let last = self.all.partition_point(|task| task.point <= point);
        &self.all[first..last]
    }

    /// A word for all tasks of a point: two runs with the same word have the same results.
    pub fn of_point_in_a_word(&self, point: usize) -> String {
        let names: Vec<&str> = self.of_point(point).iter().map(|task| task.name.as_str()).collect();
        hash::long(names.join("\n").as_bytes())
    }
}

/// Cheap views first, all replicates of one together, so that what is soon done is soon known; the dearest come last.
pub fn by_length(mut tasks: Vec<Task>) -> Vec<Task> {
    let mut totals: BTreeMap<(usize, usize), f64> = BTreeMap::new();
    tasks.iter().for_each(|task| *totals.entry((task.point, task.view)).or_default() += task.seconds);
    let total = |task: &Task| totals.get(&(task.point, task.view)).copied().unwrap_or_default();
    tasks.sort_by(|left, right| {
        let order = total(left).total_cmp(&total(right));
        order.then((left.point, left.view, left.replicate).cmp(&(right.point, right.view, right.replicate)))
    });
    tasks
}

/// Predicted wall seconds of these tasks on `threads` threads. A view of few replicates gives each several threads.
pub fn expected(tasks: &[Task], threads: usize) -> f64 {
    let mut views: BTreeMap<(usize, usize), (f64, usize)> = BTreeMap::new();
    for task in tasks {
        let (seconds, count) = views.entry((task.point, task.view)).or_default();
        (*seconds, *count) = (*seconds + task.seconds, *count + 1);
    }
    views.values().map(|(seconds, count)| seconds / (*count).min(threads).max(1) as f64).sum()
}

/// Each task once: two points of a sweep may share some.
pub fn once(tasks: &[Task]) -> Vec<Task> {
    let mut names = BTreeSet::new();
    tasks.iter().filter(|task| names.insert(task.name.as_str())).cloned().collect()
}

/// The share of job `job` (from 1) of `jobs`: every `jobs`-th task, so that all jobs have about the same work. It does
/// not depend on the machine, nor on what is done already.
pub fn share(tasks: Vec<Task>, job: usize, jobs: usize) -> Vec<Task> {
    tasks.into_iter().skip(job - 1).step_by(jobs).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(view: usize, replicate: usize, seconds: f64) -> Task {
        let name = format!("{view} {replicate}");
        Task {
            point: 0,
            view,
            view_name: view.to_string(),
            files: Vec::new(),
            replicate,
            name,
            simulation: view > 0,
            seconds,
        }
    }

    /// A limit of 100 s, four replicates of 10 s each, one of 3 s.
    #[test]
    fn cheap_views_run_before_dear_ones() {
        let tasks = vec![
            task(0, 0, 100.0),
            task(1, 0, 10.0),
            task(1, 1, 10.0),
            task(1, 2, 10.0),
            task(1, 3, 10.0),
            task(2, 0, 3.0),
        ];
        assert_eq!(expected(&tasks, 2), 100.0 + 20.0 + 3.0);
        let order: Vec<(usize, usize)> = by_length(tasks).iter().map(|task| (task.view, task.replicate)).collect();
        assert_eq!(order, [(2, 0), (1, 0), (1, 1), (1, 2), (1, 3), (0, 0)]);
    }
}

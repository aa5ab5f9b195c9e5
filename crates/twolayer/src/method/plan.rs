//! Chooses the method of a view, predicts its cost, and refuses what cannot be.

use std::sync::Arc;

use super::{
    contract::{Cost, Entry, Fit, Machine, Method, Question, human_bytes},
    memory,
    registry::METHODS,
    single_index::refuse_weights,
};
use crate::{
    error::{Error, Result},
    problem::{Engine, Problem, Record, View},
    readout::spiked::conditions,
};

/// How a view will be computed.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The method's line in the registry.
    pub entry: &'static Entry,
    /// The method, with all that was chosen for this view.
    pub method: Arc<dyn Method>,
    /// Why.
    pub reason: String,
    /// Threads that share one replicate: those that its view has no other replicates for.
    pub threads: usize,
    /// Its predicted cost.
    pub cost: Cost,
    /// What the reader should know.
    pub advice: Vec<String>,
}

impl Plan {
    /// The method's id: stable, for hashes and manifests.
    pub fn id(&self) -> &'static str {
        self.entry.id
    }

    /// The method's name for people: `ode, all terms`.
    pub fn title(&self) -> String {
        let variant = self.method.variant().map(|variant| format!(", {variant}"));
        self.entry.title.to_string() + &variant.unwrap_or_default()
    }

    /// Predicts the seconds anew by a short trial, where there is one: a fraction of a second by `clock`, which tells seconds.
    /// A trial that fails says nothing.
    pub fn try_out(&mut self, problem: &Problem, view: &View, record: &Record, clock: &dyn Fn() -> f64) {
        let (scaling, machine) = (problem.scaling(), Machine { memory: f64::INFINITY, cores: self.threads });
        let question = Question { problem, view, record, entries: 0, scaling: &scaling, machine: &machine };
        if let Ok(Some(Cost { seconds, bytes })) = self.method.trial(&question, clock) {
            self.cost = Cost { seconds, bytes: self.cost.bytes + bytes };
        }
    }
}

/// Chooses the method for `view` of `problem`, recording `entries` moments of what `record` says.
///
/// # Errors
/// [`Error::Refused`]: no limit, no engine yet, d < p + k for `reduced`, or more memory than there is; always with the
/// numbers and what would do.
pub fn plan(problem: &Problem, view: &View, record: &Record, entries: usize, machine: &Machine) -> Result<Plan> {
    let scaling = problem.scaling();
    let question = Question { problem, view, record, entries, scaling: &scaling, machine };
    let (entry, method) = choose(&question)?;
    let threads = method.threads(&question);
    let Cost { seconds, bytes } = method.cost(&question, threads);
    let bytes = memory::at_peak(&question, bytes);
    if bytes > machine.memory {
        let reason = format!(
            "the {} view needs {}, {} may be used",
            view.engine.name(),
            human_bytes(bytes),
            human_bytes(machine.memory)
        );
        let (key, remedy) = method.to_save_memory(problem);
        return Err(Error::refused(key, reason, remedy));
    }
    method.check(&question)?;
    let (reason, mut advice) = (method.reason(), method.advice());
    if let (Engine::Limit, Some(setting)) = (view.engine, &record.readout) {
        if problem.dimension().is_some() {
            setting.samples(problem.sizes())?;
        }
        if let Err(why) = conditions(problem, setting) {
            advice.push(format!("no readout in this view: {why}"));
        }
    }
    Ok(Plan { entry, method, reason, threads, cost: Cost { seconds, bytes }, advice })
}

/// The first method that answers the view, among those that it asks for by a word.
fn choose(question: &Question<'_>) -> Result<(&'static Entry, Arc<dyn Method>)> {
    let view = question.view;
    let of_engine = || METHODS.iter().filter(|entry| entry.engine == view.engine);
    for entry in of_engine().filter(|entry| view.method.is_none_or(|asked| entry.word == Some(asked))) {
        match (entry.accepts)(question) {
            Fit::Yes(method) => {
                refuse_weights(question.problem, entry)?;
                return Ok((entry, method.into()));
            }
            Fit::Refused(why) => return Err(why),
            Fit::Other => {}
        }
    }
    let reading = question.scaling.as_ref().map_err(Clone::clone)?;
    let said = &reading.reason;
    let fits = of_engine().find(|entry| !matches!((entry.accepts)(question), Fit::Other));
    let (word, asked) = (fits.and_then(|entry| entry.word), view.method.unwrap_or("auto"));
    let remedy = match word {
        Some(word) => format!("write method = \"{word}\", or remove the line"),
        None => "use the reduced view".into(),
    };
    let reason = format!("method = \"{asked}\", and the scaling gives another: {said}");
    Err(Error::refused("view.method", reason, remedy))
}

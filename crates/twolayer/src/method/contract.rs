//! What a way to compute a view is: asked before it runs, and when it runs.

use std::fmt::Debug;

use crate::{
    average::State,
    citation::Citation,
    error::{Error, Result},
    observer::Observer,
    problem::{Engine, Grid, Problem, Record, Start, StartMode, View, scaling::Reading},
    random::Streams,
    record::{Trajectory, phases::Learning},
};

use super::limit::{When, check_moves};

/// What a view may use.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Machine {
    /// Bytes of memory that may be taken.
    pub memory: f64,
    /// Threads that run at the same time.
    pub cores: usize,
}

/// What a view will cost.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cost {
    /// Wall seconds of the whole view.
    pub seconds: f64,
    /// Bytes at its peak: as a method says, of all replicates that run at the same time, without what they record; as a
    /// plan says, of the whole view with its results.
    pub bytes: f64,
}

/// A line of the registry: what is known of a method before it has seen a view.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// Stable, hashed, in manifests; never shown to people.
    pub id: &'static str,
    /// For people; the method itself may add a word, `ode, all terms`.
    pub title: &'static str,
    /// The engine of a view that it answers.
    pub engine: Engine,
    /// The word of `view.method` that asks for it, if one does. Several methods may share a word.
    pub word: Option<&'static str>,
    /// What a run should cite.
    pub citations: &'static [Citation],
    /// Whether it can answer a view, and then with what.
    pub accepts: fn(&Question<'_>) -> Fit,
}

/// What is asked of a method: one problem, seen by one view, and what is to be recorded.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// The problem.
    pub problem: &'a Problem,
    /// The view of it.
    pub view: &'a View,
    /// What is recorded,
    pub record: &'a Record,
    /// at so many moments.
    pub entries: usize,
    /// What the scaling with d says, or why it says nothing. Simulations need not ask.
    pub scaling: &'a Result<Reading>,
    /// What may be used.
    pub machine: &'a Machine,
}

/// Whether a method answers a question.
#[derive(Debug)]
pub enum Fit {
    /// It does, so.
    Yes(Box<dyn Method>),
    /// The question is one of its own, but it cannot be answered as it stands: why, and the remedy.
    Refused(Error),
    /// The question is another method's.
    Other,
}

impl<M: Method + 'static> From<Result<M>> for Fit {
    fn from(result: Result<M>) -> Self {
        result.map_or_else(Self::Refused, |method| Self::Yes(Box::new(method)))
    }
}

/// What to change where stored data fill the memory.
pub(super) const LESS_DATA: (&str, &str) =
    ("training.samples", "lower samples, dimension or steps, or run fewer replicates at the same time (--threads)");

/// A way to compute one view, with all that was chosen for it (α, β, κ, terms, d …). Its [`Entry`] makes it.
pub trait Method: Debug + Send + Sync {
    /// Why this method.
    fn reason(&self) -> String;

    /// What is to be said after the title of its entry, if anything: `all terms`.
    fn variant(&self) -> Option<&'static str> {
        None
    }

    /// What the reader should know.
    fn advice(&self) -> Vec<String> {
        Vec::new()
    }

    /// What will fail or mislead, or has: before a run, and with what it recorded.
    fn warnings(&self, _seen: Option<&Trajectory>) -> Vec<Warning> {
        Vec::new()
    }

    /// What theory expects to be learnt, in its order.
    fn expected(&self) -> &[Learning] {
        &[]
    }

    /// Threads that share one replicate.
    fn threads(&self, _: &Question<'_>) -> usize {
        1
    }

    /// Predicted cost of the whole view, `threads` for each replicate, without what is recorded. Allocates nothing that grows
    /// with p, n or d: a plan asks before it knows whether memory suffices.
    fn cost(&self, question: &Question<'_>, threads: usize) -> Cost;

    /// What is left to check when memory is known to suffice: what has to form the start, or a kernel.
    ///
    /// # Errors
    /// [`Error::Refused`], with the remedy.
    fn check(&self, _: &Question<'_>) -> Result<()> {
        Ok(())
    }

    /// Predicted seconds, and bytes beside those of [`cost`](Self::cost), after a trial of a fraction of a second, where that
    /// cannot know them; `clock` tells seconds.
    ///
    /// # Errors
    /// [`Error::Numerical`] where the trial fails.
    fn trial(&self, _: &Question<'_>, _clock: &dyn Fn() -> f64) -> Result<Option<Cost>> {
        Ok(None)
    }

    /// The key to change where memory does not suffice, and how.
    fn to_save_memory(&self, _: &Problem) -> (&'static str, &'static str) {
        ("view", "record fewer points, or run fewer replicates")
    }

    /// Whether it gives the array `observable`, or why not.
    ///
    /// # Errors
    /// The reason, in words.
    fn records(&self, _observable: &str) -> Result<(), &'static str> {
        Ok(())
    }

    /// Runs one replicate and records the moments of the job.
    ///
    /// # Errors
    /// [`Error::Numerical`] where a covariance is none or an integrator fails, [`Error::Refused`] where the grid does not
    /// fit the method. Divergence and interruption are the trajectory's status.
    fn run(&self, job: &Job<'_>, observer: &dyn Observer) -> Result<Run>;
}

/// What a view should be read with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// Stable, in manifests: `phi_1 = 0`, `dominated by one neuron`.
    pub id: String,
    /// A sentence or two, with the numbers.
    pub text: String,
}

/// One replicate to compute.
#[derive(Debug, Clone, Copy)]
pub struct Job<'a> {
    /// The problem.
    pub problem: &'a Problem,
    /// The view of it.
    pub view: &'a View,
    /// The number of the replicate.
    pub replicate: u64,
    /// The moments to record.
    pub grid: &'a Grid,
    /// What to record.
    pub record: &'a Record,
    /// Threads that may be used.
    pub threads: usize,
}

impl Job<'_> {
    /// Its randomness. Engines that are compared must not share their noise: each has its own streams.
    pub fn streams(&self) -> Streams {
        streams(self.view, self.replicate)
    }

    /// Its start; that of a limit of independent starts is their mean.
    ///
    /// # Errors
    /// As for [`Problem::start`].
    pub fn start(&self) -> Result<Start> {
        start(self.problem, self.view, self.replicate)
    }

    /// Its start in overlaps.
    ///
    /// # Errors
    /// As for [`Problem::start`].
    pub fn state(&self) -> Result<State> {
        start_in_overlaps(self.problem, self.view, self.replicate)
    }

    /// The steps to record.
    pub fn steps(&self) -> Vec<u64> {
        self.grid.steps(self.problem)
    }

    /// The times to record.
    pub fn times(&self) -> Vec<f64> {
        self.grid.times(self.problem)
    }
}

fn streams(view: &View, replicate: u64) -> Streams {
    Streams { seed: view.seed, replicate }.of_engine(view.engine.name())
}

fn start(problem: &Problem, view: &View, replicate: u64) -> Result<Start> {
    if view.engine == Engine::Limit && problem.network.start == StartMode::Independent {
        check_moves(problem, view, When::Run)?;
        return problem.mean_start();
    }
    problem.start(streams(view, replicate))
}

/// The start of a replicate in overlaps.
pub(super) fn start_in_overlaps(problem: &Problem, view: &View, replicate: u64) -> Result<State> {
    let start = start(problem, view, replicate)?;
    Ok(State {
        overlaps: start.overlaps(&problem.target.overlaps)?,
        bias: start.bias,
        second_layer: start.second_layer,
    })
}

/// What one replicate gave.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// The record.
    pub trajectory: Trajectory,
    /// How the population averages were taken, and by which integrator: `erf, closed form`.
    pub kernel: String,
}

/// `1.6 GB`.
pub fn human_bytes(bytes: f64) -> String {
    match bytes {
        b if b >= 1e12 => format!("{:.1} TB", b / 1e12),
        b if b >= 1e9 => format!("{:.1} GB", b / 1e9),
        b if b >= 1e6 => format!("{:.1} MB", b / 1e6),
        b => format!("{:.0} kB", (b / 1e3).max(1.0)),
    }
}

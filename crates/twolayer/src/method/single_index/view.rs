//! The two flows as methods of a view.

use super::{
    DOMINATES, Kind,
    gap::{Delay, delays},
    prediction::{order_of_learning, warnings},
    run::run,
    setup::{Setup, atoms, conditions, setup},
};
use crate::{
    citation,
    error::{Error, Result},
    method::{
        contract::{Cost, Entry, Fit, Job, Method, Question, Run, Warning},
        falling,
    },
    observer::Observer,
    problem::{Activation, Engine, Init, Problem, Rule, Start, StartMode, Terms, View, scaling::Regime},
    random::Streams,
    record::{
        Trajectory,
        observable::{HALF_TIME, SECOND_LAYER, TIME},
        phases::Learning,
    },
};

/// The line of the exact flow in the registry.
pub const FINITE: Entry = Entry {
    id: "single-index-finite",
    title: "single-index flow of the network's neurons",
    engine: Engine::Limit,
    word: Some("single-index-finite"),
    citations: &[citation::BERTHIER_2023],
    accepts: |question| accepts(question, Kind::Finite),
};

/// The line of the flow of many neurons in the registry.
pub const AVERAGED: Entry = Entry {
    id: "single-index",
    title: "single-index flow of many neurons",
    engine: Engine::Limit,
    word: Some("single-index"),
    citations: &[citation::BERTHIER_2023],
    accepts: |question| accepts(question, Kind::Averaged),
};

/// A flow, and what theory says of it before it runs.
#[derive(Debug)]
struct SingleIndex {
    kind: Kind,
    setup: Setup,
    expected: Vec<Learning>,
    warnings: Vec<Warning>,
    delays: Vec<Delay>,
    /// Whether the flow is that of its own risk.
    only_falls: bool,
    /// What each neuron counts in the output.
    weights: Vec<f64>,
    reason: String,
}

/// By its word, every problem that has the flow; unasked, Hermite targets of which nothing is cut: the flow of the network's
/// own neurons, or of many where the second layer is a quadrature of their law.
fn accepts(question: &Question<'_>, kind: Kind) -> Fit {
    let Question { problem, view, .. } = *question;
    let nodes = problem.network.second_layer.init == Init::Nodes;
    let asked = view.method.is_some();
    let hermite = matches!(&problem.target.rule, Rule::Committee { activation: Activation::Series(_), weights } if weights.len() == 1);
    if !asked && (!hermite || nodes != (kind == Kind::Averaged)) {
        return Fit::Other;
    }
    match chosen(question, kind) {
        Ok(method) if asked || method.setup.is_exact() => Fit::Yes(Box::new(method)),
        Err(why) if asked || nodes => Fit::Refused(why),
        _ => Fit::Other,
    }
}

fn chosen(question: &Question<'_>, kind: Kind) -> Result<SingleIndex> {
    let Question { problem, view, .. } = *question;
    conditions(problem)?;
    let reading = question.scaling.as_ref().map_err(Clone::clone)?;
    let flows = matches!(reading.regime, Regime::Ode { kappa } if kappa == 0.0 || view.terms == Terms::Flow);
    if !flows || !matches!(view.terms, Terms::Auto | Terms::Flow) {
        let reason = format!(
            "the single-index flow has no noise terms, and the scaling or view.terms asks for them: {}",
            reading.reason
        );
        let remedy = "write algorithm = \"gradient-flow\" (view.override = { \"training.algorithm\" = \"gradient-flow\" }), or terms = \"flow\"";
        return Err(Error::refused("training.algorithm", reason, remedy));
    }
    let time = problem.time();
    if !(time.is_finite() && time > 0.0) {
        let reason = format!("the number of steps says nothing about the time of a flow at d = ∞ (t = {time})");
        return Err(Error::refused("training.steps", reason, "write time = … in place of steps"));
    }
    if kind == Kind::Finite && problem.network.second_layer.init == Init::Nodes {
        let reason = "nodes weigh differently, the neurons of a network do not";
        return Err(Error::refused(
            "network.second_layer",
            reason,
            "write method = \"single-index\", or init = \"grid\"",
        ));
    }
    let setup = setup(problem)?;
    let atoms = atoms(problem, &start_of(problem, view)?)?;
    let law = atoms.law();
    let neurons = problem.width();
    let what = match kind {
        Kind::Finite => format!("the {neurons} neurons of the network, exactly"),
        Kind::Averaged if law.neurons.is_none() => format!("m → ∞, by {neurons} nodes with weights"),
        Kind::Averaged => format!("m → ∞, by {neurons} neurons that see only averages"),
    };
    let reason = format!("{}; single-index target, rows on the sphere, both layers trained: {what}", reading.reason);
    Ok(SingleIndex {
        kind,
        expected: order_of_learning(&setup.series, setup.epsilon, &law),
        warnings: warnings(&setup.series, setup.epsilon, &law),
        delays: delays(&setup.series, setup.epsilon, &atoms, time),
        only_falls: falling::only_falls(problem),
        weights: atoms.weights,
        setup,
        reason,
    })
}

/// The start; that of independent starts is their mean.
fn start_of(problem: &Problem, view: &View) -> Result<Start> {
    if problem.network.start == StartMode::Shared {
        return problem.start(Streams { seed: view.seed, replicate: 0 });
    }
    if matches!(problem.network.second_layer.init, Init::Signs | Init::Gaussian | Init::Uniform) {
        let reason = "the limit starts from the mean of independent starts, and that of a second layer drawn is zero";
        return Err(Error::refused("network.start", reason, "write start = \"shared\", or drop the limit view"));
    }
    problem.mean_start()
}

impl Method for SingleIndex {
    fn reason(&self) -> String {
        self.reason.clone()
    }

    fn advice(&self) -> Vec<String> {
        let mut advice = Vec::new();
        if self.kind == Kind::Finite {
            let neurons = self.weights.len();
            advice.push(format!(
                "this is the network's own {neurons} neurons; the limit of many, to which the formulas of learning times belong, \
                 is method = \"single-index\", with second_layer = {{ init = \"nodes\" }} for a uniform law"
            ));
        }
        if !self.setup.is_exact() {
            let degrees = self.setup.series.degrees() - 1;
            let left = [("activation", self.setup.remainder), ("target", self.setup.target_remainder)];
            let left =
                left.iter().filter(|(_, left)| *left > 0.0).map(|(what, left)| format!("{left:.1e} of the {what}"));
            let left = left.collect::<Vec<_>>().join(" and ");
            advice.push(format!("series are cut at degree {degrees}, which leaves out {left}"));
        }
        advice
    }

    fn expected(&self) -> &[Learning] {
        &self.expected
    }

    fn warnings(&self, seen: Option<&Trajectory>) -> Vec<Warning> {
        let mut all = self.warnings.clone();
        let here = |delay: &Delay| seen.and_then(|run| run.of(&HALF_TIME).get(delay.next).copied());
        all.extend(self.delays.iter().map(|delay| delay.warning(here(delay))));
        if let Some(trajectory) = seen {
            all.extend(dominated(trajectory, &self.weights));
            all.extend(falling::rises(trajectory).filter(|_| self.only_falls));
        }
        all
    }

    fn cost(&self, question: &Question<'_>, _: usize) -> Cost {
        let (p, degrees) = (question.problem.width() as f64, self.setup.series.degrees() as f64);
        let decades = (1.0 / self.setup.epsilon).log10().max(1.0);
        match self.kind {
            Kind::Averaged => {
                let steps = 400.0 * decades + question.entries as f64;
                Cost { seconds: 1.6 * steps * p * (degrees + 4.0) * SECONDS_PER_TERM, bytes: 8.0 * 3.0 * p * p }
            }
            Kind::Finite => {
                let drifts = 5e3 * decades + 30.0 * question.entries as f64;
                let seconds = p * p * (degrees + 8.0) * 1e-9 + p * p * p * 5e-10 + 2e-6;
                // Half of p² cosines, at all moments in two integrations, and in the rows of a step.
                let states = 0.5 * p * p * (2.0 * question.entries as f64 + 50.0);
                Cost { seconds: 1.6 * drifts * seconds, bytes: 8.0 * states }
            }
        }
    }

    fn to_save_memory(&self, _: &Problem) -> (&'static str, &'static str) {
        ("network.width", "take fewer neurons; with init = \"nodes\" 400 stand for all")
    }

    fn records(&self, observable: &str) -> Result<(), &'static str> {
        if matches!(observable, "gradient_M" | "gradient_norm") { Err("a flow takes no steps") } else { Ok(()) }
    }

    fn run(&self, job: &Job<'_>, observer: &dyn Observer) -> Result<Run> {
        let (start, times) = (start_of(job.problem, job.view)?, job.times());
        let keep_q = job.record.keep_q(job.problem.width());
        let (trajectory, kernel) =
            run(job.problem, &self.setup, self.kind, &start, &times, job.view.tolerance, keep_q, observer)?;
        Ok(Run { trajectory, kernel })
    }
}

/// One term of one neuron in one step of the averaged flow: eight drifts, a Jacobian, and nine solutions.
const SECONDS_PER_TERM: f64 = 1.5e-8;

/// Whether one neuron came to carry the network, as far as the record shows.
fn dominated(trajectory: &Trajectory, weights: &[f64]) -> Option<Warning> {
    let share = |row: &[f64]| row.iter().zip(weights).map(|(a, weight)| (a * weight).abs()).fold(0.0, f64::max);
    let shares: Vec<f64> = trajectory.of(&SECOND_LAYER).chunks_exact(weights.len()).map(share).collect();
    let since = shares.iter().position(|share| *share >= DOMINATES)?;
    let largest = shares.iter().copied().fold(0.0, f64::max);
    let text = format!(
        "from t = {:.3e} on one neuron gives more than {DOMINATES} of the output by itself (max |a|/m up to {largest:.2}): from there on \
         this is not the flow of many neurons. Take more, or second_layer = {{ init = \"nodes\" }} with method = \"single-index\"",
        trajectory.of(&TIME)[since]
    );
    Some(Warning { id: "dominated by one neuron".into(), text })
}

impl Setup {
    /// Whether nothing is cut.
    pub fn is_exact(&self) -> bool {
        self.remainder == 0.0 && self.target_remainder == 0.0
    }
}

/// Refuses nodes, which carry weights, for every method that knows none.
///
/// # Errors
/// [`Error::Refused`].
pub(in crate::method) fn refuse_weights(problem: &Problem, entry: &Entry) -> Result<()> {
    if problem.network.second_layer.init != Init::Nodes || entry.id == AVERAGED.id {
        return Ok(());
    }
    let reason = "nodes stand for many neurons, each with its weight, and only the limit view of method = \"single-index\" knows weights";
    Err(Error::refused("network.second_layer", reason, "write init = \"grid\" or \"uniform\", or keep that view only"))
}

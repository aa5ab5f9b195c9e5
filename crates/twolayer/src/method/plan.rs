//! Chooses the method of a view, says why, predicts its cost, and refuses what cannot be.

use super::{dmft, leap_step, ode};
use crate::{
    average::{self, SharedKernel, State, Want},
    error::{Error, Result},
    frame::{direct, fresh, reused},
    problem::{
        Algorithm, BiasInit, Data, Engine, Init, Problem, StartMode, Terms, Theory, View,
        scaling::{Reading, Regime},
    },
    random::Streams,
};

/// What a view may use.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Machine {
    /// Bytes of memory that may be taken.
    pub memory: f64,
    /// Threads that run at the same time.
    pub cores: usize,
}

/// Whole numbers that f64 can count.
const MOST_STEPS: f64 = 9e15;

/// Drifts computed by a typical integration and its check.
const EVALUATIONS: f64 = 2000.0;

/// How a view is computed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Method {
    /// Real weights and data in d dimensions.
    Direct {
        /// d.
        dimension: usize,
    },
    /// Fresh batches in reduced coordinates. (theory.md §4.1)
    Reduced {
        /// d.
        dimension: u64,
    },
    /// Giant steps. (theory.md §5.2)
    GiantStep {
        /// α = lim n_b/d, possibly infinite.
        alpha: f64,
    },
    /// One giant step on n_b ~ d^ℓ samples. (theory.md §5.2)
    LeapStep {
        /// ℓ.
        degree: u32,
    },
    /// Stored data, revealed along the directions that are asked for. (theory.md §4.2)
    ReducedReused {
        /// d.
        dimension: u64,
    },
    /// Dynamical mean-field theory of reused data. (theory.md §5.3)
    Dmft {
        /// β = lim n/d.
        beta: f64,
    },
    /// The online ODE. (theory.md §5.1)
    Ode {
        /// κ = lim ηs·d/n_b, the coefficient of the η² term.
        kappa: f64,
        /// The terms that are kept.
        terms: Terms,
    },
}

impl Method {
    /// Whether it takes whole steps of a training run.
    pub fn is_simulation(self) -> bool {
        matches!(self, Self::Direct { .. } | Self::Reduced { .. } | Self::ReducedReused { .. })
    }

    /// Its name in results.
    pub fn name(self) -> &'static str {
        match self {
            Self::Direct { .. } => "direct",
            Self::Reduced { .. } => "reduced, fresh batches",
            Self::GiantStep { .. } => "giant steps",
            Self::LeapStep { .. } => "leap step",
            Self::ReducedReused { .. } => "reduced, reused batches",
            Self::Dmft { .. } => "dynamical mean-field theory",
            Self::Ode { terms: Terms::Flow, .. } => "ode, gradient flow",
            Self::Ode { terms: Terms::LabelNoise, .. } => "ode, label-noise term",
            Self::Ode { terms: Terms::ExactStep, .. } => "ode, exact step",
            Self::Ode { .. } => "ode, all terms",
        }
    }
}

/// What a view will cost.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cost {
    /// Wall seconds of the whole view.
    pub seconds: f64,
    /// Bytes at its peak, all replicates that run at the same time.
    pub bytes: f64,
}

/// How a view will be computed.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The method.
    pub method: Method,
    /// Why.
    pub reason: String,
    /// Threads that share one replicate: those that its view has no other replicates for.
    pub threads: usize,
    /// Its predicted cost.
    pub cost: Cost,
    /// What the reader should know.
    pub advice: Vec<String>,
    /// The population averages, for all replicates.
    pub kernel: SharedKernel,
}

/// Chooses the method for `view` of `problem`, recording `entries` moments.
///
/// # Errors
/// [`Error::Refused`]: no limit, no engine yet, d < p + k for `reduced`, or more memory than there is; always with the
/// numbers and what would do.
pub fn plan(problem: &Problem, view: &View, entries: usize, machine: &Machine) -> Result<Plan> {
    let plan = match view.engine {
        Engine::Direct | Engine::Reduced => simulation(problem, view, entries, machine)?,
        Engine::Limit => limit(problem, view, machine)?,
    };
    let record = record_bytes(problem, entries) * view.replicates as f64;
    let bytes = plan.cost.bytes + record;
    if bytes > machine.memory {
        let instead = match plan.method {
            _ if problem.training.data == Data::Reused => {
                "lower samples, dimension or steps, or run fewer replicates at the same time (--threads)"
            }
            Method::Direct { .. } if problem.batch() > problem.width() => {
                "lower the batch, or use engine = \"reduced\", which keeps no d-vector"
            }
            Method::Direct { .. } => "use engine = \"reduced\", which has the same law and keeps no d-vector",
            Method::Reduced { .. } if problem.batch() > 1 => "lower the batch, or run fewer replicates",
            _ => "record fewer points, or run fewer replicates",
        };
        let reason = format!(
            "the {} view needs {}, {} may be used",
            view.engine.name(),
            human_bytes(bytes),
            human_bytes(machine.memory)
        );
        let key = if problem.training.data == Data::Reused {
            "training.samples"
        } else if problem.batch() > problem.width() {
            "training.batch"
        } else {
            "view"
        };
        return Err(Error::refused(key, reason, instead));
    }
    Ok(Plan { cost: Cost { bytes, ..plan.cost }, ..plan })
}

fn simulation(problem: &Problem, view: &View, entries: usize, machine: &Machine) -> Result<Plan> {
    let name = view.engine.name();
    if problem.training.algorithm == Algorithm::GradientFlow {
        let reason = format!("a {name} view takes steps; a gradient flow has none");
        return Err(Error::refused("training.algorithm", reason, "use the limit view, or algorithm = \"sgd\""));
    }
    let Some(dimension) = problem.dimension() else {
        let reason = format!("a {name} view needs a finite dimension");
        return Err(Error::refused("training.dimension", reason, "give the view a dimension"));
    };
    // Also refuses starts that do not fit.
    problem.start(Streams { seed: view.seed, replicate: 0 })?;
    let steps = problem.steps() as f64;
    if steps > MOST_STEPS {
        let reason = format!("{steps:.3e} steps are more than can be counted");
        return Err(Error::refused("training", reason, "shorten the time, or raise the learning rate"));
    }
    let (d, p, k) = (dimension as f64, problem.width(), problem.directions());
    let (method, reason, [seconds, bytes]) = match (view.engine, problem.training.data) {
        (Engine::Direct, _) => {
            let [seconds, bytes] = direct::cost(problem, d, entries);
            let reason = format!("real weights and data, {} per replicate", human_bytes(bytes));
            (Method::Direct { dimension: dimension as usize }, reason, [seconds, bytes])
        }
        (_, Data::Reused) => {
            let (n, columns) = (problem.samples(), reused::capacity(problem, p));
            if columns > d {
                let reason = format!(
                    "revealing n = {n} samples along k + p + 2pT = {columns} directions is more than the d = {d} there are"
                );
                return Err(Error::refused("view", reason, "use the direct view, which is cheaper there"));
            }
            let reason =
                format!("exact in law at d = {d}: n = {n} samples known along {columns} directions, no data matrix");
            (Method::ReducedReused { dimension }, reason, reused::cost(problem, entries))
        }
        _ => {
            if d < (p + k) as f64 {
                let reason = format!("the reduced view needs d ≥ p + k = {}, here d = {dimension}", p + k);
                return Err(Error::refused(
                    "training.dimension",
                    reason,
                    "use the direct view, which is cheaper there",
                ));
            }
            let reason = format!("exact in law at d = {d} in {} coordinates per neuron, no d-vector", p + k);
            (Method::Reduced { dimension }, reason, fresh::cost(problem))
        }
    };
    let threads = (machine.cores / view.replicates.max(1)).max(1);
    let waves = (view.replicates as f64 / machine.cores.max(1) as f64).ceil();
    let together = view.replicates.min(machine.cores) as f64;
    let risks = entries as f64 * risk_seconds(problem);
    let cost = Cost { seconds: waves * (seconds / threads as f64 + risks), bytes: together * bytes };
    Ok(Plan { method, reason, threads, cost, advice: vec![], kernel: SharedKernel::default() })
}

fn limit(problem: &Problem, view: &View, machine: &Machine) -> Result<Plan> {
    let reading = problem.scaling()?;
    if problem.network.start == StartMode::Independent {
        mean_start(problem, view)?;
    } else {
        problem.start(Streams { seed: view.seed, replicate: 0 })?;
    }
    let theory = match reading.regime {
        Regime::Ode { .. } => Theory::Ode,
        Regime::GiantStep { .. } | Regime::LeapStep { .. } => Theory::GiantStep,
        Regime::Reused { .. } => Theory::Dmft,
    };
    if let Some(asked) = view.theory
        && asked != theory
    {
        let reason = format!("method = \"{}\", and the scaling gives another: {}", asked.name(), reading.reason);
        let remedy = format!("write method = \"{}\", or remove the line", theory.name());
        return Err(Error::refused("view.method", reason, remedy));
    }
    let kappa = match reading.regime {
        Regime::Ode { kappa } => kappa,
        Regime::GiantStep { alpha } => return giant_step(problem, alpha, reading),
        Regime::LeapStep { degree } => {
            leap_step::conditions(problem, degree)?;
            let cost = Cost { seconds: 2.0 * average::seconds(problem, Want::ALL) + 0.1, bytes: 0.0 };
            let advice = reading.advice.into_iter().collect();
            return Ok(Plan {
                method: Method::LeapStep { degree },
                reason: reading.reason,
                threads: 1,
                cost,
                advice,
                kernel: SharedKernel::default(),
            });
        }
        Regime::Reused { beta } => return dmft_plan(problem, beta, reading.reason, machine),
    };
    refuse_second_looks(problem)?;
    let time = problem.time();
    if !(time.is_finite() && time > 0.0) {
        let reason = format!("the number of steps says nothing about the time of an ODE at d = ∞ (t = {time})");
        return Err(Error::refused("training.steps", reason, "write time = … in place of steps"));
    }
    let terms = match view.terms {
        Terms::Auto if kappa == 0.0 => Terms::Flow,
        Terms::Auto => Terms::All,
        chosen => chosen,
    };
    // A plain gradient flow asked for small steps' noise takes κ at its own d: D's small-step correction.
    let kappa = if kappa == 0.0 && terms != Terms::Flow { own_kappa(problem) } else { kappa };
    // Also refuses an exact step where there is none.
    if terms == Terms::ExactStep {
        ode::has_exact_step(problem)?;
    }
    let noisy = matches!(terms, Terms::All | Terms::ExactStep);
    let evaluation = average::seconds(problem, Want { noise: noisy, ..Want::DRIFT });
    let cost = Cost { seconds: evaluation * EVALUATIONS, bytes: 0.0 };
    let advice = reading.advice.into_iter().collect();
    Ok(Plan {
        method: Method::Ode { kappa, terms },
        reason: reading.reason,
        threads: 1,
        cost,
        advice,
        kernel: SharedKernel::default(),
    })
}

/// Batches that are looked at twice have no limit here: the second look sees what the first has learnt of them.
fn refuse_second_looks(problem: &Problem) -> Result<()> {
    let displaced = !problem.training.displacement.is_number() || problem.displacement() != 0.0;
    let key = match (problem.training.repeats > 1, displaced) {
        (true, _) => "training.repeats",
        (_, true) => "training.displacement",
        _ => return Ok(()),
    };
    let reason = "there is no limit theory of fresh batches that are looked at twice";
    Err(Error::refused(key, reason, "use the reduced view at a large d, e.g. dimension = 100000"))
}

fn giant_step(problem: &Problem, alpha: f64, reading: Reading) -> Result<Plan> {
    refuse_second_looks(problem)?;
    let steps = problem.steps() as f64;
    let (p, k) = (problem.width() as f64, problem.directions() as f64);
    let seconds = steps * (2.0 * average::seconds(problem, Want::ALL) + risk_seconds(problem) + 2e-9 * (p + k).powi(3));
    let cost = Cost { seconds, bytes: 8.0 * 8.0 * (p + k) * (p + k) };
    let advice = reading.advice.into_iter().collect();
    Ok(Plan {
        method: Method::GiantStep { alpha },
        reason: reading.reason,
        threads: 1,
        cost,
        advice,
        kernel: SharedKernel::default(),
    })
}

/// Dynamical mean-field theory, at as many paths as it may take.
fn dmft_plan(problem: &Problem, beta: f64, reason: String, machine: &Machine) -> Result<Plan> {
    let [seconds, bytes] = dmft::cost(problem)?;
    let fitting = (machine.memory / bytes) as usize;
    let threads = machine.cores.min(fitting).clamp(1, dmft::SCRAMBLINGS);
    let cost = Cost { seconds: seconds / threads as f64, bytes: bytes * threads as f64 };
    Ok(Plan { method: Method::Dmft { beta }, reason, threads, cost, advice: vec![], kernel: SharedKernel::default() })
}

/// ηs·d/n_b at the problem's own d.
fn own_kappa(problem: &Problem) -> f64 {
    match problem.dimension() {
        Some(d) if problem.training.algorithm == Algorithm::Sgd => {
            problem.step_time() * d as f64 / problem.batch() as f64
        }
        _ => 0.0,
    }
}

/// Refuses independent starts whose mean is random itself, or from which the limit does not move.
fn mean_start(problem: &Problem, view: &View) -> Result<()> {
    let refused = |reason: String, remedy: &str| Err(Error::refused("network.start", reason, remedy));
    let random_layer = matches!(problem.network.second_layer.init, Init::Signs | Init::Gaussian | Init::Uniform);
    let random_bias = problem.network.bias.is_some_and(|bias| bias.init != BiasInit::Zero);
    if random_layer || random_bias {
        let what = if random_layer { "a second layer" } else { "biases" };
        let reason = format!("the limit starts from the mean of independent starts, and that of {what} drawn is zero");
        return refused(reason, "write start = \"shared\", or drop the limit view");
    }
    let start = ode::mean_start(problem)?;
    let state = State {
        overlaps: start.overlaps(&problem.target.overlaps)?,
        bias: vec![0.0; problem.width()],
        second_layer: start.second_layer,
    };
    let kernel = average::for_problem(problem, view.tolerance)?;
    if ode::is_fixed(problem, &state, kernel.as_ref())? {
        let reason = "the limit starts from the mean of independent starts, M = 0, and from there M does not move: what \
                      moves it is their spread of order 1/√d";
        return refused(reason.into(), "write start = \"shared\", or drop the limit view");
    }
    Ok(())
}

/// Seconds of one population risk.
fn risk_seconds(problem: &Problem) -> f64 {
    average::seconds(problem, Want::RISK)
}

/// Bytes of one trajectory.
fn record_bytes(problem: &Problem, entries: usize) -> f64 {
    let (p, k) = (problem.width() as f64, problem.directions() as f64);
    let q = if p <= 64.0 { p * p + p } else { p };
    8.0 * entries as f64 * (6.0 + p * k + q + 2.0 * p)
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

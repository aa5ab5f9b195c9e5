//! Learning rates with which the risk grows.

use super::{
    super::{Warning, contract::start_in_overlaps, giant_step, limit::own_kappa, ode},
    short,
};
use crate::{
    average::{self, Averages, Kernel, State, Want},
    error::{Error, Result},
    observer::Observer,
    problem::{Activation, Algorithm, Data, Duration, Formula, Init, Loss, Network, Placement, Problem, Record, View},
    record::{
        Status, Trajectory,
        observable::{RISK, TIME},
    },
};

/// The id of the warning.
pub const TOO_LARGE: &str = "rate too large";

/// A risk that ends above so many times its start has grown.
const GROWN: f64 = 2.0;

/// A start is not told from the optimum below this part of ½E g²: what a finite rate adds there is its floor.
const FLOOR: f64 = 0.05;

/// The rate is lowered by this factor until its equations do not grow, at most so often, and then halved (in its logarithm).
const LOWER: f64 = 4.0;
const LOWERINGS: usize = 8;
const HALVINGS: usize = 6;

/// Integrations go so far beyond the moment at which the risk has doubled, and no further than the view.
const BEYOND: f64 = 100.0;

/// Relative tolerance of an integration.
const TOLERANCE: f64 = 1e-2;

/// Seconds of one average above which nothing is integrated.
const DEAR: f64 = 0.05;

/// The largest rates of problems that have been looked at: several views may have one.
#[derive(Debug, Default)]
pub struct KnownRates(Vec<(Problem, Option<f64>)>);

/// How a risk has grown, in the mean over the replicates.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Growth {
    start: f64,
    end: f64,
    /// The moment from which on it is more than [`GROWN`] times the start.
    doubled: f64,
    diverged: bool,
}

/// The warning, where the mean risk of the replicates ends above twice its start, or one of them has diverged.
pub(super) fn seen(
    problem: &Problem,
    view: &View,
    runs: &[Trajectory],
    known: &mut KnownRates,
    observer: &dyn Observer,
) -> Option<Warning> {
    let growth = Growth::of(problem, view, runs)?;
    let end = if growth.diverged { "diverges".into() } else { format!("ends at {}", short(growth.end)) };
    let mut text = format!("the learning rate is too large: the risk starts at {} and {end}", short(growth.start));
    let of_another = known.0.iter().find(|(other, _)| other == problem).map(|(_, rate)| *rate);
    let rate = of_another.unwrap_or_else(|| {
        let rate = largest(problem, view, &growth, observer).unwrap_or(None);
        known.0.push((problem.clone(), rate));
        rate
    });
    text += &match rate {
        Some(rate) => {
            let by_d = problem.dimension().map(|d| format!(" = {}/d", short(rate * d as f64))).unwrap_or_default();
            format!(
                "; up to {}{by_d} its own equations, noise term included, do not end above their start",
                short(rate)
            )
        }
        None => "; lower it until the risk does not grow".into(),
    };
    Some(Warning { id: TOO_LARGE.into(), text })
}

impl Growth {
    /// `None` where the risk does not grow, or where growing is no fault: nothing but the squared loss makes it fall, a gradient
    /// flow has no rate, and one giant step is for the features.
    fn of(problem: &Problem, view: &View, runs: &[Trajectory]) -> Option<Self> {
        let giant = problem.counts_steps();
        if problem.training.algorithm != Algorithm::Sgd
            || problem.training.loss != Loss::Squared
            || (giant && problem.steps() < 2)
        {
            return None;
        }
        let valid: Vec<&Trajectory> = runs.iter().filter(|run| run.valid > 0).collect();
        let shortest = valid.iter().map(|run| run.valid).min()?;
        let mean = |at: &dyn Fn(&Trajectory) -> usize| {
            valid.iter().map(|run| run.of(&RISK)[at(run)]).sum::<f64>() / valid.len() as f64
        };
        let first = mean(&|_| 0);
        // The first of several giant steps is for the features too.
        let start = if giant && shortest > 1 { first.max(mean(&|_| 1)) } else { first };
        let end = mean(&|run| run.valid - 1);
        let diverged = runs.iter().any(|run| matches!(run.status, Status::Diverged { .. }));
        let grown = || end > GROWN * start && end > GROWN * FLOOR * of_zero(problem, view).unwrap_or(0.0);
        if !diverged && !grown() {
            return None;
        }
        let doubled = (0..shortest).find(|&t| mean(&|_| t) > GROWN * start).unwrap_or(shortest - 1);
        Some(Self { start, end, doubled: valid[0].of(&TIME)[doubled], diverged })
    }
}

/// ½E g², the risk of f = 0.
fn of_zero(problem: &Problem, view: &View) -> Result<f64> {
    let zero = problem.with(|parts| {
        parts.network = Network::new(1, Activation::Linear);
        parts.network.first_layer.placement = Placement::Orthonormal;
        parts.network.second_layer.init = Init::Values(vec![0.0]);
    })?;
    let kernel = average::for_problem(&zero, TOLERANCE)?;
    let mut averages = Averages::zeros(1, zero.directions());
    kernel.averages(&start_in_overlaps(&zero, view, 0)?, Want::RISK, &mut averages)?;
    Ok(averages.risk)
}

/// The largest rate, to a few per cent, at which the equations of the problem, at its own d and n_b and with all terms, do not
/// end above their start; `None` where there are no equations, they are dear, or they do not grow either.
///
/// # Errors
/// As for the integrations; [`Error::Interrupted`].
fn largest(problem: &Problem, view: &View, growth: &Growth, observer: &dyn Observer) -> Result<Option<f64>> {
    let all = Want { noise: true, ..Want::DRIFT };
    let fresh = problem.training.data == Data::Fresh && problem.uses_samples_once();
    if !fresh || problem.dimension().is_none() || average::seconds(problem, all) > DEAR {
        return Ok(None);
    }
    let equations = Equations {
        problem,
        start: start_in_overlaps(problem, view, 0)?,
        kernel: average::for_problem(problem, TOLERANCE)?,
        time: if growth.doubled > 0.0 { problem.time().min(BEYOND * growth.doubled) } else { problem.time() },
        observer,
    };
    let mut high = problem.learning_rate();
    if !equations.grow(high)? {
        return Ok(None);
    }
    let mut low = high;
    for lowering in 0.. {
        if lowering == LOWERINGS {
            return Ok(None);
        }
        high = low;
        low /= LOWER;
        if !equations.grow(low)? {
            break;
        }
    }
    for _ in 0..HALVINGS {
        let middle = (low * high).sqrt();
        if equations.grow(middle)? { high = middle } else { low = middle }
    }
    Ok(Some(low))
}

/// What the mean of a large system obeys: the ODE with κ = ηsd/n_b, or giant steps with α = n_b/d, of its own.
struct Equations<'a> {
    problem: &'a Problem,
    start: State,
    kernel: Box<dyn Kernel>,
    time: f64,
    observer: &'a dyn Observer,
}

impl Equations<'_> {
    /// Whether the risk ends above its start at this rate.
    fn grow(&self, rate: f64) -> Result<bool> {
        let steps = self.problem.counts_steps();
        let problem = self.problem.with(|parts| {
            parts.training.learning_rate = Some(Formula::number(rate));
            if !steps {
                parts.training.duration = Duration::Time(Formula::number(self.time));
            }
        })?;
        let [start, end] = if steps {
            let (last, record) = (problem.steps(), Record::default());
            let alpha = problem.batch() as f64 / problem.sizes().d;
            let (run, _) =
                giant_step::run(&problem, &self.start, alpha, &[0, last], TOLERANCE, &record, self.observer)?;
            match run.status {
                Status::Interrupted => return Err(Error::Interrupted),
                Status::Diverged { .. } => return Ok(true),
                Status::Done | Status::Stiff { .. } | Status::Failed { .. } | Status::OutOfTolerance { .. } => {
                    [run.of(&RISK)[0], run.of(&RISK)[1]]
                }
            }
        } else {
            let kappa = own_kappa(&problem);
            ode::risks(&problem, &self.start, kappa, self.kernel.as_ref(), TOLERANCE, self.observer)?
        };
        Ok(end.is_nan() || end > start)
    }
}

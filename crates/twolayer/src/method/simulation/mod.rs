//! Simulations: the one training loop, over the coordinates that an engine keeps the weights in.

pub mod direct;
pub mod fresh;
pub mod reused;

use std::fmt::Debug;

use crate::{
    average::{self, SharedKernel, Want},
    error::{Error, Result},
    frame::Frame,
    method::contract::{Cost, Job, Method, Question, Run},
    observer::Observer,
    problem::{Algorithm, Problem, Start},
    random::Streams,
    signal::{self, Feed},
    simulate::simulate,
};

/// Whole numbers that f64 can count.
const MOST_STEPS: f64 = 9e15;

/// Coordinates in which weights and data are kept.
trait Coordinates: Debug + Send + Sync {
    /// Weights and data in them.
    type Frame: Frame;

    /// Seconds on one thread and bytes of one replicate, risks not counted.
    fn cost(&self, problem: &Problem, entries: usize) -> [f64; 2];

    /// The key to change where memory does not suffice, and how.
    fn to_save_memory(&self, problem: &Problem) -> (&'static str, &'static str);

    /// The start, and the stored data set where there is one.
    ///
    /// # Errors
    /// [`Error::Numerical`] where P is not a covariance.
    fn frame(&self, job: &Job<'_>, start: &Start, stored: Option<signal::Coordinates>) -> Result<Self::Frame>;
}

/// A simulation in some coordinates.
#[derive(Debug)]
struct Simulation<C> {
    coordinates: C,
    reason: String,
    /// The population averages, for all replicates.
    kernel: SharedKernel,
}

impl<C> Simulation<C> {
    fn new(coordinates: C, reason: String) -> Self {
        Self { coordinates, reason, kernel: SharedKernel::default() }
    }
}

/// d, of a problem that can be simulated.
///
/// # Errors
/// [`Error::Refused`] for gradient flows, infinite dimensions, too many steps; or as for [`Problem::start`].
fn dimension(question: &Question<'_>) -> Result<u64> {
    let Question { problem, view, .. } = *question;
    let name = view.engine.name();
    if problem.training.algorithm == Algorithm::GradientFlow {
        let reason = format!("a {name} view takes steps; a gradient flow has none");
        return Err(Error::refused("training.algorithm", reason, "use the limit view, or algorithm = \"sgd\""));
    }
    let Some(dimension) = problem.dimension() else {
        let reason = format!("a {name} view needs a finite dimension");
        return Err(Error::refused("training.dimension", reason, "give the view a dimension"));
    };
    // Refuses starts that do not fit.
    problem.start(Streams { seed: view.seed, replicate: 0 })?;
    let steps = problem.steps() as f64;
    if steps > MOST_STEPS {
        let reason = format!("{steps:.3e} steps are more than can be counted");
        return Err(Error::refused("training", reason, "shorten the time, or raise the learning rate"));
    }
    Ok(dimension)
}

impl<C: Coordinates> Method for Simulation<C> {
    fn reason(&self) -> String {
        self.reason.clone()
    }

    fn threads(&self, question: &Question<'_>) -> usize {
        (question.machine.cores / question.view.replicates.max(1)).max(1)
    }

    fn cost(&self, question: &Question<'_>, threads: usize) -> Cost {
        let Question { problem, view, entries, machine, .. } = *question;
        let [seconds, bytes] = self.coordinates.cost(problem, entries);
        let waves = (view.replicates as f64 / machine.cores.max(1) as f64).ceil();
        let together = view.replicates.min(machine.cores) as f64;
        let risks = entries as f64 * average::seconds(problem, Want::RISK);
        Cost { seconds: waves * (seconds / threads as f64 + risks), bytes: together * bytes }
    }

    fn to_save_memory(&self, problem: &Problem) -> (&'static str, &'static str) {
        self.coordinates.to_save_memory(problem)
    }

    fn run(&self, job: &Job<'_>, observer: &dyn Observer) -> Result<Run> {
        let (problem, start) = (job.problem, job.start()?);
        let kernel = self.kernel.of(problem, job.view.tolerance)?;
        let (feed, stored) = Feed::new(problem, job.streams())?;
        let frame = self.coordinates.frame(job, &start, stored)?;
        let steps = job.steps();
        let trajectory = simulate(problem, frame, feed, &start, kernel.as_ref(), &steps, job.record, observer)?;
        Ok(Run { trajectory, kernel: kernel.describe() })
    }
}

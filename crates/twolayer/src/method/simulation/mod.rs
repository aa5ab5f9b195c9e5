//! Simulations: the one training loop, over the coordinates that an engine keeps the weights in.

pub mod direct;
pub mod fresh;
mod readout;
pub mod reused;

use std::{fmt::Debug, sync::OnceLock};

use crate::{
    average::{self, SharedKernel, Want},
    error::{Error, Result},
    frame::Frame,
    method::{
        contract::{Cost, Job, Method, Question, Run},
        memory,
    },
    observer::Observer,
    probe::{Probe, ReadoutProbe},
    problem::{Algorithm, Preprocess, Problem, Start},
    readout::bounds::Bounds,
    signal::{self, Feed},
    simulate::simulate_with,
};

/// Whole numbers that f64 can count.
const MOST_STEPS: f64 = 9e15;

/// Coordinates in which weights and data are kept.
trait Coordinates: Debug + Send + Sync {
    /// Weights and data in them.
    type Frame: Frame;

    /// Seconds on one thread and bytes of one replicate, risks not counted.
    fn cost(&self, question: &Question<'_>) -> [f64; 2];

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
    /// Lower bounds of a readout, for all replicates, or the reason why there are none.
    bounds: OnceLock<Result<Bounds, String>>,
}

impl<C> Simulation<C> {
    fn new(coordinates: C, reason: String) -> Self {
        Self { coordinates, reason, kernel: SharedKernel::default(), bounds: OnceLock::new() }
    }
}

/// Refuses what only inputs know.
fn refuse_least_squares(problem: &Problem) -> Result<()> {
    if problem.training.preprocess != Preprocess::LeastSquares {
        return Ok(());
    }
    let reason = "least squares needs XᵀX, which the reduced view never forms";
    Err(Error::refused("training.preprocess", reason, "use the direct view, or write preprocess = \"linear\""))
}

/// Refuses labels of which too little is left once something is subtracted.
fn check_preprocess(problem: &Problem, dimension: u64) -> Result<()> {
    let preprocess = problem.training.preprocess;
    let least = match preprocess {
        Preprocess::None => 1,
        Preprocess::Mean | Preprocess::Linear => 2,
        Preprocess::LeastSquares => dimension + 1,
    };
    if (problem.batch() as u64) < least {
        let reason = format!(
            "what is subtracted from the labels is estimated on the n_b = {} of a batch, and needs at least {least}",
            problem.batch()
        );
        return Err(Error::refused("training.preprocess", reason, "raise the batch, or write preprocess = \"none\""));
    }
    Ok(())
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
    problem.check_start()?;
    check_preprocess(problem, dimension)?;
    if let Some(readout) = &question.record.readout {
        readout.samples(problem.sizes())?;
    }
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
        let [seconds, bytes] = self.coordinates.cost(question);
        let waves = (view.replicates as f64 / machine.cores.max(1) as f64).ceil();
        let together = view.replicates.min(machine.cores) as f64;
        let risks = entries as f64 * average::seconds(problem, Want::RISK);
        let [fits, held] = readout::cost(question);
        Cost {
            seconds: waves * ((seconds + fits) / threads as f64 + risks),
            bytes: together * (bytes + held + memory::of_risk(problem.width())),
        }
    }

    fn to_save_memory(&self, problem: &Problem) -> (&'static str, &'static str) {
        self.coordinates.to_save_memory(problem)
    }

    fn run(&self, job: &Job<'_>, observer: &dyn Observer) -> Result<Run> {
        let (problem, mut start) = (job.problem, job.start()?);
        let kernel = self.kernel.of(problem, job.view.tolerance)?;
        let (feed, stored) = Feed::new(problem, job.streams())?;
        if problem.training.preprocess.is_linear() {
            // The linear part is one more row, 0 before the first step.
            start.add_row();
        }
        let frame = self.coordinates.frame(job, &start, stored)?;
        let (steps, setting) = (job.steps(), job.record.readout.as_ref());
        let mut probes: Vec<Box<dyn Probe + '_>> = Vec::new();
        if let Some(setting) = setting {
            probes.push(Box::new(ReadoutProbe::new(problem, setting, job.streams(), job.threads)?));
        }
        let mut trajectory =
            simulate_with(problem, frame, feed, &start, kernel.as_ref(), &steps, job.record, probes, observer)?;
        let mut words = kernel.describe();
        if let Some(setting) = setting.filter(|setting| setting.bounds) {
            match self.bounds.get_or_init(|| Bounds::of(problem, setting).map_err(|error| error.to_string())) {
                Ok(bounds) => bounds.write(&mut trajectory),
                Err(reason) => words += &format!("; no lower bounds of the readout: {reason}"),
            }
        }
        Ok(Run { trajectory, kernel: words })
    }
}

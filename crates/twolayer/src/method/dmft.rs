//! The limit of reused batches, n = β d: dynamical mean-field theory. (theory.md §5.3)
//!
//! What is [revealed](crate::frame::reused) of a data set, with every fluctuation removed: a sample becomes a path, drawn by scrambled Sobol
//! points, and n an average over paths. No derivative of the loss, no response function and no fixed point is needed, so
//! that ReLU is as exact as tanh.

use super::{
    contract::{Cost, Entry, Fit, Job, LESS_DATA, Method, Question, Run},
    limit::check_start,
};
use crate::{
    average::{self, Kernel},
    citation,
    error::{Error, Result},
    frame::{
        Frame,
        reused::{self, Fluctuations, Normals, Reused},
    },
    gaussian::sobol,
    lanes,
    observer::Observer,
    problem::{
        Data, Dimension, Duration, Engine, Formula, Problem, Record, ReuseOrder, Start, View,
        scaling::{Limit, PowerLaw, Regime},
    },
    random::Streams,
    record::{Status, Trajectory},
    signal::{Batch, Feed, Head, Rows, Signal, StepContext, Sums},
    simulate::simulate,
};

/// Independent scramblings, whose spread is the error.
const SCRAMBLINGS: usize = 8;

/// Paths of each scrambling, at first.
const FIRST_PATHS: usize = 1 << 13;

/// Paths of each scrambling, at most (for each batch of a cycle): 4·10⁶ in all.
const MOST_PATHS: usize = 1 << 19;

/// Bytes of a scrambling, at most, where it has more paths than at first.
const MOST_BYTES: f64 = 2.5e8;

/// Its line in the registry.
pub const ENTRY: Entry = Entry {
    id: "dmft",
    title: "dynamical mean-field theory",
    engine: Engine::Limit,
    word: Some("dmft"),
    citations: &[citation::DANDI_2024, citation::LU_2021],
    accepts,
};

/// Dynamical mean-field theory of one view.
#[derive(Debug)]
struct Dmft {
    /// β = lim n/d.
    beta: f64,
    /// lim n_b/n.
    fraction: f64,
    reason: String,
}

/// Stored data whose number grows like d.
fn accepts(question: &Question<'_>) -> Fit {
    let Ok(reading) = question.scaling else { return Fit::Other };
    let Regime::Reused { beta } = reading.regime else { return Fit::Other };
    let chosen = || {
        check_start(question.problem, question.view)?;
        Ok(Dmft { beta, fraction: fraction(question.problem)?, reason: reading.reason.clone() })
    };
    chosen().into()
}

impl Method for Dmft {
    fn reason(&self) -> String {
        self.reason.clone()
    }

    fn threads(&self, question: &Question<'_>) -> usize {
        let [_, bytes] = cost(question.problem, self.fraction);
        let fitting = (question.machine.memory / bytes) as usize;
        question.machine.cores.min(fitting).clamp(1, SCRAMBLINGS)
    }

    fn cost(&self, question: &Question<'_>, threads: usize) -> Cost {
        let [seconds, bytes] = cost(question.problem, self.fraction);
        Cost { seconds: seconds / threads as f64, bytes: bytes * threads as f64 }
    }

    fn to_save_memory(&self, _: &Problem) -> (&'static str, &'static str) {
        LESS_DATA
    }

    fn run(&self, job: &Job<'_>, observer: &dyn Observer) -> Result<Run> {
        let (start, steps) = (job.start()?, job.steps());
        let (trajectory, kernel) =
            run(job.problem, &start, self.beta, &steps, job.view, job.record, job.threads, observer)?;
        Ok(Run { trajectory, kernel })
    }
}

/// Follows the paths through the steps of `moments` (rising, from 0), from `start`, and averages over scramblings of
/// them, with as many paths as `view.tolerance` of M needs.
///
/// # Errors
/// [`Error::Refused`] where the batch is not a fixed fraction of n, [`Error::Numerical`] where the kernel fails.
/// Divergence and interruption are the trajectory's status.
#[allow(clippy::too_many_arguments)] // One call from the engine, which has each of these at hand separately.
pub fn run(
    problem: &Problem,
    start: &Start,
    beta: f64,
    moments: &[u64],
    view: &View,
    record: &Record,
    threads: usize,
    observer: &dyn Observer,
) -> Result<(Trajectory, String)> {
    let kernel = average::for_problem(problem, view.tolerance)?;
    let fraction = fraction(problem)?;
    let (cycle, most) = (cycle(problem, fraction), most(problem, fraction));
    let mut paths = FIRST_PATHS;
    loop {
        let count = paths * cycle;
        let surrogate = surrogate(problem, count, fraction)?;
        let ensemble = Ensemble { problem: &surrogate, start, beta, moments, record, kernel: &*kernel, observer };
        let mut runs = vec![None; SCRAMBLINGS];
        lanes::each(threads, &mut runs, |scrambling, run| {
            let streams = Streams { seed: view.seed, replicate: scrambling as u64 }.of_engine("limit");
            *run = Some(ensemble.run(streams));
        });
        let runs = runs.into_iter().flatten().collect::<Result<Vec<Trajectory>>>()?;
        let (mut mean, error) = average(&runs);
        let missing = error / view.tolerance;
        if mean.status == Status::Done && missing > 1.0 && paths < most {
            // At the slowest, the error falls as the root of the number of paths.
            let wanted = (paths as f64 * (missing * missing).min(1e6)) as usize;
            paths = wanted.next_power_of_two().min(most);
            continue;
        }
        // Samples were counted in paths.
        let scale = problem.samples() as f64 / count as f64;
        for counted in [&mut mean.samples, &mut mean.gradients] {
            counted.iter_mut().for_each(|x| *x = if problem.dimension().is_some() { *x * scale } else { f64::NAN });
        }
        let mut text = format!("{SCRAMBLINGS}×{count} paths of scrambled Sobol points; risk: {}", kernel.describe());
        if ensemble.coordinates() > sobol::TABLE {
            text += &format!("; ordinary normals beyond the first {} coordinates", sobol::TABLE);
        }
        return Ok((mean, text));
    }
}

/// Blocks of consecutive Sobol points: one for each batch of a cycle.
fn cycle(problem: &Problem, fraction: f64) -> usize {
    if problem.training.reuse_order == ReuseOrder::Cyclic { (1.0 / fraction).round() as usize } else { 1 }
}

/// Bytes of one path: its columns, its coordinates along the target, its label.
fn path_bytes(problem: &Problem) -> f64 {
    8.0 * (reused::capacity(problem, problem.width()) + 2.0 * problem.directions() as f64 + 4.0)
}

/// Paths of each scrambling and batch of a cycle, at most.
fn most(problem: &Problem, fraction: f64) -> usize {
    let fitting = MOST_BYTES / (path_bytes(problem) * cycle(problem, fraction) as f64);
    MOST_PATHS.min(1 << (fitting.max(1.0) as usize).ilog2()).max(FIRST_PATHS)
}

/// Seconds and bytes of a scrambling at the most paths that may be taken, beside the risks.
fn cost(problem: &Problem, fraction: f64) -> [f64; 2] {
    let paths = (most(problem, fraction) * cycle(problem, fraction)) as f64;
    let columns = reused::capacity(problem, problem.width());
    let (p, steps) = (problem.width() as f64, problem.steps() as f64);
    // Nanoseconds for a normal, for each product with a column, for a signal.
    let path = 0.5 * columns * 25.0 + columns * 1.5 * p * steps * 0.3 + steps * p * 10.0;
    [SCRAMBLINGS as f64 * paths * path * 1e-9, paths * path_bytes(problem)]
}

/// lim n_b/n.
///
/// # Errors
/// [`Error::Refused`] where there is none, or zero; or where batches of a cycle would not divide the data.
fn fraction(problem: &Problem) -> Result<f64> {
    if problem.training.reuse_order == ReuseOrder::Full {
        return Ok(1.0);
    }
    let read = PowerLaw::read("training.batch", "n_b/n", |d| {
        let sizes = problem.sizes_at(d);
        sizes.n_b / sizes.n
    })?;
    let remedy = "write a batch that is a fixed fraction of n, e.g. \"n/4\", or use the reduced view";
    let Limit::Constant(fraction) = read.limit() else {
        let reason = format!("n_b/n ~ d^{:.3}, and the limit needs batches that are a fraction of n", read.exponent);
        return Err(Error::refused("training.batch", reason, remedy));
    };
    let cycle = 1.0 / fraction;
    if problem.training.reuse_order == ReuseOrder::Cyclic && (cycle - cycle.round()).abs() > 1e-6 * cycle {
        let reason = format!("cyclic batches must divide n, and n/n_b → {cycle}");
        return Err(Error::refused("training.batch", reason, remedy));
    }
    Ok(fraction)
}

/// The problem with `count` samples in place of n, and every expression of d at its limit.
fn surrogate(problem: &Problem, count: usize, fraction: f64) -> Result<Problem> {
    let far = problem.sizes_at(1e12);
    let (mut network, mut training) = (problem.network.clone(), problem.training.clone());
    let number = |formula: &Formula| Formula::number(formula.value(&far));
    network.output_scale = number(&network.output_scale);
    network.second_layer.rate_ratio = number(&network.second_layer.rate_ratio);
    training.learning_rate = training.learning_rate.as_ref().map(number);
    training.displacement = number(&training.displacement);
    training.duration = Duration::Steps(Formula::number(problem.steps() as f64));
    training.data = Data::Reused;
    training.samples = Some(Formula::number(count as f64));
    training.batch = Formula::number((fraction * count as f64).round());
    // Nothing looks at it.
    training.dimension = Dimension::Finite(u64::from(u32::MAX));
    Problem::new(problem.target.clone(), network, training)
}

/// What all scramblings share.
struct Ensemble<'a> {
    problem: &'a Problem,
    start: &'a Start,
    beta: f64,
    moments: &'a [u64],
    record: &'a Record,
    kernel: &'a dyn Kernel,
    observer: &'a dyn Observer,
}

impl Ensemble<'_> {
    /// Normals of a path: k + m at the start, label noise, and one for each new direction.
    fn coordinates(&self) -> usize {
        let m = self.start.complement.ncols();
        let noise = usize::from(self.problem.target.noise > 0.0);
        let (first, all) = (self.problem.directions() + m, reused::capacity(self.problem, m) as usize);
        first + noise + (all - first) / 2
    }

    fn run(&self, streams: Streams) -> Result<Trajectory> {
        let (problem, n, k) = (self.problem, self.problem.samples(), self.problem.directions());
        let points = sobol::Points::new(self.coordinates(), streams.seed ^ (streams.replicate << 32));
        let mut coordinates = vec![0.0; k * n];
        coordinates.chunks_exact_mut(n).enumerate().for_each(|(r, column)| points.fill(r, 0, column));
        // After all that may be revealed.
        let mut noise = vec![0.0; if problem.target.noise > 0.0 { n } else { 0 }];
        points.fill(self.coordinates() - 1, 0, &mut noise);
        let feed = Feed::of_samples(problem, &coordinates, &noise, streams)?;
        let labels = feed.all().map_or(Vec::new(), |(_, labels)| labels.to_vec());
        let fluctuations = Fluctuations::Off { dimension: n as f64 / self.beta };
        let source = Normals::Points { points, next: k };
        let mut frame = Reused::with_source(problem, self.start, &coordinates, fluctuations, source, streams, 1)?;
        drop(coordinates);
        let full = feed.is_full();
        let every_step = self.moments.iter().copied().eq(0..=problem.steps());
        let responds = full && every_step && problem.displacement() == 0.0;
        if responds {
            frame.remember();
        }
        let mut run =
            simulate(problem, &mut frame, feed, self.start, self.kernel, self.moments, self.record, self.observer)?;
        if responds && run.status == Status::Done && run.valid == self.moments.len() {
            self.last_signals(&mut frame, &run, &labels);
            let (correlation, response) = frame.memory(self.beta, problem.learning_rate())?;
            (run.loss_correlation, run.loss_response) = (Some(correlation), Some(response));
        }
        Ok(run)
    }

    /// The error signals after the last step, which the run itself had no use for.
    fn last_signals(&self, frame: &mut Reused, run: &Trajectory, labels: &[f64]) {
        let (problem, n, p) = (self.problem, self.problem.samples(), self.problem.width());
        let last = run.second_layer.len() - p;
        let head = Head { second_layer: run.second_layer[last..].to_vec(), bias: run.bias[last..].to_vec() };
        let all = Batch::Rows(Rows::Block { from: 0, count: n });
        let rate = problem.learning_rate() / n as f64;
        let context = StepContext { signal: &Signal::new(problem), head: &head, labels, rate, wants_gradient: true };
        frame.look(&all, &context, &mut Sums::default());
    }
}

/// An array of a trajectory, where there is one.
type Part = fn(&mut Trajectory) -> Option<&mut Vec<f64>>;

/// The mean of the scramblings, with its standard errors; and the largest of those of M.
fn average(runs: &[Trajectory]) -> (Trajectory, f64) {
    let count = runs.len() as f64;
    let mut mean = runs[0].clone();
    for run in &runs[1..] {
        if run.valid < mean.valid {
            (mean.valid, mean.status) = (run.valid, run.status.clone());
        }
    }
    let mut all = runs.to_vec();
    let averaged = |all: &mut [Trajectory], part: Part| {
        let parts: Vec<&Vec<f64>> = all.iter_mut().filter_map(|run| part(run).map(|part| &*part)).collect();
        let size = if parts.len() == runs.len() { parts[0].len() } else { 0 };
        let mean: Vec<f64> = (0..size).map(|i| parts.iter().map(|part| part[i]).sum::<f64>() / count).collect();
        let error: Vec<f64> = (0..size)
            .map(|i| {
                let spread: f64 = parts.iter().map(|part| (part[i] - mean[i]).powi(2)).sum();
                (spread / (count * (count - 1.0))).sqrt()
            })
            .collect();
        (mean, error)
    };
    let parts: [Part; 10] = [
        |run| Some(&mut run.student_student),
        |run| Some(&mut run.second_layer),
        |run| Some(&mut run.bias),
        |run| Some(&mut run.crossing_step),
        |run| run.training_risk.as_mut(),
        |run| run.gradient_teacher.as_mut(),
        |run| run.gradient_norm.as_mut(),
        |run| run.loss_correlation.as_mut(),
        |run| run.loss_response.as_mut(),
        |run| run.risk_error.as_mut(),
    ];
    for part in parts {
        if let Some(into) = part(&mut mean) {
            *into = averaged(&mut all, part).0;
        }
    }
    let (risk, spread) = averaged(&mut all, |run| Some(&mut run.risk));
    mean.risk = risk;
    if let Some(errors) = &mut mean.risk_error {
        errors.iter_mut().zip(&spread).for_each(|(error, spread)| *error = error.hypot(*spread));
    }
    let (overlaps, errors) = averaged(&mut all, |run| Some(&mut run.student_teacher));
    mean.student_teacher = overlaps;
    let largest = errors.iter().copied().filter(|error| error.is_finite()).fold(0.0, f64::max);
    mean.student_teacher_error = Some(errors);
    let (norms, errors) = averaged(&mut all, |run| Some(&mut run.student_squares));
    mean.student_squares = norms;
    mean.student_squares_error = Some(errors);
    (mean, largest)
}

//! The limit of reused batches, n = β d: dynamical mean-field theory. (theory.md §5.3)
//!
//! What is [revealed](crate::frame::reused) of a data set, with every fluctuation removed: a sample becomes a path, drawn by scrambled Sobol
//! points, and n an average over paths. No derivative of the loss, no response function and no fixed point is needed, so
//! that ReLU is as exact as tanh.

use super::{
    contract::{Cost, Entry, Fit, Job, LESS_DATA, Method, Question, Run},
    limit::{When, check_moves, check_start, refuse_preprocess},
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
    record::{
        Axis, OBSERVABLES, Observable, Status, Trajectory,
        observable::{BIAS, GRADIENTS, LOSS_CORRELATION, LOSS_RESPONSE, SAMPLES, SECOND_LAYER, STUDENT_TEACHER_ERROR},
    },
    signal::{Batch, Feed, Head, Rows, Signal, StepContext, Sums},
    simulate::simulate,
};

/// Independent scramblings, whose spread is the error.
const SCRAMBLINGS: usize = 8;

/// Paths of each scrambling, at first.
const FIRST_PATHS: usize = 1 << 13;

/// Error of M with as many, in the experiments of the gallery.
const EXPECTED_ERROR: f64 = 1e-4;

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
        check_start(question.problem)?;
        displacement(question.problem)?;
        refuse_preprocess(question.problem)?;
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
        let Question { problem, view, .. } = *question;
        let [seconds, bytes] = cost(problem, self.fraction);
        let share = expected(problem, self.fraction, view.tolerance) / most(problem, self.fraction) as f64;
        Cost { seconds: share * seconds / threads as f64, bytes: share * bytes * threads as f64 }
    }

    fn to_save_memory(&self, _: &Problem) -> (&'static str, &'static str) {
        LESS_DATA
    }

    fn check(&self, question: &Question<'_>) -> Result<()> {
        check_moves(question.problem, question.view, When::Planned)
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
        for counted in [&SAMPLES, &GRADIENTS] {
            mean.of_mut(counted)
                .iter_mut()
                .for_each(|x| *x = if problem.dimension().is_some() { *x * scale } else { f64::NAN });
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

/// Paths of each scrambling and batch of a cycle that a tolerance of M will probably take.
fn expected(problem: &Problem, fraction: f64, tolerance: f64) -> f64 {
    let missing = (EXPECTED_ERROR / tolerance).powi(2).max(1.0);
    (FIRST_PATHS as f64 * missing).min(most(problem, fraction) as f64)
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

/// lim ρ; of samples that are displaced each by its own gradient lim ρ‖x‖² = lim ρ d, with samples of length 1.
///
/// # Errors
/// [`Error::Refused`] where there is none.
fn displacement(problem: &Problem) -> Result<f64> {
    let value = |d: f64| problem.training.displacement.value(&problem.sizes_at(d));
    if !problem.displaces_samples() {
        return Ok(value(1e12));
    }
    match PowerLaw::read("training.displacement", "ρ‖x‖² = ρd", |d| (value(d) * d).abs())?.limit() {
        Limit::Zero => Ok(0.0),
        Limit::Constant(_) => Ok(value(1e12) * 1e12),
        Limit::Infinite => {
            let reason = "each sample is displaced by ρ‖x‖² = ρd times its signal, which grows without bound";
            Err(Error::refused("training.displacement", reason, "write a displacement that falls like 1/d"))
        }
    }
}

/// The problem with `count` samples in place of n, and every expression of d at its limit.
fn surrogate(problem: &Problem, count: usize, fraction: f64) -> Result<Problem> {
    let far = problem.sizes_at(1e12);
    let (mut network, mut training) = (problem.network.clone(), problem.training.clone());
    let number = |formula: &Formula| Formula::number(formula.value(&far));
    network.output_scale = number(&network.output_scale);
    network.second_layer.rate_ratio = number(&network.second_layer.rate_ratio);
    training.learning_rate = training.learning_rate.as_ref().map(number);
    training.displacement = Formula::number(displacement(problem)?);
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
            run.set(&LOSS_CORRELATION, correlation);
            run.set(&LOSS_RESPONSE, response);
        }
        Ok(run)
    }

    /// The error signals after the last step, which the run itself had no use for.
    fn last_signals(&self, frame: &mut Reused, run: &Trajectory, labels: &[f64]) {
        let (problem, n, p) = (self.problem, self.problem.samples(), self.problem.width());
        let last = run.of(&SECOND_LAYER).len() - p;
        let head = Head { second_layer: run.of(&SECOND_LAYER)[last..].to_vec(), bias: run.of(&BIAS)[last..].to_vec() };
        let all = Batch::Rows(Rows::Block { from: 0, count: n });
        let rate = problem.learning_rate() / n as f64;
        let context = StepContext { signal: &Signal::new(problem), head: &head, labels, rate, wants_gradient: true };
        frame.look(&all, &context, &mut Sums::default());
    }
}

/// The mean of the scramblings, with its standard errors; and the largest of those of M.
fn average(runs: &[Trajectory]) -> (Trajectory, f64) {
    let count = runs.len() as f64;
    let mut mean = runs[0].clone();
    for run in &runs[1..] {
        if run.valid < mean.valid {
            (mean.valid, mean.status) = (run.valid, run.status.clone());
        }
    }
    let (mut spreads, mut largest) = (Vec::new(), 0.0);
    for observable in OBSERVABLES.iter().filter(|observable| observable.axes != [Axis::Time]) {
        let parts: Vec<&[f64]> = runs.iter().filter_map(|run| run.get(observable)).collect();
        if parts.len() != runs.len() {
            mean.remove(observable);
            continue;
        }
        let size = parts[0].len();
        let average: Vec<f64> = (0..size).map(|i| parts.iter().map(|part| part[i]).sum::<f64>() / count).collect();
        if let Some(error) = observable.error.and_then(Observable::named) {
            let spread = |i: usize| parts.iter().map(|part| (part[i] - average[i]).powi(2)).sum::<f64>();
            let errors = (0..size).map(|i| (spread(i) / (count * (count - 1.0))).sqrt());
            spreads.push((error, errors.collect::<Vec<f64>>()));
        }
        mean.set(observable, average);
    }
    for (error, spread) in spreads {
        if *error == STUDENT_TEACHER_ERROR {
            largest = spread.iter().copied().filter(|error| error.is_finite()).fold(0.0, f64::max);
        }
        match mean.of_mut(error) {
            [] => mean.set(error, spread),
            own => own.iter_mut().zip(&spread).for_each(|(own, spread)| *own = own.hypot(*spread)),
        }
    }
    (mean, largest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::observable::{HALF_TIME_ERROR, RISK_ERROR, STEP, STUDENT_SQUARES_ERROR, TEST_ERROR_ERROR, TIME};

    /// Scramblings that gave 0 and 2 everywhere: the mean is 1, its standard error √((1² + 1²)/(2·1)) = 1. Errors that a
    /// scrambling states itself, 1 in the mean, are added in squares.
    #[test]
    fn every_array_is_the_mean_of_the_scramblings() {
        let of = |x: f64| {
            let mut run = Trajectory::empty(2, 1);
            (run.valid, run.status) = (2, Status::Done);
            run.set(&STEP, vec![0.0, 1.0]);
            run.set(&TIME, vec![0.0, 0.5]);
            for observable in OBSERVABLES.iter().filter(|observable| !observable.is_coordinate()) {
                let size = run.shape(observable).iter().product::<usize>();
                run.set(observable, vec![x; size.max(1)]);
            }
            run
        };
        let mut runs = vec![of(0.0), of(2.0)];
        runs[1].remove(&STUDENT_SQUARES_ERROR);
        runs[0].remove(&STUDENT_SQUARES_ERROR);
        let (mean, largest) = average(&runs);
        assert_eq!((largest, mean.valid, mean.of(&STEP), mean.of(&TIME)), (1.0, 2, &[0.0, 1.0][..], &[0.0, 0.5][..]));
        for observable in OBSERVABLES.iter().filter(|observable| observable.axes != [Axis::Time]) {
            let expected =
                if [&RISK_ERROR, &STUDENT_TEACHER_ERROR, &TEST_ERROR_ERROR, &HALF_TIME_ERROR].contains(observable) {
                    2_f64.sqrt()
                } else {
                    1.0
                };
            assert!(!mean.of(observable).is_empty() && mean.is_whole(observable), "{observable:?}");
            assert!(mean.of(observable).iter().all(|x| (x - expected).abs() < 1e-15), "{observable:?}");
        }
        // What one of them did not come to is not there, and as far as the shortest came the mean is valid.
        runs[1].remove(&LOSS_RESPONSE);
        (runs[1].valid, runs[1].status) = (1, Status::Diverged { at: 1.0 });
        let (mean, _) = average(&runs);
        assert_eq!((mean.get(&LOSS_RESPONSE), mean.valid), (None, 1));
        assert_eq!(mean.status, Status::Diverged { at: 1.0 });
    }
}

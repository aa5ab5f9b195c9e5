//! `reduced`, fresh batches: exact in law at any d. (theory.md §4.1)

use super::{Coordinates, Simulation, dimension, readout::looks_again, refuse_least_squares};
use crate::{
    error::{Error, Result},
    frame::fresh::{BLOCK, Fresh},
    method::contract::{Entry, Fit, Job, Question},
    problem::{Data, Engine, Problem, Record, Start},
    signal,
};

/// Its line in the registry.
pub const ENTRY: Entry = Entry {
    id: "reduced-fresh",
    title: "reduced, fresh batches",
    engine: Engine::Reduced,
    word: None,
    citations: &[],
    accepts,
};

/// An LQ factor.
#[derive(Debug)]
struct Factor {
    /// d.
    dimension: u64,
}

fn accepts(question: &Question<'_>) -> Fit {
    let problem = question.problem;
    if problem.training.data != Data::Fresh {
        return Fit::Other;
    }
    let chosen = || {
        let dimension = dimension(question)?;
        refuse_least_squares(problem)?;
        let linear = usize::from(problem.training.preprocess.is_linear());
        let (d, coordinates) = (dimension as f64, problem.width() + problem.directions() + linear);
        if d < coordinates as f64 {
            let reason = format!("the reduced view needs d ≥ p + k = {coordinates}, here d = {dimension}");
            let remedy = "use the direct view, which is cheaper there";
            return Err(Error::refused("training.dimension", reason, remedy));
        }
        let reason = format!("exact in law at d = {d} in {coordinates} coordinates per neuron, no d-vector");
        Ok(Simulation::new(Factor { dimension }, reason))
    };
    chosen().into()
}

impl Coordinates for Factor {
    type Frame = Fresh;

    fn cost(&self, question: &Question<'_>) -> [f64; 2] {
        cost(question.problem, keeps_batches(question.problem, question.record))
    }

    fn to_save_memory(&self, problem: &Problem) -> (&'static str, &'static str) {
        let key = if problem.batch() > problem.width() { "training.batch" } else { "view" };
        if problem.batch() > 1 {
            return (key, "lower the batch, or run fewer replicates");
        }
        (key, "record fewer points, or run fewer replicates")
    }

    fn frame(&self, job: &Job<'_>, start: &Start, _: Option<signal::Coordinates>) -> Result<Fresh> {
        let keeps = keeps_batches(job.problem, job.record);
        Fresh::new(job.problem, start, self.dimension, keeps, job.streams(), job.threads)
    }
}

/// Numbers that the two factors of batches of n_b samples touch, in n_b².
const FACTORS: f64 = 1.6;

/// Whether batches are looked at more than once: gradients follow from what a single look has drawn.
fn keeps_batches(problem: &Problem, record: &Record) -> bool {
    problem.keeps_batches() || looks_again(record)
}

/// Seconds on one thread and bytes of one replicate, risks not counted.
fn cost(problem: &Problem, keeps_batches: bool) -> [f64; 2] {
    let (p, k, batch) = (problem.width() as f64, problem.directions() as f64, problem.batch() as f64);
    // Nanoseconds measured on a 2.8 GHz Xeon: a normal 2.4, a multiply-add of a short product .6, of matrices .03.
    let labels = batch * (k * 4.0 + 8.0);
    let step = if batch == 1.0 {
        labels + 60.0 + 2.4 * p + 4.0 * p * (p + k) + 24.0 * p
    } else {
        let product = if p < 16.0 { 0.3 } else { 0.03 };
        labels + batch * p * (7.4 + (2.0 * p + k) * product) + 4.0 * p * p * p * product + 4000.0
    };
    // One after the other, each sample is added to what lies outside.
    let step = if problem.displaces_samples() { step + batch * (p * 10.0 + 60.0 + 6.0 * p * p) } else { step };
    let own = if problem.displaces_samples() { batch * (2.0 * p + 1.0) } else { 0.0 };
    let lanes = Fresh::lanes(problem.width(), problem.batch()) as f64;
    // The coordinates of a batch that is kept are a lower triangle; the last one's go when the next one's are there.
    let kept = if keeps_batches { batch * (FACTORS * batch.min(problem.sizes().d) + 3.0 * p) } else { 0.0 };
    let bytes =
        8.0 * (batch * (k + 2.0) + lanes * p * (2.0 * p + 4.0 * batch.min(BLOCK as f64)) + 6.0 * p * p + kept + own);
    [problem.steps() as f64 * step * 1e-9, bytes]
}

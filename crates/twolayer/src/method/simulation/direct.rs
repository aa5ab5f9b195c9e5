//! `direct`: real weights and data in d dimensions.

use super::{Coordinates, Simulation, dimension, readout::looks_again};
use crate::{
    error::Result,
    frame::direct::{BLOCK, Direct},
    method::contract::{Entry, Fit, Job, LESS_DATA, Question, human_bytes},
    problem::{Data, Engine, Problem, Start},
    signal,
};

/// Its line in the registry.
pub const ENTRY: Entry =
    Entry { id: "direct", title: "direct", engine: Engine::Direct, word: None, citations: &[], accepts };

/// d-vectors.
#[derive(Debug)]
struct Vectors {
    /// d.
    dimension: usize,
}

fn accepts(question: &Question<'_>) -> Fit {
    let chosen = || {
        let dimension = dimension(question)?;
        let [_, bytes] = cost(question.problem, question.entries);
        let reason = format!("real weights and data, {} per replicate", human_bytes(bytes));
        Ok(Simulation::new(Vectors { dimension: dimension as usize }, reason))
    };
    chosen().into()
}

impl Coordinates for Vectors {
    type Frame = Direct;

    fn cost(&self, question: &Question<'_>) -> [f64; 2] {
        cost(question.problem, question.entries)
    }

    fn to_save_memory(&self, problem: &Problem) -> (&'static str, &'static str) {
        if problem.training.data == Data::Reused {
            return LESS_DATA;
        }
        if problem.batch() > problem.width() {
            return ("training.batch", "lower the batch, or use engine = \"reduced\", which keeps no d-vector");
        }
        ("view", "use engine = \"reduced\", which has the same law and keeps no d-vector")
    }

    fn frame(&self, job: &Job<'_>, start: &Start, stored: Option<signal::Coordinates>) -> Result<Direct> {
        let direct = Direct::new(job.problem, start, self.dimension, stored.as_ref(), job.streams(), job.threads)?;
        Ok(direct.keeping(looks_again(job.record)))
    }
}

/// Seconds on one thread and bytes of one replicate, with `entries` moments recorded and risks not counted.
fn cost(problem: &Problem, entries: usize) -> [f64; 2] {
    let (p, k, batch) = (problem.width() as f64, problem.directions() as f64, problem.batch() as f64);
    let d = problem.sizes().d;
    let (steps, n) = (problem.steps() as f64, problem.samples() as f64);
    let passes = if problem.displacement() == 0.0 { 1.0 } else { 2.0 };
    let lanes = |samples: f64| Direct::lanes(problem.width(), samples as usize, d as usize) as f64;
    // Nanoseconds measured on a 2.8 GHz Xeon: a normal 2.4, a multiply-add of a long product .15 in the cache and .25
    // from memory, a number that is touched for the first time 4.
    if problem.training.data == Data::Reused {
        let all = if batch == n { 0.0 } else { n * entries as f64 };
        let rows = passes * batch * steps + all;
        let nanoseconds = n * d * (2.4 + 4.0) + rows * p * (2.0 * d * 0.25 + 5.0);
        return [nanoseconds * 1e-9, 8.0 * (d * (n + 2.0 * p + lanes(n) * p) + (k + 2.0) * n)];
    }
    let step = batch * (k * 4.0 + 8.0 + d * 2.4 + passes * p * (2.0 * d * 0.15 + 5.0));
    let gradients = if batch == 1.0 { 0.0 } else { lanes(batch) * p };
    let inputs = if problem.keeps_batches() { batch } else { batch.min(lanes(batch) * BLOCK as f64) };
    [steps * step * 1e-9, 8.0 * (d * (p + inputs + gradients) + batch * (k + 2.0))]
}

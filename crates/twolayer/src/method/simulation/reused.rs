//! `reduced`, stored data, revealed along the directions that are asked for. (theory.md §4.2)

use super::{Coordinates, Simulation, dimension, refuse_least_squares};
use crate::{
    citation,
    error::{Error, Result},
    frame::reused::{self, Reused, TOUCHED},
    method::contract::{Entry, Fit, Job, LESS_DATA, Question},
    problem::{Data, Engine, Problem, ReuseOrder, Start},
    signal,
};

/// Its line in the registry.
pub const ENTRY: Entry = Entry {
    id: "reduced-reused",
    title: "reduced, reused batches",
    engine: Engine::Reduced,
    word: None,
    citations: &[citation::LU_2021],
    accepts,
};

/// A growing basis.
#[derive(Debug)]
struct Basis {
    /// d.
    dimension: u64,
}

fn accepts(question: &Question<'_>) -> Fit {
    let problem = question.problem;
    if problem.training.data != Data::Reused {
        return Fit::Other;
    }
    let chosen = || {
        let dimension = dimension(question)?;
        refuse_least_squares(problem)?;
        let (d, n, columns) = (dimension as f64, problem.samples(), reused::capacity(problem, problem.width()));
        if columns > d {
            let reason = format!(
                "revealing n = {n} samples along k + p + 2pT = {columns} directions is more than the d = {d} there are"
            );
            return Err(Error::refused("view", reason, "use the direct view, which is cheaper there"));
        }
        let reason =
            format!("exact in law at d = {d}: n = {n} samples known along {columns} directions, no data matrix");
        Ok(Simulation::new(Basis { dimension }, reason))
    };
    chosen().into()
}

impl Coordinates for Basis {
    type Frame = Reused;

    fn cost(&self, question: &Question<'_>) -> [f64; 2] {
        cost(question.problem, question.entries)
    }

    fn to_save_memory(&self, _: &Problem) -> (&'static str, &'static str) {
        LESS_DATA
    }

    fn frame(&self, job: &Job<'_>, start: &Start, stored: Option<signal::Coordinates>) -> Result<Reused> {
        let stored = stored.unwrap_or_default();
        Reused::new(job.problem, start, self.dimension, &stored, job.streams(), job.threads)
    }
}

/// Seconds on one thread and bytes of one replicate, with `entries` moments recorded and risks not counted.
fn cost(problem: &Problem, entries: usize) -> [f64; 2] {
    let (p, k, batch) = (problem.width() as f64, problem.directions() as f64, problem.batch() as f64);
    let (n, steps) = (problem.samples() as f64, problem.steps() as f64);
    let passes = if problem.displacement() == 0.0 { steps } else { 2.0 * steps };
    // m ≤ p: the start may span fewer dimensions.
    let columns = reused::capacity(problem, problem.width());
    let all = if batch == n { 0.0 } else { n * entries as f64 };
    // Half of the columns, in the mean, meet p neurons for fields and up to 2p new columns for products.
    let products = n * columns * 0.5 * (2.5 * p * passes) + all * columns * 0.5 * p;
    let signals = passes * batch * p * 5.0 + all * p * 3.0;
    // Nanoseconds measured on a 2.8 GHz Xeon: a normal 2.4, a product .25, a number touched for the first time 4.
    let nanoseconds = n * (k + p + p * passes) * 2.4 + n * columns * 4.0 + products * 0.25 + signals;
    let lists = if problem.training.reuse_order == ReuseOrder::WithReplacement { n * 1.2 + batch } else { 0.0 };
    [nanoseconds * 1e-9, 8.0 * (n * (columns * TOUCHED + 1.0) + lists)]
}

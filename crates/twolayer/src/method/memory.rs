//! Bytes of what every method holds beside its own: what is recorded, and what a population average works on.

use super::contract::Question;
use crate::{
    problem::{Data, Engine, ReuseOrder},
    record::KeepQ,
};

/// Matrices p×p that the start, the recorder, the averages and their roots hold at the same time, measured at p = 1024.
const SQUARES: f64 = 12.0;

/// Bytes of what a run that looks at the population risk holds beside its own coordinates.
pub fn of_risk(width: usize) -> f64 {
    8.0 * SQUARES * (width as f64).powi(2)
}

/// Bytes of what one replicate records, and of the largest of its arrays.
pub fn of_record(question: &Question<'_>) -> [f64; 2] {
    let (problem, record) = (question.problem, question.record);
    let (p, k, entries) = (problem.width() as f64, problem.directions() as f64, question.entries as f64);
    let only = |holds: bool, size: f64| if holds { size } else { 0.0 };
    let keep_q = record.keep_q(problem.width());
    let limit = question.view.engine == Engine::Limit;
    let reused = problem.training.data == Data::Reused;
    let [overlaps, neurons] = [entries * p * k, entries * p];
    let square = only(keep_q == KeepQ::Full, neurons * p);
    // The memory of the loss, of runs that look at every step. (theory.md §5.3)
    let every_step = problem.steps().saturating_add(1) <= question.entries as u64;
    let full = problem.training.reuse_order == ReuseOrder::Full && problem.displacement() == 0.0;
    let memory = only(limit && reused && full && every_step, neurons * neurons);
    let arrays = [
        7.0 * entries,
        overlaps,
        only(limit, overlaps + neurons),
        square,
        only(keep_q != KeepQ::None, neurons),
        2.0 * neurons,
        only(record.gradients, overlaps + neurons),
        2.0 * memory,
    ];
    let largest = [entries, overlaps, square, neurons, memory].into_iter().fold(0.0, f64::max);
    [8.0 * arrays.iter().sum::<f64>(), 8.0 * largest]
}

/// Bytes at the peak of a view whose running replicates hold `working` in all, beside what they record: while they run,
/// each is written as it ends; then all are loaded, and the largest array of them is put together.
pub fn at_peak(question: &Question<'_>, working: f64) -> f64 {
    let [one, largest] = of_record(question);
    let replicates = question.view.replicates as f64;
    let together = replicates.min(question.machine.cores as f64);
    let running = working + 2.0 * together * one;
    let finishing = replicates * (one + largest) + one;
    running.max(finishing)
}

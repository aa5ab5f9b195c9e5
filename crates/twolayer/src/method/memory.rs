//! Bytes of what every method holds beside its own: what is recorded, and what a population average works on.

use super::contract::Question;
use crate::record::Trajectory;

/// Matrices p×p that the start, the recorder, the averages and their roots hold at the same time, measured at p = 1024.
const SQUARES: f64 = 12.0;

/// Bytes that drawing takes at the end, whatever is drawn: a picture of 2000 points across, three times in layers, and fonts.
const DRAWING: f64 = 6e7;

/// Bytes of what a run that looks at the population risk holds beside its own coordinates.
pub fn of_risk(width: usize) -> f64 {
    8.0 * SQUARES * (width as f64).powi(2)
}

/// Bytes of what one replicate records.
pub fn of_record(question: &Question<'_>) -> f64 {
    let Question { problem, view, record, entries, .. } = *question;
    8.0 * Trajectory::predicted_sizes(problem, record, view.engine, entries).sum::<f64>()
}

/// Bytes at the peak of a view whose running replicates hold `working` in all, beside what they record: while they run,
/// each is written as it ends; then all are loaded, one after the other from its bytes, and drawn.
pub fn at_peak(question: &Question<'_>, working: f64) -> f64 {
    let one = of_record(question);
    let replicates = question.view.replicates as f64;
    let together = replicates.min(question.machine.cores as f64);
    let running = working + 2.0 * together * one;
    let finishing = (replicates + 1.0) * one + DRAWING;
    running.max(finishing)
}

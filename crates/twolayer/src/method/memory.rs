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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        method::Machine,
        problem::{Problem, Record, View},
    };

    /// 18 numbers at each of 101 entries; see the record's own test. Two of three replicates run together.
    #[test]
    fn what_is_recorded_is_counted() {
        let network = Problem::builder().target("erf(z1/sqrt(2))").network(2, "erf").dimension(50);
        let problem = network.learning_rate(0.1).steps(100).build().unwrap();
        let (view, record) = (View::direct().replicates(3), Record::default());
        let (scaling, machine) = (problem.scaling(), Machine { memory: 1e9, cores: 2 });
        let question = Question {
            problem: &problem,
            view: &view,
            record: &record,
            entries: 101,
            scaling: &scaling,
            machine: &machine,
        };
        let one = 8.0 * 18.0 * 101.0;
        assert_eq!(of_record(&question), one);
        assert_eq!(at_peak(&question, 1e8), 1e8 + 4.0 * one);
        // Three together, one as bytes, and what is drawn.
        assert_eq!(at_peak(&question, 0.0), 4.0 * one + 6e7);
    }
}

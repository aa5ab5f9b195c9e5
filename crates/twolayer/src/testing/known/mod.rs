//! Known problems with known answers, one small file each: every method that the registry chooses for one, runs on it.

mod blind;
mod linear;
mod linear_giant;
mod linear_reused;
mod linear_sphere;
mod perfect_student;

use crate::{
    error::Result,
    problem::{Placement, Problem},
};

/// A problem whose overlap M₁₁ is known at all times, in the mean over replicates and in every limit.
#[derive(Debug)]
pub struct Known {
    /// What it is, in a few words.
    pub name: &'static str,
    /// The problem.
    pub problem: fn() -> Result<Problem>,
    /// M₁₁ after ν steps, at time t.
    pub overlap: fn(problem: &Problem, step: f64, time: f64) -> f64,
    /// What a limit may be off by, because its d is infinite or its steps are short.
    pub tolerance: f64,
    /// Ids of methods that run on it, at least these.
    pub methods: &'static [&'static str],
}

/// All of them.
pub static KNOWN: &[&Known] = &[
    &linear::KNOWN,
    &linear_giant::KNOWN,
    &linear_reused::KNOWN,
    &linear_sphere::KNOWN,
    &perfect_student::ONE_PASS,
    &perfect_student::GIANT,
    &perfect_student::REUSED,
    &blind::KNOWN,
];

/// One neuron of length 1 at overlap m with the target.
fn one_at(m: f64) -> Placement {
    let one = |value| faer::Mat::from_fn(1, 1, |_, _| value);
    Placement::Overlaps { student_teacher: one(m), student_student: one(1.0) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        method::registry::METHODS,
        problem::{Record, View},
        record::observable::{STUDENT_TEACHER, STUDENT_TEACHER_ERROR},
    };

    /// Standard errors that a mean over replicates may be off by: one in 10⁵ of all that are looked at.
    const SIGMAS: f64 = 4.5;

    #[test]
    fn every_method_gives_the_known_answer() {
        let record = Record { points: 6, ..Record::default() };
        for known in KNOWN {
            let problem = (known.problem)().unwrap();
            let mut ran = Vec::new();
            for entry in METHODS {
                let view = View::new(entry.engine).tolerance(1e-3).seed(1);
                let Ok(ready) = problem.view_recording(view, record.clone()) else { continue };
                // The methods of one engine share its views: each runs where it is the one chosen.
                if ready.plan().id() != entry.id {
                    continue;
                }
                let runs = ready.run().unwrap();
                for t in 0..runs[0].len() {
                    let at = |run: &crate::Trajectory| run.row(&STUDENT_TEACHER, t)[0];
                    let n = runs.len() as f64;
                    let mean = runs.iter().map(at).sum::<f64>() / n;
                    let square = runs.iter().map(|run| (at(run) - mean).powi(2)).sum::<f64>();
                    let chance = if n > 1.0 { SIGMAS * (square / (n * (n - 1.0))).sqrt() } else { known.tolerance };
                    let stated =
                        runs[0].get(&STUDENT_TEACHER_ERROR).map_or(0.0, |_| runs[0].row(&STUDENT_TEACHER_ERROR, t)[0]);
                    let time = runs[0].time()[t];
                    let step = (time / problem.step_time()).round();
                    let answer = (known.overlap)(&problem, step, time);
                    assert!(
                        (mean - answer).abs() <= chance + 3.0 * stated + 1e-9,
                        "{}, {}: M = {mean} ± {chance} at t = {time}, not {answer}",
                        known.name,
                        entry.id
                    );
                }
                ran.push(entry.id);
            }
            assert!(known.methods.iter().all(|id| ran.contains(id)), "{}: only {ran:?} ran", known.name);
        }
    }
}

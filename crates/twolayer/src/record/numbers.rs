//! Where the numbers of a run end.

use super::{
    Observable, Status, Trajectory,
    observable::{RISK, STUDENT_SQUARES, STUDENT_TEACHER},
};

impl Trajectory {
    /// Entries before the first in which the risk, M or diag Q is not a number, of those that are valid.
    pub fn numbers(&self) -> usize {
        let whole = |t: usize| {
            let finite = |observable: &Observable| {
                let size = self.row_size(observable);
                self.of(observable).iter().skip(t * size).take(size).all(|value| value.is_finite())
            };
            [&RISK, &STUDENT_TEACHER, &STUDENT_SQUARES].into_iter().all(finite)
        };
        (0..self.valid).find(|t| !whole(*t)).unwrap_or(self.valid)
    }

    /// A run whose numbers end before it does has diverged there: nothing from the first entry on that is none is valid.
    pub fn end_with_its_numbers(&mut self, at: &Observable) {
        let numbers = self.numbers();
        if numbers < self.valid {
            self.status = Status::Diverged { at: self.of(at).get(numbers).copied().unwrap_or(f64::NAN) };
            self.cut(numbers);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::observable::{STEP, TIME};

    /// NaN in any of what is compared, at any neuron, ends the run there.
    #[test]
    fn entries_are_valid_up_to_the_first_nan() {
        let run = || {
            let mut run = Trajectory::empty(2, 1);
            run.valid = 3;
            run.set(&STEP, vec![0.0, 1.0, 2.0]);
            run.set(&TIME, vec![0.0, 0.1, 0.2]);
            run.set(&RISK, vec![1.0; 3]);
            run.set(&STUDENT_TEACHER, vec![0.5; 6]);
            run.set(&STUDENT_SQUARES, vec![1.0; 6]);
            run
        };
        for observable in [&RISK, &STUDENT_TEACHER, &STUDENT_SQUARES] {
            for t in 0..3 {
                let mut run = run();
                let size = run.row_size(observable);
                run.of_mut(observable)[(t + 1) * size - 1] = f64::NAN;
                assert_eq!((run.numbers(), run.valid), (t, 3));
                run.end_with_its_numbers(&STEP);
                assert_eq!((run.valid, run.status.clone()), (t, Status::Diverged { at: t as f64 }));
                assert!(run.of(&RISK)[t..].iter().all(|risk| risk.is_nan()));
            }
        }
        let mut whole = run();
        whole.remove(&STUDENT_SQUARES);
        whole.end_with_its_numbers(&STEP);
        assert_eq!((whole.valid, whole.status), (3, Status::Done));
    }
}

//! What every engine returns: columns over the table of observables, status, error estimates.

use faer::Mat;

use super::{
    Axis, Entry, KeepQ, OBSERVABLES, Observable, Status, When,
    observable::{
        CROSSING_STEP, GRADIENT_NORM, GRADIENT_TEACHER, READOUT_SAMPLES, READOUT_STEP, RIDGE, RISK, RISK_ERROR, STEP,
        STUDENT_SQUARES, STUDENT_STUDENT, STUDENT_TEACHER, STUDENT_TEACHER_ERROR, TEST_ERROR, TEST_ERROR_ERROR, TIME,
        TRAIN_ERROR,
    },
};
use crate::{
    overlaps::cosine,
    problem::{Engine, Problem, Readout, Record},
};

/// More Hermite degrees than any series has.
const MOST_DEGREES: usize = 32;

/// The record of one run of one replicate: T entries, entry 0 before the first step.
///
/// Each array of the [table](OBSERVABLES) that was recorded is a flat column, row-major in the order of its axes (without
/// [`Axis::Replicate`]): `of(&STUDENT_TEACHER)[(t·p + j)·k + r]` is `M[t,j,r]`. Entries from `valid` on are NaN.
#[derive(Debug, Clone, PartialEq)]
pub struct Trajectory {
    /// p.
    pub width: usize,
    /// k.
    pub directions: usize,
    /// How it ended.
    pub status: Status,
    /// Entries that hold numbers.
    pub valid: usize,
    /// In the order of the table; `None`: not recorded.
    columns: Vec<Option<Vec<f64>>>,
}

impl Trajectory {
    /// A record of p students and k directions without any column.
    pub fn empty(width: usize, directions: usize) -> Self {
        Self { width, directions, status: Status::Done, valid: 0, columns: vec![None; OBSERVABLES.len()] }
    }

    /// An empty record for p students, k directions: what every run gives, the error of the risk, and so much of Q.
    pub fn new(width: usize, directions: usize, keep_q: KeepQ) -> Self {
        let mut record = Self::empty(width, directions);
        let always = OBSERVABLES.iter().filter(|observable| matches!(observable.when, When::Always));
        always.for_each(|observable| record.begin(observable));
        record.begin(&RISK_ERROR);
        if keep_q == KeepQ::Full {
            record.begin(&STUDENT_STUDENT);
        }
        if keep_q != KeepQ::None {
            record.begin(&STUDENT_SQUARES);
        }
        record
    }

    /// An empty record of all that a run of `problem` by this engine gives; no crossing is found yet.
    pub fn of_run(problem: &Problem, record: &Record, engine: Engine) -> Self {
        let mut run = Self::empty(problem.width(), problem.directions());
        let given = OBSERVABLES.iter().filter(|observable| observable.when.holds(problem, record, engine));
        given.for_each(|observable| run.begin(observable));
        run.set(&CROSSING_STEP, vec![f64::NAN; record.crossings.len()]);
        if let Some(readout) = &record.readout {
            run.set_readout_axes(problem, readout);
        }
        run
    }

    /// The axes of a readout, and its errors, all NaN; nothing where the sizes make no sense.
    pub fn set_readout_axes(&mut self, problem: &Problem, readout: &Readout) {
        let samples = readout.samples(problem.sizes()).unwrap_or_default();
        let steps = readout.steps(problem);
        let size = steps.len() * samples.len() * readout.ridge.len();
        self.set(&READOUT_STEP, steps.iter().map(|step| *step as f64).collect());
        self.set(&READOUT_SAMPLES, samples.iter().map(|n| *n as f64).collect());
        self.set(&RIDGE, readout.ridge.clone());
        for errors in [&TRAIN_ERROR, &TEST_ERROR, &TEST_ERROR_ERROR] {
            self.set(errors, vec![f64::NAN; size]);
        }
    }

    /// Numbers of each array that a run of `problem` by this engine records, with so many entries.
    pub fn predicted_sizes(
        problem: &Problem,
        record: &Record,
        engine: Engine,
        entries: usize,
    ) -> impl Iterator<Item = f64> {
        let mut run = Self::empty(problem.width(), problem.directions());
        if let Some(readout) = &record.readout {
            run.set_readout_axes(problem, readout);
        }
        let given = OBSERVABLES.iter().filter(move |observable| observable.when.holds(problem, record, engine));
        let extent = move |axis: &Axis| match axis {
            Axis::Crossing => record.crossings.len(),
            Axis::Degree => MOST_DEGREES,
            axis => run.extent(*axis, entries, entries.saturating_sub(1)).unwrap_or(1),
        };
        given.map(move |observable| observable.axes.iter().map(|axis| extent(axis) as f64).product())
    }

    /// t of each entry.
    pub fn time(&self) -> &[f64] {
        self.of(&TIME)
    }

    /// The population risk of each entry.
    pub fn risk(&self) -> &[f64] {
        self.of(&RISK)
    }

    /// Number of entries, T.
    pub fn len(&self) -> usize {
        self.of(&TIME).len()
    }

    /// No entry yet.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The numbers of an array; empty where it is not recorded.
    pub fn of(&self, observable: &Observable) -> &[f64] {
        self.get(observable).unwrap_or_default()
    }

    /// The numbers of an array, where it is recorded.
    pub fn get(&self, observable: &Observable) -> Option<&[f64]> {
        self.columns[observable.index].as_deref()
    }

    /// The numbers of an array, to be changed; empty where it is not recorded.
    pub fn of_mut(&mut self, observable: &Observable) -> &mut [f64] {
        self.columns[observable.index].as_deref_mut().unwrap_or_default()
    }

    /// The numbers of an array at entry t: one, or those of all its further axes.
    pub fn row(&self, observable: &Observable, t: usize) -> &[f64] {
        let (values, size) = (self.of(observable), self.row_size(observable));
        &values[t * size..(t + 1) * size]
    }

    /// Numbers of an array at each entry.
    pub fn row_size(&self, observable: &Observable) -> usize {
        observable.axes.iter().filter_map(|axis| self.extent(*axis, 1, 1)).product()
    }

    /// The shape of an array without its replicates; what only the record says is as long as the array is.
    pub fn shape(&self, observable: &Observable) -> Vec<usize> {
        let t = self.len();
        let axes = observable.axes.iter().filter(|axis| **axis != Axis::Replicate);
        let known = axes.clone().filter_map(|axis| self.extent(*axis, t, t.saturating_sub(1)));
        let rest = self.of(observable).len() / known.product::<usize>().max(1);
        axes.map(|axis| self.extent(*axis, t, t.saturating_sub(1)).unwrap_or(rest)).collect()
    }

    /// Whether an array is recorded, with all its numbers.
    pub fn is_whole(&self, observable: &Observable) -> bool {
        self.get(observable).is_some_and(|values| values.len() == self.shape(observable).iter().product::<usize>())
    }

    /// How long an axis is with so many entries and intervals; `None`: only the record says.
    pub(super) fn extent(&self, axis: Axis, entries: usize, intervals: usize) -> Option<usize> {
        match axis {
            Axis::Replicate => Some(1),
            Axis::Time | Axis::OtherTime => Some(entries),
            Axis::Interval => Some(intervals),
            Axis::Neuron | Axis::OtherNeuron => Some(self.width),
            Axis::Direction => Some(self.directions),
            Axis::Crossing | Axis::Degree => None,
            Axis::ReadoutStep => Some(self.of(&READOUT_STEP).len()),
            Axis::ReadoutSamples => Some(self.of(&READOUT_SAMPLES).len()),
            Axis::Ridge => Some(self.of(&RIDGE).len()),
        }
    }

    /// Puts a whole array in its place; an empty one is not recorded.
    pub fn set(&mut self, observable: &Observable, values: Vec<f64>) {
        let some = !values.is_empty() || observable.axes.contains(&Axis::Interval);
        self.columns[observable.index] = some.then_some(values);
    }

    /// From here on the array is recorded.
    pub fn begin(&mut self, observable: &Observable) {
        self.columns[observable.index].get_or_insert_default();
    }

    /// The array is not recorded.
    pub fn remove(&mut self, observable: &Observable) {
        self.columns[observable.index] = None;
    }

    /// Appends to an array, where it is recorded.
    pub fn append(&mut self, observable: &Observable, values: impl IntoIterator<Item = f64>) {
        if let Some(column) = &mut self.columns[observable.index] {
            column.extend(values);
        }
    }

    /// What is kept of Q.
    pub fn keep_q(&self) -> KeepQ {
        match (self.get(&STUDENT_STUDENT), self.get(&STUDENT_SQUARES)) {
            (Some(_), _) => KeepQ::Full,
            (None, Some(_)) => KeepQ::Diagonal,
            (None, None) => KeepQ::None,
        }
    }

    /// The largest numerical error of the risk and of M, of each relative to its largest entry where that is more than 1;
    /// 0 where none is known.
    pub fn largest_error(&self) -> f64 {
        let largest =
            |values: &[f64]| values.iter().filter(|x| x.is_finite()).fold(0.0, |most: f64, x| most.max(x.abs()));
        let of = |errors, values| largest(self.of(errors)) / largest(self.of(values)).max(1.0);
        of(&RISK_ERROR, &RISK).max(of(&STUDENT_TEACHER_ERROR, &STUDENT_TEACHER))
    }

    /// max_j |M_jr|/√(Q_jj P_rr) at entry t, with P the overlaps of the target; 0 where Q is not recorded.
    pub fn largest_cosine(&self, target: &Mat<f64>, t: usize, r: usize) -> f64 {
        let length = target[(r, r)].sqrt();
        let of = |j: usize| {
            let square = self.of(&STUDENT_SQUARES).get(t * self.width + j).copied().unwrap_or(f64::NAN);
            cosine(self.row(&STUDENT_TEACHER, t)[j * self.directions + r], [square.sqrt(), length]).abs()
        };
        (0..self.width).map(of).fold(0.0, f64::max)
    }

    /// Appends one entry.
    pub fn push(&mut self, entry: &Entry<'_>) {
        for (observable, column) in OBSERVABLES.iter().zip(&mut self.columns) {
            if let Some(column) = column {
                (observable.entry)(entry, column);
            }
        }
        self.valid += 1;
    }

    /// Appends the gradient of the step after the last entry, whose overlaps `G W*ᵀ` and Gram matrix `G Gᵀ` are given,
    /// times `factor`.
    pub fn push_gradient(&mut self, overlaps: &Mat<f64>, gram: &Mat<f64>, factor: f64) {
        let (p, k) = (self.width, self.directions);
        self.append(&GRADIENT_TEACHER, (0..p).flat_map(|j| (0..k).map(move |r| factor * overlaps[(j, r)])));
        self.append(&GRADIENT_NORM, (0..p).map(|j| factor.abs() * gram[(j, j)].max(0.0).sqrt()));
    }

    /// Turns the entries from `valid` on into NaN: the run ended before them.
    pub fn cut(&mut self, valid: usize) {
        self.valid = valid.min(self.valid);
        for observable in OBSERVABLES.iter().filter(|observable| observable.is_by_entry()) {
            let from = self.size_at(observable, self.valid);
            self.of_mut(observable).iter_mut().skip(from).for_each(|value| *value = f64::NAN);
        }
    }

    /// Fills the entries that were never reached, one for each `(step, time)` left, with NaN. An array of which not even
    /// the valid entries are there was not recorded.
    pub fn pad(&mut self, rest: impl IntoIterator<Item = (f64, f64)>) {
        for (step, time) in rest {
            self.append(&STEP, [step]);
            self.append(&TIME, [time]);
        }
        for observable in OBSERVABLES {
            let size = |entries| self.size_at(observable, entries);
            let (reached, all) = (size(self.valid), size(self.len()));
            let Some(column) = &mut self.columns[observable.index] else { continue };
            if observable.is_by_entry() && column.len() >= reached {
                column.resize(all, f64::NAN);
            } else if column.is_empty() {
                self.columns[observable.index] = None;
            }
        }
    }

    /// Numbers of an array with so many entries.
    fn size_at(&self, observable: &Observable, entries: usize) -> usize {
        let extent = |axis: &Axis| self.extent(*axis, entries, entries.saturating_sub(1));
        observable.axes.iter().filter_map(extent).product()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::overlaps::Overlaps;
    use crate::problem::{Activation, Crossing, CrossingOf, Data, Duration, Formula, Network, Rule, Target, Training};
    use crate::record::observable::{
        BIAS, GRADIENTS, LOSS_CORRELATION, SAMPLES, SECOND_LAYER, STUDENT_SQUARES_ERROR, TRAINING_RISK,
    };
    use faer::mat;

    /// Three entries of two neurons and one direction, with the gradients of the two steps between them.
    fn run(keep_q: KeepQ) -> Trajectory {
        let mut run = Trajectory::new(2, 1, keep_q);
        run.begin(&GRADIENT_TEACHER);
        run.begin(&GRADIENT_NORM);
        for t in 0..3 {
            let x = f64::from(t);
            let overlaps = Overlaps {
                student_teacher: mat![[x], [x + 0.5]],
                student_student: mat![[4.0, x], [x, 9.0]],
                teacher_teacher: mat![[1.0]],
            };
            let (second_layer, bias) = ([1.0, -x], [0.0, x]);
            let (step, time, samples, gradients) = (x, 0.1 * x, 10.0 * x, 20.0 * x);
            let (risk, risk_error) = (2.0 - x, 1e-3);
            run.push(&Entry {
                step,
                time,
                samples,
                gradients,
                risk,
                risk_error,
                overlaps: &overlaps,
                squares: None,
                second_layer: &second_layer,
                bias: &bias,
            });
            if t < 2 {
                run.push_gradient(&overlaps.student_teacher, &overlaps.student_student, -2.0);
            }
        }
        run
    }

    #[test]
    fn each_number_of_an_entry_is_in_its_column() {
        let run = run(KeepQ::Full);
        let expected: [(&Observable, &[f64]); 12] = [
            (&STEP, &[0.0, 1.0, 2.0]),
            (&TIME, &[0.0, 0.1, 0.2]),
            (&SAMPLES, &[0.0, 10.0, 20.0]),
            (&GRADIENTS, &[0.0, 20.0, 40.0]),
            (&RISK, &[2.0, 1.0, 0.0]),
            (&RISK_ERROR, &[1e-3, 1e-3, 1e-3]),
            (&STUDENT_TEACHER, &[0.0, 0.5, 1.0, 1.5, 2.0, 2.5]),
            (&STUDENT_STUDENT, &[4.0, 0.0, 0.0, 9.0, 4.0, 1.0, 1.0, 9.0, 4.0, 2.0, 2.0, 9.0]),
            (&STUDENT_SQUARES, &[4.0, 9.0, 4.0, 9.0, 4.0, 9.0]),
            (&SECOND_LAYER, &[1.0, -0.0, 1.0, -1.0, 1.0, -2.0]),
            (&BIAS, &[0.0, 0.0, 0.0, 1.0, 0.0, 2.0]),
            (&GRADIENT_TEACHER, &[-0.0, -1.0, -2.0, -3.0]),
        ];
        for (observable, values) in expected {
            assert_eq!(run.of(observable), values, "{observable:?}");
            assert!(run.is_whole(observable), "{observable:?}");
        }
        assert_eq!(run.of(&GRADIENT_NORM), [4.0, 6.0, 4.0, 6.0]);
        assert_eq!(
            (run.row(&BIAS, 2), run.row(&RISK, 1), run.row(&STUDENT_TEACHER, 1)),
            (&[0.0, 2.0][..], &[1.0][..], &[1.0, 1.5][..])
        );
        assert_eq!(run.shape(&STUDENT_TEACHER), [3, 2, 1]);
        assert_eq!(run.shape(&GRADIENT_NORM), [2, 2]);
        assert_eq!((run.len(), run.valid, run.keep_q()), (3, 3, KeepQ::Full));
    }

    #[test]
    fn so_much_of_q_is_kept_as_was_said() {
        for keep_q in [KeepQ::Full, KeepQ::Diagonal, KeepQ::None] {
            let run = run(keep_q);
            assert_eq!(run.keep_q(), keep_q);
            let sizes = (run.of(&STUDENT_STUDENT).len(), run.of(&STUDENT_SQUARES).len());
            let expected = match keep_q {
                KeepQ::Full => (12, 6),
                KeepQ::Diagonal => (0, 6),
                KeepQ::None => (0, 0),
            };
            assert_eq!(sizes, expected);
        }
    }

    fn is_nan(values: &[f64]) -> Vec<bool> {
        values.iter().map(|x| x.is_nan()).collect()
    }

    /// A run that ends after its second entry knows the step between the two, and when the third would have been.
    #[test]
    fn what_is_cut_is_nan_and_keeps_its_moments() {
        let mut run = run(KeepQ::Diagonal);
        run.set(&CROSSING_STEP, vec![1.5]);
        run.cut(2);
        assert_eq!((run.valid, run.len()), (2, 3));
        assert_eq!((run.of(&STEP), run.of(&CROSSING_STEP)), (&[0.0, 1.0, 2.0][..], &[1.5][..]));
        for observable in [&SAMPLES, &GRADIENTS, &RISK, &RISK_ERROR] {
            assert_eq!(is_nan(run.of(observable)), [false, false, true], "{observable:?}");
        }
        for observable in [&STUDENT_TEACHER, &STUDENT_SQUARES, &SECOND_LAYER, &BIAS] {
            assert_eq!(is_nan(run.of(observable)), [false, false, false, false, true, true], "{observable:?}");
        }
        for observable in [&GRADIENT_TEACHER, &GRADIENT_NORM] {
            assert_eq!(is_nan(run.of(observable)), [false, false, true, true], "{observable:?}");
        }
        // It does not come back.
        run.cut(3);
        assert_eq!(run.valid, 2);
    }

    #[test]
    fn what_was_never_reached_is_nan() {
        let mut run = run(KeepQ::Diagonal);
        run.begin(&TRAINING_RISK);
        run.begin(&LOSS_CORRELATION);
        run.set(&STUDENT_SQUARES_ERROR, vec![0.25; 6]);
        run.pad([(5.0, 0.5), (6.0, 0.6)]);
        assert_eq!((run.valid, run.len()), (3, 5));
        assert_eq!((run.of(&STEP), run.of(&TIME)[4]), (&[0.0, 1.0, 2.0, 5.0, 6.0][..], 0.6));
        assert_eq!(is_nan(run.of(&RISK)), [false, false, false, true, true]);
        assert_eq!(is_nan(run.of(&GRADIENT_NORM)), [false, false, false, false, true, true, true, true]);
        assert_eq!(is_nan(run.of(&STUDENT_SQUARES_ERROR)), [[false; 6].as_slice(), &[true; 4]].concat());
        // Nobody gave these.
        assert_eq!((run.get(&TRAINING_RISK), run.get(&LOSS_CORRELATION)), (None, None));
        let given = OBSERVABLES.iter().filter(|observable| run.get(observable).is_some());
        assert!(given.clone().count() == 13 && given.clone().all(|observable| run.is_whole(observable)));
    }

    #[test]
    fn a_record_from_elsewhere_may_make_no_sense() {
        let fault = |change: &dyn Fn(&mut Trajectory)| {
            let mut run = run(KeepQ::Full);
            assert_eq!(run.fault(), None);
            change(&mut run);
            run.fault().unwrap_or_default()
        };
        assert!(fault(&|run| run.valid = usize::MAX).contains("entries of 3 are valid"));
        assert!(fault(&|run| run.remove(&STUDENT_SQUARES)).contains("`Q` without `Q_diag`"));
        assert!(fault(&|run| run.set(&RISK, vec![1.0; 4])).contains("`risk` has 4 numbers"));
        assert!(fault(&|run| run.set(&SAMPLES, vec![])).contains("`samples` has 0 numbers"));
        assert!(fault(&|run| run.width = usize::MAX).contains("`M` has 6 numbers"));
        assert!(fault(&|run| run.directions = 1 << 63).contains("`M` has 6 numbers"));
        // What was not recorded is no fault.
        assert_eq!(fault(&|run| run.remove(&RISK_ERROR)), "");
    }

    #[test]
    fn a_run_without_any_entry_is_nan_as_it_would_have_been() {
        let mut run = Trajectory::new(3, 2, KeepQ::None);
        run.begin(&TRAINING_RISK);
        run.begin(&GRADIENT_NORM);
        run.begin(&LOSS_CORRELATION);
        run.pad([(0.0, 0.0), (1.0, 0.5)]);
        assert_eq!((run.valid, run.len()), (0, 2));
        assert_eq!((is_nan(run.of(&TRAINING_RISK)), is_nan(run.of(&GRADIENT_NORM))), (vec![true; 2], vec![true; 3]));
        assert_eq!((run.of(&STUDENT_TEACHER).len(), run.get(&STUDENT_STUDENT)), (12, None));
        assert_eq!((run.of(&TIME), run.get(&LOSS_CORRELATION)), (&[0.0, 0.5][..], None));
    }

    /// In numbers: 6 of an entry and of the run, M 2, Q 4 and its diagonal 2, a 2, b 2 at 101 entries; the errors of a limit
    /// 2 + 2; gradients 2 + 2 of 100 steps; two levels.
    #[test]
    fn memory_is_that_of_the_arrays() {
        let target = Target::new(Rule::single_index(Activation::Erf));
        let training = Training::new(50, Formula::number(0.1), Duration::Steps(Formula::number(100.0)));
        let mut problem = Problem::new(target, Network::new(2, Activation::Erf), training).unwrap();
        let bytes = |problem: &Problem, record: &Record, engine| {
            8.0 * Trajectory::predicted_sizes(problem, record, engine, 101).sum::<f64>()
        };
        let mut record = Record::default();
        assert_eq!(bytes(&problem, &record, Engine::Direct), 8.0 * 101.0 * 18.0);
        assert_eq!(bytes(&problem, &record, Engine::Limit), 8.0 * 101.0 * 22.0);
        record.keep_q = Some(KeepQ::None);
        assert_eq!(bytes(&problem, &record, Engine::Limit), 8.0 * 101.0 * 14.0);
        record.gradients = true;
        let level = |level| Crossing { of: CrossingOf::Risk, level, stop: false };
        record.crossings = vec![level(0.1), level(0.2)];
        assert_eq!(bytes(&problem, &record, Engine::Reduced), 8.0 * (101.0 * 12.0 + 100.0 * 4.0 + 2.0));
        // The memory of mean-field theory: two arrays of 101²·2² numbers, and the training risk.
        problem = (problem.with(|parts| {
            parts.training.data = Data::Reused;
            parts.training.samples = Some(Formula::number(60.0));
            parts.training.batch = Formula::number(60.0);
        }))
        .unwrap();
        record = Record { keep_q: Some(KeepQ::None), ..Record::default() };
        assert_eq!(bytes(&problem, &record, Engine::Limit), 8.0 * (101.0 * 15.0 + 2.0 * 101.0 * 101.0 * 4.0));
        record.points = 99;
        assert_eq!(bytes(&problem, &record, Engine::Limit), 8.0 * 101.0 * 15.0);
    }

    /// ½ of a risk of 4 and 0.02 of an M of 0.1 (which is less than 1): the latter in absolute numbers.
    #[test]
    fn the_largest_error_is_relative_to_what_is_large() {
        let mut run = Trajectory::empty(1, 1);
        assert_eq!(run.largest_error(), 0.0);
        run.set(&RISK, vec![4.0, f64::NAN]);
        run.set(&RISK_ERROR, vec![-2.0, f64::INFINITY]);
        assert_eq!(run.largest_error(), 0.5);
        run.set(&STUDENT_TEACHER, vec![0.1]);
        run.set(&STUDENT_TEACHER_ERROR, vec![0.75]);
        assert_eq!(run.largest_error(), 0.75);
    }
}

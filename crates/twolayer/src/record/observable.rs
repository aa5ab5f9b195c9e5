//! The table of recorded arrays: whatever stores, compares, documents or draws arrays is a loop over it.

use std::fmt;

use super::{Axis, Entry};
use crate::problem::{Data, Engine, Geometry, KeepQ, Problem, Record, ReuseOrder};

/// A recorded array: its name in result files, its axes, what it holds, and when there is one.
pub struct Observable {
    /// Its name in result files.
    pub name: &'static str,
    /// Its axes, outermost first; without [`Axis::Replicate`], the replicates of a view share it.
    pub axes: &'static [Axis],
    /// What it counts in; `1` for pure numbers.
    pub unit: &'static str,
    /// What it holds, in symbols of theory.md.
    pub meaning: &'static str,
    /// The name of the array that holds its numerical error; what has one is compared between views.
    pub error: Option<&'static str>,
    /// When a run gives it.
    pub when: When,
    /// Appends its numbers at an entry, where the overlaps, the head and the risk give them; what is recorded elsewhere
    /// does nothing here.
    pub(super) entry: fn(&Entry<'_>, &mut Vec<f64>),
    /// Its place in [`OBSERVABLES`].
    pub(super) index: usize,
}

/// When a run gives an array.
#[derive(Clone, Copy)]
pub enum When {
    /// Every run: result files without it are damaged.
    Always,
    /// Under a condition, in words and as a function of problem, record and what looks at it.
    If(&'static str, fn(&Problem, &Record, Engine) -> bool),
}

impl When {
    /// Whether a run gives it; of a limit, whether one that is not hindered may.
    pub fn holds(&self, problem: &Problem, record: &Record, engine: Engine) -> bool {
        match self {
            Self::Always => true,
            Self::If(_, holds) => holds(problem, record, engine),
        }
    }
}

impl Observable {
    /// The array of this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        OBSERVABLES.iter().copied().find(|observable| observable.name == name)
    }

    /// Whether one array serves all replicates of a view.
    pub fn is_shared(&self) -> bool {
        !self.axes.contains(&Axis::Replicate)
    }

    /// Whether it says when an entry is, which is known of entries that were never reached too.
    pub fn is_coordinate(&self) -> bool {
        [STEP.index, TIME.index].contains(&self.index)
    }

    /// Whether it has a row for each entry, or for each step after one, that becomes NaN where the run did not come so far.
    pub fn is_by_entry(&self) -> bool {
        let by_row = |axis: &Axis| matches!(axis, Axis::Time | Axis::Interval);
        self.axes.iter().any(by_row) && !self.axes.contains(&Axis::OtherTime) && !self.is_coordinate()
    }

    /// The second word of the name of its file, `<view>.<word>.npz`, where it has one, and its name there: `readout.step`
    /// is `step` in `<view>.readout.npz`.
    pub fn place(&self) -> (Option<&'static str>, &'static str) {
        match self.name.split_once('.') {
            Some((file, name)) => (Some(file), name),
            None => (None, self.name),
        }
    }

    /// Its shape in letters: `(R,T,p,k)`.
    pub fn shape(&self) -> String {
        let letters: Vec<&str> = self.axes.iter().map(|axis| axis.letter()).collect();
        format!("({})", letters.join(","))
    }
}

impl PartialEq for Observable {
    fn eq(&self, other: &Self) -> bool {
        self.index == other.index
    }
}

impl fmt::Debug for Observable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.name, self.shape())
    }
}

/// One line for each array: handle, name, axes, unit, meaning, the name of its error, when, and its numbers at an entry.
macro_rules! observables {
    ($($handle:ident = $name:literal [$($axis:ident)+] $unit:literal, $meaning:literal, $error:expr, $when:expr, $entry:expr;)+) => {
        #[allow(non_camel_case_types, clippy::upper_case_acronyms)] // Only their order counts.
        enum Place { $($handle),+ }
        $(
            #[doc = concat!("`", $name, "`: ", $meaning, ".")]
            pub static $handle: Observable = Observable {
                name: $name,
                axes: &[$(Axis::$axis),+],
                unit: $unit,
                meaning: $meaning,
                error: $error,
                when: $when,
                entry: $entry,
                index: Place::$handle as usize,
            };
        )+
        /// Every recorded array, in the order of the documentation.
        pub static OBSERVABLES: &[&Observable] = &[$(&$handle),+];
    };
}

const ELSEWHERE: fn(&Entry<'_>, &mut Vec<f64>) = |_, _| {};
const KNOWN: When = When::If("wherever it is known", |_, _, _| true);
const FULL_Q: When =
    When::If("`record.Q = \"full\"`", |problem, record, _| record.keep_q(problem.width()) == KeepQ::Full);
const SOME_Q: When =
    When::If("`record.Q` not `\"none\"`", |problem, record, _| record.keep_q(problem.width()) != KeepQ::None);
const LIMIT: When = When::If("limits", |_, _, engine| engine == Engine::Limit);
const LIMIT_SOME_Q: When = When::If("limits, `record.Q` not `\"none\"`", |problem, record, engine| {
    engine == Engine::Limit && record.keep_q(problem.width()) != KeepQ::None
});
const REUSED: When = When::If("reused data", |problem, _, _| problem.training.data == Data::Reused);
const WITH_GRADIENTS: When = When::If("`record.gradients`", |_, record, _| record.gradients);
const WITH_CROSSINGS: When = When::If("`record.crossings`", |_, record, _| !record.crossings.is_empty());
const SINGLE_INDEX: When = When::If("single-index flows", |problem, _, engine| {
    let spherical = problem.training.geometry != Geometry::Free && problem.network.second_layer.train;
    engine == Engine::Limit && problem.directions() == 1 && spherical
});
const WITH_SPECTRUM: When = When::If("`record.spectrum`", |_, record, _| record.spectrum);
const WITH_READOUT: When =
    When::If("`[readout]`; of limits, where there is a theory of it", |_, record, _| record.readout.is_some());
const WITH_BOUNDS: When =
    When::If("`readout.bounds`", |_, record, _| record.readout.as_ref().is_some_and(|it| it.bounds));
const MEMORY: When = When::If("mean-field theory of full batches, every step recorded", |problem, record, engine| {
    let training = &problem.training;
    let full = training.data == Data::Reused && training.reuse_order == ReuseOrder::Full;
    engine == Engine::Limit && full && problem.steps() <= record.points as u64
});

observables! {
    STEP = "step" [Time] "step", "ν, NaN where d is infinite", None, When::Always, |at, to| to.push(at.step);
    TIME = "time" [Time] "1", "t = νηs", None, When::Always, |at, to| to.push(at.time);
    SAMPLES = "samples" [Time] "sample", "distinct samples seen; their mean, where batches are drawn with replacement", None, When::Always, |at, to| to.push(at.samples);
    GRADIENTS = "gradients" [Time] "gradient", "sample gradients computed", None, When::Always, |at, to| to.push(at.gradients);
    RISK = "risk" [Replicate Time] "f²", "R = ½E(f − g)², without label noise", Some("risk_error"), When::Always, |at, to| to.push(at.risk);
    TRAINING_RISK = "training_risk" [Replicate Time] "f²", "½ mean (f − y)² over the data set, label noise included", None, REUSED, ELSEWHERE;
    RISK_ERROR = "risk_error" [Replicate Time] "f²", "numerical error of `risk`: of the average over the population, and of the integrator", None, KNOWN, |at, to| to.push(at.risk_error);
    STUDENT_TEACHER = "M" [Replicate Time Neuron Direction] "1", "M = W W*ᵀ, overlaps with the target", Some("M_error"), When::Always, teacher;
    STUDENT_TEACHER_ERROR = "M_error" [Replicate Time Neuron Direction] "1", "numerical error of `M`, of the size of a standard error", None, LIMIT, ELSEWHERE;
    STUDENT_STUDENT = "Q" [Replicate Time Neuron OtherNeuron] "1", "Q = W Wᵀ", None, FULL_Q, students;
    STUDENT_SQUARES = "Q_diag" [Replicate Time Neuron] "1", "‖w_j‖², the diagonal of Q", Some("Q_diag_error"), SOME_Q, squares;
    STUDENT_SQUARES_ERROR = "Q_diag_error" [Replicate Time Neuron] "1", "numerical error of `Q_diag`", None, LIMIT_SOME_Q, ELSEWHERE;
    SECOND_LAYER = "a" [Replicate Time Neuron] "f", "second layer", None, When::Always, |at, to| to.extend_from_slice(at.second_layer);
    BIAS = "bias" [Replicate Time Neuron] "1", "biases, 0 where there are none", None, When::Always, |at, to| to.extend_from_slice(at.bias);
    GRADIENT_TEACHER = "gradient_M" [Replicate Interval Neuron Direction] "f²", "G W*ᵀ with G_j = (1/n_b) Σ_μ g_jμ x_μ, of the step after each entry but the last", None, WITH_GRADIENTS, ELSEWHERE;
    GRADIENT_NORM = "gradient_norm" [Replicate Interval Neuron] "f²", "‖G_j‖ of the same steps", None, WITH_GRADIENTS, ELSEWHERE;
    CROSSING_STEP = "crossing_step" [Replicate Crossing] "step", "the step at which each level of `record.crossings` was first passed, NaN where it was not", None, WITH_CROSSINGS, ELSEWHERE;
    HALF_TIME = "half_time" [Replicate Degree] "1", "when the residual e_ℓ of Hermite degree ℓ = 0 … K first was ±½φ_ℓ, located as an event; NaN where it was not, or φ_ℓ = 0", Some("half_time_error"), SINGLE_INDEX, ELSEWHERE;
    HALF_TIME_ERROR = "half_time_error" [Replicate Degree] "1", "numerical error of `half_time`", None, SINGLE_INDEX, ELSEWHERE;
    SPECTRUM = "spectrum" [Replicate Time Neuron] "1", "eigenvalues of Cov(σ(h_j), σ(h_l)), the covariance of the features, rising", None, WITH_SPECTRUM, ELSEWHERE;
    LOSS_CORRELATION = "C_loss" [Time OtherTime Neuron OtherNeuron] "f²", "C_ℓ(t,s)_jl = β E[g_j(t) g_l(s)], of theory.md §5.3", None, MEMORY, ELSEWHERE;
    LOSS_RESPONSE = "R_loss" [Time OtherTime Neuron OtherNeuron] "f²", "R_ℓ(t,s)_jl, the response of g_j(t) to the field of neuron l at s ≤ t; at s = t the effective regularisation", None, MEMORY, ELSEWHERE;
    READOUT_STEP = "readout.step" [ReadoutStep] "step", "ν after which the readout was made", None, WITH_READOUT, ELSEWHERE;
    READOUT_SAMPLES = "readout.samples" [ReadoutSamples] "sample", "n_2, samples that it was fitted to", None, WITH_READOUT, ELSEWHERE;
    RIDGE = "readout.ridge" [Ridge] "1", "λ of Σ_μ (y_μ − s Σ_j b_j σ(h_jμ))² + λ‖b‖²", None, WITH_READOUT, ELSEWHERE;
    TRAIN_ERROR = "readout.train_error" [Replicate ReadoutStep ReadoutSamples Ridge] "f²", "E(y − f)²/2 over the samples fitted to; NaN where a theory gives none", None, WITH_READOUT, ELSEWHERE;
    TEST_ERROR = "readout.test_error" [Replicate ReadoutStep ReadoutSamples Ridge] "f²", "E(y − f)²/2 over fresh samples, label noise included", Some("readout.test_error_error"), WITH_READOUT, ELSEWHERE;
    TEST_ERROR_ERROR = "readout.test_error_error" [Replicate ReadoutStep ReadoutSamples Ridge] "f²", "its standard error over those samples; of a theory, that of its quadratures", None, WITH_READOUT, ELSEWHERE;
    BOUND_LAZY = "readout.bound_lazy" [ReadoutSamples] "f²", "lower bound of `test_error` for random features", None, WITH_BOUNDS, ELSEWHERE;
    BOUND_LEARNT = "readout.bound_learnt" [ReadoutStep ReadoutSamples] "f²", "lower bound once the steps so far have learnt what they can", None, WITH_BOUNDS, ELSEWHERE;
}

fn teacher(at: &Entry<'_>, to: &mut Vec<f64>) {
    let m = &at.overlaps.student_teacher;
    to.extend((0..m.nrows()).flat_map(|j| (0..m.ncols()).map(move |r| m[(j, r)])));
}

fn students(at: &Entry<'_>, to: &mut Vec<f64>) {
    let q = &at.overlaps.student_student;
    to.extend((0..q.nrows()).flat_map(|j| (0..q.ncols()).map(move |l| q[(j, l)])));
}

fn squares(at: &Entry<'_>, to: &mut Vec<f64>) {
    let q = &at.overlaps.student_student;
    match at.squares {
        Some(squares) => to.extend_from_slice(squares),
        None => to.extend((0..q.nrows()).map(|j| q[(j, j)])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Names and shapes on disk are a contract: the literals stand here once more. More arrays may come.
    #[test]
    fn names_and_shapes_are_those_of_the_result_files() {
        let mut found: Vec<String> = OBSERVABLES.iter().map(|observable| format!("{observable:?}")).collect();
        let expected = [
            "step(T)",
            "time(T)",
            "samples(T)",
            "gradients(T)",
            "risk(R,T)",
            "training_risk(R,T)",
            "risk_error(R,T)",
            "M(R,T,p,k)",
            "M_error(R,T,p,k)",
            "Q(R,T,p,p)",
            "Q_diag(R,T,p)",
            "Q_diag_error(R,T,p)",
            "a(R,T,p)",
            "bias(R,T,p)",
            "gradient_M(R,T−1,p,k)",
            "gradient_norm(R,T−1,p)",
            "crossing_step(R,C)",
            "half_time(R,K+1)",
            "half_time_error(R,K+1)",
            "spectrum(R,T,p)",
            "C_loss(T,T,p,p)",
            "R_loss(T,T,p,p)",
            "readout.step(S)",
            "readout.samples(N)",
            "readout.ridge(L)",
            "readout.train_error(R,S,N,L)",
            "readout.test_error(R,S,N,L)",
            "readout.test_error_error(R,S,N,L)",
            "readout.bound_lazy(N)",
            "readout.bound_learnt(S,N)",
        ];
        found.retain(|array| expected.contains(&array.as_str()));
        assert_eq!(found, expected);
    }

    #[test]
    fn an_error_is_an_array_of_the_same_shape() {
        for observable in OBSERVABLES {
            assert_eq!(OBSERVABLES[observable.index], *observable);
            if let Some(name) = observable.error {
                assert_eq!(Observable::named(name).map(|error| error.axes), Some(observable.axes), "{name}");
            }
        }
    }
}

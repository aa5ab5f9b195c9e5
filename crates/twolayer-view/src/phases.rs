//! What the risk curve of a view shows: plateaus and transitions, beside what theory expects of them; and what a view
//! should be read with. As the manifest keeps them.

use serde::{Deserialize, Serialize};
use twolayer::{
    method::Warning,
    record::{
        Trajectory,
        observable::{HALF_TIME, HALF_TIME_ERROR, RISK, TIME},
        phases::{Learning, Phases, Plateau, Transition},
    },
};

/// A warning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WarningRecord {
    /// Stable: `phi_1 = 0`, `dominated by one neuron`.
    pub id: String,
    /// A sentence or two, with the numbers.
    pub text: String,
}

/// Phases of the mean risk of a view.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct PhaseRecord {
    /// Where it stands still.
    pub plateaus: Vec<PlateauRecord>,
    /// Where it falls.
    pub transitions: Vec<TransitionRecord>,
    /// What theory expects, degree by degree.
    pub expected: Vec<ExpectedRecord>,
    /// When half of each degree of the target was learnt, where the method locates that.
    #[serde(default)]
    pub half_times: Vec<HalfTimeRecord>,
}

/// When |e_ℓ| first was ½|φ_ℓ|: the mean over runs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct HalfTimeRecord {
    /// ℓ.
    pub degree: usize,
    /// The time.
    pub time: f64,
    /// Its numerical error; absent where it is not known.
    pub error: Option<f64>,
}

/// A plateau.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PlateauRecord {
    /// The risk there.
    pub level: f64,
    /// When it begins.
    pub start: f64,
    /// When it ends.
    pub end: f64,
}

/// A transition.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TransitionRecord {
    /// When half of the fall is done.
    pub time: f64,
    /// From a tenth to nine tenths of the fall; absent where it was not done.
    pub width: Option<f64>,
    /// The level before.
    pub from: f64,
    /// The level after.
    pub to: f64,
    /// The degree that is learnt, where it is known.
    pub degree: Option<usize>,
}

/// A transition that theory expects.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ExpectedRecord {
    /// The degree.
    pub degree: usize,
    /// The level before.
    pub before: f64,
    /// The level after.
    pub after: f64,
    /// When half of it is learnt, where there is a formula for it.
    pub time: Option<f64>,
    /// The time goes as ε to this power.
    pub exponent: f64,
}

impl PhaseRecord {
    /// Phases of the mean risk over `runs`: those that theory expects, or, where it expects none or the curve shows none of
    /// them, those that the curve shows by itself.
    pub fn of(runs: &[Trajectory], expected: &[ExpectedRecord]) -> Self {
        let phases = phases(runs, expected);
        Self {
            plateaus: phases.plateaus.iter().map(Into::into).collect(),
            transitions: phases.transitions.iter().map(Into::into).collect(),
            expected: expected.to_vec(),
            half_times: half_times(runs),
        }
    }
}

/// The half-times of degrees that were half learnt.
pub fn half_times(runs: &[Trajectory]) -> Vec<HalfTimeRecord> {
    let mean = |values: Vec<f64>| values.iter().sum::<f64>() / values.len() as f64;
    let degrees = runs.iter().map(|run| run.of(&HALF_TIME).len()).max().unwrap_or(0);
    let of = |degree: usize| {
        let reached = || runs.iter().filter(|run| run.of(&HALF_TIME).get(degree).is_some_and(|time| time.is_finite()));
        let time = mean(reached().map(|run| run.of(&HALF_TIME)[degree]).collect());
        let error = reached().filter_map(|run| run.of(&HALF_TIME_ERROR).get(degree).copied()).collect();
        let error = Some(mean(error)).filter(|error| error.is_finite());
        time.is_finite().then_some(HalfTimeRecord { degree, time, error })
    };
    (0..degrees).filter_map(of).collect()
}

/// The same, for figures and reports.
pub fn phases(runs: &[Trajectory], expected: &[ExpectedRecord]) -> Phases {
    phases_of(&runs.iter().collect::<Vec<_>>(), expected)
}

/// The same, of some runs.
pub(crate) fn phases_of(runs: &[&Trajectory], expected: &[ExpectedRecord]) -> Phases {
    let Some(first) = runs.first() else { return Phases::default() };
    let count = runs.len() as f64;
    let mean = |t: usize| runs.iter().map(|run| run.of(&RISK).get(t).copied().unwrap_or(f64::NAN)).sum::<f64>() / count;
    let risk: Vec<f64> = (0..first.len()).map(mean).collect();
    let order: Vec<Learning> = expected.iter().map(Into::into).collect();
    let known = Phases::expected(first.of(&TIME), &risk, &order);
    if known.transitions.is_empty() { Phases::of(first.of(&TIME), &risk) } else { known }
}

impl From<Warning> for WarningRecord {
    fn from(Warning { id, text }: Warning) -> Self {
        Self { id, text }
    }
}

impl From<&Plateau> for PlateauRecord {
    fn from(&Plateau { level, start, end }: &Plateau) -> Self {
        Self { level, start, end }
    }
}

impl From<&Transition> for TransitionRecord {
    fn from(&Transition { time, width, from, to, degree }: &Transition) -> Self {
        Self { time, width: Some(width).filter(|width| width.is_finite()), from, to, degree }
    }
}

impl From<&Learning> for ExpectedRecord {
    fn from(&Learning { degree, before, after, time, exponent }: &Learning) -> Self {
        Self { degree, before, after, time, exponent }
    }
}

impl From<&ExpectedRecord> for Learning {
    fn from(&ExpectedRecord { degree, before, after, time, exponent }: &ExpectedRecord) -> Self {
        Self { degree, before, after, time, exponent }
    }
}

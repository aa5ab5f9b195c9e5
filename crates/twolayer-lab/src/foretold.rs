//! Numbers that theory gives in advance, each beside the measured value of the same quantity.

use serde::{Deserialize, Serialize};
use twolayer::{
    paper::prediction::{Prediction, Quantity, predictions},
    record::Trajectory,
};
use twolayer_file::experiment::NamedView;

/// One of them, for the manifest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Foretold {
    /// What it is.
    pub name: String,
    /// The number.
    pub value: f64,
    /// The same quantity in this view's runs: their mean; null where they do not show it.
    pub measured: Option<f64>,
    /// Its standard error over replicates; null for fewer than two.
    pub error: Option<f64>,
    /// How it is computed.
    pub formula: String,
    /// What it assumes.
    pub holds: String,
    /// Whose it is.
    pub source: String,
}

/// Those of a view.
pub fn foretold(view: &NamedView, runs: &[Trajectory]) -> Vec<Foretold> {
    let of = |found: Prediction| {
        let values: Option<Vec<f64>> = runs.iter().map(|run| measured(view, run, found.of)).collect();
        let values = values.unwrap_or_default();
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let spread = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>();
        Foretold {
            name: found.name.into(),
            value: found.value,
            measured: (!values.is_empty()).then_some(mean),
            error: (values.len() > 1).then(|| (spread / (count * (count - 1.0))).sqrt()),
            formula: found.formula.into(),
            holds: found.holds.into(),
            source: found.source.into(),
        }
    };
    predictions(&view.problem, &view.record.crossings).into_iter().map(of).collect()
}

/// The quantity in one run.
fn measured(view: &NamedView, run: &Trajectory, of: Quantity) -> Option<f64> {
    match of {
        Quantity::Floor => (run.valid > 0).then(|| run.risk[run.valid - 1]),
        Quantity::Plateau => plateau(run),
        Quantity::Crossing(index) => {
            let step = run.crossing_step.get(index).copied().filter(|step| step.is_finite())?;
            Some(step * view.problem.step_time())
        }
    }
}

/// The risk where d ln R/d ln t is smallest, of the moments between the first that count and the last.
fn plateau(run: &Trajectory) -> Option<f64> {
    let slope = |i: usize| (run.risk[i + 1] / run.risk[i - 1]).ln().abs() / (run.time[i + 1] / run.time[i - 1]).ln();
    let last = *run.time.get(run.valid.checked_sub(1)?)?;
    let inner =
        (1..run.valid.saturating_sub(1)).filter(|&i| run.time[i - 1] > 1e-2 * last && run.time[i + 1] < 0.9 * last);
    inner.min_by(|&i, &j| slope(i).total_cmp(&slope(j))).map(|i| run.risk[i])
}

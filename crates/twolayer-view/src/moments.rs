//! The recorded moments that panels show.
//!
//! A record has no entry at most times that a figure asks for: what is drawn is the nearest one, and its panel says which.

use twolayer_file::experiment::{Axis, panels_count_steps};

use crate::{number::short, series::Series};

/// A panel's moment: the entry of each view that is nearest to what was asked for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Moment {
    /// `t = 0.98`, `step 3`, or the range over views whose records differ.
    pub title: String,
    /// For each view the entry that is drawn; `None` where it has none.
    entries: Vec<Option<usize>>,
    /// The numbers of the views, as [`Series::index`].
    views: Vec<usize>,
}

impl Moment {
    /// The entry of a view, and nothing of a run that ended before.
    pub fn entry(&self, series: &Series<'_>) -> Option<usize> {
        let place = self.views.iter().position(|view| *view == series.index)?;
        self.entries[place]
    }
}

/// The moments at `at` (steps for giant steps and reused data, else times), or a few from start to end; and what there is
/// to say of them.
pub(crate) fn moments(all: &[Series<'_>], at: &[f64]) -> (Vec<Moment>, String) {
    let steps = panels_count_steps(all.iter().map(|series| series.view));
    let axis = if steps { Axis::Step } else { Axis::Time };
    let records: Vec<Vec<f64>> = all.iter().map(|series| recorded(series, &axis)).collect();
    let last = records.iter().filter_map(|record| record.last()).copied().fold(0.0, f64::max);
    let asked = match (at, steps && last < 100.0) {
        ([], true) => vec![0.0, last / 3.0, 2.0 * last / 3.0, last],
        // Evenly spread on a log scale over the last decades.
        ([], false) => vec![0.0, last * 1e-2, last * 1e-1, last],
        (at, _) => at.to_vec(),
    };
    let mut found: Vec<Moment> = Vec::new();
    for moment in &asked {
        let entries: Vec<Option<usize>> = records.iter().map(|record| nearest(record, *moment)).collect();
        if found.iter().all(|other| other.entries != entries) {
            let drawn = records.iter().zip(&entries).filter_map(|(record, entry)| entry.map(|entry| record[entry]));
            let views = all.iter().map(|series| series.index).collect();
            found.push(Moment { title: title(steps, drawn), entries, views });
        }
    }
    let mut remarks = Vec::new();
    if !at.is_empty() && found.len() < at.len() {
        remarks.push(format!("{} of {} moments: the record has no others nearer.", found.len(), at.len()));
    }
    let ended = |series: &&Series<'_>| {
        let last = found.last().and_then(|moment| moment.entry(series));
        series.runs.iter().any(|run| last.is_some_and(|last| last >= run.valid))
    };
    if all.iter().any(|series| ended(&series)) {
        remarks.push("Runs that ended before a moment are not in its panel.".into());
    }
    (found, remarks.join(" "))
}

/// The positions of the entries that some run has.
fn recorded(series: &Series<'_>, axis: &Axis) -> Vec<f64> {
    let valid = series.runs.iter().map(|run| run.valid).max().unwrap_or(0);
    series.abscissa(axis).into_iter().take(valid).collect()
}

fn nearest(record: &[f64], moment: f64) -> Option<usize> {
    (0..record.len()).min_by(|&a, &b| (record[a] - moment).abs().total_cmp(&(record[b] - moment).abs()))
}

/// What is drawn, to three digits.
fn title(steps: bool, drawn: impl Iterator<Item = f64>) -> String {
    let drawn: Vec<f64> = drawn.filter(|moment| moment.is_finite()).collect();
    let low = short(drawn.iter().copied().fold(f64::INFINITY, f64::min));
    let high = short(drawn.iter().copied().fold(f64::NEG_INFINITY, f64::max));
    let range = if low == high { low } else { format!("{low} … {high}") };
    match (drawn.is_empty(), steps) {
        (true, _) => "no record".into(),
        (false, true) => format!("step {range}"),
        (false, false) => format!("t = {range}"),
    }
}

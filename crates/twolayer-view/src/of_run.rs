//! Numbers of a run as a whole, drawn against a swept key, or view by view: how long its longest plateau lasts, and when
//! half of each degree of the target is learnt.

use twolayer::record::{Trajectory, observable::HALF_TIME};

use super::{
    AxisOf, Block, Dot, Mark, Marker, Panel, Style,
    axes::around,
    phases::{ExpectedRecord, phases_of},
    scale_of,
    series::{Estimate, Series, Traced, series},
};
use twolayer_file::experiment::{Experiment, Figure, Quantity};

use crate::outcome::Outcome;

/// Groups of replicates of which each is left out once: their spread is the error of what is read off a mean curve.
const GROUPS: usize = 20;

/// The label of the axis; `None` for what is no number of a run, or has a label of its own.
pub(crate) fn label(y: Quantity) -> Option<&'static str> {
    match y {
        Quantity::Plateau => Some("length of the longest plateau, in t"),
        Quantity::HalfTime => Some("half of the degree is learnt at t"),
        Quantity::Risk | Quantity::TwiceRisk | Quantity::Overlap | Quantity::Cosine | Quantity::TrainingRisk => None,
        Quantity::Crossing | Quantity::Scatter | Quantity::Histogram | Quantity::Cloud | Quantity::Gradient => None,
        Quantity::Readout | Quantity::Spectrum => None,
    }
}

/// What a view gives: a panel's title and its one number; nothing for what is no number of a run.
pub(crate) fn of_view(one: &Series<'_>, expected: &[ExpectedRecord], y: Quantity) -> Vec<Traced> {
    let traced = |title: String, estimate: Estimate| Traced::of(title, vec![0.0], vec![estimate]);
    match y {
        Quantity::Plateau => vec![traced(String::new(), plateau(one.runs, expected))],
        Quantity::HalfTime => {
            let degrees = one.runs.iter().map(|run| run.of(&HALF_TIME).len()).max().unwrap_or(0);
            let of = |degree: usize| {
                let times = one.runs.iter().filter_map(|run| run.of(&HALF_TIME).get(degree).copied());
                traced(format!("degree {degree}"), Estimate::of(&times.collect::<Vec<_>>()))
            };
            (0..degrees).map(of).filter(|traced| traced.end().is_some()).collect()
        }
        Quantity::Risk | Quantity::TwiceRisk | Quantity::Overlap | Quantity::Cosine | Quantity::TrainingRisk => {
            Vec::new()
        }
        Quantity::Crossing | Quantity::Scatter | Quantity::Histogram | Quantity::Cloud | Quantity::Gradient => {
            Vec::new()
        }
        Quantity::Readout | Quantity::Spectrum => Vec::new(),
    }
}

/// The length of the longest plateau (on a logarithmic clock) of the mean risk that it leaves again, ± 2 standard errors
/// by the jackknife; NaN without one.
fn plateau(runs: &[Trajectory], expected: &[ExpectedRecord]) -> Estimate {
    let length = |runs: &[&Trajectory]| phases_of(runs, expected).longest().map(|plateau| plateau.length());
    let all: Vec<&Trajectory> = runs.iter().collect();
    let Some(mean) = length(&all) else { return Estimate { mean: f64::NAN, bar: 0.0 } };
    let groups = runs.len().min(GROUPS);
    let without = |group: usize| -> Vec<&Trajectory> {
        all.iter().enumerate().filter(|(r, _)| r % groups != group).map(|(_, run)| *run).collect()
    };
    let others: Vec<f64> = if groups > 1 { (0..groups).filter_map(|g| length(&without(g))).collect() } else { vec![] };
    let count = others.len() as f64;
    let middle = others.iter().sum::<f64>() / count;
    let squares: f64 = others.iter().map(|other| (other - middle).powi(2)).sum();
    Estimate { mean, bar: if count > 1.0 { 2.0 * ((count - 1.0) / count * squares).sqrt() } else { 0.0 } }
}

/// View by view, where nothing is swept.
pub(crate) fn by_view(experiment: &Experiment, outcomes: &[Outcome], figure: &Figure) -> Block {
    let (all, _) = series(experiment, outcomes);
    let mut panels: Vec<(String, Vec<Dot>, Vec<Mark>)> = Vec::new();
    let mut without = Vec::new();
    for (place, one) in all.iter().enumerate() {
        let expected = outcomes.get(one.index).map(|outcome| &outcome.expected[..]).unwrap_or_default();
        let found = of_view(one, expected, figure.y);
        let finite = || found.iter().filter_map(|traced| Some((&traced.title, traced.end()?)));
        if finite().count() == 0 {
            without.push(one.view.name.clone());
        }
        for (title, Estimate { mean, bar }) in finite() {
            let dot = Dot { x: place as f64, y: mean, low: mean - bar, high: mean + bar };
            let style = if one.is_limit() {
                Style { size: 4.2, ..Style::dots(one.index, Marker::Cross) }
            } else {
                Style { size: 3.4, ..Style::dots(one.index, Marker::nth(one.rank)) }
            };
            if !panels.iter().any(|(other, ..)| other == title) {
                panels.push((title.clone(), Vec::new(), Vec::new()));
            }
            if let Some((_, dots, marks)) = panels.iter_mut().find(|(other, ..)| other == title) {
                dots.push(dot);
                marks.push(Mark::Dots { points: vec![dot], style });
            }
        }
    }
    let what = if figure.y == Quantity::Plateau { "No plateau that ends" } else { "No half-times" };
    let remark = if without.is_empty() { String::new() } else { format!("{what}: {}.", without.join(", ")) };
    let names: Vec<String> = all.iter().map(|one| one.view.name.clone()).collect();
    let columns = if panels.len() == 4 { 2 } else { panels.len().clamp(1, 3) };
    let drawn = panels.into_iter().map(|(title, dots, marks)| Panel {
        title,
        x: AxisOf::named("view", names.clone()),
        y: around(
            scale_of(figure.y_scale),
            label(figure.y).unwrap_or_default(),
            &dots.iter().flat_map(|dot| [dot.y, dot.low, dot.high]).collect::<Vec<_>>(),
        ),
        square: false,
        marks,
    });
    Block { legend: Vec::new(), panels: drawn.collect(), columns, remark }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fabricated::{self, Sizes};
    use twolayer::record::observable::RISK;

    /// Runs that stand at .02 from t ≈ 2 until about t = 130, each with its own end.
    fn runs(count: usize) -> Vec<Trajectory> {
        let times = fabricated::log_times(400, 1e-2, 1e3);
        let mut runs = fabricated::simulation(Sizes { p: 1, k: 1 }, &times, count, 0.0, 1).trajectories;
        for (r, run) in runs.iter_mut().enumerate() {
            let end = 150.0 + 10.0 * (r as f64 * 2.4).sin();
            let risk = |t: &f64| 0.3 * (-2.0 * t).exp() + 0.02 / (1.0 + (0.1 * (t - end)).exp()) + 1e-6;
            run.set(&RISK, times.iter().map(risk).collect());
        }
        runs
    }

    #[test]
    fn a_plateau_has_a_length_and_an_error() {
        let alone = plateau(&runs(1), &[]);
        assert!((alone.mean - 126.0).abs() < 4.0 && alone.bar == 0.0, "{alone:?}");
        let many = plateau(&runs(8), &[]);
        // Ends spread by 7 over 8 runs: two standard errors are 5.
        assert!((many.mean - 126.0).abs() < 6.0 && (1.0..12.0).contains(&many.bar), "{many:?}");
        let mut still = runs(2);
        still.iter_mut().for_each(|run| run.of_mut(&RISK).fill(0.5));
        assert!(plateau(&still, &[]).mean.is_nan());
    }
}

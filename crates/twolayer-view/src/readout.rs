//! What a readout of the features makes of the labels: its test error against the number of its samples or the step, and
//! what no readout could beat.

use twolayer::record::{
    Trajectory,
    observable::{BOUND_LAZY, BOUND_LEARNT, READOUT_SAMPLES, READOUT_STEP, RIDGE, TEST_ERROR},
};
use twolayer_file::experiment::{Axis, Experiment, Figure};

use crate::{
    AxisOf, Block, Dash, Dot, Key, Mark, Outcome, Panel, Sample, Scale, Style,
    axes::around,
    number::short,
    scale_of,
    series::{Estimate, Series, legend, series},
};

/// The label of its axis.
pub(crate) const LABEL: &str = "test error  ½ E(y − f)²";
const GREY: &str = "#666666";

/// One curve of test errors: after a step against the samples, or of a number of samples against the step.
pub(crate) struct Errors {
    /// `step 3`, `random features`, `n₂ = 400`; empty where there is only one.
    pub level: String,
    pub x: Vec<f64>,
    pub y: Vec<Estimate>,
    /// The lower bound at the same places, NaN where it is not known.
    pub bound: Vec<f64>,
}

/// Errors on log axes, a curve for each step or number of samples; bounds dashed, those of random features dotted.
pub(crate) fn readout(experiment: &Experiment, outcomes: &[Outcome], figure: &Figure) -> Block {
    let (mut all, settings) = series(experiment, outcomes);
    all.retain(|series| recorded(series).next().is_some());
    let curves: Vec<(&Series<'_>, Vec<Errors>)> = all.iter().map(|one| (one, errors(one, &figure.x))).collect();
    let mut levels: Vec<&str> = Vec::new();
    for curve in curves.iter().flat_map(|(_, own)| own) {
        if !levels.contains(&curve.level.as_str()) {
            levels.push(&curve.level);
        }
    }
    let colored = |style: Style, level: &str| match levels.iter().position(|other| *other == level) {
        Some(place) if levels.len() > 1 => style.on_ramp(place, levels.len()),
        _ => style,
    };
    let (mut lines, mut dots) = (Vec::new(), Vec::new());
    for (series, own) in &curves {
        for curve in own {
            let style = colored(series.style(series.color(settings), series.rank + series.setting), &curve.level);
            let points: Vec<(f64, f64)> = curve.x.iter().zip(&curve.y).map(|(x, y)| (*x, y.mean)).collect();
            let thin = Style { size: 0.8, opacity: 0.5, dash: Dash::Solid, ..style };
            lines.push(Mark::Line { points, style: if series.is_limit() { style } else { thin } });
            if !series.is_limit() {
                let dot =
                    |(x, y): (&f64, &Estimate)| Dot { x: *x, y: y.mean, low: y.mean - y.bar, high: y.mean + y.bar };
                dots.push(Mark::Dots { points: curve.x.iter().zip(&curve.y).map(dot).collect(), style });
            }
            let bound: Vec<(f64, f64)> = curve.x.iter().copied().zip(curve.bound.iter().copied()).collect();
            if bound.iter().any(|(_, y)| y.is_finite()) {
                lines.insert(0, Mark::Line { points: bound, style: dashed(style) });
            }
        }
    }
    if let Some(points) = curves.iter().find_map(|(series, _)| random_features(series, &figure.x)) {
        let style = Style { color: GREY, size: 1.2, ..Style::line(0, Dash::Dotted) };
        lines.insert(0, Mark::Line { points, style });
    }
    let panel = panel(figure, &curves, lines.into_iter().chain(dots).collect());
    let black = |style: Style| if levels.len() > 1 { Style { color: "#222222", ..style } } else { style };
    let key = |series: &Series<'_>| Key {
        label: series.label(),
        sample: if series.is_limit() { Sample::Line } else { Sample::Dot },
        style: black(series.style(series.color(settings), series.rank + series.setting)),
    };
    let mut rows = legend(&all, settings, key);
    if levels.len() > 1 {
        let patch = |level: &&str| Key {
            label: (*level).into(),
            sample: Sample::Line,
            style: colored(Style { size: 3.0, ..Style::line(0, Dash::Solid) }, level),
        };
        rows.push(levels.iter().map(patch).collect());
    }
    Block { legend: rows, panels: vec![panel], columns: 1, remark: remark(&all) }
}

/// A lower bound of what has this style.
pub(crate) fn dashed(style: Style) -> Style {
    Style { size: 1.2, opacity: 1.0, dash: Dash::Long, ..style }
}

/// The runs with a readout.
fn recorded<'a>(series: &'a Series<'_>) -> impl Iterator<Item = &'a Trajectory> {
    series.runs.iter().filter(|run| run.is_whole(&TEST_ERROR))
}

/// The test error at one step and number of samples, at the ridge that is best on average.
fn best(series: &Series<'_>, s: usize, n: usize) -> Estimate {
    let ridges = recorded(series).map(|run| run.of(&RIDGE).len()).max().unwrap_or(0);
    let of_ridge = |l: usize| {
        let value = |run: &Trajectory| {
            let place = (s * run.of(&READOUT_SAMPLES).len() + n) * run.of(&RIDGE).len() + l;
            run.of(&TEST_ERROR).get(place).copied().unwrap_or(f64::NAN)
        };
        Estimate::of(&recorded(series).map(value).collect::<Vec<_>>())
    };
    let none = Estimate { mean: f64::NAN, bar: 0.0 };
    (0..ridges).map(of_ridge).filter(|e| e.mean.is_finite()).min_by(|a, b| a.mean.total_cmp(&b.mean)).unwrap_or(none)
}

/// The curves of a view: against the step for such an axis, else against the samples.
pub(crate) fn errors(series: &Series<'_>, axis: &Axis) -> Vec<Errors> {
    let Some(first) = recorded(series).next() else { return Vec::new() };
    let (steps, samples) = (first.of(&READOUT_STEP), first.of(&READOUT_SAMPLES));
    let bound = |s: usize, n: usize| first.of(&BOUND_LEARNT).get(s * samples.len() + n).copied().unwrap_or(f64::NAN);
    if *axis == Axis::Step {
        let curve = |n: usize| Errors {
            level: if samples.len() > 1 { format!("n₂ = {}", short(samples[n])) } else { String::new() },
            x: steps.to_vec(),
            y: (0..steps.len()).map(|s| best(series, s, n)).collect(),
            bound: (0..steps.len()).map(|s| bound(s, n)).collect(),
        };
        return (0..samples.len()).map(curve).collect();
    }
    let level = |step: f64| match (steps.len(), step) {
        (1, _) => String::new(),
        (_, 0.0) => "random features".into(),
        (_, step) => format!("step {step}"),
    };
    let curve = |s: usize| Errors {
        level: level(steps[s]),
        x: samples.to_vec(),
        y: (0..samples.len()).map(|n| best(series, s, n)).collect(),
        bound: (0..samples.len()).map(|n| bound(s, n)).collect(),
    };
    (0..steps.len()).map(curve).collect()
}

/// The lower bound of random features against the samples; against steps only where all samples have the same.
fn random_features(series: &Series<'_>, axis: &Axis) -> Option<Vec<(f64, f64)>> {
    let run = recorded(series).find(|run| run.is_whole(&BOUND_LAZY))?;
    let (samples, bounds) = (run.of(&READOUT_SAMPLES), run.of(&BOUND_LAZY));
    if *axis != Axis::Step {
        return Some(samples.iter().copied().zip(bounds.iter().copied()).collect());
    }
    let first = *bounds.first()?;
    let all_alike = bounds.iter().all(|bound| *bound == first);
    all_alike.then(|| run.of(&READOUT_STEP).iter().map(|step| (*step, first)).collect())
}

fn panel(figure: &Figure, curves: &[(&Series<'_>, Vec<Errors>)], marks: Vec<Mark>) -> Panel {
    let all = || curves.iter().flat_map(|(_, own)| own);
    let places = || all().flat_map(|curve| &curve.x).copied().filter(|x| x.is_finite());
    let (low, high) = (places().fold(f64::INFINITY, f64::min), places().fold(f64::NEG_INFINITY, f64::max));
    let steps = figure.x == Axis::Step;
    let label = if steps { "step  ν" } else { "samples of the readout  n₂" };
    let usual = if steps { Scale::Linear } else { Scale::Log };
    let scale = scale_of(figure.x_scale).unwrap_or(usual);
    let limits = match scale {
        Scale::Log if low > 0.0 && low < high => (low / (high / low).powf(0.04), high * (high / low).powf(0.04)),
        Scale::Log if low > 0.0 && low.is_finite() => (low / 2.0, low * 2.0),
        _ if low < high => (low - 0.04 * (high - low), high + 0.04 * (high - low)),
        _ => (low.min(0.0), low.max(1.0)),
    };
    let scale = if limits.0 > 0.0 { scale } else { Scale::Linear };
    let seen = all().flat_map(|curve| curve.y.iter().map(|e| e.mean).chain(curve.bound.iter().copied()));
    let seen: Vec<f64> = seen.filter(|y| y.is_finite()).collect();
    let y = around(Some(scale_of(figure.y_scale).unwrap_or(Scale::Log)), LABEL, &seen);
    Panel { title: String::new(), x: AxisOf::new(label, scale, limits), y, square: false, marks }
}

fn remark(all: &[Series<'_>]) -> String {
    let some = |has: &dyn Fn(&Trajectory) -> bool| all.iter().flat_map(recorded).any(has);
    let mut remarks = Vec::new();
    if some(&|run| run.is_whole(&BOUND_LEARNT)) {
        remarks.push("Dashed: lower bounds; dotted: that of random features.");
    }
    if some(&|run| run.of(&RIDGE).len() > 1) {
        remarks.push("Of several ridges the one that is best on average.");
    }
    remarks.join(" ")
}

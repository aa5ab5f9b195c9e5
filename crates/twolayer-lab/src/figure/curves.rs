//! Risk and overlaps against time or steps.

use super::{
    AxisOf, Block, Key, Mark, Panel, Sample, Style,
    series::{Estimate, Series, dots, legend, series, setting_label},
    ticks::subscript,
};
use crate::{
    experiment::{Axis, Experiment, Figure, Quantity, Scale},
    outcome::Outcome,
};

/// More neurons than colours cannot be told apart.
const NEURONS: usize = super::PALETTE.len();
/// More panels than this are not read.
const DIRECTIONS: usize = 6;

/// A curve with its estimates.
struct Curve<'a> {
    series: &'a Series<'a>,
    x: Vec<f64>,
    y: Vec<Estimate>,
    style: Style,
}

/// The risk, or twice it: lines for limits, dots for simulations.
pub(super) fn risk(experiment: &Experiment, outcomes: &[Outcome], figure: &Figure) -> Block {
    let (all, settings) = series(experiment, outcomes);
    let (factor, label) = match figure.y {
        Quantity::TwiceRisk => (2.0, "E(f − g)²"),
        _ => (1.0, "risk  ½ E(f − g)²"),
    };
    let curves: Vec<Curve<'_>> = (all.iter())
        .map(|series| Curve {
            series,
            x: series.abscissa(figure.x),
            y: series.estimates(usize::MAX, |run, t| factor * run.risk[t]),
            style: series.style(series.color(settings), series.setting),
        })
        .collect();
    let x = horizontal(figure, &curves);
    let y = vertical(figure.y_scale, label, &curves, &x);
    let key = |s: &Series<'_>| Key {
        label: s.label(),
        sample: if s.is_limit() { Sample::Line } else { Sample::Dot },
        style: s.style(s.color(settings), s.setting),
    };
    Block {
        legend: legend(&all, settings, key),
        panels: vec![Panel { title: String::new(), marks: marks(&curves, &x, 25), x, y, square: false }],
        columns: 1,
        remark: String::new(),
    }
}

/// M_jr or cosines: a column for each direction, a row for each setting, a colour for each neuron.
pub(super) fn overlaps(experiment: &Experiment, outcomes: &[Outcome], figure: &Figure) -> Vec<Block> {
    let (all, settings) = series(experiment, outcomes);
    let Some(first) = all.first() else { return Vec::new() };
    let (p, k) = (first.runs[0].width, first.runs[0].directions);
    let neurons = spread(p, NEURONS);
    let directions = spread(k, DIRECTIONS);
    let cosine = figure.y == Quantity::Cosine;
    // Dashes tell limits apart where there are several, else neurons, so that curves on top of each other are seen.
    let dashed = all.iter().all(|s| !s.is_limit() || s.rank == 0);
    let mut panels: Vec<(String, Vec<Curve<'_>>)> = Vec::new();
    for setting in 0..settings {
        let label = setting_label(&all, setting, settings);
        for &r in &directions {
            let mut curves = Vec::new();
            for series in all.iter().filter(|s| s.setting == setting && s.runs[0].directions > r) {
                let most = if series.shared_start() { usize::MAX } else { 1 };
                for (color, &j) in neurons.iter().enumerate().filter(|(_, j)| **j < series.runs[0].width) {
                    let y = series.estimates(most, |run, t| {
                        if cosine { series.cosine(run, t, j, r) } else { Series::overlap(run, t, j, r) }
                    });
                    let shift = if dashed && series.is_limit() { color } else { 0 };
                    let style = series.style(color, shift);
                    curves.push(Curve { series, x: series.abscissa(figure.x), y, style });
                }
            }
            let direction = if k > 1 { format!("along {}", subscript("z", &[r + 1])) } else { String::new() };
            let title = [direction, label.clone()].into_iter().filter(|s| !s.is_empty()).collect::<Vec<_>>();
            panels.push((title.join(", "), curves));
        }
    }
    let every: Vec<&Curve<'_>> = panels.iter().flat_map(|(_, curves)| curves).collect();
    let x = horizontal(figure, every.iter().copied());
    let label = if cosine { "cosine  M_{jr} / √(Q_{jj} P_{rr})" } else { "overlap  M_{jr}" };
    let y = vertical(Some(figure.y_scale.unwrap_or(Scale::Linear)), label, every.iter().copied(), &x);
    let columns = if directions.len() == 4 { 2 } else { directions.len().min(3) };
    let count = if panels.len() > 1 { 13 } else { 25 };
    let drawn = panels.iter().map(|(title, curves)| {
        let mut all = vec![Mark::Level(0.0)];
        all.extend(marks(curves, &x, count));
        Panel { title: title.clone(), x: x.clone(), y: y.clone(), square: false, marks: all }
    });
    vec![Block {
        legend: overlap_legend(&all, settings, if p > 1 { &neurons } else { &[] }, dashed),
        panels: drawn.collect(),
        columns,
        remark: remark(&all, (neurons.len(), p), (directions.len(), k), cosine),
    }]
}

/// Views in black (one for each kind, where panels are of several settings), neurons in their colours.
fn overlap_legend(all: &[Series<'_>], settings: usize, neurons: &[usize], dashed: bool) -> Vec<Vec<Key>> {
    let mut views: Vec<Key> = Vec::new();
    for series in all {
        let key = Key {
            label: if settings > 1 { series.kind() } else { series.label() },
            sample: if series.is_limit() { Sample::Line } else { Sample::Dot },
            style: Style { color: "#222222", ..series.style(0, 0) },
        };
        if !views.contains(&key) {
            views.push(key);
        }
    }
    let mut legend = vec![views];
    if !neurons.is_empty() {
        let words = Key { label: "neuron".into(), sample: Sample::Words, style: Style::line(0, super::Dash::Solid) };
        let colors = neurons.iter().enumerate().map(|(color, j)| Key {
            label: (j + 1).to_string(),
            sample: Sample::Line,
            style: Style { size: 2.2, ..Style::line(color, super::Dash::nth(if dashed { color } else { 0 })) },
        });
        legend.push(std::iter::once(words).chain(colors).collect());
    }
    legend
}

fn remark(all: &[Series<'_>], neurons: (usize, usize), directions: (usize, usize), cosine: bool) -> String {
    let mut remarks = Vec::new();
    if neurons.0 < neurons.1 {
        remarks.push(format!("{} of {} neurons.", neurons.0, neurons.1));
    }
    if directions.0 < directions.1 {
        remarks.push(format!("{} of {} directions.", directions.0, directions.1));
    }
    if all.iter().any(|series| !series.shared_start() && series.runs.len() > 1) {
        remarks.push("Starts are independent: dots are the first run, not a mean.".into());
    }
    if cosine && all.iter().any(|series| series.runs[0].keep_q == twolayer::trajectory::KeepQ::None) {
        remarks.push("Views without recorded Q have no cosines.".into());
    }
    remarks.join(" ")
}

/// At most `most` of `0..n`, evenly spread.
fn spread(n: usize, most: usize) -> Vec<usize> {
    if n <= most { (0..n).collect() } else { (0..most).map(|i| i * n / most).collect() }
}

/// Lines below dots.
fn marks(curves: &[Curve<'_>], x: &AxisOf, count: usize) -> Vec<Mark> {
    let line = |curve: &Curve<'_>| Mark::Line {
        points: curve.x.iter().zip(&curve.y).map(|(&x, y)| (x, y.mean)).collect(),
        style: curve.style,
    };
    let simulations = curves.iter().filter(|c| !c.series.is_limit()).map(|c| c.series.index).max().unwrap_or(0) + 1;
    let dots = |curve: &Curve<'_>| Mark::Dots {
        points: dots(&curve.x, &curve.y, x.scale, x.limits, (count, curve.series.index as f64 / simulations as f64)),
        style: curve.style,
    };
    let (limits, others): (Vec<_>, Vec<_>) = curves.iter().partition(|curve| curve.series.is_limit());
    limits.into_iter().map(line).chain(others.into_iter().map(dots)).collect()
}

/// The horizontal axis: on a log scale it begins a decade before anything moves by 5 % of all that moves, and shows three decades at
/// least, where they were recorded.
fn horizontal<'a>(figure: &Figure, curves: impl IntoIterator<Item = &'a Curve<'a>> + Clone) -> AxisOf {
    let label = match figure.x {
        Axis::Time => "time  t = νηs",
        Axis::Step => "step  ν",
    };
    let positive = |curve: &Curve<'_>| curve.x.iter().copied().filter(|x| *x > 0.0).fold(f64::INFINITY, f64::min);
    let first = curves.clone().into_iter().map(positive).fold(f64::INFINITY, f64::min);
    let finite = |curve: &Curve<'_>| curve.x.iter().copied().filter(|x| x.is_finite()).fold(0.0, f64::max);
    let last = curves.clone().into_iter().map(finite).fold(0.0, f64::max);
    if !(first.is_finite() && last > 0.0) {
        return AxisOf { label: label.into(), scale: Scale::Linear, limits: (0.0, 1.0) };
    }
    let entries = curves.clone().into_iter().map(|curve| curve.x.len()).max().unwrap_or(0);
    let chosen = if entries > 30 && last > 50.0 * first { Scale::Log } else { Scale::Linear };
    let scale = figure.x_scale.unwrap_or(chosen);
    let limits = match scale {
        Scale::Linear => (-0.025 * last, 1.025 * last),
        Scale::Log => {
            let whole = curves.clone().into_iter().map(|curve| range(curve).1 - range(curve).0).fold(0.0, f64::max);
            let onset = curves.into_iter().map(|curve| onset(curve, 0.05 * whole)).fold(f64::INFINITY, f64::min);
            let low = first.max((onset / 10.0).min(last / 1e3)).min(last / 2.0);
            // A power of ten within a tenth of a decade is as good a place to begin.
            let power = 10_f64.powf(low.log10().round());
            let low = if (power / low).log10().abs() < 0.1 { power } else { low };
            let room = (last / low).powf(0.02);
            (low / room, last * room)
        }
    };
    AxisOf { label: label.into(), scale, limits }
}

/// The smallest and the largest mean.
fn range(curve: &Curve<'_>) -> (f64, f64) {
    let means = || curve.y.iter().map(|e| e.mean).filter(|m| m.is_finite());
    (means().fold(f64::INFINITY, f64::min), means().fold(f64::NEG_INFINITY, f64::max))
}

/// The first x at which a curve has moved by more than `least`, and beyond its error bar.
fn onset(curve: &Curve<'_>, least: f64) -> f64 {
    let Some(start) = curve.y.iter().map(|e| e.mean).find(|m| m.is_finite()) else { return f64::INFINITY };
    (curve.x.iter().zip(&curve.y))
        .find(|(x, e)| **x > 0.0 && (e.mean - start).abs() > least.max(e.bar))
        .map_or(f64::INFINITY, |(x, _)| *x)
}

/// The vertical axis around what is seen.
fn vertical<'a>(
    scale: Option<Scale>,
    label: &str,
    curves: impl IntoIterator<Item = &'a Curve<'a>>,
    x: &AxisOf,
) -> AxisOf {
    let mut seen: Vec<f64> = Vec::new();
    for curve in curves {
        let within = |value: &f64| *value >= x.limits.0 && *value <= x.limits.1 * (1.0 + 1e-9);
        for (_, y) in curve.x.iter().zip(&curve.y).filter(|(x, y)| within(x) && y.mean.is_finite()) {
            seen.push(y.mean);
            if !curve.series.is_limit() && scale == Some(Scale::Linear) {
                seen.extend([y.mean - y.bar, y.mean + y.bar]);
            }
        }
    }
    let high = seen.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let low = seen.iter().copied().fold(f64::INFINITY, f64::min);
    let positive = seen.iter().copied().filter(|y| *y > 0.0).fold(f64::INFINITY, f64::min);
    let wide = low > 0.0 && high > 5.0 * low;
    let scale = scale.unwrap_or(if wide { Scale::Log } else { Scale::Linear });
    let limits = match scale {
        Scale::Log if positive < high => {
            let pad = (high / positive).powf(0.06);
            (positive / pad, high * pad)
        }
        Scale::Log => (0.5 * high, 2.0 * high),
        Scale::Linear if high >= low => {
            let (low, high) = (low.min(0.0), high.max(0.0));
            let room = 0.06 * (high - low).max(1e-300);
            (if low < 0.0 { low - room } else { 0.0 }, if high > 0.0 { high + room } else { 0.0 })
        }
        Scale::Linear => (0.0, 1.0),
    };
    let usable = limits.0.is_finite() && limits.1.is_finite() && limits.0 < limits.1;
    let fallback = if scale == Scale::Log { (0.1, 1.0) } else { (-1.0, 1.0) };
    AxisOf { label: label.into(), scale, limits: if usable { limits } else { fallback } }
}

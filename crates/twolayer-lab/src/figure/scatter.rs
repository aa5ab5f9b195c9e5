//! Neurons in the plane of the first two cosines, one panel per time.

use twolayer::record::Trajectory;

use super::{
    AxisOf, Block, Dot, Key, Mark, Marker, PALETTE, Panel, Sample, Style,
    direction::{Direction, directions},
    series::{Series, legend, series},
    ticks::minus,
};
use twolayer_file::experiment::{Experiment, Figure, Scale};

use crate::outcome::Outcome;

/// Dots in one panel that are still told apart.
const CROWD: usize = 400;

/// Crosses for limits, dots for simulations, in the plane of the figure's first two directions; with one direction, the
/// second layer against the cosine.
pub(super) fn scatter(experiment: &Experiment, outcomes: &[Outcome], figure: &Figure) -> Block {
    let (all, settings) = series(experiment, outcomes);
    let p = all.first().map_or(0, |s| s.runs[0].width);
    let plane = all.first().map(|s| directions(figure, &s.view.problem.target.overlaps)).unwrap_or_default();
    let single = plane.len() < 2;
    let by_neuron = p <= PALETTE.len();
    let style = |series: &Series<'_>, j: usize| {
        let color = if by_neuron { j } else { series.index };
        if series.is_limit() {
            Style { size: 4.2, ..Style::dots(color, Marker::Cross) }
        } else {
            Style { size: 3.0, opacity: 0.75, ..Style::dots(color, Marker::nth(series.part)) }
        }
    };
    let times = if figure.at.is_empty() { moments(&all) } else { figure.at.clone() };
    let mut panels: Vec<Panel> = Vec::new();
    for &time in &times {
        let mut marks = if single { vec![Mark::Level(0.0)] } else { vec![Mark::UnitCircle] };
        for series in all.iter().filter(|s| !s.is_limit()).chain(all.iter().filter(|s| s.is_limit())) {
            let own = directions(figure, &series.view.problem.target.overlaps);
            for j in (0..series.runs[0].width).filter(|j| figure.neurons.is_empty() || figure.neurons.contains(j)) {
                marks.push(Mark::Dots { points: neuron(series, time, j, &own), style: style(series, j) });
            }
        }
        let axis = |r: usize| {
            let name = plane.get(r).map_or("z₁", |direction| direction.name.as_str());
            AxisOf::new(format!("cosine with {name}"), Scale::Linear, (-1.12, 1.12))
        };
        let y = if single { AxisOf::new("second layer  a_{j}", Scale::Linear, heights(&marks)) } else { axis(1) };
        panels.push(Panel { title: format!("t = {}", short(time)), x: axis(0), y, square: !single, marks });
    }
    // One vertical axis for all panels.
    let low = panels.iter().map(|panel| panel.y.limits.0).fold(f64::INFINITY, f64::min);
    let high = panels.iter().map(|panel| panel.y.limits.1).fold(f64::NEG_INFINITY, f64::max);
    for panel in &mut panels {
        panel.y.limits = (low, high);
    }
    let key = |series: &Series<'_>| {
        let color = if by_neuron { "#222222" } else { style(series, 0).color };
        Key { label: series.label(), sample: Sample::Dot, style: Style { color, opacity: 1.0, ..style(series, 0) } }
    };
    let remark = if by_neuron && p > 1 { "One colour for each neuron." } else { "" };
    let columns = if panels.len() == 4 { 2 } else { panels.len().clamp(1, 3) };
    Block { legend: legend(&all, settings, key), panels, columns, remark: remark.into() }
}

/// Where neuron j is at the recorded moment nearest to `time`, in every run that is still valid then.
fn neuron(series: &Series<'_>, time: f64, j: usize, plane: &[Direction]) -> Vec<Dot> {
    let most = (CROWD / series.runs[0].width.max(1)).max(1);
    let mut dots = Vec::new();
    for run in series.runs.iter().take(most) {
        if let (Some(t), Some(across)) = (nearest(run, time), plane.first()) {
            let x = across.cosine(run, t, j);
            let y = plane.get(1).map_or(run.second_layer[t * run.width + j], |up| up.cosine(run, t, j));
            dots.push(Dot { x, y, low: y, high: y });
        }
    }
    dots
}

/// The recorded moment nearest to `time`, if any is valid.
pub(super) fn nearest(run: &Trajectory, time: f64) -> Option<usize> {
    (0..run.valid).min_by(|&a, &b| (run.time[a] - time).abs().total_cmp(&(run.time[b] - time).abs()))
}

fn heights(marks: &[Mark]) -> (f64, f64) {
    let heights = || {
        marks.iter().filter_map(|mark| if let Mark::Dots { points, .. } = mark { Some(points) } else { None }).flatten()
    };
    let low = heights().map(|dot| dot.y).filter(|y| y.is_finite()).fold(0.0, f64::min);
    let high = heights().map(|dot| dot.y).filter(|y| y.is_finite()).fold(0.0, f64::max);
    let room = 0.08 * (high - low).max(1e-6);
    (low - room, high + room)
}

/// The start, two moments in between (evenly spread on a log scale over the last three decades), the end.
pub(super) fn moments(all: &[Series<'_>]) -> Vec<f64> {
    let last = all.iter().filter_map(|s| s.runs[0].time.last().copied()).fold(0.0, f64::max);
    vec![0.0, last * 1e-2, last * 1e-1, last]
}

/// Three significant digits.
pub(super) fn short(value: f64) -> String {
    if value == 0.0 || (1e-2..1e5).contains(&value.abs()) {
        let decimals = if value == 0.0 { 0 } else { (2 - value.abs().log10().floor() as i32).max(0) as usize };
        let text = format!("{value:.decimals$}");
        if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_string() } else { text }
    } else {
        minus(&format!("{value:.2e}"))
    }
}

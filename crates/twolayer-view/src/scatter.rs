//! Neurons in the plane of the first two cosines, one panel per time.

use twolayer::record::observable::SECOND_LAYER;

use super::{
    AxisOf, Block, Dot, Key, Mark, Marker, PALETTE, Panel, Sample, Scale, Style,
    direction::{Direction, directions},
    moments::{Moment, moments},
    series::{Series, legend, series},
};
use twolayer_file::experiment::{Experiment, Figure, Quantity};

use crate::outcome::Outcome;

/// The axis of a cosine.
pub(crate) const ACROSS: (f64, f64) = (-1.12, 1.12);
/// Panels of clouds have one vertical axis where none is so much flatter than the tallest.
const FLAT: f64 = 0.4;

/// Dots in one panel that are still told apart.
const CROWD: usize = 400;

/// Crosses for limits, dots for simulations, in the plane of the figure's first two directions; with one direction, and in
/// a cloud of particles (a, s), the second layer against the cosine.
pub(crate) fn scatter(experiment: &Experiment, outcomes: &[Outcome], figure: &Figure) -> Block {
    let (all, settings) = series(experiment, outcomes);
    let p = all.first().map_or(0, |s| s.runs[0].width);
    let plane = all.first().map(|s| directions(figure, &s.view.problem.target.overlaps)).unwrap_or_default();
    let single = plane.len() < 2 || figure.y == Quantity::Cloud;
    let by_neuron = p <= PALETTE.len();
    let style = |series: &Series<'_>, j: usize| {
        let color = if by_neuron { j } else { series.index };
        if series.is_limit() {
            Style { size: if by_neuron { 4.2 } else { 2.8 }, ..Style::dots(color, Marker::Cross) }
        } else {
            Style { size: 3.0, opacity: 0.75, ..Style::dots(color, Marker::nth(series.part)) }
        }
    };
    let (moments, said) = moments(&all, &figure.at);
    let mut panels: Vec<Panel> = Vec::new();
    for moment in &moments {
        let mut marks = if single { vec![Mark::Level(0.0)] } else { vec![Mark::UnitCircle] };
        for series in all.iter().filter(|s| !s.is_limit()).chain(all.iter().filter(|s| s.is_limit())) {
            let own = directions(figure, &series.view.problem.target.overlaps);
            for j in (0..series.runs[0].width).filter(|j| figure.neurons.is_empty() || figure.neurons.contains(j)) {
                marks.push(Mark::Dots {
                    points: neuron(series, moment, j, &own[..own.len().min(if single { 1 } else { 2 })]),
                    style: style(series, j),
                });
            }
        }
        let axis = |r: usize| {
            let name = plane.get(r).map_or("z₁", |direction| direction.name.as_str());
            AxisOf::new(format!("cosine with {name}"), Scale::Linear, ACROSS)
        };
        let y = if single { AxisOf::new("second layer  a_{j}", Scale::Linear, heights(&marks)) } else { axis(1) };
        panels.push(Panel { title: moment.title.clone(), x: axis(0), y, square: !single, marks });
    }
    // One vertical axis for all panels, unless particles grow so much that the first ones would be a line.
    let low = panels.iter().map(|panel| panel.y.limits.0).fold(f64::INFINITY, f64::min);
    let high = panels.iter().map(|panel| panel.y.limits.1).fold(f64::NEG_INFINITY, f64::max);
    let flat = |panel: &Panel| panel.y.limits.1 - panel.y.limits.0 < FLAT * (high - low);
    if figure.y != Quantity::Cloud || !panels.iter().any(flat) {
        panels.iter_mut().for_each(|panel| panel.y.limits = (low, high));
    }
    let key = |series: &Series<'_>| {
        let color = if by_neuron { "#222222" } else { style(series, 0).color };
        Key { label: series.label(), sample: Sample::Dot, style: Style { color, opacity: 1.0, ..style(series, 0) } }
    };
    let colours = if by_neuron && p > 1 { "One colour for each neuron." } else { "" };
    let remark = format!("{colours} {said}").trim().to_string();
    let columns = if panels.len() == 4 { 2 } else { panels.len().clamp(1, 3) };
    Block { legend: legend(&all, settings, key), panels, columns, remark }
}

/// Where neuron j is at a moment, in every run that is still valid then.
fn neuron(series: &Series<'_>, moment: &Moment, j: usize, plane: &[Direction]) -> Vec<Dot> {
    let most = (CROWD / series.runs[0].width.max(1)).max(1);
    let mut dots = Vec::new();
    let (Some(t), Some(across)) = (moment.entry(series), plane.first()) else { return dots };
    for run in series.runs.iter().filter(|run| t < run.valid).take(most) {
        let x = across.cosine(run, t, j);
        let y = plane.get(1).map_or(run.of(&SECOND_LAYER)[t * run.width + j], |up| up.cosine(run, t, j));
        dots.push(Dot { x, y, low: y, high: y });
    }
    dots
}

/// The range of the dots, and 0.
pub(crate) fn heights(marks: &[Mark]) -> (f64, f64) {
    let heights = || {
        marks.iter().filter_map(|mark| if let Mark::Dots { points, .. } = mark { Some(points) } else { None }).flatten()
    };
    let low = heights().map(|dot| dot.y).filter(|y| y.is_finite()).fold(0.0, f64::min);
    let high = heights().map(|dot| dot.y).filter(|y| y.is_finite()).fold(0.0, f64::max);
    let room = 0.08 * (high - low).max(1e-6);
    (low - room, high + room)
}

//! How the neurons' cosines are distributed, one panel for each direction and time.

use super::{
    AxisOf, Block, Dot, Key, Mark, Panel, Sample, Style,
    curves::spread,
    direction::{Direction, directions},
    scatter::{moments, nearest, short},
    series::{Estimate, Series, legend, series},
};
use twolayer_file::experiment::{Experiment, Figure, Scale};

use crate::outcome::Outcome;

/// Bars over [−1, 1].
const BARS: usize = 20;
/// Rows of panels.
const DIRECTIONS: usize = 3;

/// Bars for simulations, with ± 2 standard errors over replicates; a line of steps for limits.
pub(super) fn histogram(experiment: &Experiment, outcomes: &[Outcome], figure: &Figure) -> Block {
    let (all, settings) = series(experiment, outcomes);
    let every = all.first().map(|s| directions(figure, &s.view.problem.target.overlaps)).unwrap_or_default();
    let shown = spread(every.len(), DIRECTIONS);
    let times = if figure.at.is_empty() { moments(&all) } else { figure.at.clone() };
    let style = |series: &Series<'_>| match series.is_limit() {
        true => Style { size: 2.0, ..series.style(series.color(settings), series.rank + series.setting) },
        false => {
            Style { size: 1.0, opacity: 0.25, ..series.style(series.color(settings), series.rank + series.setting) }
        }
    };
    let mut panels: Vec<Panel> = Vec::new();
    for &r in &shown {
        for &time in &times {
            let mut marks = Vec::new();
            for series in all.iter().filter(|s| !s.is_limit()).chain(all.iter().filter(|s| s.is_limit())) {
                let own = directions(figure, &series.view.problem.target.overlaps);
                if let Some(direction) = own.get(r) {
                    marks.extend(bars(series, direction, time, figure, style(series)));
                }
            }
            let along = if every.len() > 1 { format!("{}, ", every[r].name) } else { String::new() };
            let label = match every.len() {
                1 => format!("cosine with {}", every[r].name),
                _ => "cosine".into(),
            };
            panels.push(Panel {
                title: format!("{along}t = {}", short(time)),
                x: AxisOf::new(label, Scale::Linear, (-1.0, 1.0)),
                y: AxisOf::new("density of neurons", Scale::Linear, (0.0, 1.0)),
                square: false,
                marks,
            });
        }
    }
    // One vertical axis for all panels.
    let heights = panels.iter().flat_map(|panel| &panel.marks).flat_map(|mark| match mark {
        Mark::Bars { heights, .. } => heights.clone(),
        Mark::Line { points, .. } => points.iter().map(|point| point.1).collect(),
        _ => Vec::new(),
    });
    let high = heights.filter(|y| y.is_finite()).fold(0.1, f64::max);
    panels.iter_mut().for_each(|panel| panel.y.limits = (0.0, 1.08 * high));
    let key = |series: &Series<'_>| Key {
        label: series.label(),
        sample: if series.is_limit() { Sample::Line } else { Sample::Area },
        style: style(series),
    };
    let mut remark = String::new();
    if shown.len() < every.len() {
        remark = format!("{} of {} directions.", shown.len(), every.len());
    }
    let columns = if times.len() == 4 { 2 } else { times.len().clamp(1, 3) };
    Block { legend: legend(&all, settings, key), panels, columns, remark }
}

/// The histogram of one view: the mean over replicates, each of which counts its own neurons.
fn bars(series: &Series<'_>, direction: &Direction, time: f64, figure: &Figure, style: Style) -> Vec<Mark> {
    let edges: Vec<f64> = (0..=BARS).map(|i| -1.0 + 2.0 * i as f64 / BARS as f64).collect();
    let counted: Vec<Vec<f64>> = (series.runs.iter())
        .filter_map(|run| {
            let t = nearest(run, time)?;
            let mut counts = [0.0; BARS];
            let mut total = 0.0;
            for j in (0..run.width).filter(|j| figure.neurons.is_empty() || figure.neurons.contains(j)) {
                let cosine = direction.cosine(run, t, j);
                if cosine.is_finite() {
                    let bar = ((cosine + 1.0) / 2.0 * BARS as f64).clamp(0.0, BARS as f64 - 1.0) as usize;
                    counts[bar] += 1.0;
                    total += 1.0;
                }
            }
            let width = 2.0 / BARS as f64;
            (total > 0.0).then(|| counts.iter().map(|count| count / (total * width)).collect())
        })
        .collect();
    if counted.is_empty() {
        return Vec::new();
    }
    let estimates: Vec<Estimate> =
        (0..BARS).map(|bar| Estimate::of(&counted.iter().map(|run| run[bar]).collect::<Vec<_>>())).collect();
    let heights: Vec<f64> = estimates.iter().map(|e| e.mean).collect();
    if series.is_limit() {
        let mut points = vec![(edges[0], 0.0)];
        for (i, height) in heights.iter().enumerate() {
            points.extend([(edges[i], *height), (edges[i + 1], *height)]);
        }
        points.push((edges[BARS], 0.0));
        return vec![Mark::Line { points, style }];
    }
    let middle = |i: usize| 0.5 * (edges[i] + edges[i + 1]);
    let dots = estimates.iter().enumerate().filter(|(_, e)| e.bar > 0.0).map(|(i, e)| {
        let (low, high) = ((e.mean - e.bar).max(0.0), e.mean + e.bar);
        Dot { x: middle(i), y: e.mean, low, high }
    });
    let dots = Mark::Dots { points: dots.collect(), style: Style { size: 1.4, opacity: 1.0, ..style } };
    vec![Mark::Bars { edges, heights, style }, dots]
}

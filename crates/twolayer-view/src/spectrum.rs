//! The eigenvalues of the feature covariance as a histogram on a log scale, one panel for each moment, with the bulk's edge
//! and what stands beyond it marked.

use twolayer::record::{Trajectory, observable::SPECTRUM};
use twolayer_file::experiment::{Axis, Experiment, Figure, panels_count_steps};

use crate::{
    AxisOf, Block, Dot, Key, Mark, Marker, Outcome, Panel, Sample, Scale, Style,
    moments::{Moment, moments},
    number::short,
    series::{Estimate, Series, legend, series},
};

/// Bars from the smallest to the largest eigenvalue that is drawn.
const BARS: usize = 40;
/// Eigenvalues below this part of the largest are rounding.
const SMALLEST: f64 = 1e-9;
/// An eigenvalue stands beyond the bulk where it is so many times the next one …
const APART: f64 = 1.5;
/// … and at most this many do.
const SPIKES: usize = 8;

/// The bulk's edge, and the eigenvalues beyond it, rising.
#[derive(Debug, Clone, PartialEq)]
struct Edge {
    bulk: f64,
    beyond: Vec<f64>,
}

/// The mean number of eigenvalues in each bar; of rising `spectra` over replicates.
pub(crate) fn spectrum(experiment: &Experiment, outcomes: &[Outcome], figure: &Figure) -> Block {
    let (mut all, settings) = series(experiment, outcomes);
    all.retain(|series| series.runs.iter().any(|run| run.is_whole(&SPECTRUM)));
    let ends = [0.0, all.first().map_or(0.0, end)];
    let (shown, said) = moments(&all, if figure.at.is_empty() { &ends } else { &figure.at });
    let style = |series: &Series<'_>| Style {
        size: 1.0,
        opacity: 0.25,
        ..series.style(series.color(settings), series.rank + series.setting)
    };
    let drawn: Vec<Vec<Vec<Vec<f64>>>> =
        shown.iter().map(|moment| all.iter().map(|series| spectra(series, moment)).collect()).collect();
    let values = || drawn.iter().flatten().flatten().flatten().copied().filter(|value| value.is_finite());
    let high = values().fold(f64::NEG_INFINITY, f64::max);
    let low = values().filter(|value| *value > SMALLEST * high).fold(f64::INFINITY, f64::min);
    let (low, high) = if low < high { (low / 1.05, high * 1.3) } else { (0.1, 1.0) };
    let edges: Vec<f64> = (0..=BARS).map(|i| low * (high / low).powf(i as f64 / BARS as f64)).collect();
    let mut panels: Vec<Panel> = Vec::new();
    for (moment, of_views) in shown.iter().zip(&drawn) {
        let (mut marks, mut words) = (Vec::new(), Vec::new());
        for (series, runs) in all.iter().zip(of_views) {
            let Some(edge) = edge(runs) else { continue };
            marks.extend(bars(&edges, runs, style(series)));
            marks.push(Mark::Upright(edge.bulk));
            let spikes = edge.beyond.iter().map(|x| Dot { x: *x, y: 0.0, low: 0.0, high: 0.0 }).collect();
            marks.push(Mark::Dots {
                points: spikes,
                style: Style { size: 5.0, opacity: 1.0, marker: Marker::TriangleDown, ..style(series) },
            });
            words.push(in_words(&edge, if all.len() > 1 { &series.view.name } else { "" }));
        }
        panels.push(Panel {
            title: std::iter::once(moment.title.clone()).chain(words).collect::<Vec<_>>().join("\n"),
            x: AxisOf::new("eigenvalue of the feature covariance", Scale::Log, (low, high)),
            y: AxisOf::new("eigenvalues", Scale::Log, (0.5, 1.0)),
            square: false,
            marks,
        });
    }
    let tallest = panels.iter().flat_map(|panel| &panel.marks).flat_map(|mark| match mark {
        Mark::Bars { heights, .. } => heights.clone(),
        Mark::Line { .. } | Mark::Dots { .. } | Mark::UnitCircle | Mark::Level(_) | Mark::Upright(_) => Vec::new(),
    });
    let tallest = 1.4 * tallest.fold(1.0, f64::max);
    for panel in &mut panels {
        panel.y.limits = (0.5, tallest);
        // What stands beyond the edge is marked above its bar.
        for mark in &mut panel.marks {
            if let Mark::Dots { points, style } = mark
                && style.marker == Marker::TriangleDown
            {
                points.iter_mut().for_each(|dot| (dot.y, dot.low, dot.high) = (2.0, 2.0, 2.0));
            }
        }
    }
    let key = |series: &Series<'_>| Key { label: series.label(), sample: Sample::Area, style: style(series) };
    let words = "Dashed: the largest eigenvalue of the bulk; ▽ beyond it.";
    let columns = panels.len().clamp(1, 2);
    Block { legend: legend(&all, settings, key), panels, columns, remark: format!("{words} {said}").trim().into() }
}

/// The last moment, in the unit that panels count.
fn end(series: &Series<'_>) -> f64 {
    let axis = if panels_count_steps([series.view]) { Axis::Step } else { Axis::Time };
    series.abscissa(&axis).into_iter().filter(|x| x.is_finite()).fold(0.0, f64::max)
}

/// The spectrum of each run that is valid at the moment.
fn spectra(series: &Series<'_>, moment: &Moment) -> Vec<Vec<f64>> {
    let Some(t) = moment.entry(series) else { return Vec::new() };
    let of_run = |run: &Trajectory| run.is_whole(&SPECTRUM).then(|| run.row(&SPECTRUM, t).to_vec());
    let known = series.runs.iter().filter(|run| t < run.valid).filter_map(of_run);
    known.filter(|values| values.iter().all(|value| value.is_finite())).collect()
}

/// The widest gap among the largest eigenvalues, as means over runs, parts the bulk from what stands beyond it.
fn edge(runs: &[Vec<f64>]) -> Option<Edge> {
    let p = runs.first().map(Vec::len).filter(|p| *p > 0)?;
    let mean = |j: usize| runs.iter().map(|run| run[j]).sum::<f64>() / runs.len() as f64;
    let values: Vec<f64> = (0..p).map(mean).collect();
    let gap = |j: usize| values[j + 1] / values[j].max(1e-300);
    let from = (p - 1).saturating_sub(SPIKES.min(p / 4));
    let widest = (from..p - 1).max_by(|&a, &b| gap(a).total_cmp(&gap(b))).filter(|&j| gap(j) >= APART);
    let last = widest.unwrap_or(p - 1);
    Some(Edge { bulk: values[last], beyond: values[last + 1..].to_vec() })
}

fn bars(edges: &[f64], runs: &[Vec<f64>], style: Style) -> Vec<Mark> {
    let count = |run: &Vec<f64>, i: usize| run.iter().filter(|x| **x >= edges[i] && **x < edges[i + 1]).count() as f64;
    let estimate = |i: usize| Estimate::of(&runs.iter().map(|run| count(run, i)).collect::<Vec<_>>());
    let heights = (0..edges.len() - 1).map(|i| estimate(i).mean).collect();
    vec![Mark::Bars { edges: edges.to_vec(), heights, style }]
}

/// `edge 0.12; beyond it 0.9, 3.4`.
fn in_words(edge: &Edge, view: &str) -> String {
    let name = if view.is_empty() { String::new() } else { format!("{view}: ") };
    let beyond: Vec<String> = edge.beyond.iter().map(|value| short(*value)).collect();
    let beyond = if beyond.is_empty() { "none beyond it".into() } else { format!("beyond it {}", beyond.join(", ")) };
    format!("{name}edge {}, {beyond}", short(edge.bulk))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_apart_from_the_bulk_is_beyond_its_edge() {
        let mut values: Vec<f64> = (1..=40).map(|j| 0.1 + 0.01 * f64::from(j)).collect();
        assert_eq!(edge(&[values.clone()]), Some(Edge { bulk: 0.5, beyond: Vec::new() }));
        values[38] = 1.5;
        values[39] = 4.0;
        let found = edge(&[values.clone(), values]).unwrap();
        assert!((found.bulk - 0.48).abs() < 1e-12 && found.beyond == [1.5, 4.0], "{found:?}");
        assert_eq!(in_words(&found, ""), "edge 0.48, beyond it 1.5, 4");
        assert_eq!(edge(&[]), None);
        assert_eq!(edge(&[vec![2.0]]), Some(Edge { bulk: 2.0, beyond: Vec::new() }));
    }
}

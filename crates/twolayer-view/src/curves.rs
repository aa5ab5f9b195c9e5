//! Risk and overlaps against time, steps or samples.

use twolayer::record::{
    KeepQ, Trajectory,
    observable::{RISK, TRAINING_RISK},
};

use super::{
    AxisOf, Block, Dash, Key, Mark, Panel, Sample, Scale, Style,
    axes::{Curve, horizontal, marks, vertical},
    direction::directions,
    plateaus, scale_of,
    series::{HELD, Neurons, Series, legend, series, setting_label},
};
use twolayer_file::experiment::{Experiment, Figure, Quantity};

use crate::outcome::Outcome;

/// More neurons than colours cannot be told apart.
const NEURONS: usize = super::PALETTE.len();
/// More panels than this are not read.
const DIRECTIONS: usize = 6;
/// A direction whose overlaps fill less than this part of the shared scale has its own.
const FLAT: f64 = 0.15;

/// A number of a run at a recorded moment.
pub(crate) type Value = fn(&Trajectory, usize) -> f64;

/// The label of a quantity that has one number at each time, and the number; `None` for the others.
pub(crate) fn scalar(y: Quantity) -> Option<(&'static str, Value)> {
    match y {
        Quantity::Risk => Some(("risk  ½ E(f − g)²", |run, t| run.of(&RISK)[t])),
        Quantity::TwiceRisk => Some(("E(f − g)²", |run, t| 2.0 * run.of(&RISK)[t])),
        Quantity::TrainingRisk => Some(("training risk  ½ mean (f − y)²", |run, t| {
            run.get(&TRAINING_RISK).map_or(f64::NAN, |risk| risk[t])
        })),
        Quantity::Overlap | Quantity::Cosine | Quantity::Crossing | Quantity::Plateau | Quantity::HalfTime => None,
        Quantity::Readout => None,
        Quantity::Scatter | Quantity::Histogram | Quantity::Cloud | Quantity::Gradient | Quantity::Spectrum => None,
    }
}

/// The risk, twice it, or the training risk: lines for limits, dots for simulations.
pub(crate) fn risk(
    experiment: &Experiment,
    outcomes: &[Outcome],
    figure: &Figure,
    (label, value): (&str, Value),
) -> Block {
    let (mut all, settings) = series(experiment, outcomes);
    let without: Vec<String> = (all.iter())
        .filter(|s| figure.y == Quantity::TrainingRisk && s.runs[0].get(&TRAINING_RISK).is_none())
        .map(|s| s.view.name.clone())
        .collect();
    all.retain(|s| !without.contains(&s.view.name));
    let curves: Vec<Curve> = (all.iter())
        .map(|series| Curve {
            limit: series.is_limit(),
            index: series.index,
            x: series.abscissa(&figure.x),
            y: series.estimates(usize::MAX, |_, run, t| value(run, t)),
            style: series.style(series.color(settings), series.rank + series.setting),
        })
        .collect();
    let x = horizontal(&figure.x, scale_of(figure.x_scale), &curves);
    // Stairs are seen on a linear axis.
    let stairs = outcomes.iter().any(|outcome| !outcome.expected.is_empty());
    let scale = scale_of(figure.y_scale).or(stairs.then_some(Scale::Linear));
    let y = vertical(scale, label, &curves, &x);
    let key = |s: &Series<'_>| Key {
        label: s.label(),
        sample: if s.is_limit() { Sample::Line } else { Sample::Dot },
        style: s.style(s.color(settings), s.rank + s.setting),
    };
    let mut remarks = Vec::new();
    if !without.is_empty() {
        remarks.push(format!("No training set: {}.", without.join(", ")));
    }
    if all.iter().any(Series::holds) {
        remarks.push(HELD.into());
    }
    let color = |one: &Series<'_>| one.style(one.color(settings), 0);
    let phases = plateaus::marks(&all, outcomes, figure, color, (&x, &y));
    remarks.extend(Some(phases.remark.to_string()).filter(|remark| !remark.is_empty()));
    let marks = [phases.below, phases.above, marks(&curves, &x, 25)].concat();
    let remark = remarks.join(" ");
    Block {
        legend: legend(&all, settings, key),
        panels: vec![Panel { title: String::new(), marks, x, y, square: false }],
        columns: 1,
        remark,
    }
}

/// M_jr or cosines: a column for each direction, a row for each setting, a colour for each neuron.
pub(crate) fn overlaps(experiment: &Experiment, outcomes: &[Outcome], figure: &Figure) -> Vec<Block> {
    let (all, settings) = series(experiment, outcomes);
    let Some(first) = all.first() else { return Vec::new() };
    let p = first.runs[0].width;
    let every = directions(figure, &first.view.problem.target.overlaps);
    let neurons = chosen_neurons(figure, p);
    let shown = spread(every.len(), DIRECTIONS);
    let cosine = figure.y == Quantity::Cosine;
    // Dashes tell limits apart where there are several, else neurons, so that curves on top of each other are seen.
    let dashed = all.iter().all(|s| !s.is_limit() || s.part == 0);
    let mut panels: Vec<(String, Vec<Curve>)> = Vec::new();
    for setting in 0..settings {
        let label = setting_label(&all, setting, settings);
        for (column, &r) in shown.iter().enumerate() {
            let mut curves = Vec::new();
            for series in all.iter().filter(|s| s.setting == setting) {
                // Settings may have targets of their own.
                let own = directions(figure, &series.view.problem.target.overlaps);
                let Some(direction) = own.get(r) else { continue };
                for (color, &j) in neurons.iter().enumerate().filter(|(_, j)| **j < series.runs[0].width) {
                    let y = series.of_neuron(j, |run, t, j| {
                        if cosine { direction.cosine(run, t, j) } else { direction.overlap(run, t, j) }
                    });
                    let shift = if dashed && series.is_limit() { color } else { 0 };
                    let style = series.style(color, series.part + shift);
                    let (limit, index) = (series.is_limit(), series.index);
                    curves.push(Curve { limit, index, x: series.abscissa(&figure.x), y, style });
                }
            }
            let along = if every.len() > 1 { format!("along {}", every[r].name) } else { String::new() };
            // What a row of panels has in common is said above its first.
            let common = if column == 0 { label.clone() } else { String::new() };
            let title = [common, along].into_iter().filter(|s| !s.is_empty()).collect::<Vec<_>>();
            panels.push((title.join("\n"), curves));
        }
    }
    let flat: Vec<&Curve> = panels.iter().flat_map(|(_, curves)| curves).collect();
    let x = horizontal(&figure.x, scale_of(figure.x_scale), flat.iter().copied());
    let label = if cosine { "cosine  M_{jr} / √(Q_{jj} P_{rr})" } else { "overlap  M_{jr}" };
    let scale = Some(scale_of(figure.y_scale).unwrap_or(Scale::Linear));
    let shared = vertical(scale, label, flat.iter().copied(), &x);
    // Along each direction; a scale of their own where one direction would be flat on the shared scale.
    let mut own: Vec<AxisOf> = (0..shown.len())
        .map(|column| {
            let curves = panels.iter().skip(column).step_by(shown.len()).flat_map(|(_, curves)| curves);
            vertical(scale, label, curves, &x)
        })
        .collect();
    let reach = |axis: &AxisOf| axis.limits.1 - axis.limits.0;
    if shared.scale == Scale::Log || own.iter().all(|axis| reach(axis) > FLAT * reach(&shared)) {
        own = vec![shared; shown.len()];
    }
    let columns = if shown.len() == 4 { 2 } else { shown.len().min(3) };
    let count = if panels.len() > 1 { 13 } else { 25 };
    let drawn = panels.iter().enumerate().map(|(number, (title, curves))| {
        let y = &own[number % shown.len()];
        let mut all = if y.scale == Scale::Linear { vec![Mark::Level(0.0)] } else { Vec::new() };
        all.extend(marks(curves, &x, count));
        Panel { title: title.clone(), x: x.clone(), y: y.clone(), square: false, marks: all }
    });
    vec![Block {
        legend: overlap_legend(&all, settings, if p > 1 { &neurons } else { &[] }, dashed),
        panels: drawn.collect(),
        columns,
        remark: remark(&all, (neurons.len(), p), (shown.len(), every.len()), cosine),
    }]
}

/// The neurons that are asked for, or as many as there are colours, evenly spread.
fn chosen_neurons(figure: &Figure, p: usize) -> Vec<usize> {
    let asked: Vec<usize> = figure.neurons.iter().copied().filter(|j| *j < p).collect();
    if asked.is_empty() { spread(p, NEURONS) } else { asked }
}

/// Views in black (one for each kind, where panels are of several settings), neurons in their colours.
fn overlap_legend(all: &[Series<'_>], settings: usize, neurons: &[usize], dashed: bool) -> Vec<Vec<Key>> {
    let mut views: Vec<Key> = Vec::new();
    for series in all {
        let key = Key {
            label: if settings > 1 { series.kind() } else { series.label() },
            sample: if series.is_limit() { Sample::Line } else { Sample::Dot },
            style: Style { color: "#222222", ..series.style(0, series.part) },
        };
        if !views.contains(&key) {
            views.push(key);
        }
    }
    let mut legend = vec![views];
    if !neurons.is_empty() {
        let words = Key { label: "neuron".into(), sample: Sample::Words, style: Style::line(0, Dash::Solid) };
        let colors = neurons.iter().enumerate().map(|(color, j)| Key {
            label: (j + 1).to_string(),
            sample: Sample::Line,
            style: Style { size: 2.2, ..Style::line(color, Dash::nth(if dashed { color } else { 0 })) },
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
    if all.iter().any(|series| matches!(series.neurons, Neurons::Matched(_))) {
        remarks.push("Starts are independent: neurons are matched by their |cosines| at the end.".into());
    }
    if all.iter().any(|series| series.neurons == Neurons::First) {
        remarks.push("Starts are independent, and neurons not alike: not averaged, dots are the first run.".into());
    }
    if all.iter().any(Series::holds) {
        remarks.push(HELD.into());
    }
    if cosine && all.iter().any(|series| series.runs[0].keep_q() == KeepQ::None) {
        remarks.push("Views without recorded Q have no cosines.".into());
    }
    remarks.join(" ")
}

/// At most `most` of `0..n`, evenly spread.
pub(crate) fn spread(n: usize, most: usize) -> Vec<usize> {
    if n <= most { (0..n).collect() } else { (0..most).map(|i| i * n / most).collect() }
}

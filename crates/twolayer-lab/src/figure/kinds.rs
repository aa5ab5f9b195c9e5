//! One example of each kind of figure: its structure under snapshot, its picture in `docs/figures/kinds/`.

use std::{env, fmt::Write as _, fs, path::Path};

use twolayer::problem::{Crossing, CrossingOf, Engine, StartMode};

use super::*;
use twolayer_file::experiment::{Directions, Figure, NamedView};

use crate::fabricated::{self, Sizes};

const SIZES: Sizes = Sizes { p: 4, k: 2 };

fn views(sizes: Sizes) -> Vec<NamedView> {
    vec![
        fabricated::view("limit", Engine::Limit, sizes, 1000),
        fabricated::view("reduced", Engine::Reduced, sizes, 100_000),
        fabricated::view("direct", Engine::Direct, sizes, 1000),
    ]
}

/// The law at a rate, with noise.
fn outcomes(sizes: Sizes, rate: f64, noise: f64, seed: u64) -> Vec<Outcome> {
    let times = fabricated::log_times(120, 1e-3, 30.0);
    let fast: Vec<f64> = times.iter().map(|t| rate * t).collect();
    let mut all = vec![
        fabricated::limit(sizes, &fast, 1e-6),
        fabricated::simulation(sizes, &fast, 16, 0.1 * noise, 2 * seed),
        fabricated::simulation(sizes, &fast, 8, noise, 2 * seed + 1),
    ];
    for run in all.iter_mut().flat_map(|outcome| &mut outcome.trajectories) {
        run.time.clone_from(&times);
    }
    all
}

fn drawn(figure: Figure) -> Drawing {
    draw(&fabricated::experiment(views(SIZES), vec![figure]), &outcomes(SIZES, 1.0, 0.08, 1), "0.1.0")
}

/// A training risk below the risk, as long as samples are reused.
fn training_risk() -> Drawing {
    let mut all = outcomes(SIZES, 1.0, 0.02, 1);
    for run in all.iter_mut().flat_map(|outcome| &mut outcome.trajectories) {
        run.training_risk = Some(run.risk.iter().zip(&run.time).map(|(r, t)| r * (-0.1 * t).exp()).collect());
    }
    let figure = Figure::new(Quantity::TrainingRisk, Axis::Step);
    draw(&fabricated::experiment(views(SIZES), vec![figure]), &all, "0.1.0")
}

/// Independent starts: neurons in another order in each run.
fn matched() -> Drawing {
    let mut all = outcomes(SIZES, 1.0, 0.04, 1);
    let mut named = views(SIZES);
    for (view, outcome) in named.iter_mut().zip(&mut all).skip(1) {
        view.problem.network.start = StartMode::Independent;
        for (r, run) in outcome.trajectories.iter_mut().enumerate() {
            run.student_teacher.chunks_mut(8).for_each(|m| m.rotate_left(2 * ((r + 1) % 4)));
        }
    }
    draw(&fabricated::experiment(named, vec![fabricated::figure(Quantity::Cosine)]), &all, "0.1.0")
}

fn with_crossings(mut named: Vec<NamedView>) -> Vec<NamedView> {
    let crossing = |of, level| Crossing { of, level, stop: false };
    for view in &mut named {
        view.record.crossings = vec![crossing(CrossingOf::Risk, 0.1), crossing(CrossingOf::Cosine, 0.5)];
    }
    named
}

/// Crossing steps of `outcomes` at the means of both levels, scattered.
fn cross(named: &[NamedView], all: &mut [Outcome], time: f64) {
    for (view, outcome) in named.iter().zip(all) {
        let step_time = view.problem.step_time();
        let simulated = outcome.trajectories.len() > 1;
        for (r, run) in outcome.trajectories.iter_mut().enumerate() {
            let off = if simulated { 1.0 + 0.3 * (r as f64 * 2.4).sin() } else { 1.0 };
            run.crossing_step = vec![time * off / step_time, 3.0 * time * off / step_time];
            if r == 5 {
                run.crossing_step[1] = f64::NAN;
            }
        }
    }
}

fn crossing() -> Drawing {
    let named = with_crossings(views(SIZES));
    let mut all = outcomes(SIZES, 1.0, 0.08, 1);
    cross(&named, &mut all, 0.7);
    draw(&fabricated::experiment(named, vec![fabricated::figure(Quantity::Crossing)]), &all, "0.1.0")
}

/// Many neurons, from flat at the start to both ends.
fn histogram() -> Drawing {
    let sizes = Sizes { p: 400, k: 1 };
    let mut named = views(sizes);
    named.truncate(2);
    let times = [0.0, 1.0, 10.0];
    let mut all = vec![fabricated::limit(sizes, &times, 1e-6), fabricated::simulation(sizes, &times, 8, 0.0, 1)];
    for (i, outcome) in all.iter_mut().enumerate() {
        for (r, run) in outcome.trajectories.iter_mut().enumerate() {
            for (t, m) in run.student_teacher.chunks_mut(400).enumerate() {
                for (j, m) in m.iter_mut().enumerate() {
                    let golden = (j as f64 + 0.37 * (r * i) as f64) * 0.618_034;
                    let start = 2.0 * golden.fract() - 1.0;
                    let bend = [1.0, 0.45, 0.05][t];
                    *m = start.signum() * start.abs().powf(bend);
                }
            }
        }
    }
    let figure = Figure { at: times.into(), ..fabricated::figure(Quantity::Histogram) };
    draw(&fabricated::experiment(named, vec![figure]), &all, "0.1.0")
}

/// A sweep over `values` of the keys; the first one sets the rate.
fn sweep(figures: Vec<Figure>, points: &[Vec<(&str, String)>]) -> Drawing {
    let mut named = with_crossings(views(SIZES));
    named.truncate(2);
    let experiment = fabricated::experiment(named, figures);
    let summaries: Vec<Summary> = (points.iter().enumerate())
        .map(|(i, values)| {
            let values: Vec<(String, String)> = values.iter().map(|(k, v)| (k.to_string(), v.clone())).collect();
            let number = |i: usize| values.get(i).map_or(1.0, |(_, v)| v.parse::<f64>().unwrap_or(3.0));
            let rate = number(0).powf(-0.5) * number(1);
            let mut all = outcomes(SIZES, rate, 0.1, i as u64);
            all.truncate(2);
            cross(&experiment.views, &mut all, 0.7 / rate);
            Summary::of(&values, &experiment, &all)
        })
        .collect();
    draw_sweep(&experiment, &summaries, "0.1.0")
}

fn along(key: &'static str, values: &[f64]) -> Vec<Vec<(&'static str, String)>> {
    values.iter().map(|value| vec![(key, value.to_string())]).collect()
}

fn grid(values: &[f64], others: &[&str]) -> Vec<Vec<(&'static str, String)>> {
    let inner = |value: f64| others.iter().map(move |other| (value, other.to_string()));
    (values.iter().flat_map(|&value| inner(value)))
        .map(|(value, other)| vec![("target.noise", value.to_string()), ("constants.rate", other)])
        .collect()
}

/// Every kind, by the name of its picture.
fn kinds() -> Vec<(&'static str, Drawing)> {
    let against = |y, key: &str| Figure::new(y, Axis::Swept(key.into()));
    let many: Vec<f64> = (0..50).map(|i| 10_f64.powf(f64::from(i) / 24.5)).collect();
    let given = Directions::Given(vec![vec![1.0, 1.0], vec![1.0, -1.0]]);
    vec![
        ("risk", drawn(fabricated::figure(Quantity::Risk))),
        ("twice-risk-samples", drawn(Figure::new(Quantity::TwiceRisk, Axis::Samples))),
        ("training-risk", training_risk()),
        ("overlap-directions", drawn(Figure { directions: given, ..fabricated::figure(Quantity::Overlap) })),
        ("overlap-neurons", drawn(Figure { neurons: vec![0, 1], ..fabricated::figure(Quantity::Overlap) })),
        ("cosine-matched", matched()),
        ("scatter", drawn(Figure { at: vec![0.0, 1.0, 10.0], ..fabricated::figure(Quantity::Scatter) })),
        ("histogram", histogram()),
        ("crossing", crossing()),
        (
            "sweep-risk",
            sweep(vec![fabricated::figure(Quantity::Risk)], &along("target.noise", &[1.0, 4.0, 16.0, 64.0])),
        ),
        ("sweep-many", sweep(vec![fabricated::figure(Quantity::Risk)], &along("target.noise", &many))),
        (
            "sweep-grid",
            sweep(vec![fabricated::figure(Quantity::Cosine)], &grid(&[1.0, 4.0, 16.0, 64.0], &["1", "0.1"])),
        ),
        ("sweep-final", sweep(vec![against(Quantity::Risk, "target.noise")], &grid(&many[..24], &["1", "0.5", "0.2"]))),
        ("sweep-crossing", sweep(vec![against(Quantity::Crossing, "target.noise")], &along("target.noise", &many))),
        (
            "sweep-names",
            sweep(
                vec![against(Quantity::Risk, "network.activation")],
                &["erf", "relu", "tanh"].map(|name| vec![("network.activation", format!("\"{name}\""))]),
            ),
        ),
    ]
}

/// What is drawn, without the numbers.
fn structure(drawing: &Drawing) -> String {
    let mut text = String::new();
    for block in &drawing.blocks {
        for row in &block.legend {
            let keys: Vec<String> =
                row.iter().map(|key| format!("{:?} {} {}", key.sample, key.style.color, key.label)).collect();
            let _ = writeln!(text, "legend: {}", keys.join(" | "));
        }
        let _ = writeln!(text, "{} panels in {} columns; {:?}", block.panels.len(), block.columns, block.remark);
        for panel in &block.panels {
            let axis = |axis: &AxisOf| format!("{} ({}{})", axis.label, axis.scale.name(), axis.names.join(", "));
            let mut marks: Vec<(String, usize)> = Vec::new();
            for mark in &panel.marks {
                let name = match mark {
                    Mark::Line { style, .. } => format!("line {:?}", style.dash),
                    Mark::Dots { style, .. } => format!("dots {:?}", style.marker),
                    Mark::Bars { .. } => "bars".into(),
                    Mark::UnitCircle => "unit circle".into(),
                    Mark::Level(y) => format!("level {y}"),
                };
                match marks.last_mut() {
                    Some((last, count)) if *last == name => *count += 1,
                    _ => marks.push((name, 1)),
                }
            }
            let marks: Vec<String> = marks.into_iter().map(|(name, count)| format!("{count} {name}")).collect();
            let _ = writeln!(
                text,
                "  {:?}: {} against {}: {}",
                panel.title,
                axis(&panel.y),
                axis(&panel.x),
                marks.join(", ")
            );
        }
    }
    text
}

/// `TWOLAYER_WRITE_FIGURES=1` writes the pictures.
#[test]
fn each_kind_of_figure_has_its_structure_and_its_picture() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/figures/kinds");
    let mut all = String::new();
    for (name, drawing) in kinds() {
        let _ = writeln!(all, "## {name}\n{}", structure(&drawing));
        let picture = svg(&drawing);
        assert!(!picture.contains("NaN"), "{name}");
        let path = directory.join(format!("{name}.svg"));
        if env::var_os("TWOLAYER_WRITE_FIGURES").is_some() {
            fs::create_dir_all(&directory).unwrap();
            fs::write(&path, picture).unwrap();
            fs::write(env::temp_dir().join(format!("kind-{name}.png")), png(&drawing, 1100).unwrap()).unwrap();
        }
        assert!(path.exists(), "docs/figures/kinds/{name}.svg is missing: run the tests with TWOLAYER_WRITE_FIGURES=1");
    }
    insta::assert_snapshot!(all);
}

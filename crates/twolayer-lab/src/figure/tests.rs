use twolayer::problem::Engine;

use super::*;
use twolayer_file::experiment::{Axis, Figure, NamedView};

use crate::fabricated::{self, Sizes};

const SIZES: Sizes = Sizes { p: 4, k: 2 };

/// A limit, and simulations at two dimensions.
fn plain(figures: Vec<Figure>) -> (Experiment, Vec<Outcome>) {
    let times = fabricated::log_times(200, 1e-5, 30.0);
    let views = vec![
        fabricated::view("limit", Engine::Limit, SIZES, 1000),
        fabricated::view("reduced", Engine::Reduced, SIZES, 100_000),
        fabricated::view("direct", Engine::Direct, SIZES, 1000),
    ];
    let outcomes = vec![
        fabricated::limit(SIZES, &times, 1e-6),
        fabricated::simulation(SIZES, &times, 16, 0.01, 1),
        fabricated::simulation(SIZES, &times, 16, 0.08, 2),
    ];
    (fabricated::experiment(views, figures), outcomes)
}

/// Two settings, few steps.
fn settings(figures: Vec<Figure>) -> (Experiment, Vec<Outcome>) {
    let sizes = Sizes { p: 2, k: 2 };
    let times: Vec<f64> = (0..=6).map(f64::from).collect();
    let fresh = |mut view: NamedView| {
        view.overrides.push(("training.data".into(), "\"reused\"".into()));
        view
    };
    let views = vec![
        fabricated::view("limit", Engine::Limit, sizes, 5000),
        fabricated::view("reduced", Engine::Reduced, sizes, 5000),
        fresh(fabricated::view("limit-2", Engine::Limit, sizes, 5000)),
        fresh(fabricated::view("reduced-2", Engine::Reduced, sizes, 5000)),
    ];
    let slow: Vec<f64> = times.iter().map(|t| 0.5 * t).collect();
    let mut outcomes = vec![
        fabricated::limit(sizes, &times, 1e-6),
        fabricated::simulation(sizes, &times, 16, 0.05, 1),
        fabricated::limit(sizes, &slow, 1e-6),
        fabricated::simulation(sizes, &slow, 16, 0.05, 2),
    ];
    for outcome in &mut outcomes {
        for run in &mut outcome.trajectories {
            run.time = times.clone();
            run.step = times.clone();
        }
    }
    let mut experiment = fabricated::experiment(views, figures);
    experiment.title = "Reusing the batch learns what one pass cannot".into();
    (experiment, outcomes)
}

/// More neurons and directions than colours and panels; one direction, for the second layer.
fn wide() -> (Experiment, Vec<Outcome>) {
    let sizes = Sizes { p: 40, k: 8 };
    let times = fabricated::log_times(100, 1e-2, 30.0);
    let views = vec![
        fabricated::view("a limit with a long name", Engine::Limit, sizes, 1000),
        fabricated::view("a simulation with a long name", Engine::Reduced, sizes, 12_345),
        fabricated::view("another one, longer even than that", Engine::Direct, sizes, 1000),
    ];
    let outcomes = vec![
        fabricated::limit(sizes, &times, 1e-6),
        fabricated::simulation(sizes, &times, 16, 0.05, 1),
        fabricated::simulation(sizes, &times, 1, 0.05, 2),
    ];
    let figures = vec![fabricated::figure(Quantity::Overlap), fabricated::figure(Quantity::Scatter)];
    (fabricated::experiment(views, figures), outcomes)
}

fn step(y: Quantity) -> Figure {
    Figure { x: Axis::Step, ..fabricated::figure(y) }
}

fn samples() -> Vec<(&'static str, Experiment, Vec<Outcome>)> {
    let named = |name, (experiment, outcomes)| (name, experiment, outcomes);
    vec![
        named("risk", plain(vec![fabricated::figure(Quantity::Risk), fabricated::figure(Quantity::Overlap)])),
        named("scatter", plain(vec![Figure { at: vec![0.0, 0.5, 3.0], ..fabricated::figure(Quantity::Scatter) }])),
        named("wide", wide()),
        named("settings", settings(vec![step(Quantity::TwiceRisk), step(Quantity::Cosine)])),
    ]
}

/// `cargo test -p twolayer-lab sample_figures -- --ignored --nocapture`, then look at them.
#[test]
#[ignore = "writes pictures to look at"]
fn sample_figures() {
    for (name, experiment, outcomes) in samples() {
        let drawing = draw(&experiment, &outcomes, "0.1.0");
        let directory = std::env::temp_dir();
        std::fs::write(directory.join(format!("twolayer-{name}.svg")), svg(&drawing)).unwrap();
        let path = directory.join(format!("twolayer-{name}.png"));
        std::fs::write(&path, png(&drawing, 1800).unwrap()).unwrap();
        eprintln!("{}", path.display());
    }
}

/// Every number in an SVG path or position.
fn numbers_are_finite(svg: &str) -> bool {
    !svg.contains("NaN") && !svg.contains("inf\"") && !svg.contains("infL") && !svg.contains("-inf")
}

#[test]
fn limits_are_lines_and_simulations_dots_with_two_standard_errors() {
    let (experiment, outcomes) = plain(vec![fabricated::figure(Quantity::Risk)]);
    let drawing = draw(&experiment, &outcomes, "0.1.0");
    let panel = &drawing.blocks[0].panels[0];
    assert_eq!((panel.x.scale, panel.y.scale), (Scale::Log, Scale::Log));
    let Mark::Line { points, .. } = &panel.marks[0] else { panic!("the limit is drawn first, as a line") };
    assert_eq!(points.len(), outcomes[0].trajectories[0].len());
    let Mark::Dots { points, .. } = &panel.marks[2] else { panic!("then the dots") };
    assert!((20..=28).contains(&points.len()), "{} dots", points.len());
    let last = points.last().unwrap();
    let values: Vec<f64> = outcomes[2].trajectories.iter().map(|run| *run.risk.last().unwrap()).collect();
    let mean = values.iter().sum::<f64>() / 16.0;
    let deviation = (values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 15.0).sqrt();
    approx::assert_relative_eq!(last.y, mean, max_relative = 1e-12);
    approx::assert_relative_eq!(last.high - last.low, 4.0 * deviation / 4.0, max_relative = 1e-9);
}

#[test]
fn twice_the_risk_is_twice_the_risk_and_cosines_divide_by_the_norms() {
    let (experiment, mut outcomes) =
        plain(vec![fabricated::figure(Quantity::TwiceRisk), fabricated::figure(Quantity::Cosine)]);
    outcomes[0].trajectories[0].student_squares.fill(4.0);
    let drawing = draw(&experiment, &outcomes, "0.1.0");
    let run = &outcomes[0].trajectories[0];
    let Mark::Line { points, .. } = &drawing.blocks[0].panels[0].marks[0] else { panic!() };
    assert_eq!(points[50].1, 2.0 * run.risk[50]);
    let second = &drawing.blocks[1].panels[1];
    assert_eq!(second.title, "along z₂");
    let Mark::Line { points, .. } = &second.marks[1] else { panic!() };
    assert_eq!(points[50].1, run.student_teacher[50 * 8 + 1] / 2.0);
}

#[test]
fn settings_have_their_own_colours_markers_and_headings() {
    let (mut experiment, outcomes) = settings(vec![step(Quantity::Risk)]);
    let fresh = serde_json::json!({ "training": { "data": "fresh" } });
    experiment.resolved.json = serde_json::json!({ "views": [fresh, fresh, fresh, fresh] });
    let block = &draw(&experiment, &outcomes, "0.1.0").blocks[0];
    let labels: Vec<Vec<&str>> =
        block.legend.iter().map(|row| row.iter().map(|k| k.label.as_str()).collect()).collect();
    assert_eq!(labels[0], ["data = fresh:", "limit", "reduced, d = 5000, 16 runs"]);
    assert_eq!(labels[1], ["data = reused:", "limit-2", "reduced-2, d = 5000, 16 runs"]);
    let style = |row: usize, key: usize| block.legend[row][key].style;
    assert_eq!(style(0, 1).color, style(0, 2).color);
    assert_ne!(style(0, 1).color, style(1, 1).color);
    assert_ne!((style(0, 1).dash, style(0, 2).marker), (style(1, 1).dash, style(1, 2).marker));
}

#[test]
fn independent_starts_that_learn_nothing_alike_are_not_averaged() {
    let (mut experiment, mut outcomes) = plain(vec![fabricated::figure(Quantity::Overlap)]);
    for view in &mut experiment.views {
        view.problem.network.start = twolayer::problem::StartMode::Independent;
    }
    // One neuron in two has learnt nothing, and the other little.
    for run in outcomes.iter_mut().flat_map(|outcome| &mut outcome.trajectories) {
        run.student_teacher.iter_mut().for_each(|m| *m *= 0.5);
    }
    let block = &draw(&experiment, &outcomes, "0.1.0").blocks[0];
    assert!(block.remark.contains("first run"), "{}", block.remark);
    let Some(Mark::Dots { points, .. }) = block.panels[0].marks.iter().find(|m| matches!(m, Mark::Dots { .. })) else {
        panic!("no dots")
    };
    let run = &outcomes[1].trajectories[0];
    let t = run.time.iter().position(|t| *t == points[0].x).unwrap();
    assert_eq!((points[0].y, points[0].high), (run.student_teacher[t * 8], points[0].y));
}

/// Odd sizes and broken runs: a picture with finite numbers all the same.
#[test]
fn nothing_breaks_a_figure() {
    let all = [
        Quantity::Risk,
        Quantity::TwiceRisk,
        Quantity::Overlap,
        Quantity::Cosine,
        Quantity::TrainingRisk,
        Quantity::Crossing,
        Quantity::Scatter,
        Quantity::Histogram,
    ];
    let figures: Vec<Figure> = all.into_iter().map(fabricated::figure).collect();
    for (p, k) in [(1, 1), (40, 1), (3, 8)] {
        for times in [vec![0.0], vec![0.0, 1.0], fabricated::log_times(50, 1e-3, 1e4)] {
            let sizes = Sizes { p, k };
            let views = vec![
                fabricated::view("limit", Engine::Limit, sizes, 1000),
                fabricated::view("reduced", Engine::Reduced, sizes, 1000),
                fabricated::view("interrupted", Engine::Direct, sizes, 1000),
            ];
            let mut broken = fabricated::simulation(sizes, &times, 2, 0.1, 3);
            for run in &mut broken.trajectories {
                run.valid = 0;
                run.risk.fill(f64::NAN);
                run.student_teacher.fill(f64::NAN);
                run.student_squares.clear();
                run.keep_q = twolayer::record::KeepQ::None;
                run.status = twolayer::record::Status::Interrupted;
            }
            let mut none = broken.clone();
            none.trajectories.clear();
            for third in [broken, none] {
                let outcomes = vec![
                    fabricated::limit(sizes, &times, 0.0),
                    fabricated::simulation(sizes, &times, 3, 0.1, 1),
                    third,
                ];
                let experiment = fabricated::experiment(views.clone(), figures.clone());
                let picture = svg(&draw(&experiment, &outcomes, "0.1.0"));
                assert!(numbers_are_finite(&picture), "p = {p}, k = {k}, {} times", times.len());
                resvg::usvg::Tree::from_str(&picture, &resvg::usvg::Options::default()).unwrap();
            }
        }
    }
}

#[test]
fn the_picture_carries_its_font_and_has_the_width_asked_for() {
    let (experiment, outcomes) = plain(vec![fabricated::figure(Quantity::Risk)]);
    let drawing = draw(&experiment, &outcomes, "0.1.0");
    assert!(svg(&drawing).contains("@font-face{font-family:\"DejaVu Sans\";src:url(data:font/ttf;base64,AAEAAAA"));
    let bytes = png(&drawing, 1600).unwrap();
    assert_eq!(&bytes[..8], b"\x89PNG\r\n\x1a\n");
    assert_eq!(u32::from_be_bytes(bytes[16..20].try_into().unwrap()), 1600);
}

#[test]
fn every_character_of_our_labels_is_in_the_font() {
    for text in
        ["½ E(f − g)² νηs √∞ΔΣσλ≤≥±·→ 10⁻¹²³⁴⁵⁶⁷⁸⁹⁰ z₀₁₂₃₄₅₆₇₈₉ ‖w‖ ⟨·⟩ é ö", "abcXYZ 0123456789 .,;:()[]{}/-+*^=<>\"'"]
    {
        for c in text.chars() {
            assert_ne!(font::width(&c.to_string(), 1000.0), 1000.0, "{c} is missing");
        }
    }
}

#[test]
fn titles_are_escaped() {
    let (mut experiment, outcomes) = plain(vec![fabricated::figure(Quantity::Risk)]);
    experiment.title = "<b>&\"</b>".into();
    let picture = svg(&draw(&experiment, &outcomes, "0.1.0"));
    assert!(picture.contains("&lt;b&gt;&amp;&quot;&lt;/b&gt;") && !picture.contains("<b>"));
}

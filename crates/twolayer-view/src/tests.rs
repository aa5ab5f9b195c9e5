use twolayer::problem::Engine;
use twolayer::record::observable::{RISK, STEP, STUDENT_SQUARES, STUDENT_TEACHER, TIME};
use twolayer_plot::{pdf, png, svg};

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
            run.set(&TIME, times.clone());
            run.set(&STEP, times.clone());
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
        std::fs::write(directory.join(format!("twolayer-{name}.pdf")), pdf(&drawing).unwrap()).unwrap();
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
    let values: Vec<f64> = outcomes[2].trajectories.iter().map(|run| *run.of(&RISK).last().unwrap()).collect();
    let mean = values.iter().sum::<f64>() / 16.0;
    let deviation = (values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 15.0).sqrt();
    approx::assert_relative_eq!(last.y, mean, max_relative = 1e-12);
    approx::assert_relative_eq!(last.high - last.low, 4.0 * deviation / 4.0, max_relative = 1e-9);
}

#[test]
fn twice_the_risk_is_twice_the_risk_and_cosines_divide_by_the_norms() {
    let (experiment, mut outcomes) =
        plain(vec![fabricated::figure(Quantity::TwiceRisk), fabricated::figure(Quantity::Cosine)]);
    outcomes[0].trajectories[0].of_mut(&STUDENT_SQUARES).fill(4.0);
    let drawing = draw(&experiment, &outcomes, "0.1.0");
    let run = &outcomes[0].trajectories[0];
    let Mark::Line { points, .. } = &drawing.blocks[0].panels[0].marks[0] else { panic!() };
    assert_eq!(points[50].1, 2.0 * run.of(&RISK)[50]);
    let second = &drawing.blocks[1].panels[1];
    assert_eq!(second.title, "along z₂");
    let Mark::Line { points, .. } = &second.marks[1] else { panic!() };
    assert_eq!(points[50].1, run.of(&STUDENT_TEACHER)[50 * 8 + 1] / 2.0);
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
        view.problem =
            view.problem.with(|parts| parts.network.start = twolayer::problem::StartMode::Independent).unwrap();
    }
    // One neuron in two has learnt nothing, and the other little.
    for run in outcomes.iter_mut().flat_map(|outcome| &mut outcome.trajectories) {
        run.of_mut(&STUDENT_TEACHER).iter_mut().for_each(|m| *m *= 0.5);
    }
    let block = &draw(&experiment, &outcomes, "0.1.0").blocks[0];
    assert!(block.remark.contains("first run"), "{}", block.remark);
    let Some(Mark::Dots { points, .. }) = block.panels[0].marks.iter().find(|m| matches!(m, Mark::Dots { .. })) else {
        panic!("no dots")
    };
    let run = &outcomes[1].trajectories[0];
    let t = run.of(&TIME).iter().position(|t| *t == points[0].x).unwrap();
    assert_eq!((points[0].y, points[0].high), (run.of(&STUDENT_TEACHER)[t * 8], points[0].y));
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
        Quantity::Cloud,
        Quantity::Plateau,
        Quantity::HalfTime,
        Quantity::Gradient,
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
                run.of_mut(&RISK).fill(f64::NAN);
                run.of_mut(&STUDENT_TEACHER).fill(f64::NAN);
                run.remove(&STUDENT_SQUARES);
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
            }
        }
    }
}

/// Of four runs one stops at once: the mean goes on over all four, the first held where it stopped.
#[test]
fn runs_that_stopped_are_held_and_the_figure_says_so() {
    let (experiment, mut outcomes) = plain(vec![fabricated::figure(Quantity::Risk)]);
    outcomes[1].trajectories.truncate(4);
    for (r, run) in outcomes[1].trajectories.iter_mut().enumerate() {
        run.set(&RISK, (0..run.len()).map(|t| r as f64 + 1.0 / (t + 1) as f64).collect());
    }
    let first = &mut outcomes[1].trajectories[0];
    first.valid = 2;
    first.of_mut(&RISK)[2..].fill(f64::NAN);
    let (all, _) = series::series(&experiment, &outcomes);
    let mean = |t: usize| all[1].estimates(usize::MAX, |_, run, t| run.of(&RISK)[t])[t].mean;
    let at = |t: usize| 1.0 / (t + 1) as f64;
    approx::assert_relative_eq!(mean(1), 1.5 + at(1), max_relative = 1e-12);
    // (1/2 + (1 + 1/101) + (2 + 1/101) + (3 + 1/101))/4
    approx::assert_relative_eq!(mean(100), (0.5 + 6.0 + 3.0 * at(100)) / 4.0, max_relative = 1e-12);
    let block = &draw(&experiment, &outcomes, "0.1.0").blocks[0];
    assert_eq!(block.remark, "Runs that stopped at their level are held there.");
    // Where all have stopped, the curve ends.
    for run in &mut outcomes[1].trajectories {
        run.valid = run.valid.min(50);
    }
    let (all, _) = series::series(&experiment, &outcomes);
    let estimates = all[1].estimates(usize::MAX, |_, run, t| run.of(&RISK)[t]);
    assert!(estimates[49].mean.is_finite() && estimates[50].mean.is_nan());
    // A run that diverged is not held.
    outcomes[1].trajectories[0].status = twolayer::record::Status::Diverged { at: 1.0 };
    let (all, _) = series::series(&experiment, &outcomes);
    assert_eq!(all[1].estimates(usize::MAX, |_, run, t| run.of(&RISK)[t])[30].mean, 2.0 + at(30));
    assert!(!all[1].holds());
}

/// Records at t = 0, 64, 128, 192 only.
#[test]
fn panels_say_which_moment_they_show() {
    let sizes = Sizes { p: 2, k: 2 };
    let times = [0.0, 64.0, 128.0, 192.0];
    let figure = Figure { at: vec![0.0, 1.0, 2.0, 150.0], ..fabricated::figure(Quantity::Scatter) };
    let views = vec![fabricated::view("reduced", Engine::Reduced, sizes, 1000)];
    let mut outcomes = vec![fabricated::simulation(sizes, &times, 3, 0.1, 1)];
    let experiment = fabricated::experiment(views, vec![figure]);
    let titles = |outcomes: &[Outcome]| -> Vec<String> {
        draw(&experiment, outcomes, "0.1.0").blocks[0].panels.iter().map(|panel| panel.title.clone()).collect()
    };
    assert_eq!(titles(&outcomes), ["t = 0", "t = 128"]);
    let block = &draw(&experiment, &outcomes, "0.1.0").blocks[0];
    assert!(block.remark.contains("2 of 4 moments: the record has no others nearer."), "{}", block.remark);
    // A run that ended at t = 64 is not in the panel of t = 128.
    outcomes[0].trajectories[0].valid = 2;
    let block = &draw(&experiment, &outcomes, "0.1.0").blocks[0];
    let dots = |panel: &Panel| match &panel.marks[1] {
        Mark::Dots { points, .. } => points.len(),
        other => panic!("{other:?}"),
    };
    assert_eq!(block.panels.iter().map(dots).collect::<Vec<_>>(), [3, 2]);
    assert!(block.remark.contains("Runs that ended before a moment are not in its panel."), "{}", block.remark);
}

/// Reused data: `at` counts steps, however long a step is.
#[test]
fn panels_of_reused_data_count_steps() {
    let sizes = Sizes { p: 2, k: 2 };
    let figure = Figure { at: vec![0.0, 2.0], ..fabricated::figure(Quantity::Histogram) };
    let mut views = vec![fabricated::view("reduced", Engine::Reduced, sizes, 1000)];
    let mut training = views[0].problem.training.clone();
    training.data = twolayer::problem::Data::Reused;
    training.samples = Some(twolayer::problem::Formula::number(3000.0));
    training.batch = twolayer::problem::Formula::number(3000.0);
    let (target, network) = (views[0].problem.target.clone(), views[0].problem.network.clone());
    views[0].problem = twolayer::problem::Problem::new(target, network, training).unwrap();
    let mut outcomes = vec![fabricated::simulation(sizes, &[0.0, 0.5, 1.0, 1.5], 3, 0.1, 1)];
    for run in &mut outcomes[0].trajectories {
        run.set(&STEP, vec![0.0, 1.0, 2.0, 3.0]);
    }
    let block = &draw(&fabricated::experiment(views, vec![figure]), &outcomes, "0.1.0").blocks[0];
    let titles: Vec<&str> = block.panels.iter().map(|panel| panel.title.as_str()).collect();
    assert_eq!(titles, ["z₁, step 0", "z₁, step 2", "z₂, step 0", "z₂, step 2"]);
}

use twolayer::problem::Engine;

use super::*;
use crate::{
    experiment::{Axis, Figure, NamedView},
    fabricated::{self, Sizes},
};

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

fn step(y: Quantity) -> Figure {
    Figure { x: Axis::Step, ..fabricated::figure(y) }
}

fn samples() -> Vec<(&'static str, Experiment, Vec<Outcome>)> {
    let named = |name, (experiment, outcomes)| (name, experiment, outcomes);
    vec![
        named("risk", plain(vec![fabricated::figure(Quantity::Risk), fabricated::figure(Quantity::Overlap)])),
        named("scatter", plain(vec![Figure { at: vec![0.0, 0.5, 3.0], ..fabricated::figure(Quantity::Scatter) }])),
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

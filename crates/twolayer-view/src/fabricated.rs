//! Outcomes with a known law, for the tests of this crate: no engine runs ([`twolayer::testing::fabricated`]).

use twolayer::{
    problem::{Activation, Duration, Engine, Formula, Network, Problem, Record, Rule, Target, Training, View},
    record::Trajectory,
    testing::fabricated,
};
use twolayer_file::{
    experiment::Resolved,
    experiment::{Axis, Experiment, Figure, NamedView, Quantity},
};

pub use twolayer::testing::fabricated::{Sizes, log_times};

use crate::outcome::Outcome;

/// The law without noise, `error` stated as its numerical error.
pub fn limit(sizes: Sizes, times: &[f64], error: f64) -> Outcome {
    outcome("ode, all terms", vec![fabricated::limit(sizes, times, error)], 0.012)
}

/// `replicates` random walks around the law, with standard deviation `noise` at the last time.
pub fn simulation(sizes: Sizes, times: &[f64], replicates: usize, noise: f64, seed: u64) -> Outcome {
    outcome("reduced, fresh", fabricated::simulation(sizes, times, replicates, noise, seed), 3.4)
}

fn outcome(method: &str, trajectories: Vec<Trajectory>, seconds: f64) -> Outcome {
    Outcome {
        method_id: twolayer::method::registry::named(method).map_or("", |entry| entry.id).into(),
        method: method.into(),
        reason: "η·d is constant and the batch is 1".into(),
        kernel: "erf, closed form".into(),
        core_seconds: seconds * trajectories.len() as f64,
        trajectories,
        seconds,
        bytes: 1e6,
        advice: Vec::new(),
        warnings: Vec::new(),
        expected: Vec::new(),
    }
}

/// A view of the committee problem with p, k at dimension d.
#[allow(clippy::unwrap_used)] // For tests only, and the sizes given there make a problem.
pub fn view(name: &str, engine: Engine, sizes: Sizes, d: u64) -> NamedView {
    let target = Target::new(Rule::committee(Activation::Erf, sizes.k, 0.5));
    let training = Training::new(d, Formula::number(0.1 / d as f64), Duration::Time(Formula::number(10.0)));
    NamedView {
        name: name.into(),
        view: View::new(engine),
        tolerance_written: false,
        problem: Problem::new(target, Network::new(sizes.p, Activation::Erf), training).unwrap(),
        record: Record::default(),
        overrides: Vec::new(),
    }
}

/// A figure of `y` against time with everything chosen to fit.
pub fn figure(y: Quantity) -> Figure {
    Figure::new(y, Axis::Time)
}

/// An experiment with these views and figures.
pub fn experiment(views: Vec<NamedView>, figures: Vec<Figure>) -> Experiment {
    Experiment {
        path: "odes/saad-solla.toml".into(),
        source: "title = \"One pass & two <neurons>\"\n[target]\ncommittee = { units = 2, activation = \"erf\" }\n"
            .into(),
        title: "One pass through the data specialises the neurons".into(),
        cite: vec!["2302.05882".into()],
        note: "When do the neurons specialise?".into(),
        settings: Vec::new(),
        quick: false,
        point: Vec::new(),
        views,
        default_views: false,
        figures,
        resolved: Resolved::default(),
    }
}

//! Crossings of a limit are found where they are, however few moments are recorded.

#![allow(clippy::unwrap_used)] // A test that cannot go on has failed.

use twolayer::{
    method::{Machine, plan, run},
    observer::Silent,
    problem::{
        Activation, Crossing, CrossingOf, Duration, Engine, Formula, Network, Problem, Record, Rule, Spacing, Target,
        Terms, Training, View,
    },
};

/// Of a linear neuron on a linear target, `w − w*` decays as e^{−t} under gradient flow, and the risk as e^{−2t}.
#[test]
fn a_crossing_has_its_closed_form_whatever_is_recorded() {
    let target = Target::new(Rule::committee(Activation::Linear, 1, 1.0));
    let mut network = Network::new(1, Activation::Linear);
    network.output_scale = Formula::number(1.0);
    let rate = 1e-5;
    let training = Training::new(1000, Formula::number(rate), Duration::Time(Formula::number(2.0)));
    let problem = Problem::new(target, network, training).unwrap();
    let view = View { terms: Terms::Flow, tolerance: 1e-6, ..View::new(Engine::Limit) };
    let plan = plan(&problem, &view, &Record::default(), 5, &Machine { memory: 1e9, cores: 1 }).unwrap();
    for points in [1, 3, 400] {
        let plain = Record { points, spacing: Spacing::Linear, ..Record::default() };
        let grid = plain.grid(&problem, false);
        let risk = run(&problem, &view, &plan, 0, &grid, &plain, &Silent).unwrap().trajectory.risk[0];
        for time in [0.1, 0.65, 1.9] {
            let level = risk * (-2.0_f64 * time).exp();
            let crossings = vec![Crossing { of: CrossingOf::Risk, level, stop: false }];
            let record = Record { crossings, ..plain.clone() };
            let found = run(&problem, &view, &plan, 0, &grid, &record, &Silent).unwrap().trajectory;
            let got = found.crossing_step[0] * rate;
            assert!((got - time).abs() < 1e-4 * time, "{points} points: t = {got}, not {time}");
            assert_eq!(found.len(), points + 1);
        }
    }
}

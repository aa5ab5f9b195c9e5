//! What the back ends cost.

#![allow(clippy::unwrap_used)] // A test that cannot go on has failed.

use std::time::Instant;

use twolayer::{
    expression::{Expression, Vocabulary},
    kernel::{Moments, State, Want, for_problem},
    problem::{Activation, Duration, Formula, Network, Problem, Rule, Target, Training},
    random::Streams,
};

/// The risk of a network of 1024 neurons in 50 ms; four times that for a busy machine.
#[test]
fn the_risk_of_a_wide_network_is_cheap() {
    let vocabulary = Vocabulary { indexed: Some("z".into()), ..Vocabulary::default() };
    for (activation, text) in [
        ("relu", "tanh(z1 + he3(z2))"),
        ("relu", "z1 + z1*z2"),
        ("tanh", "z1 + z1*z2"),
        ("softplus", "tanh(z1*z2 + z1)"),
        ("erf", "z1*z2"),
    ] {
        let target = Target::new(Rule::Expression(Expression::parse(text, &vocabulary).unwrap()));
        let mut network = Network::new(1024, Activation::named(activation).unwrap());
        network.output_scale = Formula::number(1.0 / 32.0);
        let training = Training::new(4096, Formula::number(1.0), Duration::Steps(Formula::number(1.0)));
        let problem = Problem::new(target, network, training).unwrap();
        let begin = Instant::now();
        let kernel = for_problem(&problem, 1e-4).unwrap();
        let built = begin.elapsed().as_secs_f64();
        let start = problem.start(Streams { seed: 0, replicate: 0 }).unwrap();
        let state = State {
            overlaps: start.overlaps(&problem.target.overlaps).unwrap(),
            second_layer: start.second_layer,
            bias: vec![0.0; 1024],
        };
        let mut out = Moments::zeros(1024, problem.directions());
        let mut best = f64::INFINITY;
        for _ in 0..3 {
            let begin = Instant::now();
            kernel.moments(&state, Want::RISK, &mut out).unwrap();
            best = best.min(begin.elapsed().as_secs_f64());
        }
        let begin = Instant::now();
        kernel.moments(&state, Want::DRIFT, &mut out).unwrap();
        let drift = begin.elapsed().as_secs_f64();
        println!(
            "{activation}, {text}: risk {:.1} ms ± {:.1e} of {:.3}, drift {:.0} ms ± {:.1e} of {:.3}, built in {:.0} ms: {}",
            1e3 * best,
            out.risk_error,
            out.risk,
            1e3 * drift,
            out.drift_error,
            out.drift_student.norm_max(),
            1e3 * built,
            kernel.describe()
        );
        assert!(best < 0.2, "{activation}, {text}: {best} s");
    }
}

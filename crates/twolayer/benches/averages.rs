//! Seconds of population averages, and of an ODE that takes them at every evaluation. `cargo bench --bench averages`; best of
//! several rounds beside what was wished for, one core.

#![allow(clippy::unwrap_used)] // A bench that cannot go on stops there.

use std::time::Instant;

use twolayer::{
    average::{Averages, State, Want, for_problem},
    method::ode,
    observer::Silent,
    problem::{Activation, Duration, Formula, Network, Problem, Rule, Target, Terms, Training},
    random::Streams,
    record::{
        KeepQ, Status,
        observable::{RISK, RISK_ERROR},
    },
};

fn main() {
    wide_networks();
    odes();
}

/// The risk of a network of 1024 neurons, wished for in 50 ms.
fn wide_networks() {
    for (activation, text) in [
        ("relu", "tanh(z1 + he3(z2))"),
        ("relu", "z1 + z1*z2"),
        ("tanh", "z1 + z1*z2"),
        ("softplus", "tanh(z1*z2 + z1)"),
        ("erf", "z1*z2"),
    ] {
        let target = Target::try_from(text).unwrap();
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
        let mut out = Averages::zeros(1024, problem.directions());
        let mut best = f64::INFINITY;
        for _ in 0..3 {
            let begin = Instant::now();
            kernel.averages(&state, Want::RISK, &mut out).unwrap();
            best = best.min(begin.elapsed().as_secs_f64());
        }
        let begin = Instant::now();
        kernel.averages(&state, Want::DRIFT, &mut out).unwrap();
        let drift = begin.elapsed().as_secs_f64();
        println!(
            "{activation}, {text}: risk {:.1} ms (wished 50) ± {:.1e} of {:.3}, drift {:.0} ms ± {:.1e} of {:.3}, built in {:.0} ms: {}",
            1e3 * best,
            out.risk_error,
            out.risk,
            1e3 * drift,
            out.drift_error,
            out.drift_student.norm_max(),
            1e3 * built,
            kernel.describe()
        );
    }
}

/// p = 4, k = 2, t ≤ 100 at 10⁻⁴.
fn odes() {
    let expression = |text: &str| Rule::try_from(text).unwrap();
    let committee = |activation: Activation| Rule::committee(activation, 2, 0.5);
    for (activation, rule, p, terms, seconds) in [
        (Activation::Relu, committee(Activation::Relu), 4, Terms::Flow, 0.3),
        (Activation::Relu, committee(Activation::Relu), 4, Terms::All, 3.0),
        (Activation::Relu, expression("z1 + z1*z2"), 4, Terms::Flow, 0.3),
        (Activation::Relu, expression("tanh(z1 + he3(z2))"), 4, Terms::Flow, 3.0),
        (Activation::Tanh, committee(Activation::Tanh), 2, Terms::Flow, 2.0),
        (Activation::Tanh, committee(Activation::Tanh), 2, Terms::All, 2.0),
    ] {
        let mut target = Target::new(rule);
        target.noise = 0.01;
        let network = Network::new(p, activation);
        let training = Training::new(1000, Formula::number(1e-3), Duration::Time(Formula::number(100.0)));
        let problem = Problem::new(target, network, training).unwrap();
        let start = problem.start(Streams { seed: 0, replicate: 0 }).unwrap();
        let state = State {
            overlaps: start.overlaps(&problem.target.overlaps).unwrap(),
            second_layer: start.second_layer,
            bias: vec![0.0; p],
        };
        let times: Vec<f64> = (0..=100).map(f64::from).collect();
        let begin = Instant::now();
        let (got, report) = ode::run(&problem, &state, 0.25, terms, &times, 1e-4, KeepQ::Full, &Silent).unwrap();
        let took = begin.elapsed().as_secs_f64();
        let error = got.of(&RISK_ERROR)[100];
        println!(
            "{}, {}, {terms:?}: {took:.3} s (wished {seconds}), {} evaluations, R(100) = {:.3e} ± {error:.1e}; {}",
            problem.network.activation.name(),
            problem.target.formula(),
            report.evaluations,
            got.of(&RISK)[100],
            report.kernel
        );
        assert_eq!(got.status, Status::Done);
    }
}

/// All averages of the first giant step of 1024 paired neurons.
#[test]
fn a_giant_step_of_a_wide_network_takes_seconds() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let target = Target::try_from("z1 + z1*z2").unwrap();
    let mut network = Network::new(1024, Activation::Relu);
    network.output_scale = Formula::number(1.0 / 32.0);
    network.first_layer.symmetric = true;
    let training = Training::new(2048, Formula::number(1.0), Duration::Steps(Formula::number(1.0)));
    let problem = Problem::new(target, network, training).unwrap();
    let kernel = for_problem(&problem, 1e-4).unwrap();
    let start = problem.start(Streams { seed: 0, replicate: 0 }).unwrap();
    let state = State {
        overlaps: start.overlaps(&problem.target.overlaps).unwrap(),
        second_layer: start.second_layer,
        bias: vec![0.0; 1024],
    };
    let mut out = Averages::zeros(1024, problem.directions());
    let begin = Instant::now();
    kernel.averages(&state, Want::ALL, &mut out).unwrap();
    let took = begin.elapsed().as_secs_f64();
    println!("{took:.2} s, N to {:.1e}", out.noise_error / out.noise.norm_max());
    assert!(took < 20.0 && out.noise_error < 1e-3 * out.noise.norm_max());
}

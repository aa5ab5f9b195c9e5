//! Targets with heavy tails, which averages over samples know worst: exact values, within the errors stated.

#![allow(clippy::unwrap_used)] // A test that cannot go on has failed.

use faer::Mat;
use twolayer::{
    average::{Averages, Kernel, SampledKernel, State, Want, for_problem},
    overlaps::Overlaps,
    problem::Problem,
};

fn problem(activation: &str, target: &str, p: usize) -> Problem {
    let problem = Problem::builder().target(target).network(p, activation).output_scale(1.0 / (p as f64).sqrt());
    problem.dimension(1000).learning_rate(1e-3).time(1).build().unwrap()
}

/// Neurons of correlations 0.8^|j−l|, the first with a projection of ½ on z1.
fn state(problem: &Problem) -> State {
    let (p, k) = (problem.width(), problem.directions());
    let mut overlaps = Overlaps::zeros(p, k);
    overlaps.student_student = Mat::from_fn(p, p, |j, l| 0.8_f64.powi(j.abs_diff(l) as i32));
    overlaps.student_teacher[(0, 0)] = 0.5;
    let second_layer = (0..p).map(|j| if j % 2 == 0 { 1.0 } else { -1.0 }).collect();
    State { overlaps, second_layer, bias: vec![0.0; p] }
}

/// The risk and D_z over samples of all fields, against exact Hermite expansions: relative errors of the risk up to `size`.
#[test]
fn averages_over_samples_know_what_they_do_not_know_of_tails() {
    let (mut within, mut all) = (0, 0);
    for (index, (activation, target, p, size)) in [
        ("relu", "he3(z1)", 4, 1e-3),
        ("relu", "he4(z1)", 4, 3e-3),
        ("tanh", "he3(z1)", 64, 1e-3),
        ("tanh", "he4(z1)", 4, 3e-3),
        ("tanh", "he3(z1) + he3(z2)", 4, 3e-3),
        ("tanh", "he4(z1) + z1*z2*z3", 4, 3e-2),
        ("relu", "z1*z2*z3*z4", 4, 2e-2),
        ("relu", "tanh(z1 + he3(z2))", 4, 3e-3),
    ]
    .into_iter()
    .enumerate()
    {
        let problem = problem(activation, target, p);
        let (k, state) = (problem.directions(), state(&problem));
        let want = Want { risk: true, ..Want::DRIFT };
        let (mut exact, mut got) = (Averages::zeros(p, k), Averages::zeros(p, k));
        for_problem(&problem, 1e-5).unwrap().averages(&state, want, &mut exact).unwrap();
        assert!(exact.risk_error < 0.2 * size * exact.risk, "{target}: {:e}", exact.risk_error);
        let mut mean_error = 0.0;
        let cases = if p > 4 { 4 } else { 25 };
        for case in 0..cases {
            let kernel = SampledKernel::seeded(&problem, 4096, 100 + (25 * index + case) as u64);
            kernel.averages(&state, want, &mut got).unwrap();
            let drift = (&got.drift_teacher - &exact.drift_teacher).norm_max();
            for (difference, error) in [((got.risk - exact.risk).abs(), got.risk_error), (drift, got.drift_error)] {
                assert!(difference < 6.0 * error, "{activation}, {target}: {difference:e} {error:e}");
                within += usize::from(difference <= 2.0 * error);
                all += 1;
            }
            mean_error += got.risk_error / cases as f64;
        }
        println!("{activation}, {target}, p = {p}: R = {:.4}, error {:.1e}", exact.risk, mean_error / exact.risk);
        assert!(mean_error < size * exact.risk, "{activation}, {target}: {mean_error:e} of {}", exact.risk);
    }
    println!("{within} of {all} within two errors");
    assert!(within as f64 >= 0.95 * f64::from(all), "{within} of {all}");
}

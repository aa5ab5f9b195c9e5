//! Every back end of the Gaussian kernel against averages over samples, within the errors that both state.

#![allow(clippy::unwrap_used)] // A test that cannot go on has failed.

use faer::Mat;
use rand::SeedableRng;
use rand_distr::{Distribution, StandardNormal};
use rand_xoshiro::Xoshiro256PlusPlus;
use twolayer::{
    average::{Averages, Kernel, SampledKernel, State, Want, for_problem},
    overlaps::Overlaps,
    problem::{Activation, Bias, BiasInit, Duration, Formula, Loss, Network, Problem, Rule, Target, Training},
};

fn normals(stream: &mut Xoshiro256PlusPlus, count: usize, scale: f64) -> Vec<f64> {
    (0..count).map(|_| scale * Distribution::<f64>::sample(&StandardNormal, stream)).collect()
}

fn expression(text: &str) -> Rule {
    Rule::try_from(text).unwrap()
}

fn committee(activation: Activation, units: usize) -> Rule {
    Rule::committee(activation, units, 0.7)
}

/// A problem whose target has correlated directions of unequal norm.
fn problem(activation: &str, rule: Rule, p: usize, biased: bool, loss: Loss) -> Problem {
    let mut target = Target::new(rule);
    let k = target.directions();
    target.overlaps = Mat::from_fn(k, k, |r, q| if r == q { 1.0 + 0.2 * r as f64 } else { 0.3 });
    target.noise = 0.2;
    let mut network = Network::new(p, Activation::named(activation).unwrap());
    network.output_scale = Formula::number(0.6);
    network.bias = biased.then_some(Bias { init: BiasInit::Gaussian, train: true });
    let mut training = Training::new(1000, Formula::number(1e-3), Duration::Time(Formula::number(1.0)));
    training.loss = loss;
    Problem::new(target, network, training).unwrap()
}

/// Overlaps of random vectors with the directions of `problem`; every fifth case is nearly or fully singular.
fn state(problem: &Problem, case: usize, stream: &mut Xoshiro256PlusPlus) -> State {
    let (p, k) = (problem.width(), problem.directions());
    let d = k + p + 2;
    let root = twolayer::overlaps::symmetric_root(problem.target.overlaps.as_ref()).unwrap();
    let teachers = Mat::from_fn(k, d, |r, i| if i < k { root[(r, i)] } else { 0.0 });
    let mut students = Mat::from_fn(p, d, |_, _| 0.0);
    for j in 0..p {
        let row = normals(stream, d, 1.0 / (d as f64).sqrt());
        row.iter().enumerate().for_each(|(i, x)| students[(j, i)] = *x);
    }
    match case % 5 {
        0 => (0..d).for_each(|i| students[(1, i)] = -1.5 * students[(0, i)]),
        1 => (0..d).for_each(|i| students[(0, i)] = teachers[(0, i)]),
        2 => (0..d).for_each(|i| students[(1, i)] = students[(0, i)] * (1.0 + 1e-6) + 1e-6 * (i as f64).sin()),
        _ => {}
    }
    if case == 3 {
        (0..d).for_each(|i| students[(0, i)] = 0.0);
    }
    let overlaps = Overlaps {
        student_teacher: &students * teachers.transpose(),
        student_student: &students * students.transpose(),
        teacher_teacher: problem.target.overlaps.clone(),
    };
    let bias = if problem.network.bias.is_some() { normals(stream, p, 0.6) } else { vec![0.0; p] };
    State { overlaps, second_layer: normals(stream, p, 1.0), bias }
}

fn largest_difference(a: &Mat<f64>, b: &Mat<f64>) -> f64 {
    (a - b).norm_max()
}

/// Differences in units of the two stated errors, `z = difference/(e₁² + e₂²)^{½}`.
#[derive(Default)]
struct Score {
    all: Vec<f64>,
}

impl Score {
    fn add(&mut self, what: &str, difference: f64, errors: [f64; 2]) {
        // Closed forms against each other: rounding.
        let z = (difference - 1e-9).max(0.0) / errors[0].hypot(errors[1]).max(1e-300);
        assert!(z < 8.0, "{what}: {difference:e} with stated errors of {errors:?}");
        self.all.push(z);
    }

    /// How often a difference lies within `count` errors.
    fn within(&self, count: f64) -> f64 {
        self.all.iter().filter(|z| **z <= count).count() as f64 / self.all.len() as f64
    }
}

#[test]
fn every_back_end_agrees_with_averages_over_samples() {
    let relu = || committee(Activation::Relu, 2);
    let tanh = || committee(Activation::Tanh, 2);
    let setups = [
        ("erf", committee(Activation::Erf, 2), false, "erf, closed"),
        ("erf", committee(Activation::Erf, 2), true, "Hermite series"),
        ("relu", relu(), false, "ReLU, closed"),
        ("relu", relu(), true, "ReLU, closed"),
        ("relu", tanh(), false, "ReLU, closed"),
        ("relu", expression("z1 + z1*z2"), true, "Hermite coefficients of the target, up to degree 2"),
        ("relu", expression("sign(z1*z2) + tanh(z1)"), false, "Sobol nodes in the target"),
        ("relu", expression("tanh(z1 + he3(z2))"), true, "Sobol nodes in the target"),
        ("tanh", tanh(), false, "Hermite series"),
        ("tanh", relu(), true, "Hermite series"),
        ("tanh", expression("z1*z2*z3 + relu(z1)"), true, ""),
        ("softplus", expression("z1 + z1*z2"), false, "Hermite series"),
        ("sigmoid", committee(Activation::Hermite(2), 3), true, "Hermite series"),
        ("gelu", expression("z1*z2"), true, "Hermite series"),
        ("linear", expression("z1*z2 + z1"), true, "exact"),
        ("square", expression("he2(z1) + z1*z2"), true, "exact"),
        ("square", committee(Activation::Square, 3), false, "exact"),
        ("he3", expression("he3(z1) + tanh(z2)"), false, "exact"),
        ("relu", expression("abs(z1) + z2*z3 + z4*z5"), false, "Sobol nodes in the target"),
        ("tanh", expression("abs(z1) + z2*z3 + z4*z5"), true, "averages over"),
    ];
    let mut stream = Xoshiro256PlusPlus::seed_from_u64(5);
    let mut scores: [(&str, Score); 4] = ["R", "D", "N", "label noise"].map(|name| (name, Score::default()));
    for (index, (activation, rule, biased, described)) in setups.into_iter().enumerate() {
        let loss = if index % 4 == 3 { Loss::Correlation } else { Loss::Squared };
        let problem = problem(activation, rule, 3, biased, loss);
        let (p, k) = (problem.width(), problem.directions());
        let kernel = for_problem(&problem, 1e-4).unwrap();
        let name = format!("{activation}: {}", kernel.describe());
        assert!(name.contains(described), "{name} is not {described}");
        for case in 0..10 {
            // Other samples for each case, so that cases are independent.
            let sampled = SampledKernel::seeded(&problem, 2048, 1 + case as u64);
            let state = state(&problem, case, &mut stream);
            let (mut got, mut mean) = (Averages::zeros(p, k), Averages::zeros(p, k));
            kernel.averages(&state, Want::ALL, &mut got).unwrap();
            sampled.averages(&state, Want::ALL, &mut mean).unwrap();
            let what = |of: &str| format!("case {case}, {of} of {name}");
            scores[0].1.add(&what("R"), (got.risk - mean.risk).abs(), [got.risk_error, mean.risk_error]);
            let drift = largest_difference(&got.drift_student, &mean.drift_student)
                .max(largest_difference(&got.drift_teacher, &mean.drift_teacher));
            scores[1].1.add(&what("D"), drift, [got.drift_error, mean.drift_error]);
            let noise = largest_difference(&got.noise, &mean.noise);
            scores[2].1.add(&what("N"), noise, [got.noise_error, mean.noise_error]);
            for j in 0..p {
                let allowed = 12.0 * (mean.drift_error + got.drift_error) + 3e-3;
                assert!((got.second[j] - mean.second[j]).abs() < allowed, "{}", what("A"));
                assert!((got.bias[j] - mean.bias[j]).abs() < allowed, "{}", what("E[g]"));
            }
            let want = Want { label_noise: true, ..Want::default() };
            kernel.averages(&state, want, &mut got).unwrap();
            sampled.averages(&state, want, &mut mean).unwrap();
            let noise = largest_difference(&got.noise, &mean.noise);
            scores[3].1.add(&what("label noise"), noise, [got.noise_error, mean.noise_error]);
        }
    }
    for (name, score) in &scores {
        let shares = [0.5, 1.0, 1.5, 2.0, 3.0].map(|count| score.within(count));
        println!("{name}: shares within ½, 1, 1½, 2, 3 errors {shares:.3?}");
        assert!(score.within(2.0) >= 0.95, "{name}: {shares:?}");
        assert!(score.within(1.0) < 0.9, "{name}: half of the errors would do, {shares:?}");
    }
}

/// Paired neurons start from f ≡ 0: N given z against samples of all fields, copies and biases included.
#[test]
fn the_noise_of_a_paired_wide_network_agrees_with_samples() {
    let p = 48;
    for (activation, biased) in [("relu", false), ("relu", true), ("tanh", true)] {
        let mut problem = problem(activation, expression("tanh(z1 + z1*z2)"), p, biased, Loss::Squared);
        problem = problem.with(|parts| parts.network.output_scale = Formula::number(1.0 / 7.0)).unwrap();
        let mut stream = Xoshiro256PlusPlus::seed_from_u64(3);
        let d = 400;
        let root = twolayer::overlaps::symmetric_root(problem.target.overlaps.as_ref()).unwrap();
        let teachers = Mat::from_fn(2, d, |r, i| if i < 2 { root[(r, i)] } else { 0.0 });
        let mut students = Mat::<f64>::zeros(p, d);
        for j in 0..p / 2 {
            let row = normals(&mut stream, d, 1.0 / (d as f64).sqrt());
            for i in 0..d {
                students[(j, i)] = row[i] + [0.2, 0.0, 0.0, 0.4].get(i).unwrap_or(&0.0);
                students[(j + p / 2, i)] = students[(j, i)];
            }
        }
        let overlaps = Overlaps {
            student_teacher: &students * teachers.transpose(),
            student_student: &students * students.transpose(),
            teacher_teacher: problem.target.overlaps.clone(),
        };
        let half = if biased { normals(&mut stream, p / 2, 0.5) } else { vec![0.0; p / 2] };
        let a = normals(&mut stream, p / 2, 1.0);
        let second_layer = a.iter().copied().chain(a.iter().map(|a| -a)).collect();
        let state = State { overlaps, second_layer, bias: half.iter().chain(&half).copied().collect() };
        let kernel = for_problem(&problem, 1e-4).unwrap();
        let (mut got, mut mean) = (Averages::zeros(p, 2), Averages::zeros(p, 2));
        let want = Want { noise: true, ..Want::default() };
        kernel.averages(&state, want, &mut got).unwrap();
        assert!(!kernel.describe().contains("four-field"), "{}", kernel.describe());
        SampledKernel::new(&problem, 2048).averages(&state, want, &mut mean).unwrap();
        let difference = largest_difference(&got.noise, &mean.noise);
        let errors = got.noise_error + mean.noise_error;
        assert!(difference < 4.0 * errors, "{activation}: {difference:e} {:e} {:e}", got.noise_error, mean.noise_error);
        let size = got.noise.norm_max();
        assert!(got.noise_error < 5e-3 * size, "{activation}: {:e} of {size:e}", got.noise_error);
        // All pairs together are known better than each: what neurons share beside the target must be there.
        let sum = |noise: &Mat<f64>| {
            let pairs = (0..p).flat_map(|j| (0..p).map(move |l| (j, l)));
            let sign = |j: usize| state.second_layer[j].signum();
            pairs.map(|(j, l)| sign(j) * sign(l) * noise[(j, l)]).sum::<f64>()
        };
        assert!((sum(&got.noise) / sum(&mean.noise) - 1.0).abs() < 0.01, "{}", sum(&got.noise) / sum(&mean.noise));
    }
}

/// What is written as an expression is averaged as the activation that it is.
#[test]
fn expressions_have_the_closed_forms_of_the_activations_they_are() {
    for (text, name, rule) in [
        ("erf(h/sqrt(2))", "erf", committee(Activation::Erf, 2)),
        ("max(h, 0)", "relu", expression("z1 + z1*z2")),
        ("tanh(h)", "tanh", expression("z1 + z1*z2")),
        ("h^2", "square", expression("z1*z2")),
        ("h", "linear", expression("z1*z2")),
    ] {
        let named = problem(name, rule, 3, false, Loss::Squared);
        let written =
            named.with(|parts| parts.network.activation = Activation::parse(text, &Default::default()).unwrap());
        let written = written.unwrap();
        let state = state(&named, 4, &mut Xoshiro256PlusPlus::seed_from_u64(1));
        let averages = |problem: &Problem| {
            let kernel = for_problem(problem, 1e-4).unwrap();
            let mut out = Averages::zeros(3, 2);
            kernel.averages(&state, Want::ALL, &mut out).unwrap();
            (kernel.describe(), out)
        };
        assert_eq!(averages(&written), averages(&named), "{text}");
    }
}

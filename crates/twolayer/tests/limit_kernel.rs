//! The Gaussian kernel: closed forms against averages over samples and against tensor quadrature.

#![allow(clippy::unwrap_used)] // A test that cannot go on has failed.

use std::f64::consts::PI;

use faer::Mat;
use gauss_quad::GaussHermite;
use rand::SeedableRng;
use rand_distr::{Distribution, StandardNormal};
use rand_xoshiro::Xoshiro256PlusPlus;
use twolayer::{
    average::{Averages, ErfKernel, Kernel, SampledKernel, State, Want},
    overlaps::{Overlaps, symmetric_root},
    problem::{Activation, Formula, Loss, Problem, Rule},
};

fn problem(p: usize, k: usize, loss: Loss, noise: f64, activation: Activation) -> Problem {
    let committee = Problem::builder().target(Rule::committee(activation.clone(), k, 0.7)).noise(noise);
    let network = committee.network(p, activation).output_scale(0.6).with(move |parts| parts.training.loss = loss);
    network.dimension(1000).learning_rate(1e-3).time(1).build().unwrap()
}

/// The overlaps of explicit vectors.
fn gram(students: &[Vec<f64>], teachers: &[Vec<f64>]) -> Overlaps {
    let dot = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| x * y).sum::<f64>();
    let (p, k) = (students.len(), teachers.len());
    Overlaps {
        student_teacher: Mat::from_fn(p, k, |j, r| dot(&students[j], &teachers[r])),
        student_student: Mat::from_fn(p, p, |j, l| dot(&students[j], &students[l])),
        teacher_teacher: Mat::from_fn(k, k, |r, q| dot(&teachers[r], &teachers[q])),
    }
}

fn normals(stream: &mut Xoshiro256PlusPlus, count: usize, scale: f64) -> Vec<f64> {
    (0..count).map(|_| scale * Distribution::<f64>::sample(&StandardNormal, stream)).collect()
}

fn assert_close(what: &str, got: &Mat<f64>, wanted: &Mat<f64>, allowed: f64) {
    for i in 0..got.nrows() {
        for j in 0..got.ncols() {
            let difference = (got[(i, j)] - wanted[(i, j)]).abs();
            assert!(difference <= allowed, "{what}[{i},{j}]: {} ≠ {} ± {allowed}", got[(i, j)], wanted[(i, j)]);
        }
    }
}

#[test]
fn erf_closed_forms_agree_with_averages_over_samples() {
    let (p, k) = (3, 2);
    let mut stream = Xoshiro256PlusPlus::seed_from_u64(11);
    for (loss, noise) in [(Loss::Squared, 0.3), (Loss::Correlation, 0.0)] {
        let problem = problem(p, k, loss, noise, Activation::Erf);
        let closed = ErfKernel::new(&problem).unwrap();
        let sampled = SampledKernel::new(&problem, 4096);
        for case in 0..25 {
            let teachers: Vec<Vec<f64>> = (0..k).map(|_| normals(&mut stream, 7, 0.4)).collect();
            let mut students: Vec<Vec<f64>> = (0..p).map(|_| normals(&mut stream, 7, 0.5)).collect();
            match case % 5 {
                0 => students[1] = students[0].iter().map(|x| -2.0 * x).collect(),
                1 => students[2] = teachers[0].clone(),
                2 => students[1] = students[0].iter().map(|x| x * (1.0 + 1e-7) + 1e-8).collect(),
                3 => students[0] = vec![0.0; 7],
                _ => {}
            }
            let state = State {
                overlaps: gram(&students, &teachers),
                second_layer: normals(&mut stream, p, 1.0),
                bias: vec![0.0; p],
            };
            let (mut exact, mut mean) = (Averages::zeros(p, k), Averages::zeros(p, k));
            closed.averages(&state, Want::ALL, &mut exact).unwrap();
            sampled.averages(&state, Want::ALL, &mut mean).unwrap();
            let allowed = 5.0 * mean.drift_error + 1e-10;
            assert!(mean.drift_error < 2e-3 && mean.risk_error < 1e-3, "{} {}", mean.drift_error, mean.risk_error);
            assert_close("D student", &exact.drift_student, &mean.drift_student, allowed);
            assert_close("D teacher", &exact.drift_teacher, &mean.drift_teacher, allowed);
            let largest = (0..p).map(|j| exact.noise[(j, j)]).fold(0.0, f64::max);
            assert_close("N", &exact.noise, &mean.noise, 1e-2 * largest);
            assert!((exact.risk - mean.risk).abs() <= 5.0 * mean.risk_error + 1e-10, "case {case}: R");
            for j in 0..p {
                assert!((exact.second[j] - mean.second[j]).abs() < 1e-3, "case {case}: A");
                assert!((exact.bias[j] - mean.bias[j]).abs() < 1e-3, "case {case}: E[g]");
            }
            let want = Want { label_noise: true, ..Want::default() };
            closed.averages(&state, want, &mut exact).unwrap();
            sampled.averages(&state, want, &mut mean).unwrap();
            assert_close("label noise", &exact.noise, &mean.noise, 1e-2 * largest);
        }
    }
}

/// Every average by 40³ Gauss–Hermite nodes, which are exact to rounding for the entire function erf.
#[test]
fn erf_closed_forms_agree_with_tensor_quadrature() {
    let nodes: Vec<(f64, f64)> =
        GaussHermite::new(60.try_into().unwrap()).iter().map(|(x, w)| (x * 2f64.sqrt(), w / PI.sqrt())).collect();
    let students = vec![vec![0.9, 0.1, 0.2], vec![-0.3, 0.6, 0.1]];
    let teachers = vec![vec![0.5, 0.7, 0.9]];
    let overlaps = gram(&students, &teachers);
    let root = symmetric_root(overlaps.omega().as_ref()).unwrap();
    let (a, s, scale, noise) = ([1.3, -0.8], 0.6, 0.7, 0.25);
    let erf = |x: f64| libm::erf(x / 2f64.sqrt());
    for loss in [Loss::Squared, Loss::Correlation] {
        let kernel = ErfKernel::new(&problem(2, 1, loss, noise, Activation::Erf)).unwrap();
        let state = State { overlaps: overlaps.clone(), second_layer: a.to_vec(), bias: vec![0.0; 2] };
        let mut got = Averages::zeros(2, 1);
        kernel.averages(&state, Want::ALL, &mut got).unwrap();
        let mut wanted = Averages::zeros(2, 1);
        let mut label_noise = Mat::<f64>::zeros(2, 2);
        for (x0, w0) in &nodes {
            for (x1, w1) in &nodes {
                for (x2, w2) in &nodes {
                    let (x, w) = ([x0, x1, x2], w0 * w1 * w2);
                    let field: Vec<f64> = (0..3).map(|i| (0..3).map(|l| root[(i, l)] * x[l]).sum()).collect();
                    let (f, g): (f64, f64) =
                        (s * (0..2).map(|j| a[j] * erf(field[j])).sum::<f64>(), scale * erf(field[2]));
                    let e = if loss == Loss::Squared { f - g } else { -g };
                    let slope: Vec<f64> =
                        (0..2).map(|j| s * a[j] * (2.0 / PI).sqrt() * (-field[j].powi(2) / 2.0).exp()).collect();
                    wanted.risk += w * 0.5 * (f - g).powi(2);
                    for j in 0..2 {
                        wanted.second[j] += w * s * e * erf(field[j]);
                        wanted.drift_teacher[(j, 0)] += w * e * slope[j] * field[2];
                        for l in 0..2 {
                            wanted.drift_student[(j, l)] += w * e * slope[j] * field[l];
                            wanted.noise[(j, l)] += w * (e * e + noise) * slope[j] * slope[l];
                            label_noise[(j, l)] += w * noise * slope[j] * slope[l];
                        }
                    }
                }
            }
        }
        let allowed = 1e-10;
        assert_close("D student", &got.drift_student, &wanted.drift_student, allowed);
        assert_close("D teacher", &got.drift_teacher, &wanted.drift_teacher, allowed);
        assert_close("N", &got.noise, &wanted.noise, allowed);
        assert!((got.risk - wanted.risk).abs() < allowed);
        assert!((0..2).all(|j| (got.second[j] - wanted.second[j]).abs() < allowed));
        kernel.averages(&state, Want { label_noise: true, ..Want::default() }, &mut got).unwrap();
        assert_close("label noise", &got.noise, &label_noise, allowed);
    }
}

#[test]
fn known_values_of_the_erf_kernel() {
    // One student, one teacher, both of norm 1: E[σσ] = (2/π) asin(M/2); aligned, the risk vanishes.
    let one = problem(1, 1, Loss::Squared, 0.0, Activation::Erf).with(|parts| {
        parts.target.rule = Rule::committee(Activation::Erf, 1, 1.0);
        parts.network.output_scale = Formula::number(1.0);
    });
    let one = one.unwrap();
    let kernel = ErfKernel::new(&one).unwrap();
    let mut out = Averages::zeros(1, 1);
    let mut risk = |m: f64| {
        let mut state = State { overlaps: Overlaps::zeros(1, 1), second_layer: vec![1.0], bias: vec![0.0] };
        state.overlaps.student_student[(0, 0)] = 1.0;
        state.overlaps.student_teacher[(0, 0)] = m;
        kernel.averages(&state, Want::ALL, &mut out).unwrap();
        (out.risk, out.drift_teacher[(0, 0)], out.noise[(0, 0)])
    };
    assert_eq!(risk(1.0), (0.0, 0.0, 0.0));
    let (orthogonal, drift, _) = risk(0.0);
    assert!((orthogonal - 1.0 / 3.0).abs() < 1e-15, "asin(1/2) = π/6 twice");
    // −E[σ'(λ) z σ(z)] = −E[σ'(λ)] E[z σ(z)] = −(√(2/π)/√2)(√(2/π)/√2)
    assert!((drift + 1.0 / PI).abs() < 1e-15);
    assert!((risk(-1.0).0 - 2.0 / 3.0).abs() < 1e-15, "E[(2σ)²]/2 = 2·(2/π)·π/6");
}

#[test]
fn sampled_averages_know_relu_in_closed_form() {
    let (p, k) = (2, 1);
    let problem = problem(p, k, Loss::Squared, 0.0, Activation::Relu);
    let kernel = SampledKernel::new(&problem, 4096);
    let overlaps = gram(&[vec![0.9, 0.1, 0.2], vec![-0.3, 0.6, 0.1]], &[vec![0.5, 0.7, 0.5]]);
    let c = overlaps.omega();
    let pair = |i: usize, l: usize| {
        let theta = (c[(i, l)] / (c[(i, i)] * c[(l, l)]).sqrt()).clamp(-1.0, 1.0).acos();
        (c[(i, i)] * c[(l, l)]).sqrt() * (theta.sin() + (PI - theta) * theta.cos()) / (2.0 * PI)
    };
    let coefficients = [0.6, -0.3, -0.7];
    let mut exact = 0.0;
    for i in 0..3 {
        for l in 0..3 {
            exact += 0.5 * coefficients[i] * coefficients[l] * pair(i, l);
        }
    }
    let state = State { overlaps, second_layer: vec![1.0, -0.5], bias: vec![0.0; 2] };
    let mut out = Averages::zeros(p, k);
    kernel.averages(&state, Want::ALL, &mut out).unwrap();
    assert!((out.risk - exact).abs() < 5.0 * out.risk_error && out.risk_error < 1e-3 * exact, "{} {exact}", out.risk);
    // ReLU is homogeneous, so f is too: the radial drift is Σ_j D_jj = E[e f], and A holds E[e f] as Σ_j a_j A_j.
    let radial = out.drift_student[(0, 0)] + out.drift_student[(1, 1)];
    let second: f64 = out.second.iter().zip(&state.second_layer).map(|(x, a)| x * a).sum();
    assert!((radial - second).abs() < 1e-12);
}

#[test]
fn biases_shift_the_sampled_fields() {
    // σ(h) = h: f = s a (λ + b), g = 0.7 z, so R = ½[(s a b)² + E(s a λ − 0.7 z)²] and E[g_j] = s a · s a b.
    let problem = problem(1, 1, Loss::Squared, 0.0, Activation::Linear);
    let mut overlaps = Overlaps::zeros(1, 1);
    overlaps.student_student[(0, 0)] = 1.0;
    let state = State { overlaps, second_layer: vec![2.0], bias: vec![0.5] };
    let mut out = Averages::zeros(1, 1);
    SampledKernel::new(&problem, 4096).averages(&state, Want::ALL, &mut out).unwrap();
    assert!((out.risk - 0.5 * (0.36 + 1.44 + 0.49)).abs() < 5.0 * out.risk_error + 1e-6, "{}", out.risk);
    assert!((out.bias[0] - 1.2 * 0.6).abs() < 1e-3);
}

/// A linear student of an expression: f = s a λ, g = z1 z2 + z1, so R = ½(s²a²Q − 2 s a M_1 + 2), D_z = s a E[(f − g) z].
#[test]
fn an_expression_is_averaged_over_its_fields() {
    let rule = Rule::try_from("z1*z2 + z1").unwrap();
    let mut problem = problem(1, 2, Loss::Squared, 0.0, Activation::Linear);
    problem = problem.with(|parts| parts.target.rule = rule).unwrap();
    let mut overlaps = Overlaps::zeros(1, 2);
    overlaps.student_student[(0, 0)] = 1.0;
    overlaps.student_teacher[(0, 0)] = 0.5;
    overlaps.student_teacher[(0, 1)] = -0.3;
    let state = State { overlaps, second_layer: vec![1.0], bias: vec![0.0] };
    let mut out = Averages::zeros(1, 2);
    SampledKernel::new(&problem, 4096).averages(&state, Want::ALL, &mut out).unwrap();
    assert!((out.risk - 0.5 * (0.36 - 0.6 + 2.0)).abs() < 5.0 * out.risk_error, "{} ± {}", out.risk, out.risk_error);
    assert!((out.drift_teacher[(0, 0)] - 0.6 * (0.3 - 1.0)).abs() < 5.0 * out.drift_error);
    assert!((out.drift_teacher[(0, 1)] - 0.6 * -0.18).abs() < 5.0 * out.drift_error);
    assert!(out.risk_error < 5e-3 && out.drift_error < 5e-3);
}

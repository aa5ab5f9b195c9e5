//! The online ODE against closed forms, numerical gradients and an independent integrator.

#![allow(clippy::unwrap_used)] // A test that cannot go on has failed.

use std::f64::consts::PI;

use faer::Mat;
use twolayer::{
    Error,
    average::{Averages, State, Want, for_problem},
    method::ode::{OnlineFlow, Report, run},
    observer::Silent,
    overlaps::Overlaps,
    problem::{Activation, Dimension, Duration, Formula, Network, Problem, Rule, Target, Terms, Training},
    record::{KeepQ, Status, Trajectory},
    solve::VectorField,
};

/// What the tests vary.
#[derive(Clone)]
struct Setup {
    p: usize,
    k: usize,
    noise: f64,
    activation: Activation,
    scale: Option<f64>,
    target_scale: Option<f64>,
    train: Option<f64>,
    decay: f64,
}

impl Setup {
    fn erf(p: usize, k: usize) -> Self {
        let activation = Activation::Erf;
        Self { p, k, noise: 0.0, activation, scale: None, target_scale: None, train: None, decay: 0.0 }
    }

    fn problem(&self) -> Problem {
        let scale = self.target_scale.unwrap_or(1.0 / self.k as f64);
        let rule = Rule::committee(self.activation.clone(), self.k, scale);
        let mut target = Target::new(rule);
        target.noise = self.noise;
        let mut network = Network::new(self.p, self.activation.clone());
        if let Some(scale) = self.scale {
            network.output_scale = Formula::number(scale);
        }
        if let Some(ratio) = self.train {
            network.second_layer.train = true;
            network.second_layer.rate_ratio = Formula::number(ratio);
        }
        let mut training = Training::new(1000, Formula::number(1e-3), Duration::Time(Formula::number(1.0)));
        training.weight_decay = self.decay;
        Problem::new(target, network, training).unwrap()
    }
}

fn state(m: impl Fn(usize, usize) -> f64, q: impl Fn(usize, usize) -> f64, p: usize, k: usize) -> State {
    let mut overlaps = Overlaps::zeros(p, k);
    overlaps.student_teacher = Mat::from_fn(p, k, m);
    overlaps.student_student = Mat::from_fn(p, p, q);
    State { overlaps, second_layer: vec![1.0; p], bias: vec![0.0; p] }
}

fn go(problem: &Problem, start: &State, kappa: f64, terms: Terms, times: &[f64]) -> (Trajectory, Report) {
    run(problem, start, kappa, terms, times, 1e-4, KeepQ::Full, &Silent).unwrap()
}

/// Saad & Solla's symmetric plateau, p = k, P = I: all students alike, Q = 1/(2k−1).
#[test]
fn the_symmetric_plateau_has_its_height() {
    for k in [2, 3, 5] {
        let problem = Setup::erf(k, k).problem();
        // Nearly alike: the overlaps differ in the sixth digit. (Unlike students of equal overlaps grow alike as 1/t only.)
        let ripple = |j: usize, r: usize| 1e-7 * ((3 * j + 5 * r) as f64).sin();
        let start = state(|j, r| 0.02 + ripple(j, r), |j, l| if j == l { 0.2 } else { 0.2 - 1e-12 }, k, k);
        let times: Vec<f64> = (0..=400).map(|i| 0.25 * (i * k) as f64).collect();
        let (trajectory, report) = go(&problem, &start, f64::NAN, Terms::Flow, &times);
        assert_eq!((&trajectory.status, trajectory.valid), (&Status::Done, 401));
        assert_eq!(report.kernel, "erf, closed form");
        let plateau = 1.0 / (6.0 * k as f64) - (1.0 / (2.0 * k as f64)).asin() / PI;
        // Where the risk moves least between the start and the escape.
        let speed = |i: usize| (trajectory.risk[i] / trajectory.risk[i + 1]).ln().abs();
        let end = trajectory.risk.iter().position(|r| *r < 0.9 * plateau).unwrap_or(400);
        let flat = (1..end).min_by(|&a, &b| speed(a).total_cmp(&speed(b))).unwrap();
        let norm = trajectory.student_squares[flat * k];
        assert!((trajectory.risk[flat] / plateau - 1.0).abs() < 0.01, "k = {k}: {} {plateau}", trajectory.risk[flat]);
        assert!((norm * (2.0 * k as f64 - 1.0) - 1.0).abs() < 0.01, "k = {k}: Q = {norm}");
        let errors = trajectory.risk_error.as_ref().unwrap();
        for i in 0..400 {
            let (before, after) = (trajectory.risk[i], trajectory.risk[i + 1]);
            assert!(after <= before + errors[i] + errors[i + 1], "the flow raises the risk: {before:e} {after:e}");
            assert!(errors[i] < 1e-3 * before + 1e-8, "k = {k}: {before:e} ± {:e}", errors[i]);
        }
    }
}

/// γ/p ≪ 1 after specialisation: R = γΔ/(2√3 π p), whether the whole η² term is kept or its label noise only.
#[test]
fn the_noise_floor_has_its_height() {
    let (gamma, noise) = (0.01, 1e-3);
    for (p, k) in [(2, 2), (4, 2), (3, 1)] {
        let problem = Setup { noise, ..Setup::erf(p, k) }.problem();
        let same = |j: usize, r: usize| j % k == r;
        let m = |j: usize, r: usize| if same(j, r) { 0.8 } else { 0.01 };
        let start = state(
            m,
            |j, l| {
                if j == l {
                    0.9
                } else if same(j, l % k) {
                    0.7
                } else {
                    0.0
                }
            },
            p,
            k,
        );
        let floor = gamma * noise / (2.0 * 3f64.sqrt() * PI * p as f64);
        for terms in [Terms::LabelNoise, Terms::All] {
            let (trajectory, _) = go(&problem, &start, gamma / p as f64, terms, &[0.0, 1e3, 1e4]);
            let risk = trajectory.risk[2];
            assert!((risk / floor - 1.0).abs() < 0.05, "p = {p}, k = {k}, {terms:?}: {risk:e} {floor:e}");
            assert!(trajectory.risk_error.as_ref().unwrap()[2] < 0.1 * floor, "{:?}", trajectory.risk_error);
        }
    }
}

/// The drift of M, Q, a is the gradient of R with respect to explicit weights, by central differences.
#[test]
fn the_flow_is_the_gradient_of_the_risk() {
    let (p, k, d, ratio, decay) = (3, 2, 5, 0.7, 0.3);
    let problem = Setup { train: Some(ratio), decay, ..Setup::erf(p, k) }.problem();
    let s = problem.output_scale();
    let entry = |i: usize, j: usize| ((7 * i + 3 * j + 1) as f64).sin() * 0.6;
    let weights = Mat::from_fn(p, d, entry);
    let teacher = Mat::from_fn(k, d, |r, i| entry(r + 11, i));
    let at = |w: &Mat<f64>, a: &[f64]| State {
        overlaps: Overlaps {
            student_teacher: w * teacher.transpose(),
            student_student: w * w.transpose(),
            teacher_teacher: &teacher * teacher.transpose(),
        },
        second_layer: a.to_vec(),
        bias: vec![0.0; p],
    };
    let kernel = for_problem(&problem, 1e-4).unwrap();
    let mut averages = Averages::zeros(p, k);
    let mut risk = |w: &Mat<f64>, a: &[f64]| {
        kernel.averages(&at(w, a), Want::RISK, &mut averages).unwrap();
        averages.risk
    };
    let a = [1.2, -0.7, 0.9];
    let h = 1e-5;
    let mut gradient = Mat::<f64>::zeros(p, d);
    for j in 0..p {
        for i in 0..d {
            let moved =
                |h: f64| Mat::from_fn(p, d, |jj, ii| weights[(jj, ii)] + if (jj, ii) == (j, i) { h } else { 0.0 });
            gradient[(j, i)] = (risk(&moved(h), &a) - risk(&moved(-h), &a)) / (2.0 * h);
        }
    }
    let second: Vec<f64> = (0..p)
        .map(|j| {
            let mut moved = |h: f64| {
                let mut a = a;
                a[j] += h;
                risk(&weights, &a)
            };
            (moved(h) - moved(-h)) / (2.0 * h)
        })
        .collect();
    let start = at(&weights, &a);
    let field = OnlineFlow::new(&problem, &start, 0.0, Terms::Flow, kernel.as_ref()).unwrap();
    let y = field.pack(&start);
    let mut dy = vec![0.0; field.dim()];
    field.drift(0.0, &y, &mut dy).unwrap();
    let mut drift = at(&weights, &a);
    field.unpack(&dy, &mut drift);
    // dW/dt = −(1/s)(∂R/∂W + λ_w W)
    let velocity = Mat::from_fn(p, d, |j, i| -(gradient[(j, i)] + decay * weights[(j, i)]) / s);
    let m = &velocity * teacher.transpose();
    let q = &velocity * weights.transpose() + &weights * velocity.transpose();
    for j in 0..p {
        for r in 0..k {
            assert!((drift.overlaps.student_teacher[(j, r)] - m[(j, r)]).abs() < 1e-8);
        }
        for l in 0..p {
            assert!((drift.overlaps.student_student[(j, l)] - q[(j, l)]).abs() < 1e-8);
        }
        assert!((drift.second_layer[j] + ratio * second[j] / s).abs() < 1e-8);
    }
    // Without decay and with the second layer fixed, dR/dt = −(1/s)‖∂R/∂W‖².
    let plain = Setup::erf(p, k).problem();
    let kernel = for_problem(&plain, 1e-4).unwrap();
    let field = OnlineFlow::new(&plain, &start, 0.0, Terms::Flow, kernel.as_ref()).unwrap();
    let y = field.pack(&start);
    let mut dy = vec![0.0; field.dim()];
    field.drift(0.0, &y, &mut dy).unwrap();
    let mut along = |h: f64| {
        let mut state = start.clone();
        field.unpack(&y.iter().zip(&dy).map(|(y, dy)| y + h * dy).collect::<Vec<_>>(), &mut state);
        kernel.averages(&state, Want::RISK, &mut averages).unwrap();
        averages.risk
    };
    let slope = (along(h) - along(-h)) / (2.0 * h);
    assert!((slope + gradient.norm_l2().powi(2) / s).abs() < 1e-8, "{slope}");
}

/// The η² terms are κ E[ĝĝᵀ], all of it or the part of the label noise.
#[test]
fn the_noise_terms_are_those_of_the_kernel() {
    let (p, k, kappa) = (3, 2, 0.8);
    let problem = Setup { noise: 0.4, ..Setup::erf(p, k) }.problem();
    let start = state(|j, r| 0.1 * (j + r) as f64, |j, l| if j == l { 0.9 } else { 0.2 }, p, k);
    let kernel = for_problem(&problem, 1e-4).unwrap();
    let drift = |terms: Terms| {
        let field = OnlineFlow::new(&problem, &start, kappa, terms, kernel.as_ref()).unwrap();
        let mut dy = vec![0.0; field.dim()];
        field.drift(0.0, &field.pack(&start), &mut dy).unwrap();
        dy
    };
    let flow = drift(Terms::Flow);
    let mut averages = Averages::zeros(p, k);
    for (terms, want) in [
        (Terms::All, Want::ALL),
        (Terms::Auto, Want::ALL),
        (Terms::LabelNoise, Want { label_noise: true, ..Want::default() }),
    ] {
        kernel.averages(&start, want, &mut averages).unwrap();
        let noisy = drift(terms);
        let mut at = p * k;
        assert_eq!(noisy[..at], flow[..at]);
        for j in 0..p {
            for l in 0..=j {
                let wanted = kappa * averages.noise[(j, l)] / problem.output_scale().powi(2);
                assert!((noisy[at] - flow[at] - wanted).abs() < 1e-14 && wanted != 0.0, "{terms:?}");
                at += 1;
            }
        }
    }
}

/// Classical Runge–Kutta with fixed steps, written here, is of order 4 around the trajectory, whose stated error holds.
#[test]
fn an_independent_integrator_agrees_within_the_stated_error() {
    let (p, k, kappa) = (3, 2, 0.5);
    let problem = Setup { noise: 0.01, train: Some(0.3), decay: 0.01, ..Setup::erf(p, k) }.problem();
    let m = |j: usize, r: usize| 0.1 * ((2 * j + 3 * r) as f64).cos();
    let start = state(m, |j, l| if j == l { 0.8 } else { 0.05 }, p, k);
    let (trajectory, _) = go(&problem, &start, kappa, Terms::All, &[0.0, 5.0, 10.0]);
    let kernel = for_problem(&problem, 1e-4).unwrap();
    let field = OnlineFlow::new(&problem, &start, kappa, Terms::All, kernel.as_ref()).unwrap();
    let fixed = |steps: usize| {
        let h = 10.0 / steps as f64;
        let mut y = field.pack(&start);
        let n = y.len();
        for _ in 0..steps {
            let mut k = vec![vec![0.0; n]; 4];
            for (stage, c) in [0.0, 0.5, 0.5, 1.0].into_iter().enumerate() {
                let point: Vec<f64> =
                    (0..n).map(|i| y[i] + if stage > 0 { c * h * k[stage - 1][i] } else { 0.0 }).collect();
                field.drift(0.0, &point, &mut k[stage]).unwrap();
            }
            for i in 0..n {
                y[i] += h / 6.0 * (k[0][i] + 2.0 * k[1][i] + 2.0 * k[2][i] + k[3][i]);
            }
        }
        y
    };
    let exact = fixed(1600);
    let distance = |y: &[f64]| y.iter().zip(&exact).map(|(y, e)| (y - e).abs()).fold(0.0, f64::max);
    let (coarse, halved) = (distance(&fixed(50)), distance(&fixed(100)));
    assert!((coarse / halved).log2() > 3.7 && (coarse / halved).log2() < 4.3, "{coarse:e} {halved:e}");
    let errors = trajectory.student_teacher_error.as_ref().unwrap();
    for i in 0..p * k {
        let (got, error) = (trajectory.student_teacher[2 * p * k + i], errors[2 * p * k + i]);
        assert!((got - exact[i]).abs() <= error && error < 1e-5, "M: {got} {} ± {error:e}", exact[i]);
    }
    let mut last = start.clone();
    field.unpack(&exact, &mut last);
    let mut averages = Averages::zeros(p, k);
    kernel.averages(&last, Want::RISK, &mut averages).unwrap();
    let error = trajectory.risk_error.as_ref().unwrap()[2];
    assert!((trajectory.risk[2] - averages.risk).abs() <= error && error < 1e-4 * averages.risk, "R ± {error:e}");
    for j in 0..p {
        assert!((trajectory.second_layer[2 * p + j] - last.second_layer[j]).abs() < 1e-6);
    }
    // η s = 10⁻³/3: a time of 10 is 30 000 steps of one sample.
    assert!((trajectory.step[2] - 30_000.0).abs() < 1e-6 && trajectory.samples[2] == trajectory.step[2]);
}

/// σ(h) = h, p = k = 1: `M = (c/sa)(1 − e^{−sa²t})` from M = 0.
#[test]
fn a_linear_network_relaxes_as_it_must() {
    let (s, c) = (0.5, 0.8);
    let linear = Setup { activation: Activation::Linear, scale: Some(s), target_scale: Some(c), ..Setup::erf(1, 1) };
    let start = state(|_, _| 0.0, |_, _| 0.3, 1, 1);
    let times = [0.0, 1.0, 3.0];
    let (trajectory, report) = go(&linear.problem(), &start, 0.0, Terms::Auto, &times);
    assert!(report.kernel.contains("polynomials, exact") && report.relative_tolerance == 1e-8, "{report:?}");
    for (i, t) in times.into_iter().enumerate() {
        let exact = c / s * (1.0 - (-s * t).exp());
        assert!((trajectory.student_teacher[i] - exact).abs() < 1e-7, "{} {exact}", trajectory.student_teacher[i]);
    }
}

#[test]
fn a_divergence_is_a_status_with_the_rest_as_nan() {
    let square = Setup { activation: Activation::Square, scale: Some(1.0), ..Setup::erf(1, 1) };
    let mut problem = square.problem();
    problem.training.dimension = Dimension::Infinite;
    let start = state(|_, _| 0.5, |_, _| 1.0, 1, 1);
    let (trajectory, _) = go(&problem, &start, 10.0, Terms::All, &[0.0, 1e-4, 5.0, 10.0]);
    assert!(matches!(trajectory.status, Status::Diverged { at } if at > 0.0 && at < 5.0), "{:?}", trajectory.status);
    assert_eq!((trajectory.len(), trajectory.valid), (4, 2));
    assert!(trajectory.risk[1].is_finite() && trajectory.risk[2].is_nan() && trajectory.time[3] == 10.0);
    assert_eq!(trajectory.student_teacher_error.as_ref().unwrap().len(), 4);
    // An infinite dimension has no steps.
    assert!(trajectory.step[1].is_nan() && trajectory.samples[1].is_nan());
}

#[test]
fn noise_terms_without_a_rate_are_refused() {
    let start = state(|_, _| 0.5, |_, _| 1.0, 1, 1);
    let refused =
        run(&Setup::erf(1, 1).problem(), &start, f64::NAN, Terms::All, &[0.0, 1.0], 1e-4, KeepQ::Full, &Silent);
    assert!(matches!(refused, Err(Error::Refused(_))));
}

//! Averages of polynomials against exact whole-number algebra, and the ODE of square networks against its closed form.

#![allow(clippy::unwrap_used)] // A test that cannot go on has failed.

use std::collections::HashMap;

use faer::Mat;
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use twolayer::{
    average::{Averages, Kernel, PolynomialKernel, State, Want, for_problem},
    method::ode,
    observer::Silent,
    overlaps::Overlaps,
    problem::{Activation, Bias, BiasInit, Duration, Formula, Loss, Network, Problem, Rule, Target, Terms, Training},
    record::{
        KeepQ,
        observable::{RISK, STUDENT_TEACHER},
    },
};

/// A polynomial in independent standard normals, with whole coefficients.
#[derive(Clone, Default)]
struct Whole(HashMap<Vec<u8>, i128>);

impl Whole {
    fn linear(coefficients: &[i128], constant: i128) -> Self {
        let count = coefficients.len();
        let mut out = Self([(vec![0; count], constant)].into());
        for (i, c) in coefficients.iter().enumerate() {
            out.0.insert((0..count).map(|l| u8::from(l == i)).collect(), *c);
        }
        out
    }

    fn add(&mut self, other: &Self, factor: i128) {
        other.0.iter().for_each(|(alpha, c)| *self.0.entry(alpha.clone()).or_default() += factor * c);
    }

    fn times(&self, other: &Self) -> Self {
        let mut out = Self::default();
        for (left, a) in &self.0 {
            for (right, b) in &other.0 {
                let alpha = left.iter().zip(right).map(|(l, r)| l + r).collect();
                *out.0.entry(alpha).or_default() += a * b;
            }
        }
        out
    }

    /// `Σ_n coefficients_n xⁿ`.
    fn of(coefficients: &[i128], x: &Self) -> Self {
        let count = x.0.keys().next().unwrap().len();
        let mut out = Self::default();
        let mut power = Self::linear(&vec![0; count], 1);
        for c in coefficients {
            out.add(&power, *c);
            power = power.times(x);
        }
        out
    }

    /// E ζ^α = Π (α_i − 1)!!, 0 for an odd α_i.
    fn mean(&self) -> f64 {
        let odd = |n: u8| (1..n).step_by(2).map(i128::from).product::<i128>();
        let moment = |alpha: &[u8]| alpha.iter().map(|n| if n % 2 == 0 { odd(*n) } else { 0 }).product::<i128>();
        self.0.iter().map(|(alpha, c)| c * moment(alpha)).sum::<i128>() as f64
    }
}

/// The averages of [`Averages`], s = 1, by whole-number algebra. `rows` are the fields (λ, z) in independent normals.
fn exact(
    rows: &[Vec<i128>],
    (sigma, second, bias): (&[i128], &[i128], &[i128]),
    target: &dyn Fn(&[Whole]) -> Whole,
    loss: Loss,
    noise: i128,
) -> Averages {
    let p = second.len();
    let k = rows.len() - p;
    let count = rows[0].len();
    let fields: Vec<Whole> = rows.iter().map(|row| Whole::linear(row, 0)).collect();
    let derivative: Vec<i128> = sigma.iter().enumerate().skip(1).map(|(n, c)| n as i128 * c).collect();
    let h: Vec<Whole> = (0..p).map(|j| Whole::linear(&rows[j], bias[j])).collect();
    let mut minus_g = Whole::default();
    minus_g.add(&target(&fields[p..]), -1);
    let mut difference = minus_g.clone();
    (0..p).for_each(|j| difference.add(&Whole::of(sigma, &h[j]), second[j]));
    let e = if loss == Loss::Squared { difference.clone() } else { minus_g };
    let slopes: Vec<Whole> = (0..p).map(|j| Whole::of(&derivative, &h[j])).collect();
    let g: Vec<Whole> = slopes.iter().map(|slope| slope.times(&e)).collect();
    let mut length = Whole::default();
    for i in 0..count {
        let unit: Vec<i128> = (0..count).map(|l| i128::from(l == i)).collect();
        length.add(&Whole::linear(&unit, 0).times(&Whole::linear(&unit, 0)), 1);
    }
    let mut out = Averages::zeros(p, k);
    out.radial = Mat::zeros(p, p);
    out.risk = 0.5 * difference.times(&difference).mean();
    for j in 0..p {
        let a = second[j] as f64;
        out.bias[j] = a * g[j].mean();
        out.second[j] = e.times(&Whole::of(sigma, &h[j])).mean();
        (0..p).for_each(|l| out.drift_student[(j, l)] = a * g[j].times(&fields[l]).mean());
        (0..k).for_each(|r| out.drift_teacher[(j, r)] = a * g[j].times(&fields[p + r]).mean());
        for l in 0..p {
            let mut square = g[j].times(&g[l]);
            square.add(&slopes[j].times(&slopes[l]), noise);
            let factor = a * second[l] as f64;
            out.noise[(j, l)] = factor * square.mean();
            out.radial[(j, l)] = factor * square.times(&length).mean();
        }
    }
    out
}

fn expression(text: &str) -> Rule {
    Rule::try_from(text).unwrap()
}

fn power(x: &Whole, n: usize) -> Whole {
    let coefficients: Vec<i128> = (0..=n).map(|i| i128::from(i == n)).collect();
    Whole::of(&coefficients, x)
}

type OfFields = Box<dyn Fn(&[Whole]) -> Whole>;

/// An activation and its coefficients; a target, its k, and what it is in whole numbers.
fn cases() -> Vec<(&'static str, Vec<i128>, Rule, usize, OfFields)> {
    vec![
        (
            "square",
            vec![0, 0, 1],
            Rule::committee(Activation::Square, 2, 3.0),
            2,
            Box::new(|z| {
                let mut sum = Whole::default();
                z.iter().for_each(|z| sum.add(&power(z, 2), 3));
                sum
            }),
        ),
        (
            "he3",
            vec![0, -3, 0, 1],
            expression("z1*z2 - 2*z1^3 + 1"),
            2,
            Box::new(|z| {
                let mut sum = z[0].times(&z[1]);
                sum.add(&power(&z[0], 3), -2);
                sum.add(&power(&z[0], 0), 1);
                sum
            }),
        ),
        (
            "linear",
            vec![0, 1],
            expression("he2(z1) + z1^2*z2"),
            2,
            Box::new(|z| {
                let mut sum = power(&z[0], 2);
                sum.add(&power(&z[0], 0), -1);
                sum.add(&power(&z[0], 2).times(&z[1]), 1);
                sum
            }),
        ),
        ("h^3 + 2*h^2 - h", vec![0, -1, 2, 1], expression("z1"), 1, Box::new(|z| z[0].clone())),
        (
            "he2",
            vec![-1, 0, 1],
            Rule::single_index(Activation::Hermite(4)),
            1,
            Box::new(|z| {
                let mut sum = power(&z[0], 4);
                sum.add(&power(&z[0], 2), -6);
                sum.add(&power(&z[0], 0), 3);
                sum
            }),
        ),
    ]
}

/// 200 random covariances, every fourth one singular, to 10⁻¹² of the size of what is summed.
#[test]
fn averages_are_those_of_whole_number_algebra() {
    let cases = cases();
    let mut stream = Xoshiro256PlusPlus::seed_from_u64(7);
    let mut whole = |size: i32| i128::from(stream.random_range(-size..=size));
    let mut worst = [0.0_f64; 6];
    for case in 0..200 {
        let (name, sigma, rule, k, target) = &cases[case % cases.len()];
        let p = 2 + usize::from(case % 3 == 0 && case % 5 != 1);
        let loss = if case % 7 == 3 { Loss::Correlation } else { Loss::Squared };
        // Fewer normals than fields make Ω singular.
        let count = if case % 4 == 0 { 2 } else { 3 };
        let rows: Vec<Vec<i128>> = loop {
            let rows: Vec<Vec<i128>> = (0..p + k).map(|_| (0..count).map(|_| whole(2)).collect()).collect();
            let a = Mat::<f64>::from_fn(p + k, count, |i, c| rows[i][c] as f64);
            if (a.transpose() * &a).determinant() > 0.5 {
                break rows;
            }
        };
        let biased = case % 2 == 1;
        let bias: Vec<i128> = (0..p).map(|_| if biased { whole(1) } else { 0 }).collect();
        let second: Vec<i128> = (0..p).map(|_| whole(2)).collect();
        let expected = exact(&rows, (sigma, &second, &bias), target, loss, 2);
        let a = Mat::<f64>::from_fn(p + k, count, |i, c| rows[i][c] as f64);
        let omega = &a * a.transpose();
        let mut problem_target = Target::new(rule.clone());
        problem_target.overlaps = omega.subrows(p, *k).subcols(p, *k).to_owned();
        problem_target.noise = 2.0;
        let mut network = Network::new(p, Activation::parse(name, &[].into()).unwrap());
        network.output_scale = Formula::number(1.0);
        network.bias = biased.then_some(Bias { init: BiasInit::Gaussian, train: true });
        let mut training = Training::new(1000, Formula::number(1e-3), Duration::Time(Formula::number(1.0)));
        training.loss = loss;
        let Ok(problem) = Problem::new(problem_target, network, training) else { panic!("case {case}") };
        let mut overlaps = Overlaps::zeros(p, *k);
        overlaps.student_student = omega.subrows(0, p).subcols(0, p).to_owned();
        overlaps.student_teacher = omega.subrows(0, p).subcols(p, *k).to_owned();
        overlaps.teacher_teacher = problem.target.overlaps.clone();
        let number = |x: &Vec<i128>| x.iter().map(|x| *x as f64).collect::<Vec<f64>>();
        let state = State { overlaps, second_layer: number(&second), bias: number(&bias) };
        let mut got = Averages::zeros(p, *k);
        let kernel = for_problem(&problem, 1e-4).unwrap();
        assert!(kernel.describe().starts_with("polynomials, exact"), "{}", kernel.describe());
        kernel.averages(&state, Want { radial: true, ..Want::ALL }, &mut got).unwrap();
        let relative = |difference: f64, of: f64| difference / (1.0 + of);
        let errors = [
            relative((got.risk - expected.risk).abs(), expected.risk),
            relative((&got.drift_student - &expected.drift_student).norm_max(), expected.drift_student.norm_max()),
            relative((&got.drift_teacher - &expected.drift_teacher).norm_max(), expected.drift_student.norm_max()),
            relative((&got.noise - &expected.noise).norm_max(), expected.noise.norm_max()),
            relative((&got.radial - &expected.radial).norm_max(), expected.radial.norm_max()),
            (0..p)
                .map(|j| {
                    let size = expected.drift_student.norm_max();
                    let second = (got.second[j] - expected.second[j]).abs() / (1.0 + expected.second[j].abs() + size);
                    second.max((got.bias[j] - expected.bias[j]).abs() / (1.0 + expected.bias[j].abs() + size))
                })
                .fold(0.0, f64::max),
        ];
        assert!(errors.iter().all(|error| *error < 1e-12), "case {case}, {name}: {errors:?}");
        worst.iter_mut().zip(errors).for_each(|(worst, error)| *worst = worst.max(error));
    }
    println!("largest relative errors of R, D_λ, D_z, N, radial, A and bias: {worst:?}");
}

/// The closed form of `f − g = Σ_i c_i x_i²`: with T = tr CΩ, S = tr CΩCΩ,
/// `E[x_j x_q e] = T Ω + 2 ΩCΩ`, `E[x_j x_l e²] = (T² + 2S) Ω + 4T ΩCΩ + 8 ΩCΩCΩ`.
fn square_drift(omega: &Mat<f64>, c: &[f64], p: usize, (s, kappa, noise): (f64, f64, f64)) -> Mat<f64> {
    let n = c.len();
    let weighted = Mat::from_fn(n, n, |i, j| omega[(i, j)] * c[j]);
    let once = &weighted * omega;
    let twice = &weighted * &once;
    let trace: f64 = (0..n).map(|i| weighted[(i, i)]).sum();
    let square: f64 =
        (0..n).flat_map(|i| (0..n).map(move |j| (i, j))).map(|(i, j)| weighted[(i, j)] * weighted[(j, i)]).sum();
    let drift =
        |i: usize, j: usize| if i < p { 2.0 * c[i] * (trace * omega[(i, j)] + 2.0 * once[(i, j)]) } else { 0.0 };
    let e2 = |i: usize, j: usize| {
        (trace * trace + 2.0 * square + noise) * omega[(i, j)] + 4.0 * trace * once[(i, j)] + 8.0 * twice[(i, j)]
    };
    Mat::from_fn(n, n, |i, j| {
        let own = if i < p && j < p { kappa / (s * s) * 4.0 * c[i] * c[j] * e2(i, j) } else { 0.0 };
        own - (drift(i, j) + drift(j, i)) / s
    })
}

fn square_risk(omega: &Mat<f64>, c: &[f64]) -> f64 {
    let n = c.len();
    let trace: f64 = (0..n).map(|i| c[i] * omega[(i, i)]).sum();
    let pairs = (0..n).flat_map(|i| (0..n).map(move |j| (i, j)));
    0.5 * trace * trace + pairs.map(|(i, j)| c[i] * c[j] * omega[(i, j)] * omega[(i, j)]).sum::<f64>()
}

fn square_problem(p: usize, k: usize, noise: f64) -> Problem {
    let mut target = Target::new(Rule::committee(Activation::Square, k, 1.0 / k as f64));
    target.noise = noise;
    let training =
        Training::new(1000, Formula::number(0.05 * p as f64 / 1000.0), Duration::Time(Formula::number(10.0)));
    Problem::new(target, Network::new(p, Activation::Square), training).unwrap()
}

#[test]
fn the_ode_of_a_square_network_is_its_closed_form() {
    let (p, k, kappa, noise) = (3, 2, 0.05, 0.05);
    let m = [[0.3, -0.2], [0.1, 0.4], [-0.35, 0.05]];
    let mut overlaps = Overlaps::zeros(p, k);
    overlaps.student_teacher = Mat::from_fn(p, k, |j, r| m[j][r]);
    overlaps.student_student = Mat::from_fn(p, p, |j, l| if j == l { 0.9 + 0.1 * j as f64 } else { 0.1 });
    let state = State { overlaps, second_layer: vec![1.0; p], bias: vec![0.0; p] };
    let problem = square_problem(p, k, noise);
    let times: Vec<f64> = (0..=10).map(f64::from).collect();
    let (got, _) = ode::run(&problem, &state, kappa, Terms::All, &times, 1e-8, KeepQ::Full, &Silent).unwrap();
    let s = 1.0 / p as f64;
    let c: Vec<f64> = (0..p + k).map(|i| if i < p { s } else { -1.0 / k as f64 }).collect();
    let mut omega = state.overlaps.omega();
    let v = |omega: &Mat<f64>| square_drift(omega, &c, p, (s, kappa, noise));
    let step = 1.0 / 512.0;
    for (i, risk) in got.of(&RISK).iter().enumerate() {
        let expected = square_risk(&omega, &c);
        assert!((risk - expected).abs() < 1e-8 * expected, "t = {i}: {risk} {expected}");
        for _ in 0..512 {
            let k1 = v(&omega);
            let k2 = v(&(&omega + &k1 * faer::Scale(0.5 * step)));
            let k3 = v(&(&omega + &k2 * faer::Scale(0.5 * step)));
            let k4 = v(&(&omega + &k3 * faer::Scale(step)));
            omega = &omega + (k1 + (k2 + k3) * faer::Scale(2.0) + k4) * faer::Scale(step / 6.0);
        }
    }
}

/// Second-order public code and DOP853 at 10⁻¹² of the closed form.
#[test]
fn eight_square_neurons_and_four_directions() {
    let (p, k) = (8, 4);
    let m = [
        [-0.1283, -0.2119, -0.0397, 0.0673],
        [0.1872, 0.1147, -0.3197, 0.0435],
        [-0.1554, -0.1818, 0.0674, -0.1688],
        [0.3001, -0.1943, 0.0412, -0.049],
        [0.0351, 0.1723, 0.0998, -0.1484],
        [-0.0864, -0.3367, -0.0929, 0.0],
        [-0.0086, 0.212, 0.0558, 0.1022],
        [-0.1791, 0.202, -0.0063, 0.0119],
    ];
    let q = [
        [0.8024, -0.0137, -0.0529, -0.2411, 0.1103, 0.1328, -0.2227, 0.0008],
        [-0.0137, 0.9398, -0.091, 0.1206, -0.0321, -0.0723, -0.0044, -0.1051],
        [-0.0529, -0.091, 0.7763, -0.2354, 0.1246, 0.0509, -0.0576, 0.1965],
        [-0.2411, 0.1206, -0.2354, 0.9326, -0.1297, -0.1172, 0.0687, 0.0886],
        [0.1103, -0.0321, 0.1246, -0.1297, 1.3114, -0.1045, 0.0009, 0.0403],
        [0.1328, -0.0723, 0.0509, -0.1172, -0.1045, 1.2105, -0.2697, -0.2147],
        [-0.2227, -0.0044, -0.0576, 0.0687, 0.0009, -0.2697, 0.6786, 0.1614],
        [0.0008, -0.1051, 0.1965, 0.0886, 0.0403, -0.2147, 0.1614, 1.0928],
    ];
    let mut overlaps = Overlaps::zeros(p, k);
    overlaps.student_teacher = Mat::from_fn(p, k, |j, r| m[j][r]);
    overlaps.student_student = Mat::from_fn(p, p, |j, l| q[j][l]);
    let state = State { overlaps, second_layer: vec![1.0; p], bias: vec![0.0; p] };
    let problem = square_problem(p, k, 1e-3);
    let kernel = PolynomialKernel::new(&problem).unwrap();
    let times = [0.0, 0.1, 0.5, 1.0, 2.0, 5.0, 10.0];
    let begin = std::time::Instant::now();
    let (got, report) = ode::run(&problem, &state, 0.05, Terms::All, &times, 1e-8, KeepQ::Full, &Silent).unwrap();
    println!("{:.1} ms to t = 10, {} evaluations", 1e3 * begin.elapsed().as_secs_f64(), report.evaluations);
    let expected = [0.340649868, 0.321729001, 0.271669549, 0.205368843, 0.0866643972, 0.00376674822, 0.000636979886];
    for (risk, expected) in got.of(&RISK).iter().zip(expected) {
        assert!((risk / expected - 1.0).abs() < 3e-9, "{risk} {expected}");
    }
    let last = &got.of(&STUDENT_TEACHER)[6 * p * k..];
    for (m, expected) in last.iter().zip([-0.37304815, -0.61957482, -0.10839499, 0.49792759]) {
        assert!((m - expected).abs() < 1e-8, "{m} {expected}");
    }
    let mut out = Averages::zeros(p, k);
    let begin = std::time::Instant::now();
    (0..1000).for_each(|_| kernel.averages(&state, Want { noise: true, ..Want::DRIFT }, &mut out).unwrap());
    println!("{:.1} µs for D and N", 1e3 * begin.elapsed().as_secs_f64());
}

//! The fresh stairs of random sparse polynomials against exact Hermite algebra.

#![allow(clippy::unwrap_used)] // A test that cannot go on has failed.

use std::collections::BTreeMap;

use faer::{Mat, Side};
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use twolayer::{
    hierarchy::{HIGHEST, Stairs},
    problem::Target,
};

const CASES: usize = 300;

/// Coefficients by exponents of k variables.
type Polynomial = BTreeMap<Vec<usize>, f64>;

fn product(a: &Polynomial, b: &Polynomial) -> Polynomial {
    let mut out = Polynomial::new();
    for (i, x) in a {
        for (j, y) in b {
            *out.entry(i.iter().zip(j).map(|(i, j)| i + j).collect()).or_default() += x * y;
        }
    }
    out
}

/// A polynomial of one of k variables.
fn of_variable(k: usize, r: usize, coefficients: &[f64]) -> Polynomial {
    let power = |n: usize| (0..k).map(|i| if i == r { n } else { 0 }).collect();
    coefficients.iter().enumerate().map(|(n, c)| (power(n), *c)).collect()
}

fn factorial(n: usize) -> f64 {
    (1..=n).map(|i| i as f64).product()
}

/// He_q in powers: `Σ_m (−½)^m q!/(m! (q−2m)!) x^{q−2m}`.
fn hermite(q: usize) -> Vec<f64> {
    let mut out = vec![0.0; q + 1];
    for m in 0..=q / 2 {
        out[q - 2 * m] = (-0.5f64).powi(m as i32) * factorial(q) / (factorial(m) * factorial(q - 2 * m));
    }
    out
}

/// x^n in Hermite polynomials: `Σ_m n!/(2^m m! (n−2m)!) He_{n−2m}`.
fn powers(n: usize) -> Vec<f64> {
    hermite(n).into_iter().map(f64::abs).collect()
}

/// Coefficients of products of He in the coordinates s, z = O s.
fn in_hermite(monomials: &Polynomial, turn: &Mat<f64>) -> Polynomial {
    let k = turn.nrows();
    let unit = |c: f64| Polynomial::from([(vec![0; k], c)]);
    let mut turned = Polynomial::new();
    for (exponents, c) in monomials {
        let mut term = unit(*c);
        for (r, &n) in exponents.iter().enumerate() {
            let mut linear = Polynomial::new();
            for i in 0..k {
                linear.extend(of_variable(k, i, &[0.0, turn[(r, i)]]).into_iter().filter(|(e, _)| e[i] == 1));
            }
            for _ in 0..n {
                term = product(&term, &linear);
            }
        }
        term.into_iter().for_each(|(e, c)| *turned.entry(e).or_default() += c);
    }
    let mut out = Polynomial::new();
    for (exponents, c) in turned {
        let mut term = unit(c);
        for (i, &n) in exponents.iter().enumerate() {
            term = product(&term, &of_variable(k, i, &powers(n)));
        }
        term.into_iter().for_each(|(e, c)| *out.entry(e).or_default() += c);
    }
    out
}

/// S_ℓ = Σ_β (1/β!) mat C_β mat C_βᵀ, `C_{βγ} = β! γ! c_{βγ}`, with `known` coordinates first.
fn tensor(hermite: &Polynomial, known: usize, degree: usize, k: usize) -> Mat<f64> {
    let m = k - known;
    let mut s = Mat::zeros(m, m);
    let of_degree = |e: &[usize]| e[known..].iter().sum::<usize>() == degree;
    for (e, _) in hermite.iter().filter(|(e, _)| of_degree(e)) {
        let factorials = |e: &[usize]| e.iter().map(|&n| factorial(n)).product::<f64>();
        for i in (0..m).filter(|&i| e[known + i] > 0) {
            let mut delta = e.clone();
            delta[known + i] -= 1;
            let entry = |j: usize| {
                let mut other = delta.clone();
                other[known + j] += 1;
                factorials(&other) * hermite.get(&other).copied().unwrap_or(0.0)
            };
            // Each δ is met once for each i with a non-zero entry: row i of it.
            let count = factorial(degree - 1) / factorials(&delta[known..]) / factorials(&delta[..known]);
            for j in 0..m {
                s[(i, j)] += count * entry(i) * entry(j);
            }
        }
    }
    s
}

/// Leap and new directions, stair by stair; the flag says whether everything is found.
fn exact(monomials: &Polynomial, k: usize) -> (Vec<(usize, Mat<f64>, f64)>, bool) {
    let (mut turn, mut known, mut stairs) = (Mat::<f64>::identity(k, k), 0, Vec::new());
    'climb: while known < k {
        let hermite = in_hermite(monomials, &turn);
        let scale: f64 = hermite.values().map(|c| c * c).sum();
        let left = |e: &Vec<usize>| e[known..].iter().any(|&n| n > 0);
        if hermite.iter().all(|(e, c)| !left(e) || c * c < 1e-18 * scale) {
            return (stairs, true);
        }
        for degree in 1..=HIGHEST {
            let s = tensor(&hermite, known, degree, k);
            let eigen = s.self_adjoint_eigen(Side::Lower).unwrap();
            let m = k - known;
            let found = (0..m).filter(|&i| eigen.S()[i] > 1e-14 * scale).count();
            if found > 0 {
                // Largest first.
                let vectors = Mat::from_fn(m, m, |i, j| eigen.U()[(i, m - 1 - j)]);
                let rest = Mat::from_fn(k, m, |i, j| turn[(i, known + j)]) * vectors;
                turn = Mat::from_fn(k, k, |i, j| if j < known { turn[(i, j)] } else { rest[(i, j - known)] });
                let size = (0..m).map(|i| s[(i, i)]).sum::<f64>().sqrt();
                stairs.push((degree, Mat::from_fn(k, found, |i, j| rest[(i, j)]), size));
                known += found;
                continue 'climb;
            }
        }
        return (stairs, false);
    }
    (stairs, true)
}

/// One to four products of Hermite polynomials, sometimes of sums and differences of variables.
fn random(stream: &mut Xoshiro256PlusPlus) -> (String, Polynomial, usize) {
    let k = stream.random_range(1..=3);
    let turned = k > 1 && stream.random_bool(0.3);
    let half = std::f64::consts::FRAC_1_SQRT_2;
    let mut turn = Mat::identity(k, k);
    let mut names: Vec<String> = (1..=k).map(|r| format!("z{r}")).collect();
    if turned {
        (turn[(0, 0)], turn[(0, 1)], turn[(1, 0)], turn[(1, 1)]) = (half, half, half, -half);
        names[0] = "((z1+z2)/sqrt(2))".into();
        names[1] = "((z1-z2)/sqrt(2))".into();
    }
    let (mut text, mut sum) = (Vec::new(), Polynomial::new());
    for _ in 0..stream.random_range(1..=4) {
        let c = [-2.0, -1.0, -0.5, 0.25, 1.0, 1.5][stream.random_range(0..6)];
        let (mut words, mut term) = (vec![format!("({c})")], Polynomial::from([(vec![0; k], c)]));
        for (r, name) in names.iter().enumerate() {
            let q = [0, 0, 1, 1, 2, 3, 4][stream.random_range(0..7)];
            words.push(format!("he{q}({name})"));
            term = product(&term, &of_variable(k, r, &hermite(q)));
        }
        text.push(words.join("*"));
        term.into_iter().for_each(|(e, c)| *sum.entry(e).or_default() += c);
    }
    // From the turned variables to z1 … zk, which are what the program sees.
    let mut monomials = Polynomial::new();
    for (e, c) in in_hermite(&sum, &turn.transpose().to_owned()) {
        let mut term = Polynomial::from([(vec![0; k], c)]);
        for (r, &q) in e.iter().enumerate() {
            term = product(&term, &of_variable(k, r, &hermite(q)));
        }
        term.into_iter().for_each(|(e, c)| *monomials.entry(e).or_default() += c);
    }
    (text.join(" + "), monomials, k)
}

#[test]
fn random_polynomials() {
    let mut stream = Xoshiro256PlusPlus::seed_from_u64(1);
    let (mut cases, mut undecided, mut stairs_seen, mut unfinished) = (0, 0, 0, 0);
    while cases < CASES {
        let (text, monomials, k) = random(&mut stream);
        if monomials.iter().all(|(e, c)| e.iter().sum::<usize>() == 0 || c.abs() < 1e-12) {
            continue;
        }
        cases += 1;
        let target = Target::try_from(text.as_str()).unwrap();
        assert_eq!(target.directions(), k, "{text}");
        let stairs = Stairs::fresh(&target).unwrap();
        if stairs.undecided().is_some() {
            undecided += 1;
            continue;
        }
        let (wanted, complete) = exact(&monomials, k);
        let leaps: Vec<usize> = wanted.iter().map(|stair| stair.0).collect();
        let found: Vec<usize> = stairs.stairs.iter().map(|stair| stair.leap).collect();
        assert_eq!(found, leaps, "{text}");
        assert_eq!(stairs.leap_complexity().is_some(), complete, "{text}");
        for (index, (stair, (_, directions, size))) in stairs.stairs.iter().zip(&wanted).enumerate() {
            assert_eq!(stair.directions.len(), directions.ncols(), "{text}, stair {}", index + 1);
            for direction in &stair.directions {
                let along = |c: usize| (0..k).map(|i| direction[i] * directions[(i, c)]).sum::<f64>();
                let inside: f64 = (0..directions.ncols()).map(|c| along(c).powi(2)).sum();
                assert!((inside - 1.0).abs() < 1e-9, "{text}, stair {}: {direction:?}", index + 1);
            }
            if index == 0 {
                assert!((stair.size / size - 1.0).abs() < 1e-9, "{text}: {} for {size}", stair.size);
            }
        }
        stairs_seen += wanted.len();
        unfinished += usize::from(!complete);
    }
    println!("{cases} polynomials, {stairs_seen} stairs, {unfinished} beyond leap {HIGHEST}, {undecided} undecided");
    assert!(50 * undecided <= CASES, "{undecided} of {CASES} undecided");
}

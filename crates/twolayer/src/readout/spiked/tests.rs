use faer::Mat;

use super::*;
use crate::{
    random::{Purpose, Stream, Streams, fill_normal},
    readout::{Errors, Ridge},
};

fn sine(u: &mut [f64]) {
    u.iter_mut().for_each(|u| *u = u.sin());
}

fn tanh_of_two(u: &mut [f64]) {
    u.iter_mut().for_each(|u| *u = (2.0 * *u).tanh());
}

fn of_the_paper() -> Setting<'static> {
    Setting {
        activation: &Activation::Tanh,
        target: &sine,
        noise: 0.0,
        ratio: 1.0,
        step: Some(Step { samples: 20.0, rate: 3.0 }),
    }
}

/// E(f − y)² of theory.md §8: tanh network, sine target, p = d, α_0 = 20, η̃ = 3, λ = .1.
#[test]
fn the_five_errors_of_the_reference() {
    let spiked = Spiked::new(&of_the_paper()).unwrap();
    let Weights { spike, bulk, alignment } = spiked.weights;
    assert!((spike - 1.13406).abs() < 1e-5 && (bulk - 1.00944).abs() < 1e-5 && (alignment - 0.97185).abs() < 1e-5);
    let expected = [(0.2, 0.04848), (0.9, 0.04250), (1.6, 0.03731), (2.3, 0.03430), (3.0, 0.03252)];
    for (alpha, error) in expected {
        let got = spiked.test_error(alpha, 0.1).unwrap();
        assert!((2.0 * got.value - error).abs() < 2e-5, "α = {alpha}: {} for {error}", 2.0 * got.value);
        assert!(got.error < 1e-7, "{got:?}");
    }
}

/// p ≠ d: erf network, tanh(2z), α_0 = 4, η̃ = 2, λ = .05, n_2 = d.
#[test]
fn wider_and_narrower_networks() {
    for (ratio, error) in [(0.5, 0.2204), (1.0, 0.1867), (2.0, 0.1581)] {
        let step = Some(Step { samples: 4.0, rate: 2.0 });
        let setting = Setting { activation: &Activation::Erf, target: &tanh_of_two, noise: 0.0, ratio, step };
        let got = 2.0 * Spiked::new(&setting).unwrap().test_error(1.0, 0.05).unwrap().value;
        assert!((got - error).abs() < 1e-4, "p/d = {ratio}: {got} for {error}");
    }
}

fn unit(stream: &mut Stream, d: usize) -> Vec<f64> {
    let mut v = vec![0.0; d];
    fill_normal(stream, &mut v);
    let norm = v.iter().map(|x| x * x).sum::<f64>().sqrt();
    v.iter().map(|x| x / norm).collect()
}

/// E(f − y)²/2 of ridge on the model itself, W = c_W W_0 + r 1 v̂ᵀ, in dimension d.
fn simulated(setting: &Setting<'_>, weights: &Weights, d: usize, samples: f64, ridge: f64, seed: u64) -> f64 {
    let p = (setting.ratio * d as f64).round() as usize;
    let mut stream = Streams { seed, replicate: 0 }.stream(Purpose::Input);
    // v̂ = e_1, θ = γ e_1 + ρ e_2: the law is invariant under rotations.
    let (gamma, rho) = (weights.alignment, (1.0 - weights.alignment.powi(2)).sqrt());
    let mut w = Mat::zeros(d, p);
    for j in 0..p {
        let row = unit(&mut stream, d);
        (0..d).for_each(|i| w[(i, j)] = weights.bulk * row[i]);
        w[(0, j)] += weights.spike;
    }
    let mut draw = |n: usize| {
        let mut x = vec![0.0; n * d];
        fill_normal(&mut stream, &mut x);
        let x = Mat::from_fn(n, d, |mu, i| x[mu * d + i]);
        let mut labels: Vec<f64> = (0..n).map(|mu| gamma * x[(mu, 0)] + rho * x[(mu, 1)]).collect();
        (setting.target)(&mut labels);
        let mut noise = vec![0.0; n];
        fill_normal(&mut stream, &mut noise);
        labels.iter_mut().zip(&noise).for_each(|(y, xi)| *y += setting.noise.sqrt() * xi);
        let mut features = &x * &w;
        for j in 0..p {
            setting.activation.values(features.col_as_slice_mut(j));
        }
        (features * faer::Scale(1.0 / (p as f64).sqrt()), labels)
    };
    let mut regression = Ridge::new(p, 1);
    let (features, labels) = draw((samples * d as f64).round() as usize);
    regression.add(features.as_ref(), &labels);
    let mut errors = Errors::new(regression.fit(&[ridge]).unwrap().weights);
    let (features, labels) = draw(4000);
    errors.add(features.as_ref(), &labels);
    errors.means()[0].0
}

fn mean(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    (mean, (values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n * (n - 1.0))).sqrt())
}

/// The model itself, with kinks, a constant part, noise and p on both sides of d, against the fixed point.
#[test]
fn a_simulation_of_the_model_agrees() {
    let gelu = Activation::Gelu;
    let step = Some(Step { samples: 4.0, rate: 2.0 });
    let cases = [
        Setting { activation: &Activation::Relu, target: &sine, noise: 0.1, ratio: 1.5, step },
        Setting { activation: &gelu, target: &tanh_of_two, noise: 0.0, ratio: 0.6, step },
        Setting { activation: &Activation::Erf, target: &tanh_of_two, noise: 0.2, ratio: 1.0, step: None },
    ];
    for (case, setting) in cases.iter().enumerate() {
        let spiked = Spiked::new(setting).unwrap();
        for (samples, ridge) in [(0.7, 0.1), (2.0, 0.02)] {
            let theory = spiked.test_error(samples, ridge).unwrap().value;
            let runs: Vec<f64> =
                (0..12).map(|seed| simulated(setting, &spiked.weights, 200, samples, ridge, seed)).collect();
            let (mean, error) = mean(&runs);
            // O(1/d) beside the spread of twelve runs.
            assert!(
                (mean - theory).abs() < 3.5 * error + 0.01 * theory,
                "case {case}, n = {samples} d: theory {theory:.5}, simulation {mean:.5} ± {error:.5}"
            );
        }
    }
}

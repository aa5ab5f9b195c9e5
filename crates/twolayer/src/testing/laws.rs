//! What tests of laws share: thousands of runs of one engine against as many of another, by the means, variances and whole
//! distributions of every observable; and a risk in closed form, which costs nothing.

use crate::{
    average::{Averages, Kernel, State, Want},
    error::Result,
    problem::{Activation, Problem, Rule},
};

/// All p-values of one test together may be this unlikely.
pub(crate) const FAMILY: f64 = 1e-3;

/// The smallest of all p-values, times their number.
pub(crate) fn family_wise(left: &[Vec<f64>], right: &[Vec<f64>]) -> f64 {
    let observables = left[0].len();
    let mut smallest: f64 = 1.0;
    for i in 0..observables {
        let x: Vec<f64> = left.iter().map(|row| row[i]).collect();
        let y: Vec<f64> = right.iter().map(|row| row[i]).collect();
        if x.iter().chain(&y).all(|v| *v == x[0]) {
            continue;
        }
        for p in [mean_test(&x, &y), variance_test(&x, &y), kolmogorov_smirnov(x, y)] {
            smallest = smallest.min(p);
        }
    }
    smallest * (3 * observables) as f64
}

fn two_sided(z: f64) -> f64 {
    libm::erfc(z.abs() / std::f64::consts::SQRT_2)
}

fn central(x: &[f64], order: i32) -> f64 {
    let mean = x.iter().sum::<f64>() / x.len() as f64;
    x.iter().map(|v| (v - mean).powi(order)).sum::<f64>() / x.len() as f64
}

fn mean_test(x: &[f64], y: &[f64]) -> f64 {
    let mean = |x: &[f64]| x.iter().sum::<f64>() / x.len() as f64;
    let error = central(x, 2) / x.len() as f64 + central(y, 2) / y.len() as f64;
    two_sided((mean(x) - mean(y)) / error.sqrt())
}

/// Variances, with the sampling error of a variance from the fourth moments.
fn variance_test(x: &[f64], y: &[f64]) -> f64 {
    let error = |x: &[f64]| (central(x, 4) - central(x, 2).powi(2)) / x.len() as f64;
    two_sided((central(x, 2) - central(y, 2)) / (error(x) + error(y)).sqrt())
}

/// Two-sample Kolmogorov–Smirnov, asymptotic law.
fn kolmogorov_smirnov(mut x: Vec<f64>, mut y: Vec<f64>) -> f64 {
    x.sort_by(f64::total_cmp);
    y.sort_by(f64::total_cmp);
    let (mut i, mut j, mut distance) = (0, 0, 0.0f64);
    while i < x.len() && j < y.len() {
        // Ties are real: a ReLU neuron that no sample woke stays where it was.
        let value = x[i].min(y[j]);
        i += x[i..].iter().take_while(|v| **v == value).count();
        j += y[j..].iter().take_while(|v| **v == value).count();
        distance = distance.max((i as f64 / x.len() as f64 - j as f64 / y.len() as f64).abs());
    }
    let effective = (x.len() * y.len()) as f64 / (x.len() + y.len()) as f64;
    let lambda = distance * effective.sqrt();
    let series = (1..100).map(|m| (-1f64).powi(m - 1) * (-2.0 * (m as f64 * lambda).powi(2)).exp());
    (2.0 * series.sum::<f64>()).clamp(0.0, 1.0)
}

/// ½E(f−g)² of erf or ReLU networks and committees of the same, `½ Σ c_m c_n E[σσ]`; for other activations, which have no
/// closed form, that of erf: another function of M, Q and a.
pub(crate) struct ClosedRisk {
    activation: Activation,
    /// s, and the committee's own scale.
    scales: [f64; 2],
}

impl ClosedRisk {
    pub fn of(problem: &Problem) -> Self {
        let Rule::Committee { weights, .. } = &problem.target.rule else { panic!("the target is a committee") };
        Self { activation: problem.network.activation.clone(), scales: [problem.output_scale(), weights[0]] }
    }
}

impl Kernel for ClosedRisk {
    fn averages(&self, state: &State, _: Want, out: &mut Averages) -> Result<()> {
        let omega = state.overlaps.omega();
        let p = state.overlaps.width();
        let [student, target] = self.scales;
        let weight = |i: usize| if i < p { student * state.second_layer[i] } else { -target };
        let mean = |i: usize, j: usize| {
            let (c, a, b) = (omega[(i, j)], omega[(i, i)], omega[(j, j)]);
            if self.activation == Activation::Relu {
                let norm = (a * b).sqrt();
                let angle = (c / norm).clamp(-1.0, 1.0).acos();
                norm * (angle.sin() + (std::f64::consts::PI - angle) * angle.cos()) / (2.0 * std::f64::consts::PI)
            } else {
                std::f64::consts::FRAC_2_PI * (c / ((1.0 + a) * (1.0 + b)).sqrt()).asin()
            }
        };
        let n = p + state.overlaps.directions();
        let pairs = (0..n).flat_map(|i| (0..n).map(move |j| (i, j)));
        out.risk = 0.5 * pairs.map(|(i, j)| weight(i) * weight(j) * mean(i, j)).sum::<f64>();
        Ok(())
    }

    fn describe(&self) -> String {
        "closed form".into()
    }
}

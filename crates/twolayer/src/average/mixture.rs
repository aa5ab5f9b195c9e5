//! tanh and the sigmoid as mixtures of error functions, which lend them the closed four-field averages of erf.
//!
//! The logistic law is a Gaussian of random width: `tanh x = E_K[erf(x/(√2 K))]`, K of Kolmogorov's law. A Gauss rule for ln K
//! makes that `Σ_i w_i erf(β_i x/√2)`, β = 1/K: six terms are within 3·10⁻⁶ of tanh everywhere, twelve within 2·10⁻⁹.

use std::f64::consts::{FRAC_2_PI, PI};

use faer::{Mat, Side};

use super::erf::{FourFields, Series, lambda_two};
use crate::problem::{Activation, Committee, Loss, Problem};

/// Terms tried, from the shortest mixture.
const TERMS: std::ops::RangeInclusive<usize> = 4..=16;

/// Error of σ' allowed, as a fraction of the tolerance.
const SHARE: f64 = 0.2;

/// Error allowed to a polynomial in place of asin, as a fraction of the tolerance.
const SERIES: f64 = 1e-4;

/// Arguments of asin at most, in one N: some milliseconds.
const MOST: usize = 4_000_000;

/// `σ(h) = constant + Σ_i w_i erf(β_i h/√2)`.
#[derive(Debug, Clone, PartialEq)]
struct Mixture {
    constant: f64,
    /// w and β.
    terms: Vec<(f64, f64)>,
    /// Largest error of σ'.
    error: f64,
}

impl Mixture {
    /// Of an activation, with an error of σ' below `error`.
    fn of(activation: &Activation, error: f64) -> Option<Self> {
        match activation {
            Activation::Erf => Some(Self { constant: 0.0, terms: vec![(1.0, 1.0)], error: 0.0 }),
            Activation::Tanh => TERMS.map(Self::tanh).find(|mixture| mixture.error <= error),
            // ½ + ½ tanh(h/2).
            Activation::Sigmoid => Self::of(&Activation::Tanh, 4.0 * error).map(|tanh| Self {
                constant: 0.5,
                terms: tanh.terms.into_iter().map(|(w, beta)| (0.5 * w, 0.5 * beta)).collect(),
                error: 0.25 * tanh.error,
            }),
            _ => None,
        }
    }

    fn tanh(count: usize) -> Self {
        let terms: Vec<(f64, f64)> = kolmogorov_rule(count).into_iter().map(|(log, w)| (w, (-log).exp())).collect();
        let slope = |x: f64| -> f64 {
            let gauss = |beta: f64| FRAC_2_PI.sqrt() * beta * (-0.5 * (beta * x).powi(2)).exp();
            terms.iter().map(|(w, beta)| w * gauss(*beta)).sum()
        };
        let of = |x: f64| (slope(x) - libm::cosh(x).powi(-2)).abs();
        let error = (0..600).map(|i| of(0.02 * f64::from(i))).fold(0.0, f64::max);
        Self { constant: 0.0, terms, error }
    }
}

/// Gauss nodes and weights of ln K.
fn kolmogorov_rule(count: usize) -> Vec<(f64, f64)> {
    // Midpoints: the density and all its derivatives vanish at both ends.
    let (low, high, fine) = (0.1, 4.6, 1200);
    let width = (high - low) / f64::from(fine);
    let points: Vec<(f64, f64)> = (0..fine)
        .map(|i| low + width * (f64::from(i) + 0.5))
        .map(|k| (k.ln(), width * kolmogorov_density(k)))
        .collect();
    // Stieltjes' recurrence of the orthonormal polynomials, and the eigenvalues of its matrix.
    let mass: f64 = points.iter().map(|(_, w)| w).sum();
    let (mut before, mut current) = (vec![0.0; points.len()], vec![mass.sqrt().recip(); points.len()]);
    let mut jacobi = Mat::<f64>::zeros(count, count);
    let mut beside = 0.0;
    for n in 0..count {
        let mean: f64 = points.iter().zip(&current).map(|((x, w), p)| w * x * p * p).sum();
        jacobi[(n, n)] = mean;
        let mut next: Vec<f64> =
            (0..points.len()).map(|i| (points[i].0 - mean) * current[i] - beside * before[i]).collect();
        beside = points.iter().zip(&next).map(|((_, w), p)| w * p * p).sum::<f64>().sqrt();
        if n + 1 < count {
            (jacobi[(n, n + 1)], jacobi[(n + 1, n)]) = (beside, beside);
        }
        next.iter_mut().for_each(|p| *p /= beside);
        (before, current) = (current, next);
    }
    // A tridiagonal matrix of 16 rows at most converges; an empty rule fails every test of its error.
    let Ok(eigen) = jacobi.self_adjoint_eigen(Side::Lower) else { return Vec::new() };
    (0..count).map(|i| (eigen.S()[i], mass * eigen.U()[(0, i)].powi(2))).collect()
}

/// `8x Σ_k (−1)^{k−1} k² e^{−2k²x²}`, and its dual for small x.
fn kolmogorov_density(x: f64) -> f64 {
    if x > 0.6 {
        let term =
            |k: i32| if k % 2 == 1 { 1.0 } else { -1.0 } * f64::from(k * k) * (-2.0 * f64::from(k * k) * x * x).exp();
        return 8.0 * x * (1..40).map(term).sum::<f64>();
    }
    let term = |k: i32| {
        let c = (f64::from(2 * k - 1) * PI).powi(2) / 8.0;
        (-c / (x * x)).exp() * (2.0 * c / x.powi(4) - 1.0 / (x * x))
    };
    (2.0 * PI).sqrt() * (1..20).map(term).sum::<f64>()
}

/// N of a small network of erf, tanh or sigmoid neurons without biases that learns a committee of such units.
#[derive(Debug)]
pub(super) struct MixtureNoise {
    own: Mixture,
    units: Mixture,
    committee: Committee,
    output_scale: f64,
    label_noise: f64,
    /// Whether f is part of e.
    squared: bool,
    series: Series,
}

impl MixtureNoise {
    /// For `problem` at a relative accuracy of `tolerance`; `None` where it is of another kind, or too large for this to be fast.
    pub fn new(problem: &Problem, tolerance: f64) -> Option<Self> {
        if problem.network.bias.is_some() {
            return None;
        }
        let committee = problem.target.rule.as_committee(problem.directions())?;
        let own = Mixture::of(&problem.network.activation, SHARE * tolerance)?;
        let units = Mixture::of(&committee.activation, SHARE * tolerance)?;
        let students = problem.width() * own.terms.len();
        let fields = students + committee.weights.len() * units.terms.len();
        if students * students * fields * fields > 4 * MOST {
            return None;
        }
        Some(Self {
            own,
            units,
            committee,
            output_scale: problem.output_scale(),
            label_noise: problem.target.noise,
            squared: problem.training.loss == Loss::Squared,
            series: Series::new(SERIES * tolerance),
        })
    }

    /// N at a covariance of the neurons' fields and the units', with its error.
    pub fn noise(&self, covariance: &Mat<f64>, second_layer: &[f64], out: &mut Mat<f64>) -> f64 {
        let (p, fields) = (second_layer.len(), covariance.nrows());
        // One field for each term of each neuron and unit.
        let mut parts = Vec::new();
        let mut constant = 0.0;
        for m in 0..fields {
            let (mixture, c) = match m.checked_sub(p) {
                None => (&self.own, self.output_scale * second_layer[m]),
                Some(unit) => (&self.units, -self.committee.weights[unit]),
            };
            parts.extend(mixture.terms.iter().map(|(w, beta)| (m, c * w, *beta)));
            constant += if m >= p || self.squared { c * mixture.constant } else { 0.0 };
        }
        let n = parts.len();
        let mut wide = vec![0.0; n * n];
        for (row, (m, _, beta)) in wide.chunks_exact_mut(n).zip(&parts) {
            row.iter_mut().zip(&parts).for_each(|(x, (l, _, other))| *x = beta * other * covariance[(*m, *l)]);
        }
        let coefficients: Vec<f64> = parts.iter().map(|(_, c, _)| *c).collect();
        let students = p * self.own.terms.len();
        let first = if self.squared { 0 } else { students };
        let largest = (first..n).map(|m| wide[m * n + m]).fold(0.0, f64::max);
        let (series, error) = self.series.up_to(largest / (1.0 + largest));
        let mut four = FourFields::new(n, first);
        four.load(&wide, &coefficients);
        out.fill(0.0);
        let mut greatest = 0.0_f64;
        for a in 0..students {
            for b in 0..=a {
                let ((j, c, beta), (l, d, other)) = (parts[a], parts[b]);
                let sum = four.sum(&wide, a, b, series);
                let lambda = lambda_two(wide[a * n + a], wide[b * n + b], wide[a * n + b]);
                let factor = c * d * beta * other / lambda.sqrt();
                // The odd terms of (constant + Σ)² vanish: σ' is even.
                let rest = FRAC_2_PI * (self.label_noise + constant * constant);
                let entry = factor * (FRAC_2_PI * FRAC_2_PI * sum + rest);
                greatest = greatest.max(factor.abs());
                out[(j, l)] += entry;
                if a != b && j == l {
                    out[(j, l)] += entry;
                }
            }
        }
        for j in 0..p {
            (0..j).for_each(|l| out[(l, j)] = out[(j, l)]);
        }
        let size: f64 = coefficients[first..].iter().map(|c| c.abs()).sum();
        let relative = 4.0 * (self.own.error + self.units.error);
        greatest * FRAC_2_PI * FRAC_2_PI * error * size * size + relative * out.norm_max()
    }

    pub fn describe(&self) -> String {
        let count = self.own.terms.len().max(self.units.terms.len());
        format!("four-field averages in closed form, activations as mixtures of {count} error functions")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expression::vector;

    #[test]
    fn mixtures_are_their_activations() {
        for (activation, error) in [(Activation::Tanh, 1e-5), (Activation::Tanh, 1e-8), (Activation::Sigmoid, 1e-6)] {
            let mixture = Mixture::of(&activation, error).unwrap();
            for i in 0..400 {
                let h = 0.037 * f64::from(i) - 7.0;
                let mut value = [h];
                activation.values(&mut value);
                let sum: f64 = mixture
                    .terms
                    .iter()
                    .map(|(w, beta)| {
                        let mut x = [beta * h];
                        vector::scaled_erf(&mut x);
                        w * x[0]
                    })
                    .sum();
                assert!((mixture.constant + sum - value[0]).abs() < error, "{activation:?} at {h}");
            }
        }
    }
}

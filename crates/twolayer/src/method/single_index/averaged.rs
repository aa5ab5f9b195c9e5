//! Many neurons: each sees only the residuals, which are averages over all. (theory.md §5.5)

use std::cell::RefCell;

use super::Series;
use crate::{
    error::Result,
    solve::{Jacobian, Structure, VectorField},
};

/// The flow of m → ∞ neurons, with residuals `e_k = φ_k − σ_k ⟨a s^k⟩`:
///
/// ```text
/// ε ȧ_i = Σ_k σ_k e_k s_i^k,   ṡ_i = a_i (1 − s_i²) Σ_{k≥1} k σ_k e_k s_i^{k−1},   R = ½ Σ_k e_k².
/// ```
///
/// y = (a_1, s_1, a_2, s_2, …). A drift costs O(mK); the Jacobian is 2×2 blocks plus rank K + 1.
pub struct Averaged {
    series: Series,
    /// ε, the first layer's rate over the second's.
    epsilon: f64,
    /// What each neuron counts in ⟨·⟩: 1/m, or the weight of a quadrature node.
    weights: Vec<f64>,
    scratch: RefCell<Scratch>,
}

/// Room for one look.
struct Scratch {
    residuals: Vec<f64>,
    /// σ_k e_k, the coefficients of p(s), and those of p' and p''.
    polynomials: [Vec<f64>; 3],
}

impl Averaged {
    /// For neurons that count `weights` each.
    pub fn new(series: Series, epsilon: f64, weights: Vec<f64>) -> Self {
        let polynomials = [0; 3].map(|_| Vec::with_capacity(series.degrees()));
        let scratch = RefCell::new(Scratch { residuals: Vec::new(), polynomials });
        Self { series, epsilon, weights, scratch }
    }

    /// The series.
    pub fn series(&self) -> &Series {
        &self.series
    }

    /// What each neuron counts.
    pub fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// y from the second layer and the cosines.
    pub fn pack(&self, a: &[f64], s: &[f64]) -> Vec<f64> {
        a.iter().zip(s).flat_map(|(a, s)| [*a, *s]).collect()
    }

    /// `e_k = φ_k − σ_k ⟨a s^k⟩`, k = 0 … K.
    pub fn residuals(&self, y: &[f64], residuals: &mut Vec<f64>) {
        residuals.clear();
        residuals.resize(self.series.degrees(), 0.0);
        for (neuron, weight) in y.chunks_exact(2).zip(&self.weights) {
            let mut power = weight * neuron[0];
            for moment in residuals.iter_mut() {
                *moment += power;
                power *= neuron[1];
            }
        }
        let coefficients = self.series.activation.iter().zip(&self.series.target);
        for (residual, (sigma, phi)) in residuals.iter_mut().zip(coefficients) {
            *residual = phi - sigma * *residual;
        }
    }

    /// `R = ½ Σ e_k²`, what no degree of the series sees included.
    pub fn risk(&self, y: &[f64]) -> f64 {
        let Scratch { residuals, .. } = &mut *self.scratch.borrow_mut();
        self.residuals(y, residuals);
        self.series.unseen + 0.5 * residuals.iter().map(|e| e * e).sum::<f64>()
    }

    /// `−dR/dt = ⟨ε ȧ² + ṡ²/(1 − s²)⟩ ≥ 0`.
    pub fn dissipation(&self, y: &[f64]) -> f64 {
        let scratch = &mut *self.scratch.borrow_mut();
        self.prepare(y, scratch);
        let [p, slope, _] = &scratch.polynomials;
        let neurons = y.chunks_exact(2).zip(&self.weights);
        neurons
            .map(|(neuron, weight)| {
                let (a, s) = (neuron[0], neuron[1]);
                let (value, slope) = (value(p, s), value(slope, s));
                weight * (value * value / self.epsilon + a * a * (1.0 - s * s) * slope * slope)
            })
            .sum()
    }

    /// The largest share of ⟨·⟩ that one neuron takes, `max_i weight_i |a_i|`: not small, where it carries the network.
    pub fn largest_share(&self, y: &[f64]) -> f64 {
        let shares = y.chunks_exact(2).zip(&self.weights).map(|(neuron, weight)| weight * neuron[0].abs());
        shares.fold(0.0, f64::max)
    }

    /// The polynomial p of the residuals at y, and its derivatives.
    fn prepare(&self, y: &[f64], scratch: &mut Scratch) {
        let Scratch { residuals, polynomials } = scratch;
        self.residuals(y, residuals);
        let [p, slope, curvature] = polynomials;
        p.clear();
        p.extend(self.series.activation.iter().zip(&*residuals).map(|(sigma, e)| sigma * e));
        differentiate(p, slope);
        differentiate(slope, curvature);
    }
}

/// `into` becomes the coefficients of the derivative.
fn differentiate(from: &[f64], into: &mut Vec<f64>) {
    into.clear();
    into.extend(from.iter().enumerate().skip(1).map(|(k, c)| k as f64 * c));
}

/// `Σ c_k s^k`.
#[inline(always)]
fn value(coefficients: &[f64], s: f64) -> f64 {
    coefficients.iter().rev().fold(0.0, |sum, c| sum * s + c)
}

impl VectorField for Averaged {
    fn dim(&self) -> usize {
        2 * self.weights.len()
    }

    fn drift(&self, _: f64, y: &[f64], dy: &mut [f64]) -> Result<()> {
        let scratch = &mut *self.scratch.borrow_mut();
        self.prepare(y, scratch);
        let [p, slope, _] = &scratch.polynomials;
        let rate = 1.0 / self.epsilon;
        for (neuron, dy) in y.chunks_exact(2).zip(dy.chunks_exact_mut(2)) {
            let (a, s) = (neuron[0], neuron[1]);
            dy[0] = rate * value(p, s);
            dy[1] = a * (1.0 - s) * (1.0 + s) * value(slope, s);
        }
        Ok(())
    }

    fn structure(&self) -> Structure {
        let rank = self.series.activation.iter().filter(|sigma| **sigma != 0.0).count();
        Structure::BlocksPlusLowRank { block: 2, rank }
    }

    /// Through the neuron itself: blocks. Through the residuals: `L_k = ∂ẏ/∂e_k`, `R_k = ∂e_k/∂y`.
    fn jacobian(&self, _: f64, y: &[f64], jacobian: &mut Jacobian) -> Result<()> {
        let Jacobian::Blocks(parts) = jacobian else { return Ok(()) };
        let scratch = &mut *self.scratch.borrow_mut();
        self.prepare(y, scratch);
        let [_, slope, curvature] = &scratch.polynomials;
        let rate = 1.0 / self.epsilon;
        for (neuron, block) in y.chunks_exact(2).zip(parts.diagonal.chunks_exact_mut(4)) {
            let (a, s) = (neuron[0], neuron[1]);
            let (first, second, room) = (value(slope, s), value(curvature, s), (1.0 - s) * (1.0 + s));
            block.copy_from_slice(&[0.0, rate * first, room * first, a * (room * second - 2.0 * s * first)]);
        }
        let seen = self.series.activation.iter().enumerate().filter(|(_, sigma)| **sigma != 0.0);
        for (column, (k, &sigma)) in seen.enumerate() {
            let left = parts.left.col_mut(column).iter_mut();
            for ((i, entry), neuron) in left.enumerate().zip(y.chunks_exact(2).flat_map(|neuron| [neuron, neuron])) {
                let (a, s) = (neuron[0], neuron[1]);
                *entry = if i % 2 == 0 {
                    rate * sigma * s.powi(k as i32)
                } else {
                    a * (1.0 - s) * (1.0 + s) * sigma * derivative_of_power(s, k)
                };
            }
            let right = parts.right.col_mut(column).iter_mut();
            for ((i, entry), neuron) in right.enumerate().zip(y.chunks_exact(2).flat_map(|neuron| [neuron, neuron])) {
                let (a, s, weight) = (neuron[0], neuron[1], self.weights[i / 2]);
                let power = if i % 2 == 0 { s.powi(k as i32) } else { a * derivative_of_power(s, k) };
                *entry = -sigma * weight * power;
            }
        }
        Ok(())
    }

    fn depends_on_time(&self) -> bool {
        false
    }
}

/// `k s^{k−1}`.
#[inline(always)]
fn derivative_of_power(s: f64, k: usize) -> f64 {
    if k == 0 { 0.0 } else { k as f64 * s.powi(k as i32 - 1) }
}

//! Hermite series of activations, and Mehler's formula for averages over two neurons. (theory.md §6)
//!
//! With orthonormal coefficients `c_n = E[σ(b + √q ζ) h_n(ζ)]`, `d_n = E[σ'(b + √q ζ) h_n(ζ)] = √((n+1)/q) c_{n+1}` and ρ
//! the correlation of two fields:
//!
//! ```text
//! E[σσ] = Σ_n c_n c_n ρⁿ,  E[σ'σ'] = Σ_n d_n d_n ρⁿ,  E[σ'σ] = Σ_n d_n c_n ρⁿ,  √q₁ E[σ''σ] = Σ_n √(n+1) d_{n+1} c_n ρⁿ
//! ```
//!
//! Each is cut so that the truncated averages are derivatives of the truncated E\[σσ\]: a drift computed from them is the
//! gradient of the risk computed from them, whatever the order.

use faer::{Accum, Mat, Par, linalg::matmul::matmul};

use super::{
    relu::{ReluNeurons, relu_coefficients},
    row::{Row, Wanted},
};
use crate::{
    gaussian::{
        normal::{density, distribution},
        quadrature::Quadrature,
    },
    problem::Activation,
};

/// Neurons of a list that are treated together: their sums stay in the first cache.
const CHUNK: usize = 128;

/// What turns values at nodes into Hermite coefficients.
#[derive(Debug, Clone)]
pub(super) struct Basis {
    /// N, the highest degree kept in σ.
    order: usize,
    /// ζ_i.
    nodes: Vec<f64>,
    /// w_i.
    weights: Vec<f64>,
    /// `w_i h_n(ζ_i)`, nodes × (N+2).
    weighted: Mat<f64>,
}

/// The coefficients of some neurons.
#[derive(Debug, Clone)]
pub(super) struct Expansion {
    /// `c_n(j)`, p×(N+1).
    pub values: Mat<f64>,
    /// `d_n(j)`, p×(N+2).
    pub slopes: Mat<f64>,
    /// `E σ_j² − Σ c_n²`, p.
    pub value_tail: Vec<f64>,
    /// `E σ'_j² − Σ_{n<N} d_n²`, p.
    pub slope_tail: Vec<f64>,
    /// `E σ_j²`, p.
    pub size: Vec<f64>,
}

impl Basis {
    /// For the degrees up to `order`.
    pub fn new(order: usize) -> Self {
        Self::spaced(order, 0.125)
    }

    /// The same with a third of the nodes, for many neurons at a percent of a percent.
    pub fn coarse(order: usize) -> Self {
        Self::spaced(order, 0.375)
    }

    fn spaced(order: usize, spacing: f64) -> Self {
        let rule = Quadrature::equally_spaced(13.0, spacing);
        let mut weighted = Mat::zeros(rule.nodes.len(), order + 2);
        for (i, (&x, &w)) in rule.nodes.iter().zip(&rule.weights).enumerate() {
            hermite(x, order + 1, |n, h| weighted[(i, n)] = w * h);
        }
        Self { order, nodes: rule.nodes, weights: rule.weights, weighted }
    }

    /// N.
    pub fn order(&self) -> usize {
        self.order
    }

    /// The coefficients of neurons with `h_j ~ N(bias_j, variance_j)`.
    pub fn expand(&self, activation: &Activation, variance: &[f64], bias: &[f64]) -> Expansion {
        let (p, m) = (bias.len(), self.nodes.len());
        let mut values = Mat::<f64>::zeros(m, p);
        let mut slopes = Mat::<f64>::zeros(m, p);
        for j in 0..p {
            let root = variance[j].max(0.0).sqrt();
            let column = values.col_as_slice_mut(j);
            column.iter_mut().zip(&self.nodes).for_each(|(h, x)| *h = bias[j] + root * x);
            activation.values_and_derivatives(column, slopes.col_as_slice_mut(j));
        }
        let mut out = Expansion::zeros(p, self.order);
        let kept = self.weighted.subcols(0, self.order + 1);
        matmul(&mut out.values, Accum::Replace, values.transpose(), kept, 1.0, Par::Seq);
        matmul(&mut out.slopes, Accum::Replace, slopes.transpose(), &self.weighted, 1.0, Par::Seq);
        let square = |column: &[f64]| column.iter().zip(&self.weights).map(|(x, w)| w * x * x).sum::<f64>();
        for j in 0..p {
            out.size[j] = square(values.col_as_slice(j));
            let kept: Vec<f64> = (0..=self.order).map(|n| out.values[(j, n)]).collect();
            let kept_slopes: Vec<f64> = (0..self.order).map(|n| out.slopes[(j, n)]).collect();
            out.value_tail[j] = tail(out.size[j], &kept);
            out.slope_tail[j] = tail(square(slopes.col_as_slice(j)), &kept_slopes);
        }
        out
    }

    /// The coefficients of ReLU neurons, whose kink the nodes see too coarsely: closed forms.
    pub fn expand_relu(&self, neurons: &ReluNeurons) -> Expansion {
        let p = neurons.roots.len();
        let mut out = Expansion::zeros(p, self.order);
        for j in 0..p {
            let (root, t) = (neurons.roots[j], neurons.shifts[j]);
            let (values, slopes) = relu_coefficients(root, t, self.order + 1);
            let (above, phi) = (distribution(t), density(t));
            out.size[j] = root * root * ((t * t + 1.0) * above + t * phi);
            out.value_tail[j] = tail(out.size[j], &values[..=self.order]);
            out.slope_tail[j] = tail(above, &slopes[..self.order]);
            (0..=self.order).for_each(|n| out.values[(j, n)] = values[n]);
            (0..=self.order + 1).for_each(|n| out.slopes[(j, n)] = slopes[n]);
        }
        out
    }
}

/// What the coefficients leave of a mean square.
fn tail(whole: f64, coefficients: &[f64]) -> f64 {
    (whole - coefficients.iter().map(|c| c * c).sum::<f64>()).max(0.0)
}

impl Expansion {
    fn zeros(p: usize, order: usize) -> Self {
        Self {
            values: Mat::zeros(p, order + 1),
            slopes: Mat::zeros(p, order + 2),
            value_tail: vec![0.0; p],
            slope_tail: vec![0.0; p],
            size: vec![0.0; p],
        }
    }

    fn order(&self) -> usize {
        self.values.ncols() - 1
    }
}

/// `out(n, h_n(x))` for the orthonormal Hermite polynomials up to degree `last`.
pub(super) fn hermite(x: f64, last: usize, mut out: impl FnMut(usize, f64)) {
    let (mut h, mut before) = (1.0, 0.0);
    for n in 0..=last {
        out(n, h);
        (h, before) = ((x * h - (n as f64).sqrt() * before) / ((n + 1) as f64).sqrt(), h);
    }
}

pub(super) fn series_pairs(left: &Expansion, j: usize, right: &Expansion, rho: &[f64], wanted: Wanted, out: &mut Row) {
    let order = left.order();
    for (chunk, rho) in rho.chunks(CHUNK).enumerate() {
        let at = chunk * CHUNK;
        let range = at..at + rho.len();
        let largest = rho.iter().fold(0.0, |m: f64, r| m.max(r.abs()));
        // Beyond these, ρⁿ is rounding.
        let enough = if largest < 1.0 { (37.0 / -largest.max(1e-16).ln()).ceil() as usize + 1 } else { usize::MAX };
        let terms = enough.min(order + 1);
        let (c, d) = (|n: usize| left.values[(j, n)], |n: usize| left.slopes[(j, n)]);
        let value = |n: usize| &right.values.col_as_slice(n)[range.clone()];
        let slope = |n: usize| &right.slopes.col_as_slice(n)[range.clone()];
        if wanted != Wanted::Slopes {
            horner(terms, c, value, rho, &mut out.values[range.clone()]);
        }
        if wanted != Wanted::Values {
            // σ' has degree N − 1; a constant has none.
            horner(terms.min(order), d, slope, rho, &mut out.slopes[range.clone()]);
        }
        if wanted == Wanted::All {
            horner(terms, d, value, rho, &mut out.mixed[range.clone()]);
            let curved = |n: usize| ((n + 1) as f64).sqrt() * left.slopes[(j, n + 1)];
            horner(terms, curved, value, rho, &mut out.curved[range.clone()]);
        }
    }
}

/// `out_l ← Σ_{n<terms} left(n) right(n)_l ρ_lⁿ`.
fn horner<'a>(
    terms: usize,
    left: impl Fn(usize) -> f64,
    right: impl Fn(usize) -> &'a [f64],
    rho: &[f64],
    out: &mut [f64],
) {
    out.fill(0.0);
    for n in (0..terms).rev() {
        let c = left(n);
        for ((out, r), rho) in out.iter_mut().zip(right(n)).zip(rho) {
            *out = *out * rho + c * r;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn polynomials_end() {
        let basis = Basis::new(8);
        // He_3(b + √q ζ) at b = 0.3, q = 2: E σ = b³ + 3b(q − 1), c_3 = q^{3/2} √6.
        let he3 = basis.expand(&Activation::Hermite(3), &[2.0], &[0.3]);
        assert!((he3.values[(0, 0)] - (0.027 + 0.9)).abs() < 1e-12, "{}", he3.values[(0, 0)]);
        assert!((he3.values[(0, 3)] - 8f64.sqrt() * 6f64.sqrt()).abs() < 1e-12);
        assert!((4..=8).all(|n| he3.values[(0, n)].abs() < 1e-12));
        assert!(he3.value_tail[0] < 1e-12 && he3.slope_tail[0] < 1e-12);
    }

    #[test]
    fn mehler_knows_erf_and_relu() {
        let basis = Basis::new(48);
        let (q1, q2, c) = (0.8, 1.5, -0.6);
        let rho = c / f64::sqrt(q1 * q2);
        let neurons = basis.expand(&Activation::Erf, &[q1, q2], &[0.0, 0.0]);
        let mut row = Row::new(2);
        series_pairs(&neurons, 0, &neurons, &[0.2, rho], Wanted::All, &mut row);
        let two_over_pi = std::f64::consts::FRAC_2_PI;
        let exact = two_over_pi * (c / f64::sqrt((1.0 + q1) * (1.0 + q2))).asin();
        assert!((row.values[1] - exact).abs() < 1e-13);
        assert!((row.slopes[1] - two_over_pi / ((1.0 + q1) * (1.0 + q2) - c * c).sqrt()).abs() < 1e-13);
        let relu = basis.expand_relu(&ReluNeurons::new(&[q1, q2], &[0.0, 0.0]));
        series_pairs(&relu, 0, &relu, &[0.2, rho], Wanted::All, &mut row);
        let theta = f64::acos(rho);
        let exact =
            (q1 * q2).sqrt() * (theta.sin() + (std::f64::consts::PI - theta) * theta.cos()) / std::f64::consts::TAU;
        assert!((row.values[1] - exact).abs() < 1e-9, "{} {exact}", row.values[1]);
    }
}

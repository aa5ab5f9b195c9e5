//! `E[σ'(x_j) σ'(x_l) e²]` of an error that is a sum of erf: `Σ_mm' c_m c_m' asin(Λ0/√(Λ1Λ2))` up to its factor.
//!
//! The argument has rank three in m': `X_mm' = (Λ4 C_mm' − α_m' left_m − β_m' right_m) ρ_m ρ_m'` with α, β the rows j and l of
//! C, `left = α(1+C_ll) − C_jl β`, `right = β(1+C_jj) − C_jl α`, `ρ = 1/√Λ1`; and |X| ≤ max C_mm/(1+C_mm), because σ'σ' only
//! narrows the law of the fields. So a short polynomial serves for asin, with a known error.

use super::lambda_two;
use crate::expression::vector::{AsinSum, asin_series, asin_sums};

/// Bounds of |X| for which there are polynomials.
const BOUNDS: [f64; 7] = [0.4, 0.5, 0.6, 0.7, 0.8, 0.88, 0.94];

/// Coefficients beyond which asin itself is as fast.
const LONGEST: usize = 14;

/// Polynomials in place of asin, for some bounds of its argument.
#[derive(Debug)]
pub(in super::super) struct Series {
    /// The error of each.
    error: f64,
    /// A bound and the coefficients.
    known: Vec<(f64, Vec<f64>)>,
}

impl Series {
    /// With at most this error; none for an error of 0.
    pub fn new(error: f64) -> Self {
        let of = |bound: f64| asin_series(bound, error, LONGEST).map(|series| (bound, series));
        let known = if error > 0.0 { BOUNDS.into_iter().filter_map(of).collect() } else { Vec::new() };
        Self { error, known }
    }

    /// The shortest that serves up to `bound`, with its error; `None` for asin itself.
    pub fn up_to(&self, bound: f64) -> (Option<&[f64]>, f64) {
        match self.known.iter().find(|(known, _)| bound <= *known) {
            Some((_, series)) => (Some(series), self.error),
            None => (None, 0.0),
        }
    }
}

/// Arrays of one pair (j, l), over the fields of e.
#[derive(Debug)]
pub(in super::super) struct FourFields {
    /// n, and the first field of e.
    fields: usize,
    first: usize,
    /// c.
    coefficients: Vec<f64>,
    /// ρ, ρα, ρβ.
    root: Vec<f64>,
    alpha: Vec<f64>,
    beta: Vec<f64>,
    /// left and right.
    left: Vec<f64>,
    right: Vec<f64>,
    /// C_mm.
    diagonal: Vec<f64>,
    /// X_mm, 1 and c².
    own: Vec<f64>,
    ones: Vec<f64>,
    squares: Vec<f64>,
}

impl FourFields {
    pub fn new(fields: usize, first: usize) -> Self {
        let zeros = || vec![0.0; fields - first];
        Self {
            fields,
            first,
            coefficients: zeros(),
            root: zeros(),
            alpha: zeros(),
            beta: zeros(),
            left: zeros(),
            right: zeros(),
            diagonal: zeros(),
            own: zeros(),
            ones: vec![1.0; fields - first],
            squares: zeros(),
        }
    }

    /// What all pairs share.
    pub fn load(&mut self, covariance: &[f64], coefficients: &[f64]) {
        self.coefficients.copy_from_slice(&coefficients[self.first..]);
        for m in 0..self.diagonal.len() {
            self.diagonal[m] = covariance[(self.first + m) * (self.fields + 1)];
            self.squares[m] = self.coefficients[m] * self.coefficients[m];
        }
    }

    /// `Σ_mm' c_m c_m' asin X_mm'` of neurons j and l.
    pub fn sum(&mut self, covariance: &[f64], j: usize, l: usize, series: Option<&[f64]>) -> f64 {
        let (n, first) = (self.fields, self.first);
        let of_j = &covariance[j * n + first..(j + 1) * n];
        let of_l = &covariance[l * n + first..(l + 1) * n];
        let (jj, ll, jl) = (covariance[j * n + j], covariance[l * n + l], covariance[j * n + l]);
        let lambda_four = lambda_two(jj, ll, jl);
        for m in 0..n - first {
            let (alpha, beta) = (of_j[m], of_l[m]);
            let left = alpha * (1.0 + ll) - jl * beta;
            let right = beta * (1.0 + jj) - jl * alpha;
            let lambda_one = lambda_four * (1.0 + self.diagonal[m]) - alpha * left - beta * right;
            // Λ1/Λ4 − 1 is a conditional variance.
            let root = 1.0 / lambda_one.max(lambda_four).sqrt();
            (self.root[m], self.alpha[m], self.beta[m]) = (root, root * alpha, root * beta);
            (self.left[m], self.right[m]) = (root * left, root * right);
            self.own[m] = (lambda_four * self.diagonal[m] - alpha * left - beta * right) * root * root;
        }
        // Up to the diagonal twice, without the diagonal.
        let rows = (0..n - first).map(|m| {
            let start = (first + m) * n + first;
            let row = AsinSum {
                covariances: &covariance[start..=start + m],
                alpha: &self.alpha[..=m],
                beta: &self.beta[..=m],
                roots: &self.root[..=m],
                weights: &self.coefficients[..=m],
                factors: [lambda_four * self.root[m], self.left[m], self.right[m]],
                series,
            };
            (2.0 * self.coefficients[m], row)
        });
        let own = AsinSum {
            covariances: &self.own,
            alpha: &self.alpha,
            beta: &self.beta,
            roots: &self.ones,
            weights: &self.squares,
            factors: [1.0, 0.0, 0.0],
            series,
        };
        asin_sums(rows.chain([(-1.0, own)]))
    }
}

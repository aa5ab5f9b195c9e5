//! `Σ w_l asin(X_l)` over arguments of rank three, formed and summed in registers.

use pulp::{Arch, Simd, WithSimd};

use super::{functions, lanes::Lanes};

/// Arguments `X_l = scale·c_l − left·α_l − right·β_l` and weights w_l; a polynomial in place of asin where one is given.
#[derive(Debug, Clone, Copy)]
pub struct AsinSum<'a> {
    /// c.
    pub covariances: &'a [f64],
    /// α.
    pub alpha: &'a [f64],
    /// β.
    pub beta: &'a [f64],
    /// ρ, which multiplies c.
    pub roots: &'a [f64],
    /// w.
    pub weights: &'a [f64],
    /// The factors of ρc, α and β.
    pub factors: [f64; 3],
    /// q of `asin X ≈ X Σ_n q_n X²ⁿ`.
    pub series: Option<&'a [f64]>,
}

/// Sums of all rows.
///
/// # Panics
/// Where slices of a row differ in length.
pub fn asin_sums<'a>(rows: impl Iterator<Item = (f64, AsinSum<'a>)>) -> f64 {
    Arch::new().dispatch(Rows(rows))
}

struct Rows<I>(I);

impl<'a, I: Iterator<Item = (f64, AsinSum<'a>)>> WithSimd for Rows<I> {
    type Output = f64;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> f64 {
        let mut total = 0.0;
        for (factor, row) in self.0 {
            total += factor * row.sum(simd);
        }
        total
    }
}

impl AsinSum<'_> {
    #[inline(always)]
    fn sum<S: Simd>(self, simd: S) -> f64 {
        let count = self.weights.len();
        assert!([self.covariances, self.alpha, self.beta, self.roots].iter().all(|x| x.len() == count));
        let zero = Lanes::new(simd, simd.splat_f64s(0.0));
        let factors = [zero.splat(self.factors[0]), zero.splat(self.factors[1]), zero.splat(self.factors[2])];
        let (covariances, covariances_tail) = S::as_simd_f64s(self.covariances);
        let (alpha, alpha_tail) = S::as_simd_f64s(self.alpha);
        let (beta, beta_tail) = S::as_simd_f64s(self.beta);
        let (roots, roots_tail) = S::as_simd_f64s(self.roots);
        let (weights, weights_tail) = S::as_simd_f64s(self.weights);
        let mut sum = zero;
        for i in 0..covariances.len() {
            let x = argument(
                factors,
                Lanes::new(simd, covariances[i]) * Lanes::new(simd, roots[i]),
                Lanes::new(simd, alpha[i]),
                Lanes::new(simd, beta[i]),
            );
            sum = arcsine(x, self.series).mul_add(Lanes::new(simd, weights[i]), sum);
        }
        if !covariances_tail.is_empty() {
            let root = Lanes::new(simd, simd.partial_load_f64s(roots_tail));
            let x = argument(
                factors,
                Lanes::new(simd, simd.partial_load_f64s(covariances_tail)) * root,
                Lanes::new(simd, simd.partial_load_f64s(alpha_tail)),
                Lanes::new(simd, simd.partial_load_f64s(beta_tail)),
            );
            let weight = Lanes::new(simd, simd.partial_load_f64s(weights_tail));
            sum = arcsine(x, self.series).mul_add(weight, sum);
        }
        simd.reduce_sum_f64s(sum.numbers)
    }
}

// Functions, not closures: those are not inlined into code for another instruction set.

#[inline(always)]
fn argument<S: Simd>([scale, left, right]: [Lanes<S>; 3], c: Lanes<S>, alpha: Lanes<S>, beta: Lanes<S>) -> Lanes<S> {
    c * scale - alpha.mul_add(left, beta * right)
}

#[inline(always)]
fn arcsine<S: Simd>(x: Lanes<S>, series: Option<&[f64]>) -> Lanes<S> {
    match series {
        Some(series) => x * polynomial(x * x, series),
        None => functions::asin(x),
    }
}

#[inline(always)]
fn polynomial<S: Simd>(x: Lanes<S>, coefficients: &[f64]) -> Lanes<S> {
    let mut sum = x.splat(0.0);
    for &c in coefficients.iter().rev() {
        sum = sum.mul_add(x, x.splat(c));
    }
    sum
}

/// q of `asin X ≈ X Σ_n q_n X²ⁿ` for |X| ≤ `bound` < 1, the fewest with an error below `error`; `None` where more than
/// `most` are needed. Chebyshev interpolation in X².
pub fn asin_series(bound: f64, error: f64, most: usize) -> Option<Vec<f64>> {
    let value = |y: f64| if y > 0.0 { y.sqrt().asin() / y.sqrt() } else { 1.0 };
    (2..=most).map(|count| interpolation(value, bound * bound, count)).find(|series| {
        (0..=200).all(|i| {
            let x = bound * f64::from(i) / 200.0;
            let sum = series.iter().rev().fold(0.0, |sum, q| sum * x * x + q);
            (x * sum - x.asin()).abs() <= error
        })
    })
}

/// The polynomial of degree `count` − 1 through f at the Chebyshev points of [0, `top`], by powers.
fn interpolation(f: impl Fn(f64) -> f64, top: f64, count: usize) -> Vec<f64> {
    let angle = |i: usize| std::f64::consts::PI * (i as f64 + 0.5) / count as f64;
    let points: Vec<f64> = (0..count).map(|i| 0.5 * top * (1.0 + angle(i).cos())).collect();
    // Newton's divided differences, then multiplied out.
    let mut differences: Vec<f64> = points.iter().map(|y| f(*y)).collect();
    for level in 1..count {
        for i in (level..count).rev() {
            differences[i] = (differences[i] - differences[i - 1]) / (points[i] - points[i - level]);
        }
    }
    let mut powers = vec![0.0; count];
    for i in (0..count).rev() {
        // p ← p (y − y_i) + d_i.
        for n in (0..count).rev() {
            let lower = if n > 0 { powers[n - 1] } else { 0.0 };
            powers[n] = lower - points[i] * powers[n];
        }
        powers[0] += differences[i];
    }
    powers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_of_arcsines_of_forms() {
        let n = 13;
        let numbers = |seed: f64| (0..n).map(|i| 0.3 * (seed * f64::from(i + 1)).sin()).collect::<Vec<f64>>();
        let [c, alpha, beta, roots, weights] = [1.1, 2.3, 0.7, 3.1, 1.9].map(numbers);
        let factors = [1.5, 0.4, -0.8];
        let exact: f64 = (0..n as usize)
            .map(|i| weights[i] * (factors[0] * c[i] * roots[i] - factors[1] * alpha[i] - factors[2] * beta[i]).asin())
            .sum();
        let series = asin_series(0.5, 1e-9, 12).unwrap();
        for (series, error) in [(None, 1e-15), (Some(&series[..]), 4e-9)] {
            let row = AsinSum {
                covariances: &c,
                alpha: &alpha,
                beta: &beta,
                roots: &roots,
                weights: &weights,
                factors,
                series,
            };
            let sum = asin_sums([(2.0, row), (-1.0, row)].into_iter());
            assert!((sum - exact).abs() <= error, "{sum} {exact}");
        }
    }

    #[test]
    fn series_meet_their_error() {
        for (bound, error) in [(0.5, 1e-6), (0.7, 1e-9), (0.9, 1e-5)] {
            let series = asin_series(bound, error, 16).unwrap();
            let worst = (0..=1000)
                .map(|i| {
                    let x = bound * f64::from(i) / 1000.0;
                    (x * series.iter().rev().fold(0.0, |sum, q| sum * x * x + q) - x.asin()).abs()
                })
                .fold(0.0, f64::max);
            assert!(worst <= 1.2 * error, "{bound}: {worst:e}");
        }
        assert_eq!(asin_series(0.99, 1e-12, 12), None);
    }
}

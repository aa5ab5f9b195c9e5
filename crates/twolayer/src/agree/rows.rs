//! Two samples of replicates as one contrast and its residuals, all of one covariance when the means are equal.

/// How the values of two views at one entry become `n` numbers: the contrast first, then residuals. Where replicates are
/// Gaussian and the two means are the same, the `n` numbers are independent, of mean 0 and of one variance, and so they
/// stay under any rotation among them.
#[derive(Debug)]
pub struct Contrast {
    /// `n` rows of coefficients of the first view's values, then the second's; each sums to 0.
    rows: Vec<Vec<f64>>,
    /// Contrast = `scale`·(difference of the means).
    pub scale: f64,
}

/// One side of a comparison.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    pub replicates: usize,
    /// Whether it is a limit's only run: a number, not a draw.
    pub exact: bool,
}

impl Contrast {
    /// n: the degrees of freedom that an entry's test has, and one.
    pub fn rows(&self) -> usize {
        self.rows.len()
    }

    /// The contrast of two views; `None` where neither has a spread.
    ///
    /// * A sample against a number ℓ: `√R (x̄ − ℓ)`, and Helmert's residuals of the sample.
    /// * Two samples, `R ≤ R'`: Scheffé's `D_i = x_i − √(R/R') x'_i + const`, whose mean is `x̄ − x̄'` and whose covariance is
    ///   `Σ + (R/R') Σ'`, whatever Σ and Σ' are (Scheffé 1943, on the Behrens–Fisher problem): a sample of R again.
    /// * A single draw against a sample: `√(R/(R+1)) (x − x̄')`: it is taken to spread as the others do.
    pub fn new(first: Sample, second: Sample) -> Option<Self> {
        let (a, b) = (first.replicates, second.replicates);
        let mut weights = vec![vec![0.0; a + b]; a.max(b)];
        let (rows, scale) = match (a, b) {
            (1, 1) => return None,
            (1, r) | (r, 1) => {
                let offset = if a == 1 { 1 } else { 0 };
                (0..r).for_each(|i| weights[i][offset + i] = 1.0);
                let lone = if a == 1 { first } else { second };
                (r, if lone.exact { r as f64 } else { r as f64 / (r + 1) as f64 })
            }
            _ => {
                let r = a.min(b);
                let shrink = |of: usize| (r as f64 / of as f64).sqrt();
                for (i, row) in weights.iter_mut().take(r).enumerate() {
                    row[i] = shrink(a);
                    row[a + i] = -shrink(b);
                }
                (r, r as f64)
            }
        };
        let mean = |i: usize| if i < a { 1.0 / a as f64 } else { -1.0 / b as f64 };
        let scale = f64::sqrt(scale);
        let mut all = vec![(0..a + b).map(|i| scale * mean(i)).collect::<Vec<f64>>()];
        for r in 1..rows {
            let norm = ((r * (r + 1)) as f64).sqrt();
            let helmert = |i: usize| -> f64 {
                let before: f64 = weights[..r].iter().map(|row| row[i]).sum();
                (before - r as f64 * weights[r][i]) / norm
            };
            all.push((0..a + b).map(helmert).collect());
        }
        Some(Self { rows: all, scale })
    }

    /// The contrast and the residuals of these values, both views in a row.
    pub fn of(&self, values: &[f64]) -> Vec<f64> {
        // Shifted by the first value: nearly equal numbers would lose their differences.
        let dot = |row: &Vec<f64>| row.iter().zip(values).map(|(c, x)| c * (x - values[0])).sum();
        self.rows.iter().map(dot).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows are orthogonal in the covariance of the null: diag(σ², …; σ'², …), of one variance.
    #[test]
    fn rows_are_uncorrelated_and_of_one_variance() {
        let draws = |replicates| Sample { replicates, exact: false };
        let limit = Sample { replicates: 1, exact: true };
        for (first, second, variances) in [
            (draws(5), draws(5), [1.0, 9.0]),
            (draws(4), draws(16), [2.0, 0.1]),
            (draws(16), draws(3), [1.0, 7.0]),
            (limit, draws(6), [0.0, 2.0]),
            (draws(6), limit, [2.0, 0.0]),
            (draws(1), draws(6), [3.0, 3.0]),
        ] {
            let contrast = Contrast::new(first, second).unwrap();
            let (a, n) = (first.replicates, first.replicates + second.replicates);
            let covariance = |r: usize, s: usize| -> f64 {
                let variance = |i: usize| variances[usize::from(i >= a)];
                (0..n).map(|i| contrast.rows[r][i] * contrast.rows[s][i] * variance(i)).sum()
            };
            let size = covariance(0, 0);
            for r in 0..contrast.rows.len() {
                assert!(contrast.rows[r].iter().sum::<f64>().abs() < 1e-12, "{first:?} {second:?}");
                for s in 0..=r {
                    let expected = if r == s { size } else { 0.0 };
                    assert!((covariance(r, s) - expected).abs() < 1e-12, "{first:?} {second:?}: {r}, {s}");
                }
            }
        }
        assert!(Contrast::new(limit, draws(1)).is_none());
    }
}

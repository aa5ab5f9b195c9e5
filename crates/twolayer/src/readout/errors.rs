//! The error of predictions on samples that were not fitted.

use faer::{Accum, Mat, MatRef, Par, linalg::matmul::matmul};

/// Mean of `(y − f)²/2` over samples that arrive in blocks, for several second layers at once, with its standard error.
pub struct Errors {
    /// b, p×L.
    weights: Mat<f64>,
    predictions: Mat<f64>,
    count: usize,
    /// Of the loss and its square, for each second layer.
    sums: Vec<[f64; 2]>,
}

impl Errors {
    /// For the second layers in the columns of `weights` (p×L).
    pub fn new(weights: Mat<f64>) -> Self {
        let sums = vec![[0.0; 2]; weights.ncols()];
        Self { weights, predictions: Mat::zeros(0, 0), count: 0, sums }
    }

    /// Adds samples: `features` is m×p, one row for each label.
    pub fn add(&mut self, features: MatRef<'_, f64>, labels: &[f64]) {
        let (m, layers) = (labels.len(), self.weights.ncols());
        if self.predictions.nrows() != m {
            self.predictions = Mat::zeros(m, layers);
        }
        matmul(&mut self.predictions, Accum::Replace, features, &self.weights, 1.0, Par::Seq);
        for (l, [sum, squares]) in self.sums.iter_mut().enumerate() {
            for (f, y) in self.predictions.col_as_slice(l).iter().zip(labels) {
                let loss = 0.5 * (y - f) * (y - f);
                *sum += loss;
                *squares += loss * loss;
            }
        }
        self.count += m;
    }

    /// The mean and its standard error over samples, for each second layer; NaN before the first and the second sample.
    pub fn means(&self) -> Vec<(f64, f64)> {
        let n = self.count as f64;
        let mean = |[sum, squares]: &[f64; 2]| {
            let mean = sum / n;
            (mean, ((squares / n - mean * mean).max(0.0) / (n - 1.0)).sqrt())
        };
        self.sums.iter().map(mean).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mean_and_standard_error_of_the_loss() {
        let weights = Mat::from_fn(1, 2, |_, l| l as f64);
        let mut errors = Errors::new(weights);
        let features = Mat::from_fn(4, 1, |i, _| i as f64);
        errors.add(features.subrows(0, 3), &[1.0, 1.0, 1.0]);
        errors.add(features.subrows(3, 1), &[1.0]);
        // Second layer 0: all losses ½. Second layer 1: (1 − i)²/2 = ½, 0, ½, 2: mean ¾, squares ¼ + ¼ + 4.
        let [none, one] = errors.means()[..] else { panic!() };
        assert_eq!(none, (0.5, 0.0));
        assert_eq!(one, (0.75, ((4.5 / 4.0 - 0.5625) / 3.0_f64).sqrt()));
    }
}

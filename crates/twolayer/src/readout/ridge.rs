//! Ridge regression on features that arrive in blocks.

use faer::{Accum, Mat, MatRef, Par, linalg::matmul::matmul};

use super::Tridiagonal;
use crate::{error::Result, overlaps::add_gram};

/// Ridge regression of n labels on p features: the minimiser of
///
/// ```text
/// Σ_μ (y_μ − Σ_j φ_μj b_j)² + λ ‖b‖²
/// ```
///
/// with φ_μj = s σ(h_jμ), a sum over samples, without an intercept. Samples are added in blocks; while there are fewer of
/// them than features they are kept (n×p numbers) and the dual equations `b = Φᵀ (ΦΦᵀ + λ)⁻¹ y` are solved, afterwards only
/// `ΦᵀΦ` and `Φᵀy` are (p²) and `b = (ΦᵀΦ + λ)⁻¹ Φᵀy`. More samples may be added after a fit, so that sizes can be nested.
/// (theory.md §8)
pub struct Ridge {
    samples: Samples,
    width: usize,
    count: usize,
    squares: f64,
    threads: usize,
}

/// What is kept of the samples.
enum Samples {
    /// Blocks of features and all labels.
    Kept { blocks: Vec<Mat<f64>>, labels: Vec<f64> },
    /// `ΦᵀΦ` (its lower triangle) and `Φᵀy`.
    Summed { gram: Mat<f64>, products: Vec<f64> },
}

/// Second layers, one for each ridge value, and how well they do on the samples they were fitted to.
#[derive(Debug, Clone)]
pub struct Fit {
    /// b, p×L.
    pub weights: Mat<f64>,
    /// `Σ_μ (y_μ − f_μ)²/2n` (L).
    pub train_error: Vec<f64>,
}

impl Ridge {
    /// A regression on `width` features by at most so many threads; no samples yet.
    pub fn new(width: usize, threads: usize) -> Self {
        let samples = Samples::Kept { blocks: Vec::new(), labels: Vec::new() };
        Self { samples, width, count: 0, squares: 0.0, threads }
    }

    /// Samples so far.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Bytes that a regression of so many samples on so many features holds, factorisation and `ridges` answers included.
    pub fn bytes(width: usize, samples: usize, ridges: usize) -> f64 {
        let (p, n) = (width as f64, samples as f64);
        let small = n.min(p);
        8.0 * (p * small + 2.0 * small * small + p * ridges as f64)
    }

    /// Adds samples: `features` is m×p, one row for each label.
    pub fn add(&mut self, features: MatRef<'_, f64>, labels: &[f64]) {
        assert_eq!((features.nrows(), features.ncols()), (labels.len(), self.width), "one row for each label");
        self.count += labels.len();
        self.squares += labels.iter().map(|y| y * y).sum::<f64>();
        if let Samples::Kept { blocks, labels: kept } = &mut self.samples {
            if self.count < self.width {
                blocks.push(features.to_owned());
                kept.extend(labels);
                return;
            }
            let (blocks, kept) = (std::mem::take(blocks), std::mem::take(kept));
            let p = self.width;
            self.samples = Samples::Summed { gram: Mat::zeros(p, p), products: vec![0.0; p] };
            let mut from = 0;
            for block in blocks {
                let to = from + block.nrows();
                self.sum(block.as_ref(), &kept[from..to]);
                from = to;
            }
        }
        self.sum(features, labels);
    }

    /// Adds samples to `ΦᵀΦ` and `Φᵀy`.
    fn sum(&mut self, features: MatRef<'_, f64>, labels: &[f64]) {
        let Samples::Summed { gram, products } = &mut self.samples else { return };
        add_gram(gram.as_mut(), features, self.threads);
        for (j, product) in products.iter_mut().enumerate() {
            *product += features.col(j).iter().zip(labels).map(|(phi, y)| phi * y).sum::<f64>();
        }
    }

    /// The minimiser for each of `ridges`, all from one factorisation.
    ///
    /// # Errors
    /// [`Error::Numerical`](crate::Error::Numerical) where a feature is not finite, or a ridge is below the rounding of the
    /// Gram matrix.
    pub fn fit(&self, ridges: &[f64]) -> Result<Fit> {
        let n = self.count.max(1) as f64;
        match &self.samples {
            Samples::Kept { blocks, labels } => {
                let features = stacked(blocks, self.width);
                let mut gram = Mat::zeros(labels.len(), labels.len());
                add_gram(gram.as_mut(), features.transpose(), self.threads);
                let residuals = Tridiagonal::new(gram)?.solve(labels, ridges)?;
                let mut weights = Mat::zeros(self.width, ridges.len());
                matmul(&mut weights, Accum::Replace, features.transpose(), &residuals, 1.0, Par::Seq);
                // y − Φb = λ (ΦΦᵀ + λ)⁻¹ y
                let error = |(l, ridge): (usize, &f64)| {
                    residuals.col_as_slice(l).iter().map(|r| (ridge * r).powi(2)).sum::<f64>() / (2.0 * n)
                };
                Ok(Fit { train_error: ridges.iter().enumerate().map(error).collect(), weights })
            }
            Samples::Summed { gram, products } => {
                let weights = Tridiagonal::new(gram.clone())?.solve(products, ridges)?;
                // ‖y − Φb‖² = ‖y‖² − ⟨b, Φᵀy⟩ − λ‖b‖²
                let error = |(l, ridge): (usize, &f64)| {
                    let b = weights.col_as_slice(l);
                    let fitted: f64 = b.iter().zip(products).map(|(b, c)| b * (c + ridge * b)).sum();
                    (self.squares - fitted).max(0.0) / (2.0 * n)
                };
                Ok(Fit { train_error: ridges.iter().enumerate().map(error).collect(), weights })
            }
        }
    }
}

/// All blocks, one below the other.
fn stacked(blocks: &[Mat<f64>], width: usize) -> Mat<f64> {
    let rows = blocks.iter().map(Mat::nrows).sum();
    let mut all = Mat::zeros(rows, width);
    let mut from = 0;
    for block in blocks {
        all.subrows_mut(from, block.nrows()).copy_from(block);
        from += block.nrows();
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, Streams, fill_normal};

    /// n samples of p features, and labels.
    fn data(n: usize, p: usize, seed: u64) -> (Mat<f64>, Vec<f64>) {
        let mut stream = Streams { seed, replicate: 0 }.stream(Purpose::Input);
        let mut normals = vec![0.0; n * (p + 1)];
        fill_normal(&mut stream, &mut normals);
        let features = Mat::from_fn(n, p, |i, j| normals[i * (p + 1) + j] / (p as f64).sqrt());
        (features, (0..n).map(|i| normals[i * (p + 1) + p]).collect())
    }

    /// The gradient of `Σ (y − Φb)² + λ‖b‖²` over 2, its largest entry.
    fn slope(features: &Mat<f64>, labels: &[f64], b: &[f64], ridge: f64) -> f64 {
        let b = Mat::from_fn(b.len(), 1, |j, _| b[j]);
        let y = Mat::from_fn(labels.len(), 1, |i, _| labels[i]);
        (features.transpose() * (features * &b - y) + b * faer::Scale(ridge)).norm_max()
    }

    #[test]
    fn the_minimiser_has_no_slope_whatever_the_form_and_the_blocks() {
        let p = 40;
        let ridges = [1e-4, 0.1, 7.0];
        for n in [1, 7, 39, 40, 41, 130] {
            let (features, labels) = data(n, p, 3);
            for block in [n, 16, 1] {
                let mut ridge = Ridge::new(p, 2);
                for from in (0..n).step_by(block) {
                    let size = block.min(n - from);
                    ridge.add(features.subrows(from, size), &labels[from..from + size]);
                }
                let fit = ridge.fit(&ridges).unwrap();
                assert_eq!(ridge.count(), n);
                for (l, &lambda) in ridges.iter().enumerate() {
                    let b = fit.weights.col_as_slice(l);
                    assert!(slope(&features, &labels, b, lambda) < 1e-11, "n = {n}, λ = {lambda}");
                    // The residual itself, not a formula for it.
                    let residual = |i: usize| labels[i] - (0..p).map(|j| features[(i, j)] * b[j]).sum::<f64>();
                    let error = (0..n).map(|i| residual(i).powi(2)).sum::<f64>() / (2.0 * n as f64);
                    assert!((fit.train_error[l] - error).abs() < 1e-12, "n = {n}: {} {error}", fit.train_error[l]);
                }
            }
        }
    }

    #[test]
    fn samples_may_be_added_after_a_fit() {
        let p = 12;
        let (features, labels) = data(60, p, 5);
        let mut nested = Ridge::new(p, 1);
        let mut from = 0;
        for n in [5, 12, 60] {
            nested.add(features.subrows(from, n - from), &labels[from..n]);
            from = n;
            let mut alone = Ridge::new(p, 1);
            alone.add(features.subrows(0, n), &labels[..n]);
            let (nested, alone) = (nested.fit(&[0.3]).unwrap(), alone.fit(&[0.3]).unwrap());
            assert!((nested.weights - alone.weights).norm_max() < 1e-13);
        }
    }

    #[test]
    fn the_sum_is_not_a_mean() {
        // One feature: b = Σ φy/(Σ φ² + λ); a ridge of the mean would have nλ.
        let features = Mat::from_fn(4, 1, |i, _| 1.0 + i as f64);
        let labels = [2.0, -1.0, 0.5, 3.0];
        let mut ridge = Ridge::new(1, 1);
        ridge.add(features.as_ref(), &labels);
        let b = ridge.fit(&[10.0]).unwrap().weights[(0, 0)];
        assert!((b - 13.5 / 40.0).abs() < 1e-15, "{b}");
    }
}

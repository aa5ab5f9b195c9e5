//! Independent replicates of an average: their mean, and the error that their spread states.

use faer::Mat;

/// Independent scramblings of the same points.
pub(super) const REPLICATES: usize = 8;

/// Half of t = 2.3646, the 97.5 % point of Student's law with 7 degrees of freedom: 8 replicates do not know their own
/// spread well, and two of the errors stated must hold in 95 % of cases.
const STUDENT: f64 = 1.182_312;

/// Mean over replicates and its error, `t/2 · (Σ_r (x_r − x̄)²/(R(R−1)))^{½}`.
pub(super) fn mean_and_error(values: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    let mean = values.clone().sum::<f64>() / REPLICATES as f64;
    (mean, error(values.map(|value| value - mean)))
}

/// Mean over replicates of a matrix and the error of its largest entry, the same with `‖x_r − x̄‖_max`: of Gaussian
/// entries, the mean is √(R−1) times closer to the truth than a replicate is to the mean, whatever the norm.
pub(super) fn mean_and_largest_error<'a>(matrices: impl Iterator<Item = &'a Mat<f64>> + Clone) -> (Mat<f64>, f64) {
    let mut mean = Mat::<f64>::zeros(0, 0);
    for (r, matrix) in matrices.clone().enumerate() {
        mean = if r == 0 { matrix.clone() } else { mean + matrix };
    }
    mean *= faer::Scale(1.0 / REPLICATES as f64);
    let error = error(matrices.map(|matrix| (matrix - &mean).norm_max()));
    (mean, error)
}

/// From the distances of replicates to their mean.
fn error(distances: impl Iterator<Item = f64>) -> f64 {
    let count = REPLICATES as f64;
    STUDENT * (distances.map(|distance| distance * distance).sum::<f64>() / (count * (count - 1.0))).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand_distr::{Distribution, StandardNormal};
    use rand_xoshiro::Xoshiro256PlusPlus;

    /// Two errors hold in 95 % of 20 000 cases of one Gaussian number, and in more for the largest of many.
    #[test]
    fn two_errors_hold_in_95_percent() {
        let mut stream = Xoshiro256PlusPlus::seed_from_u64(1);
        let mut normal = || -> f64 { StandardNormal.sample(&mut stream) };
        let cases = 20_000;
        let mut within = [0, 0];
        for _ in 0..cases {
            let replicates: Vec<Mat<f64>> = (0..REPLICATES).map(|_| Mat::from_fn(3, 3, |_, _| normal())).collect();
            let (mean, error) = mean_and_error(replicates.iter().map(|m| m[(0, 0)]));
            within[0] += usize::from(mean.abs() <= 2.0 * error);
            let (mean, error) = mean_and_largest_error(replicates.iter());
            within[1] += usize::from(mean.norm_max() <= 2.0 * error);
        }
        let share = within.map(|count| count as f64 / f64::from(cases));
        // Standard error of a share: 0.0015.
        assert!((share[0] - 0.95).abs() < 0.006 && share[1] > 0.95, "{share:?}");
    }
}

//! The difference of two means in standard errors.

use crate::record::{Observable, Trajectory};

/// Moments of one view's replicates at one entry.
#[derive(Debug, Clone, Copy)]
pub struct Moments {
    pub mean: f64,
    /// Squared standard error of the mean; 0 for one replicate.
    pub variance: f64,
}

impl Moments {
    /// From Σx and Σx² of values already shifted to be near zero.
    pub fn from_sums(sum: f64, squares: f64, replicates: f64) -> Self {
        let mean = sum / replicates;
        let spread = (squares / replicates - mean * mean).max(0.0);
        Self { mean, variance: if replicates > 1.0 { spread / (replicates - 1.0) } else { 0.0 } }
    }
}

/// The stated errors of a quantity.
pub fn errors<'a>(run: &'a Trajectory, quantity: &Observable) -> Option<&'a [f64]> {
    run.get(Observable::named(quantity.error?)?)
}

/// Mean and its squared standard error over replicates, and the mean numerical error, at one index.
pub fn moments(runs: &[Trajectory], quantity: &Observable, index: usize) -> (Moments, f64) {
    // Shifted by the first value: a sum of squares of nearly equal numbers would lose the variance.
    let shift = runs[0].of(quantity)[index];
    let (mut sum, mut squares, mut error) = (0.0, 0.0, 0.0);
    for run in runs {
        let x = run.of(quantity)[index] - shift;
        sum += x;
        squares += x * x;
        let stated = errors(run, quantity).map_or(0.0, |errors| errors[index]);
        error += if stated.is_finite() { stated.abs() } else { 0.0 };
    }
    let mut moments = Moments::from_sums(sum, squares, runs.len() as f64);
    moments.mean += shift;
    (moments, error / runs.len() as f64)
}

/// `difference/√(se² + e²)`, carried from Student's t with Welch's degrees of freedom to the normal scale by Wallace's
/// transformation, `√(ν ln(1 + t²/ν))·(8ν+1)/(8ν+3)`: entries with few replicates and entries with a stated numerical
/// error only can then be compared with each other.
pub fn normal_score(difference: f64, variances: [f64; 2], error: f64, replicates: [f64; 2]) -> f64 {
    let square = variances[0] + variances[1] + error;
    let t = difference / square.sqrt();
    let freedom = |variance: f64, r: f64| if r > 1.0 { variance * variance / (r - 1.0) } else { 0.0 };
    let denominator = freedom(variances[0], replicates[0]) + freedom(variances[1], replicates[1]);
    // Beyond 10⁴ degrees of freedom t is normal to four digits.
    if denominator * 1e4 <= square * square {
        return t;
    }
    let nu = square * square / denominator;
    let score = (nu * (t * t / nu).ln_1p()).sqrt() * (8.0 * nu + 1.0) / (8.0 * nu + 3.0);
    score.copysign(t)
}

/// Root mean square and maximum of |z|; nothing of nothing.
pub fn sizes(z: impl Iterator<Item = f64>) -> [Option<f64>; 2] {
    let (mut n, mut squares, mut max) = (0.0, 0.0, 0.0_f64);
    for z in z {
        n += 1.0;
        squares += z * z;
        max = max.max(z.abs());
    }
    if n > 0.0 { [Some((squares / n).sqrt()), Some(max)] } else { [None, None] }
}

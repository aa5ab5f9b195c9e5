//! The law of the eigenvalues of W_0 W_0ᵀ.

use std::f64::consts::PI;

/// Nodes at the coarsest level.
const NODES: usize = 400;

/// Eigenvalues of c² W_0 W_0ᵀ and their weights, which sum to 1, for p×d weights of unit rows at p/d = `ratio`:
/// Marchenko–Pastur's law by the midpoint rule in φ, `D/c² = 1 + ratio + 2√ratio cos φ`, and the zeros that are there for
/// p > d. The density in φ, `(2/π) sin²φ/D`, is periodic and analytic, so that the rule converges exponentially.
pub(super) fn eigenvalues(ratio: f64, c: f64, level: u32) -> Vec<(f64, f64)> {
    let count = NODES << level;
    let root = ratio.sqrt();
    let mut all: Vec<(f64, f64)> = (0..count)
        .map(|i| {
            let phi = PI * (i as f64 + 0.5) / count as f64;
            // 1 + y + 2√y cos φ = (1 − √y)² + 4√y cos²(φ/2), which does not cancel.
            let d = (1.0 - root).powi(2) + 4.0 * root * (0.5 * phi).cos().powi(2);
            (c * c * d, 2.0 / count as f64 * phi.sin().powi(2) / d)
        })
        .collect();
    if ratio > 1.0 {
        all.push((0.0, 1.0 - 1.0 / ratio));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Moments of Marchenko–Pastur's law at y = p/d: 1, 1, 1 + y, 1 + 3y + y².
    #[test]
    fn moments_are_those_of_the_law() {
        for y in [0.25, 0.5, 1.0, 1.7, 3.0] {
            let law = eigenvalues(y, 1.0, 0);
            let moment = |q: i32| law.iter().map(|(d, w)| w * d.powi(q)).sum::<f64>();
            for (q, expected) in [(0, 1.0), (1, 1.0), (2, 1.0 + y), (3, 1.0 + 3.0 * y + y * y)] {
                assert!((moment(q) - expected).abs() < 1e-12 * expected, "y = {y}, moment {q}: {}", moment(q));
            }
            // The scale: variance c².
            let scaled = eigenvalues(y, 1.3, 0);
            let mean: f64 = scaled.iter().map(|(d, w)| w * d).sum();
            assert!((mean - 1.69).abs() < 1e-12);
        }
    }
}

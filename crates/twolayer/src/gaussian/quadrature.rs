//! Gauss–Hermite quadrature for the standard normal law.

use std::num::NonZeroUsize;

use gauss_quad::GaussHermite;

/// Nodes x_i and weights w_i (summing to 1) with `E f(z) ≈ Σ_i w_i f(x_i)`, z ~ N(0, 1).
#[derive(Debug, Clone, PartialEq)]
pub struct Quadrature {
    /// x_i, rising.
    pub nodes: Vec<f64>,
    /// w_i.
    pub weights: Vec<f64>,
}

impl Quadrature {
    /// The rule with `count` nodes (at least 1), exact for polynomials of degree 2·count − 1. Slow to converge for kinks:
    /// an error of order 1/count. (theory.md §6)
    pub fn gauss_hermite(count: usize) -> Self {
        let rule = GaussHermite::new(NonZeroUsize::new(count).unwrap_or(NonZeroUsize::MIN));
        // From the physicists' weight exp(−x²) to exp(−z²/2)/√(2π), z = √2 x.
        let mut pairs: Vec<(f64, f64)> = rule
            .as_node_weight_pairs()
            .iter()
            .map(|(node, weight)| (node * std::f64::consts::SQRT_2, weight / std::f64::consts::PI.sqrt()))
            .collect();
        pairs.sort_by(|left, right| left.0.total_cmp(&right.0));
        let (nodes, weights) = pairs.into_iter().unzip();
        Self { nodes, weights }
    }
}

#[cfg(test)]
mod tests {
    use super::Quadrature;

    /// E z^{2m} = (2m − 1)!!.
    #[test]
    fn the_rule_gives_the_moments_of_the_normal_law() {
        for count in [1, 2, 8, 40] {
            let rule = Quadrature::gauss_hermite(count);
            let mut expected = 1.0;
            for m in 0..count.min(9) {
                let moment: f64 = rule.nodes.iter().zip(&rule.weights).map(|(x, w)| w * x.powi(2 * m as i32)).sum();
                assert!((moment / expected - 1.0).abs() < 1e-12, "count = {count}, m = {m}: {moment} for {expected}");
                expected *= (2 * m + 1) as f64;
            }
        }
    }
}

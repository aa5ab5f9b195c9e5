//! Quadrature for the standard normal law, and for the uniform one.

use std::{f64::consts::PI, num::NonZeroUsize};

use gauss_quad::{GaussHermite, GaussLegendre};

use super::normal::density;

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
            .map(|(node, weight)| (node * std::f64::consts::SQRT_2, weight / PI.sqrt()))
            .collect();
        pairs.sort_by(|left, right| left.0.total_cmp(&right.0));
        let (nodes, weights) = pairs.into_iter().unzip();
        Self { nodes, weights }
    }

    /// Gauss–Legendre nodes on panels of `width` from −`reach` to `reach`, `count` to a panel, weighted by the density: a
    /// kink at a multiple of `width`, 0 for one, costs no accuracy.
    pub fn panels(reach: f64, width: f64, count: usize) -> Self {
        let rule = GaussLegendre::new(NonZeroUsize::new(count).unwrap_or(NonZeroUsize::MIN));
        let panels = (reach / width).ceil().max(1.0) as i64;
        let mut pairs: Vec<(f64, f64)> = (-panels..panels)
            .flat_map(|panel| {
                rule.as_node_weight_pairs().iter().map(move |(node, weight)| {
                    let x = width * (panel as f64 + 0.5 + 0.5 * node);
                    (x, 0.5 * width * weight * density(x))
                })
            })
            .collect();
        pairs.sort_by(|left, right| left.0.total_cmp(&right.0));
        let (nodes, weights) = pairs.into_iter().unzip();
        Self { nodes, weights }
    }

    /// Nodes and weights for the uniform law on [−1, 1], clustered at ±1: `x = −cos θ` with Gauss–Legendre nodes in
    /// θ ∈ [0, π]. (theory.md §5.5)
    pub fn clustered(count: usize) -> Self {
        let rule = GaussLegendre::new(NonZeroUsize::new(count).unwrap_or(NonZeroUsize::MIN));
        let of = |(node, weight): &(f64, f64)| {
            let theta = 0.5 * PI * (1.0 + node);
            (-theta.cos(), 0.25 * PI * weight * theta.sin())
        };
        let mut pairs: Vec<(f64, f64)> = rule.as_node_weight_pairs().iter().map(of).collect();
        pairs.sort_by(|left, right| left.0.total_cmp(&right.0));
        let sum: f64 = pairs.iter().map(|(_, weight)| weight).sum();
        let (nodes, weights) = pairs.into_iter().map(|(node, weight)| (node, weight / sum)).unzip();
        Self { nodes, weights }
    }

    /// Gauss–Legendre nodes for the plain integral from `from` to `to`, `count` to a panel, between the multiples of `width`
    /// and the `breaks` in between: kinks there cost no accuracy.
    pub fn between(from: f64, to: f64, width: f64, breaks: &[f64], count: usize) -> Self {
        let rule = GaussLegendre::new(NonZeroUsize::new(count).unwrap_or(NonZeroUsize::MIN));
        let multiples = (from / width).floor() as i64..=(to / width).ceil() as i64;
        let inside = |x: &f64| (from..to).contains(x);
        let mut ends: Vec<f64> =
            multiples.map(|i| i as f64 * width).chain(breaks.iter().copied()).filter(inside).collect();
        ends.extend([from, to]);
        ends.sort_by(f64::total_cmp);
        let (mut nodes, mut weights) = (Vec::new(), Vec::new());
        for panel in ends.windows(2).filter(|panel| panel[1] > panel[0]) {
            let (middle, half) = (0.5 * (panel[0] + panel[1]), 0.5 * (panel[1] - panel[0]));
            for (node, weight) in rule.as_node_weight_pairs() {
                nodes.push(middle + half * node);
                weights.push(half * weight);
            }
        }
        Self { nodes, weights }
    }

    /// Equally spaced nodes from −`reach` to `reach`: for integrands analytic in a strip of half-width y the error falls as
    /// `exp(−2πy/spacing)`, faster than that of Gauss–Hermite nodes.
    pub fn equally_spaced(reach: f64, spacing: f64) -> Self {
        let half = (reach / spacing).ceil() as i64;
        let nodes: Vec<f64> = (-half..=half).map(|i| i as f64 * spacing).collect();
        let weights = nodes.iter().map(|&x| spacing * density(x)).collect();
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

    #[test]
    fn clustered_nodes_give_the_moments_of_the_uniform_law() {
        for count in [40, 100, 400] {
            let rule = Quadrature::clustered(count);
            assert_eq!(rule.nodes.len(), count);
            for power in 0..9 {
                let moment: f64 = rule.nodes.iter().zip(&rule.weights).map(|(x, w)| w * x.powi(power)).sum();
                let expected = if power % 2 == 0 { 1.0 / f64::from(power + 1) } else { 0.0 };
                assert!((moment - expected).abs() < 1e-12, "{count} nodes, power {power}: {moment}");
            }
        }
        // The outermost is closer to 1 than any of equally spaced ones.
        assert!(1.0 - Quadrature::clustered(100).nodes[99] < 2e-4);
    }
}

//! Second layers that stand for a whole law.

use std::{f64::consts::PI, num::NonZeroUsize};

use gauss_quad::GaussLegendre;

/// The uniform law on [−1, 1] by `count` neurons: `(a_i, weight_i)`, rising, weights summing to 1.
///
/// `a = −cos θ` with Gauss–Legendre nodes in θ ∈ [0, π]: clustered at ±1, where the neurons sit that come to carry the
/// network as ε → 0. They reach the limit of many neurons at 400, where equal weights take thousands. (theory.md §5.5)
pub fn nodes(count: usize) -> Vec<(f64, f64)> {
    let rule = GaussLegendre::new(NonZeroUsize::new(count).unwrap_or(NonZeroUsize::MIN));
    let mut nodes: Vec<(f64, f64)> = rule
        .as_node_weight_pairs()
        .iter()
        .map(|(node, weight)| {
            let theta = 0.5 * PI * (1.0 + node);
            (-theta.cos(), 0.25 * PI * weight * theta.sin())
        })
        .collect();
    nodes.sort_by(|left, right| left.0.total_cmp(&right.0));
    let sum: f64 = nodes.iter().map(|(_, weight)| weight).sum();
    nodes.iter_mut().for_each(|(_, weight)| *weight /= sum);
    nodes
}

#[cfg(test)]
mod tests {
    use super::nodes;

    #[test]
    fn nodes_have_the_moments_of_the_uniform_law() {
        for count in [12, 100, 400] {
            let rule = nodes(count);
            assert_eq!(rule.len(), count);
            for power in 0..9 {
                let moment: f64 = rule.iter().map(|(a, weight)| weight * a.powi(power)).sum();
                let expected = if power % 2 == 0 { 1.0 / f64::from(power + 1) } else { 0.0 };
                assert!((moment - expected).abs() < 1e-12, "{count} nodes, power {power}: {moment}");
            }
        }
        // Clustered: the outermost is closer to 1 than any of equally spaced ones.
        assert!(1.0 - nodes(100)[99].0 < 2e-4);
    }
}

//! Averages of an activation over a normal variable: what a network sees of each degree.

use std::{f64::consts::TAU, num::NonZeroUsize};

use gauss_quad::GaussLegendre;

use super::Activation;
use crate::expression::hermite_and_previous;

/// A number, and what it may be wrong by.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Average {
    /// The estimate.
    pub value: f64,
    /// Its error: quadrature and rounding.
    pub error: f64,
}

/// Half the width of the integral: there He_q²/q! times the normal density is below 10⁻²⁵ for all q ≤ 30.
const WIDTH: f64 = 20.0;
/// Intervals at first, between two kinks.
const PANEL: f64 = 1.0;
/// Nodes of the rule on each interval.
const NODES: usize = 16;
/// Halvings of an interval, at a kink that was not found.
const DEPTH: u32 = 40;
/// What halving an interval may change, relative to the average of the absolute value.
const TOLERANCE: f64 = 1e-15;
/// Rounding of the sum, relative to the same.
const ROUNDING: f64 = 4e-15;

impl Activation {
    /// `E[σ(scale·G + bias) He_q(G)]`, G ~ N(0, 1): c_q at scale 1 and bias 0. The network multiplies a component of the
    /// target of total Hermite degree q by it, and is blind to the degree where it is 0; a bias can open a blind degree.
    /// (theory.md §7) For q ≤ 30.
    ///
    /// By adaptive Gauss–Legendre quadrature between the kinks of σ; NaN where σ grows too fast to have an average.
    pub fn hermite_coefficient(&self, degree: u32, scale: f64, bias: f64) -> Average {
        Integral::new(self, Some(degree), scale, bias).between_kinks()
    }

    /// `E[σ(scale·G)²]`, G ~ N(0, 1), in the same way.
    pub fn mean_square(&self, scale: f64) -> Average {
        Integral::new(self, None, scale, 0.0).between_kinks()
    }
}

/// `∫ σ(scale·x + bias) He_q(x) φ(x) dx`, or of σ².
struct Integral<'a> {
    activation: &'a Activation,
    /// q; `None`: σ² in place of σ He_q.
    degree: Option<u32>,
    scale: f64,
    bias: f64,
    /// Nodes in [−1, 1] and weights.
    rule: Vec<(f64, f64)>,
}

/// Part of an integral, by one application of the rule.
#[derive(Clone, Copy)]
struct Panel {
    left: f64,
    right: f64,
    value: f64,
    /// The integral of the absolute value.
    size: f64,
    depth: u32,
}

impl<'a> Integral<'a> {
    fn new(activation: &'a Activation, degree: Option<u32>, scale: f64, bias: f64) -> Self {
        let rule = GaussLegendre::new(NonZeroUsize::new(NODES).unwrap_or(NonZeroUsize::MIN));
        Self { activation, degree, scale, bias, rule: rule.as_node_weight_pairs().to_vec() }
    }

    fn between_kinks(&self) -> Average {
        let kinks = self.activation.kinks().into_iter().map(|kink| (kink - self.bias) / self.scale);
        let mut ends: Vec<f64> = kinks.filter(|at| at.abs() < WIDTH).chain([-WIDTH, WIDTH]).collect();
        ends.sort_by(f64::total_cmp);
        let mut panels = Vec::new();
        for ends in ends.windows(2) {
            let count = ((ends[1] - ends[0]) / PANEL).ceil().max(1.0);
            let at = |i: usize| ends[0] + (ends[1] - ends[0]) * i as f64 / count;
            panels.extend((0..count as usize).map(|i| self.over(at(i), at(i + 1), 0)));
        }
        let size: f64 = panels.iter().map(|panel| panel.size).sum();
        let rim = panels.first().map_or(0.0, |panel| panel.size) + panels.last().map_or(0.0, |panel| panel.size);
        if rim <= TOLERANCE * size { self.refined(panels, size) } else { Average { value: f64::NAN, error: f64::NAN } }
    }

    fn over(&self, left: f64, right: f64, depth: u32) -> Panel {
        let (middle, half) = (0.5 * (left + right), 0.5 * (right - left));
        let at: Vec<f64> = self.rule.iter().map(|(node, _)| middle + half * node).collect();
        let mut values: Vec<f64> = at.iter().map(|x| self.scale * x + self.bias).collect();
        self.activation.values(&mut values);
        let mut panel = Panel { left, right, value: 0.0, size: 0.0, depth };
        for ((x, value), (_, weight)) in at.iter().zip(values).zip(&self.rule) {
            let factor = match self.degree {
                Some(degree) => hermite_and_previous(degree, [*x]).0[0],
                None => value,
            };
            let term = half * weight * (-0.5 * x * x).exp() / TAU.sqrt() * factor * value;
            panel.value += term;
            panel.size += term.abs();
        }
        panel
    }

    /// Halves panels until halving changes nothing beside the `size` of the integral.
    fn refined(&self, mut panels: Vec<Panel>, size: f64) -> Average {
        let mut sum = Average { value: 0.0, error: ROUNDING * size };
        while let Some(panel) = panels.pop() {
            let middle = 0.5 * (panel.left + panel.right);
            let halves =
                [self.over(panel.left, middle, panel.depth + 1), self.over(middle, panel.right, panel.depth + 1)];
            let value = halves[0].value + halves[1].value;
            let change = (value - panel.value).abs();
            if change > TOLERANCE * size && panel.depth < DEPTH {
                panels.extend(halves);
            } else {
                sum.value += value;
                sum.error += change;
            }
        }
        sum
    }
}

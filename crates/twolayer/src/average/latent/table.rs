//! The averages of one neuron as functions of its mean.

use crate::{
    gaussian::{normal::density, quadrature::Quadrature},
    problem::Activation,
};

/// Standard deviations on either side.
const REACH: f64 = 7.0;

/// Nodes to a panel.
const NODES: usize = 5;

/// Places of the table to a standard deviation.
const DENSITY: f64 = 8.0;

/// Places at most: a neuron that has next to no variance left is not smoothed by it.
const MOST: usize = 2048;

/// Averages over `h = μ + √v G`: σ, σ', σ'' = σ'G/√v, σ², σσ', σ'², (σ'²)' = σ'²G/√v, σσ'², σ^(3) = σ'(G² − 1)/v.
pub(super) const AVERAGES: usize = 9;

/// One neuron's averages between two means.
pub(super) struct Table {
    from: f64,
    density: f64,
    rows: Vec<[f64; AVERAGES]>,
}

impl Table {
    /// For variance v and means in `range`; `kinks` are the activation's.
    pub fn new(activation: &Activation, variance: f64, range: [f64; 2], kinks: &[f64]) -> Self {
        let deviation = variance.max(0.0).sqrt();
        let length = range[1] - range[0];
        let step = (deviation / DENSITY).max(length / MOST as f64);
        let step = if step > 0.0 { step } else { 1.0 };
        let count = (length / step).ceil() as usize + 4;
        // One place before the range, for the cubic through four.
        let from = range[0] - step;
        let mut scratch = Arrays::default();
        let rows = (0..count).map(|i| scratch.row(activation, from + i as f64 * step, deviation, kinks)).collect();
        Self { from, density: 1.0 / step, rows }
    }

    /// The averages at one mean, by the cubic through the four places about it.
    #[inline]
    pub fn at(&self, mean: f64) -> [f64; AVERAGES] {
        let (first, w) = self.place(mean);
        let rows = &self.rows[first..first + 4];
        std::array::from_fn(|a| w[0] * rows[0][a] + w[1] * rows[1][a] + w[2] * rows[2][a] + w[3] * rows[3][a])
    }

    /// E σ' alone.
    #[inline]
    pub fn slope(&self, mean: f64) -> f64 {
        let (first, w) = self.place(mean);
        (0..4).map(|i| w[i] * self.rows[first + i][1]).sum()
    }

    /// The first of the four places, and Lagrange's weights.
    #[inline]
    fn place(&self, mean: f64) -> (usize, [f64; 4]) {
        let at = (mean - self.from) * self.density;
        let first = (at as usize).clamp(1, self.rows.len() - 3) - 1;
        let t = at - (first + 1) as f64;
        let (before, after, beyond) = (t + 1.0, t - 1.0, t - 2.0);
        let weights = [
            -t * after * beyond / 6.0,
            before * after * beyond / 2.0,
            -before * t * beyond / 2.0,
            before * t * after / 6.0,
        ];
        (first, weights)
    }
}

#[derive(Default)]
struct Arrays {
    values: Vec<f64>,
    slopes: Vec<f64>,
}

impl Arrays {
    fn row(&mut self, activation: &Activation, mean: f64, deviation: f64, kinks: &[f64]) -> [f64; AVERAGES] {
        let Self { values, slopes } = self;
        let mut evaluate = |at: &[f64]| {
            values.clear();
            values.extend_from_slice(at);
            slopes.resize(at.len(), 0.0);
            activation.values_and_derivatives(values, slopes);
        };
        if deviation <= 1e-10 * mean.abs().max(1e-100) {
            evaluate(&[mean]);
            let (f, d) = (values[0], slopes[0]);
            return [f, d, 0.0, f * f, f * d, d * d, 0.0, f * d * d, 0.0];
        }
        let width = 2f64.powi(deviation.log2().floor() as i32);
        let rule = Quadrature::between(mean - REACH * deviation, mean + REACH * deviation, width, kinks, NODES);
        evaluate(&rule.nodes);
        let mut row = [0.0; AVERAGES];
        for ((h, weight), (f, d)) in rule.nodes.iter().zip(&rule.weights).zip(values.iter().zip(&*slopes)) {
            let g = (h - mean) / deviation;
            let weight = weight * density(g) / deviation;
            let curved = g / deviation;
            let bent = curved * curved - 1.0 / (deviation * deviation);
            let terms = [*f, *d, d * curved, f * f, f * d, d * d, d * d * curved, f * d * d, d * bent];
            row.iter_mut().zip(terms).for_each(|(sum, term)| *sum += weight * term);
        }
        row
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gaussian::normal::distribution;

    #[test]
    fn relu_against_its_closed_forms() {
        let (variance, range) = (0.49, [-3.0, 2.5]);
        let table = Table::new(&Activation::Relu, variance, range, &[0.0]);
        for i in 0..=100 {
            let mean = range[0] + (range[1] - range[0]) * f64::from(i) / 100.0;
            let v = variance.sqrt();
            let t = mean / v;
            let (above, phi) = (distribution(t), density(t));
            let value = mean * above + v * phi;
            let square = (mean * mean + variance) * above + mean * v * phi;
            let expected = [value, above, phi / v, square, value, above, phi / v, value, -t * phi / variance];
            for (got, expected) in table.at(mean).iter().zip(expected) {
                assert!((got - expected).abs() < 2e-4, "at {mean}: {got} for {expected}");
            }
            assert!((table.slope(mean) - above).abs() < 3e-5);
        }
    }

    #[test]
    fn a_neuron_without_variance_is_itself() {
        let table = Table::new(&Activation::Relu, 0.0, [0.0, 0.0], &[0.0]);
        assert_eq!(table.at(0.0), [0.0; AVERAGES]);
        let table = Table::new(&Activation::Tanh, 0.0, [0.4, 0.4], &[]);
        let f = 0.4_f64.tanh();
        assert!((table.at(0.4)[0] - f).abs() < 1e-12 && (table.at(0.4)[1] - (1.0 - f * f)).abs() < 1e-12);
    }
}

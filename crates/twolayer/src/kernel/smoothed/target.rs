//! Averages of a neuron with the target, in three forms: units, Hermite coefficients, nodes in z.

use faer::Mat;

use super::{
    coefficients::Coefficients,
    nodes::Nodes,
    pairs::{Neurons, Row, Wanted, correlations},
};
use crate::{error::Result, problem::Activation};

/// Averages of neurons with the target g.
#[derive(Debug, Clone)]
pub(super) struct Against {
    /// E\[σ(h_j) g\].
    pub values: Vec<f64>,
    /// E\[σ'(h_j) g\].
    pub slopes: Vec<f64>,
    /// `√q_j E[σ''(h_j) g]`.
    pub curved: Vec<f64>,
    /// `E[σ'(h_j) ∂g/∂z_r]`, p×k, in the sense of distributions: with `curved` it gives, by Stein,
    /// `E[σ'(h_j) x g] = Cov(x, λ_j)/√q_j · curved_j + Σ_r Cov(x, z_r) gradient_jr` for every field x.
    pub gradients: Mat<f64>,
    /// Error of `values`.
    pub value_errors: Vec<f64>,
    /// Error of `E[σ'(h_j) x g]` for a field x of variance 1.
    pub drift_errors: Vec<f64>,
}

/// The neurons at one state, as a target sees them.
pub(super) struct View<'a> {
    /// Ω.
    pub omega: &'a Mat<f64>,
    /// √Ω_ii.
    pub roots: &'a [f64],
    /// b.
    pub bias: &'a [f64],
    /// The neurons, in the form that the target needs.
    pub neurons: &'a Neurons,
}

/// A target prepared for averages with neurons.
#[derive(Debug)]
pub(super) enum Target {
    /// A committee, whose units are neurons.
    Units(Units),
    /// A function of few directions by its Hermite coefficients.
    Coefficients(Coefficients),
    /// Any function by its values at nodes; ReLU only.
    Nodes(Nodes),
}

/// `g = scale Σ_r σ(z_r)`.
#[derive(Debug)]
pub(super) struct Units {
    /// The factor.
    pub scale: f64,
    /// The units.
    pub neurons: Neurons,
    /// How many.
    pub count: usize,
}

impl Against {
    pub fn zeros(p: usize, k: usize) -> Self {
        let zeros = || vec![0.0; p];
        Self {
            values: zeros(),
            slopes: zeros(),
            curved: zeros(),
            gradients: Mat::zeros(p, k),
            value_errors: zeros(),
            drift_errors: zeros(),
        }
    }
}

impl Target {
    /// E g² and its error.
    pub fn square(&self, overlaps: &Mat<f64>) -> (f64, f64) {
        match self {
            Self::Units(units) => (units.square(overlaps), 0.0),
            Self::Coefficients(coefficients) => coefficients.square,
            Self::Nodes(nodes) => nodes.square,
        }
    }

    /// The averages with the neurons of `view`; only `values` where `wanted` says so.
    pub fn against(&self, view: &View<'_>, wanted: Wanted, out: &mut Against) -> Result<()> {
        match self {
            Self::Units(units) => units.against(view, wanted, out),
            Self::Coefficients(coefficients) => coefficients.against(view, wanted, out),
            Self::Nodes(nodes) => nodes.against(view, wanted, out),
        }
        Ok(())
    }

    /// For the manifest.
    pub fn describe(&self) -> String {
        match self {
            Self::Units(_) => "the target's units as neurons".into(),
            Self::Coefficients(coefficients) => coefficients.describe(),
            Self::Nodes(nodes) => nodes.describe(),
        }
    }
}

impl Units {
    fn square(&self, overlaps: &Mat<f64>) -> f64 {
        let roots: Vec<f64> = (0..self.count).map(|r| overlaps[(r, r)].max(0.0).sqrt()).collect();
        let (mut rho, mut row) = (vec![0.0; self.count], Row::new(self.count));
        let mut sum = 0.0;
        for r in 0..self.count {
            correlations(overlaps, &roots, r, 0, &mut rho);
            self.neurons.row(r, &self.neurons, &rho, Wanted::Values, &mut row);
            sum += row.values.iter().sum::<f64>();
        }
        self.scale * self.scale * sum
    }

    fn against(&self, view: &View<'_>, wanted: Wanted, out: &mut Against) {
        let p = view.bias.len();
        let (mut rho, mut row) = (vec![0.0; self.count], Row::new(self.count));
        for j in 0..p {
            correlations(view.omega, view.roots, j, p, &mut rho);
            view.neurons.row(j, &self.neurons, &rho, wanted, &mut row);
            out.values[j] = self.scale * row.values.iter().sum::<f64>();
            if wanted == Wanted::All {
                out.slopes[j] = self.scale * row.mixed.iter().sum::<f64>();
                out.curved[j] = self.scale * row.curved.iter().sum::<f64>();
                for (r, slope) in row.slopes.iter().enumerate() {
                    out.gradients[(j, r)] = self.scale * slope;
                }
            }
            (out.value_errors[j], out.drift_errors[j]) = self.errors(view.neurons, j);
        }
    }

    /// Cauchy–Schwarz on what the series leave.
    fn errors(&self, neurons: &Neurons, j: usize) -> (f64, f64) {
        let (Neurons::Series(left), Neurons::Series(right)) = (neurons, &self.neurons) else { return (0.0, 0.0) };
        let (mut value, mut drift) = (0.0, 0.0);
        for r in 0..self.count {
            value += (left.value_tail[j] * right.value_tail[r]).sqrt();
            drift += (left.slope_tail[j] * right.slope_tail[r]).sqrt();
        }
        (self.scale.abs() * value, 2.0 * self.scale.abs() * drift)
    }
}

/// The degree of an activation that is known to be a polynomial.
pub(super) fn degree(activation: &Activation) -> Option<usize> {
    match activation {
        Activation::Linear => Some(1),
        Activation::Square => Some(2),
        Activation::Hermite(degree) => Some(*degree),
        _ => None,
    }
}

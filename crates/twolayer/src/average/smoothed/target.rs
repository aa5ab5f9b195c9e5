//! Averages of a neuron with the target, in three forms: units, Hermite coefficients, nodes in z.

use faer::Mat;

use super::{
    against::{Against, View},
    coefficients::Coefficients,
    nodes::Nodes,
    pairs::{Neurons, correlations},
    row::{Row, Wanted},
};
use crate::{overlaps::Overlaps, problem::Activation};

/// A target prepared for averages with neurons.
#[derive(Debug)]
pub(super) enum Target {
    /// A committee, whose units are neurons.
    Units(Units),
    /// A function of few directions by its Hermite coefficients.
    Coefficients(Coefficients),
    /// Any function by its values at nodes, and by its coefficients too where it has them; ReLU only.
    Nodes(Nodes, Option<Coefficients>),
}

/// Length of a neuron's projection on the target, relative to its norm, up to which the coefficients serve alone, and from
/// which on the nodes do: a short projection makes the series short, `|w|ⁿ`, and the nodes are poor in their tails. The
/// average of both in between keeps the drift smooth.
const BLEND: [f64; 2] = [0.55, 0.75];

/// `g = Σ_m c_m σ(⟨v_m, z⟩)`.
#[derive(Debug)]
pub(super) struct Units {
    /// c.
    pub weights: Vec<f64>,
    /// The units.
    pub neurons: Neurons,
    /// V, u×k.
    pub directions: Mat<f64>,
}

impl Target {
    /// E g² and its error.
    pub fn square(&self, overlaps: &Mat<f64>) -> (f64, f64) {
        match self {
            Self::Units(units) => (units.square(overlaps), 0.0),
            Self::Coefficients(coefficients) => coefficients.square,
            Self::Nodes(_, Some(coefficients)) => coefficients.square,
            Self::Nodes(nodes, None) => nodes.square,
        }
    }

    /// The averages with the neurons of `view`; only `values` where `wanted` says so.
    pub fn against(&self, view: &View<'_>, wanted: Wanted, out: &mut Against) {
        match self {
            Self::Units(units) => units.against(view, wanted, out),
            Self::Coefficients(coefficients) => coefficients.against(view, wanted, &vec![1.0; view.bias.len()], out),
            Self::Nodes(nodes, None) => nodes.against(view, wanted, &vec![1.0; view.bias.len()], out),
            Self::Nodes(nodes, Some(coefficients)) => blend(nodes, coefficients, view, wanted, out),
        }
    }

    /// For the manifest.
    pub fn describe(&self) -> String {
        match self {
            Self::Units(_) => "the target's units as neurons".into(),
            Self::Coefficients(coefficients) => coefficients.describe(),
            Self::Nodes(nodes, None) => nodes.describe(),
            Self::Nodes(nodes, Some(coefficients)) => {
                format!("{}; for aligned neurons {}", coefficients.describe(), nodes.describe())
            }
        }
    }
}

/// Both, each neuron by the one that suits its projection.
fn blend(nodes: &Nodes, coefficients: &Coefficients, view: &View<'_>, wanted: Wanted, out: &mut Against) {
    let (p, k) = (view.bias.len(), out.gradients.ncols());
    let share: Vec<f64> = coefficients
        .lengths(view)
        .map(|length| {
            let x = ((length - BLEND[0]) / (BLEND[1] - BLEND[0])).clamp(0.0, 1.0);
            x * x * x * (10.0 - x * (15.0 - 6.0 * x))
        })
        .collect();
    let rest: Vec<f64> = share.iter().map(|share| 1.0 - share).collect();
    let mut series = Against::zeros(p, k);
    nodes.against(view, wanted, &share, out);
    coefficients.against(view, wanted, &rest, &mut series);
    out.value_error += series.value_error;
    for j in 0..p {
        let mix = |a: &mut f64, b: f64| *a = share[j] * *a + rest[j] * b;
        mix(&mut out.values[j], series.values[j]);
        if wanted == Wanted::All {
            mix(&mut out.slopes[j], series.slopes[j]);
            mix(&mut out.curved[j], series.curved[j]);
            (0..k).for_each(|r| mix(&mut out.gradients[(j, r)], series.gradients[(j, r)]));
            mix(&mut out.drift_errors[j], series.drift_errors[j]);
        }
    }
}

impl Units {
    /// Covariance of the neurons' fields and the units', in that order.
    pub fn covariance(&self, overlaps: &Overlaps) -> Mat<f64> {
        let (p, u) = (overlaps.width(), self.weights.len());
        let across = &overlaps.student_teacher * self.directions.transpose();
        let among = &self.directions * &overlaps.teacher_teacher * self.directions.transpose();
        Mat::from_fn(p + u, p + u, |i, j| match (i < p, j < p) {
            (true, true) => overlaps.student_student[(i, j)],
            (true, false) => across[(i, j - p)],
            (false, true) => across[(j, i - p)],
            (false, false) => among[(i - p, j - p)],
        })
    }

    fn square(&self, overlaps: &Mat<f64>) -> f64 {
        let covariance = &self.directions * overlaps * self.directions.transpose();
        let count = self.weights.len();
        let roots: Vec<f64> = (0..count).map(|m| covariance[(m, m)].max(0.0).sqrt()).collect();
        let (mut rho, mut row) = (vec![0.0; count], Row::new(count));
        let mut sum = 0.0;
        for m in 0..count {
            correlations(covariance.col_as_slice(m), roots[m], &roots, &mut rho);
            self.neurons.row(m, &self.neurons, &rho, Wanted::Values, &mut row);
            sum += self.weights[m] * dot(&self.weights, &row.values);
        }
        sum
    }

    fn against(&self, view: &View<'_>, wanted: Wanted, out: &mut Against) {
        let (p, count) = (view.bias.len(), self.weights.len());
        let of_target = &self.directions * view.teacher;
        let root = |m: usize| (0..of_target.ncols()).map(|r| of_target[(m, r)] * self.directions[(m, r)]).sum::<f64>();
        let roots: Vec<f64> = (0..count).map(|m| root(m).max(0.0).sqrt()).collect();
        let across = &self.directions * view.student_teacher.transpose();
        let (mut rho, mut row) = (vec![0.0; count], Row::new(count));
        for j in 0..p {
            correlations(across.col_as_slice(j), view.roots[j], &roots, &mut rho);
            view.neurons.row(j, &self.neurons, &rho, wanted, &mut row);
            out.values[j] = dot(&self.weights, &row.values);
            if wanted == Wanted::All {
                out.slopes[j] = dot(&self.weights, &row.mixed);
                out.curved[j] = dot(&self.weights, &row.curved);
                for r in 0..out.gradients.ncols() {
                    out.gradients[(j, r)] =
                        (0..count).map(|m| self.weights[m] * row.slopes[m] * self.directions[(m, r)]).sum();
                }
            }
            let (value_error, drift_error) = self.errors(view.neurons, j);
            out.value_error += view.coefficients[j].abs() * value_error;
            out.drift_errors[j] = drift_error;
        }
    }

    /// Cauchy–Schwarz on what the series leave.
    fn errors(&self, neurons: &Neurons, j: usize) -> (f64, f64) {
        let (Neurons::Series(left), Neurons::Series(right)) = (neurons, &self.neurons) else { return (0.0, 0.0) };
        let (mut value, mut drift) = (0.0, 0.0);
        for (m, weight) in self.weights.iter().enumerate() {
            value += weight.abs() * (left.value_tail[j] * right.value_tail[m]).sqrt();
            drift += 2.0 * weight.abs() * (left.slope_tail[j] * right.slope_tail[m]).sqrt();
        }
        (value, drift)
    }
}

fn dot(x: &[f64], y: &[f64]) -> f64 {
    x.iter().zip(y).map(|(x, y)| x * y).sum()
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

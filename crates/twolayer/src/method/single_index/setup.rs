//! From a problem to its flow: which problems have one, in which series, from which start.

use faer::Mat;

use super::{Expansion, MOST_DEGREES, Series};
use crate::{
    error::{Error, Result},
    expression::Function,
    gaussian::quadrature::Quadrature,
    problem::{Activation, Geometry, Init, Loss, Problem, Rule, Start},
};

/// What a flow is made of.
#[derive(Debug, Clone, PartialEq)]
pub struct Setup {
    /// σ_k and φ_k.
    pub series: Series,
    /// The size of what the activation's series leaves out: `√(Σ_{k>K} σ_k²)`.
    pub remainder: f64,
    /// The size of what the target's series leaves out, relative to the target's.
    pub target_remainder: f64,
    /// ε.
    pub epsilon: f64,
}

/// Where the neurons of a flow start.
#[derive(Debug, Clone, PartialEq)]
pub struct Atoms {
    /// a (p).
    pub second_layer: Vec<f64>,
    /// s (p).
    pub cosines: Vec<f64>,
    /// What each counts: the output scale, or that times p and the weight of a node (p).
    pub weights: Vec<f64>,
    /// Whether they are nodes of a quadrature.
    pub quadrature: bool,
}

/// Degrees below this part of a function's size are left out.
const NEGLIGIBLE: f64 = 1e-9;
/// By how much the square of a row's norm may differ from 1.
const ROUNDING: f64 = 1e-9;

/// Refuses problems without a single-index flow.
///
/// # Errors
/// [`Error::Refused`] about the key that stands in the way.
pub fn conditions(problem: &Problem) -> Result<()> {
    let (network, training) = (&problem.network, &problem.training);
    let refused = |key: &str, reason: &str, remedy: &str| Err(Error::refused(key, reason, remedy));
    if problem.directions() != 1 {
        let reason = format!("the single-index flow knows one direction, the target has {}", problem.directions());
        return refused("target", &reason, "remove view.method");
    }
    if training.geometry == Geometry::Free {
        let reason = "the single-index flow keeps the rows on the unit sphere";
        return refused("training.geometry", reason, "write geometry = \"spherical\", or remove view.method");
    }
    if !network.second_layer.train {
        let reason = "the single-index flow trains both layers";
        return refused("network.second_layer", reason, "write train = true and a rate_ratio, or remove view.method");
    }
    let ratio = problem.rate_ratio();
    if ratio.is_nan() || ratio <= 0.0 {
        let reason = format!("the single-index flow needs a positive rate ratio, here {ratio}");
        return refused("network.second_layer", &reason, "write rate_ratio = \"1/epsilon\"");
    }
    if network.bias.is_some() {
        return refused("network.bias", "the single-index flow has no biases", "remove bias, or view.method");
    }
    if training.loss != Loss::Squared {
        return refused("training.loss", "the single-index flow is that of the squared loss", "remove view.method");
    }
    if !problem.uses_samples_once() {
        let reason = "the single-index flow is that of fresh samples, each looked at once";
        return refused("training.data", reason, "remove view.method");
    }
    Ok(())
}

/// The series of a problem that meets the [`conditions`], cut where nothing is lost, or at [`MOST_DEGREES`].
///
/// # Errors
/// [`Error::Numerical`] where σ or g grow too fast.
pub fn setup(problem: &Problem) -> Result<Setup> {
    let activation = Expansion::of(&problem.network.activation, 1.0, MOST_DEGREES)?;
    let size = |expansion: &Expansion| {
        (expansion.coefficients.iter().map(|c| c * c).sum::<f64>() + expansion.remainder.powi(2)).sqrt()
    };
    let target = target(problem)?;
    let (activation_size, target_size) = (size(&activation), size(&target));
    let activation = activation.shortened(NEGLIGIBLE * activation_size);
    let target = target.shortened(NEGLIGIBLE * target_size);
    Ok(Setup {
        series: Series::new(&activation, &target),
        remainder: activation.remainder,
        target_remainder: if target_size > 0.0 { target.remainder / target_size } else { 0.0 },
        epsilon: 1.0 / problem.rate_ratio(),
    })
}

/// φ_k, of g as a function of a standard normal variable.
fn target(problem: &Problem) -> Result<Expansion> {
    let scale = problem.target.overlaps[(0, 0)].sqrt();
    let (function, factor) = match &problem.target.rule {
        Rule::Committee { activation, weights } => (activation.clone(), weights[0]),
        Rule::Expression(expression) => (Activation::Expression(Function::of_expression(expression.clone())), 1.0),
    };
    let mut expansion = Expansion::of(&function, scale, MOST_DEGREES)?;
    expansion.coefficients.iter_mut().for_each(|c| *c *= factor);
    expansion.error *= factor.abs();
    expansion.remainder *= factor.abs();
    Ok(expansion)
}

/// Where the neurons of `start` are, as the flow sees them.
///
/// # Errors
/// [`Error::Refused`] where a row is not a unit vector.
pub fn atoms(problem: &Problem, start: &Start) -> Result<Atoms> {
    let p = problem.width();
    for j in 0..p {
        let square = start.teacher.row(j).squared_norm_l2() + start.complement.row(j).squared_norm_l2();
        if (square - 1.0).abs() > ROUNDING {
            let reason = format!(
                "the single-index flow needs unit rows, neuron {} starts with ‖w‖ = {:.4}",
                j + 1,
                square.sqrt()
            );
            let remedy = "write first_layer = \"sphere\" or \"orthonormal\", or remove view.method";
            return Err(Error::refused("network.first_layer", reason, remedy));
        }
    }
    let quadrature = problem.network.second_layer.init == Init::Nodes;
    let scale = problem.output_scale();
    let weights = if quadrature {
        Quadrature::clustered(p).weights.into_iter().map(|weight| weight * scale * p as f64).collect()
    } else {
        vec![scale; p]
    };
    let cosines = (0..p).map(|j| start.teacher[(j, 0)]).collect();
    Ok(Atoms { second_layer: start.second_layer.clone(), cosines, weights, quadrature })
}

/// r_ij of a start.
pub fn cosines_between(start: &Start) -> Mat<f64> {
    &start.teacher * start.teacher.transpose() + &start.complement * start.complement.transpose()
}

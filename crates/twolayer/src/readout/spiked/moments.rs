//! Averages of σ and g over a normal variable.

use super::{Setting, Weights};
use crate::{
    error::{Error, Result},
    gaussian::quadrature::Quadrature,
    problem::Activation,
};

/// Nodes to a panel.
const NODES: usize = 8;

/// Half the length of an average over a normal variable, in standard deviations.
const REACH: f64 = 9.0;

/// Spacing of the nodes κ at the coarsest level: the averages are analytic in κ, because they are smoothed.
const SPACING: f64 = 0.125;

/// Nodes κ at most lie so close.
const FINEST: f64 = 1.0 / 512.0;

/// What a feature and the label are on average given κ = ⟨v̂, x⟩.
#[derive(Debug, Clone, Copy)]
pub(super) struct Conditional {
    pub weight: f64,
    pub kappa: f64,
    /// μ_0 = E σ(rκ + c z).
    pub constant: f64,
    /// μ_1 = E[σ z]/c.
    pub linear: f64,
    /// μ_2² = E σ² − μ_0² − c² μ_1².
    pub rest_square: f64,
    /// h = E g(γκ + ρz).
    pub label: f64,
    /// h' = E[z g].
    pub label_slope: f64,
    /// E g².
    pub label_square: f64,
}

/// Averages without a condition.
pub(super) struct Expectations {
    /// h_1 = E[zσ].
    pub linear: f64,
    /// E(σ' − h_1)².
    pub slope_variance: f64,
    /// h*_1 = E[zg].
    pub slope: f64,
    /// h*_2 = E y².
    pub label_square: f64,
}

pub(super) fn expectations(setting: &Setting<'_>) -> Result<Expectations> {
    let rule = Rule::new(0.0, 1.0, &setting.activation.kinks(), 2);
    let mut values = rule.points.clone();
    let mut slopes = vec![0.0; values.len()];
    setting.activation.values_and_derivatives(&mut values, &mut slopes);
    let linear = rule.mean(|i, z| z * values[i]);
    let slope_variance = rule.mean(|i, _| (slopes[i] - linear).powi(2));
    let mut labels = rule.points.clone();
    (setting.target)(&mut labels);
    let slope = rule.mean(|i, z| z * labels[i]);
    let label_square = rule.mean(|i, _| labels[i] * labels[i]) + setting.noise;
    let all = Expectations { linear, slope_variance, slope, label_square };
    let finite = [linear, slope_variance, slope, label_square].iter().all(|x| x.is_finite());
    if finite { Ok(all) } else { Err(not_finite()) }
}

fn not_finite() -> Error {
    Error::Numerical("an average of the activation or of the target over a normal variable is not finite".into())
}

/// The averages given κ, at every node κ.
pub(super) fn conditional(setting: &Setting<'_>, weights: &Weights, level: u32) -> Result<Vec<Conditional>> {
    let Weights { spike, bulk, alignment } = *weights;
    let rho = (1.0 - alignment * alignment).max(0.0).sqrt();
    // What is smoothed over z on the scale c or ρ varies in κ on the scale c/r or ρ/γ.
    let scale = (bulk / spike.abs().max(1e-300)).min(rho / alignment.abs().max(1e-300)).min(1.0);
    let spacing = (SPACING * scale).max(FINEST) / f64::from(1 << level);
    let nodes = Quadrature::equally_spaced(REACH, spacing);
    let kinks = setting.activation.kinks();
    let mut table = Vec::with_capacity(nodes.nodes.len());
    for (&kappa, &weight) in nodes.nodes.iter().zip(&nodes.weights) {
        let features = Features::given(setting.activation, spike * kappa, bulk, &kinks, level);
        let rule = Rule::new(alignment * kappa, rho, &[], level);
        let mut labels = rule.points.clone();
        (setting.target)(&mut labels);
        let conditional = Conditional {
            weight,
            kappa,
            constant: features.constant,
            linear: features.linear,
            rest_square: features.rest_square,
            label: rule.mean(|i, _| labels[i]),
            label_slope: rule.mean(|i, z| z * labels[i]),
            label_square: rule.mean(|i, _| labels[i] * labels[i]),
        };
        if !(conditional.label_square.is_finite() && conditional.rest_square.is_finite()) {
            return Err(not_finite());
        }
        table.push(conditional);
    }
    Ok(table)
}

struct Features {
    constant: f64,
    linear: f64,
    rest_square: f64,
}

impl Features {
    /// μ_0, μ_1, μ_2² of σ(mean + c z).
    fn given(activation: &Activation, mean: f64, c: f64, kinks: &[f64], level: u32) -> Self {
        let rule = Rule::new(mean, c, kinks, level);
        let mut values = rule.points.clone();
        activation.values(&mut values);
        let constant = rule.mean(|i, _| values[i]);
        let along = rule.mean(|i, z| z * values[i]);
        // Centred, so that nothing cancels.
        let rest_square = rule.mean(|i, z| (values[i] - constant - along * z).powi(2));
        Self { constant, linear: along / c, rest_square }
    }
}

/// Nodes for averages over h = mean + deviation·z: panels between multiples of a power of two and the kinks, so that a
/// kink at such a point costs no accuracy wherever the mean is.
struct Rule {
    points: Vec<f64>,
    z: Vec<f64>,
    weights: Vec<f64>,
}

impl Rule {
    fn new(mean: f64, deviation: f64, kinks: &[f64], level: u32) -> Self {
        let width = 2f64.powi(deviation.log2().floor() as i32) / f64::from(1 << level);
        let rule = Quadrature::between(mean - REACH * deviation, mean + REACH * deviation, width, kinks, NODES);
        let z: Vec<f64> = rule.nodes.iter().map(|h| (h - mean) / deviation).collect();
        let weights = z.iter().zip(&rule.weights).map(|(z, w)| w * crate::gaussian::normal::density(*z) / deviation);
        Self { weights: weights.collect(), points: rule.nodes, z }
    }

    fn mean(&self, f: impl Fn(usize, f64) -> f64) -> f64 {
        self.weights.iter().zip(&self.z).enumerate().map(|(i, (w, z))| w * f(i, *z)).sum()
    }
}

//! Averages without samples of the students: given z every neuron is Gaussian, so that only pairs of neurons and functions
//! of z remain, at any width. (theory.md §6)
//!
//! `R = ½(E f² − 2E[fg] + E g²)` needs E\[σσ\] of pairs and E\[σg\]. The drift follows by Stein's lemma: for every field x,
//!
//! ```text
//! E[σ'_j x σ_l] = Cov(x, λ_j) E[σ''_j σ_l] + Cov(x, λ_l) E[σ'_j σ'_l]
//! E[σ'_j x g]   = Cov(x, λ_j) E[σ''_j g]  + Σ_r Cov(x, z_r) E[σ'_j ∂g/∂z_r]
//! ```
//!
//! N is a four-field average: orthant probabilities for a small ReLU network of a ReLU committee; for a wide network given z
//! where f ≡ 0, and given z and the leading shared directions else; otherwise averages over samples ([`SampledKernel`]),
//! drawn when they are first asked for.

mod against;
mod coefficients;
mod conditional;
mod evaluation;
mod features;
mod nodes;
mod orthant;
mod pairs;
mod relu;
mod row;
mod series;
mod sphere;
mod target;

pub use features::feature_covariance;

use std::sync::OnceLock;

use faer::Mat;

use super::{Averages, FOUR_FIELDS, Kernel, SampledKernel, State, Want, latent, mixture::MixtureNoise};
use crate::{
    error::Result,
    problem::{Activation, Committee, Loss, Problem, Rule},
};
use coefficients::Coefficients;
use conditional::{Cloud, FEWEST, noise_given_target};
use evaluation::Evaluation;
use nodes::Nodes;
use orthant::{MOST_FIELDS, relu_noise};
use pairs::Neurons;
use relu::ReluNeurons;
use row::Wanted;
use series::Basis;
pub use sphere::{SphereAverages, SphereKernel, SphereState};
use target::{Target, Units, degree};

/// The Hermite degrees up to which an activation that is not a polynomial may be kept, the least that will do.
const ORDERS: [usize; 4] = [24, 48, 96, 160];

/// The same for a target expression, by its number of directions: terms that still take microseconds.
const TARGET_ORDER: [usize; 5] = [48, 48, 48, 32, 20];

/// Hermite coefficients of a kinked target with an error of this many tolerances still beat samples of all fields.
const WORTH: f64 = 10.0;

/// Nodes times neurons at most: some hundredths of a second.
const WORK: usize = 1 << 22;

/// The kernel of a network of ReLU, polynomial or smooth neurons, at any width, with biases.
#[derive(Debug)]
pub struct SmoothedKernel {
    problem: Problem,
    tolerance: f64,
    seed: u64,
    output_scale: f64,
    /// Averages over pairs of students.
    form: Form,
    /// The form of the students that the target needs.
    target_form: Form,
    target: Target,
    noise: OnceLock<SampledKernel>,
    mixture: Option<MixtureNoise>,
}

/// How neurons are prepared.
#[derive(Debug, Clone)]
enum Form {
    /// Closed forms of ReLU.
    Relu,
    /// Hermite series.
    Series(Basis),
}

impl SmoothedKernel {
    /// The kernel of `problem` where it meets the relative accuracy `tolerance`; `None` where the activation has neither
    /// closed forms nor a short Hermite series, or the target is no function of few directions.
    ///
    /// # Errors
    /// [`Error::Numerical`](crate::Error::Numerical) where P is not a covariance.
    pub fn new(problem: &Problem, tolerance: f64) -> Result<Option<Self>> {
        Self::seeded(problem, tolerance, 0)
    }

    /// The same with other nodes and samples for each `seed`, where it needs any.
    ///
    /// # Errors
    /// As for [`new`](Self::new).
    pub fn seeded(problem: &Problem, tolerance: f64, seed: u64) -> Result<Option<Self>> {
        let activation = &problem.network.activation;
        let overlaps = &problem.target.overlaps;
        let is_relu = *activation == Activation::Relu;
        let form = if is_relu {
            Form::Relu
        } else {
            match short_basis(activation, problem.network.bias.is_some(), tolerance) {
                Some(basis) => Form::Series(basis),
                None => return Ok(None),
            }
        };
        let mut target_form = form.clone();
        let committee = problem.target.rule.as_committee(problem.directions());
        let units = committee.and_then(|committee| units(committee, &form, overlaps, tolerance));
        let target = match &problem.target.rule {
            _ if let Some((units, own_form)) = units => {
                target_form = own_form;
                Target::Units(units)
            }
            Rule::Committee { .. } if is_relu => Target::Nodes(nodes(problem, tolerance, seed)?, None),
            Rule::Committee { .. } => return Ok(None),
            Rule::Expression(_) if overlaps.nrows() <= coefficients::DIRECTIONS => {
                let own = match &form {
                    Form::Relu => usize::MAX,
                    Form::Series(basis) => basis.order().max(1),
                };
                let order = TARGET_ORDER[overlaps.nrows()].min(own);
                let coefficients = Coefficients::new(&problem.target.rule, overlaps, order)?;
                let (tail, error) = coefficients.unknown();
                let known = error <= 0.1 * tolerance;
                match (is_relu, known) {
                    (false, _) if error <= WORTH * tolerance => Target::Coefficients(coefficients),
                    (false, _) => return Ok(None),
                    // ReLU's own coefficients fall slowly: nothing is left out only where the target's end.
                    (true, true) if tail <= 1e-2 * tolerance => {
                        target_form = Form::Series(Basis::new(coefficients.degree + 1));
                        Target::Coefficients(coefficients)
                    }
                    (true, true) => {
                        target_form = Form::Series(Basis::new(order));
                        Target::Nodes(nodes(problem, tolerance, seed)?, Some(coefficients))
                    }
                    (true, false) => Target::Nodes(nodes(problem, tolerance, seed)?, None),
                }
            }
            Rule::Expression(_) if is_relu => Target::Nodes(nodes(problem, tolerance, seed)?, None),
            Rule::Expression(_) => return Ok(None),
        };
        Ok(Some(Self {
            problem: problem.clone(),
            tolerance,
            seed,
            output_scale: problem.output_scale(),
            form,
            target_form,
            target,
            noise: OnceLock::new(),
            mixture: MixtureNoise::new(problem, tolerance),
        }))
    }

    /// The students at `state`, in a form.
    fn neurons(&self, form: &Form, state: &State) -> Neurons {
        let q = &state.overlaps.student_student;
        let variance: Vec<f64> = (0..state.bias.len()).map(|j| q[(j, j)]).collect();
        form.neurons(&self.problem.network.activation, &variance, &state.bias)
    }

    /// Writes N where it is a sum of orthant probabilities, and says whether it is: few ReLU neurons without biases, and a
    /// ReLU committee.
    fn closed_noise(&self, state: &State, out: &mut Averages) -> bool {
        let p = self.problem.width();
        let (Form::Relu, Form::Relu, Target::Units(units)) = (&self.form, &self.target_form, &self.target) else {
            return false;
        };
        if p + units.weights.len() > MOST_FIELDS || state.bias.iter().any(|b| *b != 0.0) {
            return false;
        }
        let students = state.second_layer.iter().map(|a| self.output_scale * a);
        let c: Vec<f64> = students.chain(units.weights.iter().map(|weight| -weight)).collect();
        let squared = self.problem.training.loss == Loss::Squared;
        let in_error: Vec<bool> = (0..c.len()).map(|i| i >= p || squared).collect();
        let omega = units.covariance(&state.overlaps);
        relu_noise(&omega, &c, &in_error, self.problem.target.noise, &mut out.noise);
        let size: f64 = c.iter().enumerate().map(|(i, c)| c.abs() * omega[(i, i)].max(0.0).sqrt()).sum();
        let largest = c[..p].iter().fold(0.0, |m: f64, c| m.max(c.abs()));
        out.noise_error = orthant::ERROR * (largest * size).powi(2);
        true
    }

    /// Writes N of few tanh or sigmoid neurons, and says whether it has.
    fn mixture_noise(&self, state: &State, out: &mut Averages) -> bool {
        let (Some(mixture), Target::Units(units)) = (&self.mixture, &self.target) else { return false };
        out.noise_error = mixture.noise(&units.covariance(&state.overlaps), &state.second_layer, &mut out.noise);
        true
    }

    /// Writes N where a wide network has e = −y, and says whether it has.
    fn conditional_noise(&self, state: &State, out: &mut Averages) -> Result<bool> {
        if self.problem.width() < FEWEST {
            return Ok(false);
        }
        if self.problem.training.loss == Loss::Squared {
            let evaluation = Evaluation::new(self, state, Wanted::Values);
            let size: f64 = evaluation.coefficients.iter().zip(&evaluation.roots).map(|(c, r)| (c * r).powi(2)).sum();
            // Paired neurons: f ≡ 0 up to rounding.
            if evaluation.network().0 > 1e-12 * size {
                return Ok(false);
            }
        }
        let cloud = Cloud::new(&self.problem, self.seed)?;
        let c: Vec<f64> = state.second_layer.iter().map(|a| self.output_scale * a).collect();
        Ok(noise_given_target(&self.problem.network.activation, state, &c, &cloud, out))
    }

    /// Writes N of a wide network that has learnt something, and says whether it could.
    fn latent_noise(&self, state: &State, out: &mut Averages) -> Result<bool> {
        Ok(latent::applies(&self.problem) && latent::noise(&self.problem, state, self.seed, out)?)
    }

    /// N, or what is asked for beside it, over samples.
    fn sampled(&self) -> &SampledKernel {
        self.noise.get_or_init(|| SampledKernel::for_noise(&self.problem, self.tolerance, self.seed))
    }
}

/// The units of a committee as neurons, and the form that they need: closed forms among ReLU, else series where those are short.
fn units(committee: Committee, form: &Form, overlaps: &Mat<f64>, tolerance: f64) -> Option<(Units, Form)> {
    let Committee { activation, weights, directions } = committee;
    let covariance = &directions * overlaps * directions.transpose();
    let variance: Vec<f64> = (0..weights.len()).map(|m| covariance[(m, m)]).collect();
    let both_relu = matches!(form, Form::Relu) && activation == Activation::Relu;
    let form = match form {
        Form::Relu if !both_relu => Form::Series(short_basis(&activation, false, tolerance)?),
        form => form.clone(),
    };
    let neurons = form.neurons(&activation, &variance, &vec![0.0; weights.len()]);
    if let Neurons::Series(series) = &neurons {
        let short = |m: usize| series.value_tail[m] <= tolerance * series.size[m];
        if !(0..weights.len()).all(short) && activation != Activation::Relu {
            return None;
        }
    }
    Some((Units { weights, neurons, directions }, form))
}

/// Nodes for the target of `problem`.
fn nodes(problem: &Problem, tolerance: f64, seed: u64) -> Result<Nodes> {
    let wanted = ((0.4 / tolerance).clamp(512.0, 65536.0) as usize).next_power_of_two();
    let fitting = (WORK / (8 * problem.width())).max(256);
    Nodes::new(&problem.target.rule, &problem.target.overlaps, wanted.min(1 << fitting.ilog2()), seed)
}

impl Form {
    /// Neurons with `h_j ~ N(bias_j, variance_j)`.
    fn neurons(&self, activation: &Activation, variance: &[f64], bias: &[f64]) -> Neurons {
        match (self, activation) {
            (Self::Relu, _) => Neurons::Relu(ReluNeurons::new(variance, bias)),
            (Self::Series(basis), Activation::Relu) => {
                Neurons::Series(basis.expand_relu(&ReluNeurons::new(variance, bias)))
            }
            (Self::Series(basis), _) => Neurons::Series(basis.expand(activation, variance, bias)),
        }
    }
}

/// The shortest Hermite series that will do for an activation at the variances and biases that networks have; `None` where
/// none of [`ORDERS`] does, as for a kink.
fn short_basis(activation: &Activation, biased: bool, tolerance: f64) -> Option<Basis> {
    if let Some(degree) = degree(activation) {
        return Some(Basis::new(degree));
    }
    if *activation == Activation::Relu {
        return None;
    }
    let bias = if biased { 0.7 } else { 0.0 };
    ORDERS.into_iter().map(Basis::new).find(|basis| {
        let neurons = basis.expand(activation, &[0.5, 1.0, 2.0], &[bias, 0.3 * bias, bias]);
        (0..3).all(|j| {
            let slope_size: f64 = neurons.slopes.row(j).iter().map(|d| d * d).sum();
            neurons.value_tail[j] <= 1e-3 * tolerance * neurons.size[j]
                && neurons.slope_tail[j] <= 1e-2 * tolerance * slope_size
        })
    })
}

impl Kernel for SmoothedKernel {
    fn averages(&self, state: &State, want: Want, out: &mut Averages) -> Result<()> {
        let only_label_noise = want.label_noise && !want.noise;
        if want.risk || want.drift || only_label_noise {
            let wanted = if want.drift { Wanted::All } else { Wanted::Values };
            let evaluation = Evaluation::new(self, state, wanted);
            if want.risk {
                evaluation.risk(self, out);
            }
            if want.drift {
                evaluation.drift(self, out);
            }
            if only_label_noise {
                evaluation.label_noise(self.problem.target.noise, out);
            }
        }
        let closed = want.noise
            && (self.closed_noise(state, out)
                // p⁴ of four fields, for few neurons only.
                || (self.problem.width() <= FOUR_FIELDS && self.mixture_noise(state, out))
                || self.conditional_noise(state, out)?
                || self.latent_noise(state, out)?);
        if want.radial || (want.noise && !closed) {
            let want = Want { risk: false, drift: false, noise: want.noise && !closed, ..want };
            self.sampled().averages(state, want, out)?;
        }
        Ok(())
    }

    fn describe(&self) -> String {
        let pairs = match &self.form {
            Form::Relu => "ReLU, closed forms of pairs".into(),
            Form::Series(basis) if degree(&self.problem.network.activation).is_some() => {
                format!("polynomial activation, exact Hermite expansion to degree {}", basis.order())
            }
            Form::Series(basis) => format!("Hermite series of the activation to degree {}", basis.order()),
        };
        let mut text = format!("smoothed: {pairs}; {}", self.target.describe());
        if let (Some(mixture), Target::Units(_)) = (&self.mixture, &self.target) {
            text += &format!("; {}", mixture.describe());
        }
        if let Some(noise) = self.noise.get() {
            text += &format!("; four-field averages by {}", noise.describe());
        } else if latent::applies(&self.problem) {
            text += &format!("; {}", latent::DESCRIPTION);
        }
        text
    }
}

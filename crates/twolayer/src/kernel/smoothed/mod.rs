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
//! N is a four-field average: orthant probabilities for a small ReLU network of a ReLU committee, else averages over samples
//! ([`SampledKernel`]), drawn when they are first asked for.

mod coefficients;
mod conditional;
mod nodes;
mod orthant;
mod pairs;
mod relu;
mod series;
mod target;

use std::sync::OnceLock;

use faer::Mat;

use super::{Kernel, Moments, SampledKernel, State, Want};
use crate::{
    error::Result,
    problem::{Activation, Loss, Problem, Rule},
};
use coefficients::Coefficients;
use conditional::{Cloud, FEWEST, noise_given_target};
use nodes::Nodes;
use orthant::{MOST_FIELDS, relu_noise};
use pairs::{Neurons, Row, Wanted, correlations};
use relu::ReluNeurons;
use series::Basis;
use target::{Against, Target, Units, View, degree};

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
        let target = match &problem.target.rule {
            Rule::Committee { activation: unit, units, scale } => {
                let is_mixed = is_relu && *unit != Activation::Relu;
                let short = if is_mixed { short_basis(unit, false, tolerance) } else { None };
                match short {
                    None if is_mixed => Target::Nodes(nodes(problem, tolerance, seed)?, None),
                    short => {
                        if let Some(basis) = short {
                            target_form = Form::Series(basis);
                        }
                        let variance: Vec<f64> = (0..*units).map(|r| overlaps[(r, r)]).collect();
                        let neurons = target_form.neurons(unit, &variance, &vec![0.0; *units]);
                        Target::Units(Units { scale: *scale, neurons, count: *units })
                    }
                }
            }
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
    fn closed_noise(&self, state: &State, out: &mut Moments) -> bool {
        let (p, k) = (self.problem.width(), self.problem.directions());
        let (Form::Relu, Form::Relu, Target::Units(units)) = (&self.form, &self.target_form, &self.target) else {
            return false;
        };
        if p + k > MOST_FIELDS || state.bias.iter().any(|b| *b != 0.0) {
            return false;
        }
        let students = state.second_layer.iter().map(|a| self.output_scale * a);
        let teachers = (0..k).map(|r| if r < units.count { -units.scale } else { 0.0 });
        let c: Vec<f64> = students.chain(teachers).collect();
        let squared = self.problem.training.loss == Loss::Squared;
        let in_error: Vec<bool> = (0..p + k).map(|i| i >= p || squared).collect();
        let omega = state.overlaps.omega();
        relu_noise(&omega, &c, &in_error, self.problem.target.noise, &mut out.noise);
        let size: f64 = c.iter().enumerate().map(|(i, c)| c.abs() * omega[(i, i)].max(0.0).sqrt()).sum();
        let largest = c[..p].iter().fold(0.0, |m: f64, c| m.max(c.abs()));
        out.noise_error = orthant::ERROR * (largest * size).powi(2);
        true
    }

    /// Writes N where a wide network has e = −y, and says whether it has.
    fn conditional_noise(&self, state: &State, out: &mut Moments) -> Result<bool> {
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

    /// N, or what is asked for beside it, over samples.
    fn sampled(&self) -> &SampledKernel {
        self.noise.get_or_init(|| SampledKernel::for_noise(&self.problem, self.tolerance, self.seed))
    }
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

/// One evaluation under way.
struct Evaluation<'a> {
    state: &'a State,
    omega: Mat<f64>,
    /// √Ω_ii.
    roots: Vec<f64>,
    /// s a_j.
    coefficients: Vec<f64>,
    students: Neurons,
    against: Against,
}

impl<'a> Evaluation<'a> {
    fn new(kernel: &SmoothedKernel, state: &'a State, wanted: Wanted) -> Self {
        let omega = state.overlaps.omega();
        let (p, n) = (state.bias.len(), omega.nrows());
        let roots: Vec<f64> = (0..n).map(|i| omega[(i, i)].max(0.0).sqrt()).collect();
        let students = kernel.neurons(&kernel.form, state);
        let mut against = Against::zeros(p, n - p);
        let own_form = matches!(
            (&kernel.form, &kernel.target_form),
            (Form::Relu, Form::Relu) | (Form::Series(_), Form::Series(_))
        );
        let other = if own_form { None } else { Some(kernel.neurons(&kernel.target_form, state)) };
        let coefficients: Vec<f64> = state.second_layer.iter().map(|a| kernel.output_scale * a).collect();
        let view = View {
            omega: &omega,
            roots: &roots,
            bias: &state.bias,
            coefficients: &coefficients,
            neurons: other.as_ref().unwrap_or(&students),
        };
        kernel.target.against(&view, wanted, &mut against);
        Self { state, omega, roots, coefficients, students, against }
    }

    /// The averages of student j with the first `count` students.
    fn row(&self, j: usize, count: usize, wanted: Wanted, rho: &mut [f64], out: &mut Row) {
        correlations(&self.omega, &self.roots, j, 0, &mut rho[..count]);
        self.students.row(j, &self.students, &rho[..count], wanted, out);
    }

    /// `Σ_j |s a_j| √t_j`: what the series of the students leave, t the tails of values or of slopes times q.
    fn unknown(&self) -> (f64, f64) {
        let Neurons::Series(neurons) = &self.students else { return (0.0, 0.0) };
        let terms = self.coefficients.iter().enumerate().map(|(j, c)| {
            (c.abs() * neurons.value_tail[j].sqrt(), c.abs() * self.roots[j] * neurons.slope_tail[j].sqrt())
        });
        terms.fold((0.0, 0.0), |sum, term| (sum.0 + term.0, sum.1 + term.1))
    }

    /// `E f²`, and `Σ_j |s a_j| (E σ_j²)^{½}`, of the size of what it is summed from.
    fn network(&self) -> (f64, f64) {
        let p = self.coefficients.len();
        let (mut rho, mut row) = (vec![0.0; p], Row::new(p));
        let (mut network, mut size) = (0.0, 0.0);
        for j in 0..p {
            self.row(j, j + 1, Wanted::Values, &mut rho, &mut row);
            let c = self.coefficients[j];
            let below: f64 = row.values[..j].iter().zip(&self.coefficients).map(|(value, c)| value * c).sum();
            network += c * (2.0 * below + c * row.values[j]);
            size += c.abs() * row.values[j].abs().sqrt();
        }
        (network, size)
    }

    fn risk(&self, kernel: &SmoothedKernel, out: &mut Moments) {
        let (network, size) = self.network();
        let dot = |x: &[f64]| self.coefficients.iter().zip(x).map(|(c, x)| c * x).sum::<f64>();
        let (square, square_error) = kernel.target.square(&self.state.overlaps.teacher_teacher);
        // f and g may cancel: the risk is at least 0.
        out.risk = (0.5 * (network - 2.0 * dot(&self.against.values) + square)).max(0.0);
        let rounding = 8.0 * f64::EPSILON * (size + square.sqrt()).powi(2);
        out.risk_error = 0.5 * self.unknown().0.powi(2) + self.against.value_error + 0.5 * square_error + rounding;
    }

    fn drift(&self, kernel: &SmoothedKernel, out: &mut Moments) {
        let (p, n) = (self.coefficients.len(), self.omega.nrows());
        let (mut rho, mut row) = (vec![0.0; p], Row::new(p));
        let network = kernel.problem.training.loss == Loss::Squared;
        // D_jq = s a_j [ curved_j Ω_jq/√q_j + Σ_i weights_ji Ω_iq ]
        let mut weights = Mat::<f64>::zeros(p, n);
        let mut curved = vec![0.0; p];
        let (unknown, s) = (if network { self.unknown().1 } else { 0.0 }, kernel.output_scale);
        let largest = self.roots.iter().fold(0.0, |m: f64, r| m.max(*r));
        let size: f64 = self.coefficients.iter().zip(&self.roots).map(|(c, r)| (c * r).abs()).sum();
        out.drift_error = 0.0;
        for j in 0..p {
            let (mut mixed, mut values) = (0.0, 0.0);
            if network {
                self.row(j, p, Wanted::All, &mut rho, &mut row);
                for (l, c) in self.coefficients.iter().enumerate() {
                    curved[j] += c * row.curved[l];
                    mixed += c * row.mixed[l];
                    values += c * row.values[l];
                    weights[(j, l)] = c * row.slopes[l];
                }
            }
            curved[j] -= self.against.curved[j];
            (0..n - p).for_each(|r| weights[(j, p + r)] = -self.against.gradients[(j, r)]);
            out.second[j] = s * (values - self.against.values[j]);
            out.bias[j] = self.coefficients[j] * (mixed - self.against.slopes[j]);
            let tail = match &self.students {
                Neurons::Series(neurons) => neurons.slope_tail[j].sqrt(),
                Neurons::Relu(_) => 0.0,
            };
            let error = 2.0 * tail * unknown + self.against.drift_errors[j] + 16.0 * f64::EPSILON * size;
            out.drift_error = out.drift_error.max(self.coefficients[j].abs() * largest * error);
        }
        let product = &weights * &self.omega;
        for j in 0..p {
            let (c, root) = (self.coefficients[j], self.roots[j]);
            let along = if root > 0.0 { curved[j] / root } else { 0.0 };
            for q in 0..n {
                let entry = c * (product[(j, q)] + along * self.omega[(j, q)]);
                if q < p {
                    out.drift_student[(j, q)] = entry;
                } else {
                    out.drift_teacher[(j, q - p)] = entry;
                }
            }
        }
    }

    /// `Δ s² a_j a_l E[σ'_jσ'_l]`.
    fn label_noise(&self, noise: f64, out: &mut Moments) {
        let p = self.coefficients.len();
        let (mut rho, mut row) = (vec![0.0; p], Row::new(p));
        for j in 0..p {
            self.row(j, j + 1, Wanted::Slopes, &mut rho, &mut row);
            for l in 0..=j {
                let entry = noise * self.coefficients[j] * self.coefficients[l] * row.slopes[l];
                out.noise[(j, l)] = entry;
                out.noise[(l, j)] = entry;
            }
        }
        out.noise_error = 16.0 * f64::EPSILON * out.noise.norm_max();
    }
}

impl Kernel for SmoothedKernel {
    fn moments(&self, state: &State, want: Want, out: &mut Moments) -> Result<()> {
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
        let closed = want.noise && (self.closed_noise(state, out) || self.conditional_noise(state, out)?);
        if want.radial || (want.noise && !closed) {
            let want = Want { risk: false, drift: false, noise: want.noise && !closed, ..want };
            self.sampled().moments(state, want, out)?;
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
        if let Some(noise) = self.noise.get() {
            text += &format!("; four-field averages by {}", noise.describe());
        }
        text
    }
}

//! Averages of a network whose neurons point in independent random directions outside the target's space: what mean-field
//! theory is built from. (theory.md §5.4)
//!
//! The state is (M, q): `Q_ij = M_i P⁻¹ M_j + √(q_i q_j) Ξ_ij`, Ξ the inner product of two independent uniform unit vectors in
//! D = d − k dimensions, for every pair, a neuron's with itself included: two independent copies of it.

mod derivatives;
mod gegenbauer;
mod pairwise;
mod series;

use faer::Mat;

use super::{
    SmoothedKernel,
    coefficients::{Coefficients, DIRECTIONS},
    short_basis,
};
use crate::{
    average::{Want, polynomial},
    error::{Error, Result},
    expression::factorial,
    overlaps::{inverse_root, symmetric_root},
    problem::{Committee, Loss, Problem, Rule},
};
use derivatives::Derivatives;
use pairwise::Pairwise;
use series::{Series, terms};

/// What the averages depend on.
#[derive(Debug, Clone, PartialEq)]
pub struct SphereState {
    /// M, p×k.
    pub student_teacher: Mat<f64>,
    /// q = diag(Q − M P⁻¹ Mᵀ), p.
    pub orthogonal: Vec<f64>,
    /// a (p).
    pub second_layer: Vec<f64>,
    /// b (p).
    pub bias: Vec<f64>,
}

/// The averages over one fresh sample and over Ξ, with `g_j = s a_j e σ'(h_j)`.
#[derive(Debug, Clone, PartialEq)]
pub struct SphereAverages {
    /// `E[g_j z_r]`, p×k.
    pub drift_teacher: Mat<f64>,
    /// `E[g_j λ⊥_j]`, λ⊥ the field of the neuron's part outside the target's space, p.
    pub drift_orthogonal: Vec<f64>,
    /// `E[g_j²]`, label noise included, or its label-noise part alone, p.
    pub square: Vec<f64>,
    /// `E[s e σ(h_j)]`, p.
    pub second: Vec<f64>,
    /// `E[g_j]`, p.
    pub bias: Vec<f64>,
    /// R.
    pub risk: f64,
    /// Error of `risk`.
    pub risk_error: f64,
    /// Error of the drifts, in their largest entry.
    pub drift_error: f64,
}

impl SphereAverages {
    /// All zero, for p neurons and k directions.
    pub fn zeros(p: usize, k: usize) -> Self {
        let zeros = || vec![0.0; p];
        Self {
            drift_teacher: Mat::zeros(p, k),
            drift_orthogonal: zeros(),
            square: zeros(),
            second: zeros(),
            bias: zeros(),
            risk: 0.0,
            risk_error: 0.0,
            drift_error: 0.0,
        }
    }
}

/// The averages of one problem.
#[derive(Debug)]
pub struct SphereKernel {
    form: Form,
    output_scale: f64,
    label_noise: f64,
    squared: bool,
    /// P, its root and the inverse of that.
    overlaps: Mat<f64>,
    root: Mat<f64>,
    whiten: Mat<f64>,
}

#[derive(Debug)]
enum Form {
    Series(Box<Series>),
    Pairwise(Box<Pairwise>),
}

/// Products of a neuron beyond which series are not thought of.
const MOST_TERMS: f64 = 2e4;

/// A pair at a node costs as much as this many products of a neuron.
const PAIR: f64 = 8.0;

impl SphereKernel {
    /// The averages of `problem` in `dimension` (D) dimensions beside the target's, infinite allowed: by series where the
    /// activation has short ones and they cost less than all pairs, else pair by pair.
    ///
    /// # Errors
    /// [`Error::Refused`] where the activation has neither, [`Error::Numerical`] where P is not a covariance.
    pub fn new(problem: &Problem, dimension: f64, tolerance: f64) -> Result<Self> {
        let form = match series(problem, dimension, tolerance)? {
            Some(series) => Form::Series(Box::new(series)),
            None => Form::Pairwise(Box::new(pairwise(problem, dimension, tolerance)?)),
        };
        Self::with(problem, form)
    }

    /// The same, pair by pair whatever that costs.
    ///
    /// # Errors
    /// As for [`new`](Self::new).
    pub fn pairwise(problem: &Problem, dimension: f64, tolerance: f64) -> Result<Self> {
        Self::with(problem, Form::Pairwise(Box::new(pairwise(problem, dimension, tolerance)?)))
    }

    fn with(problem: &Problem, form: Form) -> Result<Self> {
        let overlaps = &problem.target.overlaps;
        Ok(Self {
            form,
            output_scale: problem.output_scale(),
            label_noise: problem.target.noise,
            squared: problem.training.loss == Loss::Squared,
            root: symmetric_root(overlaps.as_ref())?,
            whiten: inverse_root(overlaps.as_ref())?,
            overlaps: overlaps.clone(),
        })
    }

    /// Whether `E[g_j²]` is known with the error e, and not only its label-noise part: e a quadratic form.
    pub fn has_noise(&self) -> bool {
        matches!(&self.form, Form::Series(series) if series.is_quadratic())
    }

    /// Writes the averages wanted at `state` into `out`; the others are left as they are. `want.noise` is of consequence only
    /// where [`has_noise`](Self::has_noise).
    pub fn averages(&self, state: &SphereState, want: Want, out: &mut SphereAverages) {
        let m = &state.student_teacher * &self.whiten;
        let c: Vec<f64> = state.second_layer.iter().map(|a| self.output_scale * a).collect();
        match &self.form {
            Form::Series(series) => {
                series.averages(state, &m, &c, self.squared, want, out);
                if want.label_noise || want.noise {
                    // With e, `square` already holds the rest.
                    self.add_label_noise(series, state, &m, &c, want, out);
                }
            }
            Form::Pairwise(pairwise) => {
                pairwise.averages(state, &self.overlaps, &self.root, &m, &c, self.squared, want, out);
                if want.label_noise {
                    out.square.iter_mut().for_each(|square| *square *= self.label_noise);
                }
            }
        }
        if want.drift {
            out.second.iter_mut().for_each(|second| *second *= self.output_scale);
            // From u = P^{−1/2} z to z.
            out.drift_teacher = &out.drift_teacher * &self.root;
        }
    }

    fn add_label_noise(
        &self,
        series: &Series,
        state: &SphereState,
        m: &Mat<f64>,
        c: &[f64],
        want: Want,
        out: &mut SphereAverages,
    ) {
        if !want.noise {
            out.square.iter_mut().for_each(|square| *square *= self.label_noise);
            return;
        }
        let mut slopes = SphereAverages::zeros(c.len(), m.ncols());
        let only = Want { risk: false, drift: false, noise: false, label_noise: true, radial: false };
        series.averages(state, m, c, self.squared, only, &mut slopes);
        for (square, slope) in out.square.iter_mut().zip(&slopes.square) {
            *square += self.label_noise * slope;
        }
    }

    /// Seconds that one drift takes, roughly.
    pub fn seconds(&self, p: usize, k: usize) -> f64 {
        let (p, k) = (p as f64, k as f64);
        match &self.form {
            Form::Series(series) => 1e-5 + 5e-9 * p * (series.terms() as f64 + 4.0) * (1.0 + 0.5 * k),
            Form::Pairwise(pairwise) => 1e-4 + 3e-8 * p * p * pairwise.nodes() as f64,
        }
    }

    /// What it is, and what it costs.
    pub fn describe(&self) -> String {
        match &self.form {
            Form::Series(series) => {
                let exact = matches!(series.derivatives, Derivatives::Polynomial { .. });
                let kind = if exact { "polynomial, exact" } else { "Hermite series" };
                format!("averages over Ξ by products: {kind}, {} products for each neuron, O(p)", series.terms())
            }
            Form::Pairwise(pairwise) => {
                format!("averages over Ξ pair by pair, O(p²): {} nodes of Ξ for each pair", pairwise.nodes())
            }
        }
    }
}

fn pairwise(problem: &Problem, dimension: f64, tolerance: f64) -> Result<Pairwise> {
    match SmoothedKernel::seeded(problem, tolerance, 0)? {
        Some(inner) => Pairwise::new(inner, dimension),
        None => {
            let name = problem.network.activation.name();
            let reason = format!("averages over pairs of neurons are not known for activation {name} with this target");
            Err(Error::refused("view.method", reason, "use the ode, or relu, erf, a polynomial or a smooth activation"))
        }
    }
}

/// The series of `problem`, where it has one that costs less than all pairs.
fn series(problem: &Problem, dimension: f64, tolerance: f64) -> Result<Option<Series>> {
    let (p, k) = (problem.width(), problem.directions());
    let activation = &problem.network.activation;
    let biased = problem.network.bias.is_some();
    let polynomial = activation.polynomial();
    let order = match &polynomial {
        Some(coefficients) => coefficients.len() - 1,
        None => match short_basis(activation, biased, tolerance) {
            Some(basis) => basis.order(),
            None => return Ok(None),
        },
    };
    let terms = terms(order, k, dimension == f64::INFINITY);
    let nodes = if dimension == f64::INFINITY { 1.0 } else { 20.0 };
    if polynomial.is_none() && (terms > MOST_TERMS || terms > PAIR * nodes * p as f64) {
        return Ok(None);
    }
    let Some((target, square)) = target(problem, order, tolerance)? else { return Ok(None) };
    let derivatives = Derivatives::new(activation, biased, order + 2);
    Ok(Some(Series::new(order, k, dimension, derivatives, &target, square)))
}

/// T_α, and E g² with its error.
type Known = (Box<dyn Fn(&[usize]) -> f64>, (f64, f64));

/// What is known of the target up to degree `order`, where its series is.
fn target(problem: &Problem, order: usize, tolerance: f64) -> Result<Option<Known>> {
    let overlaps = &problem.target.overlaps;
    let k = problem.directions();
    if let Some(units) = polynomial::units(&problem.target.rule, k) {
        let root = symmetric_root(overlaps.as_ref())?;
        let top = units.iter().map(|unit| unit.coefficients.len()).max().unwrap_or(1);
        let forms: Vec<Ridge> = units
            .iter()
            .map(|unit| {
                let form: Vec<f64> = (0..k).map(|r| (0..k).map(|q| root[(r, q)] * unit.direction[q]).sum()).collect();
                let variance = form.iter().map(|v| v * v).sum();
                let (mut scratch, mut means) = (vec![0.0; top], vec![0.0; top.max(order + 1)]);
                polynomial::mean_derivatives(&unit.coefficients, 0.0, variance, &mut scratch, &mut means);
                Ridge { form, means }
            })
            .collect();
        let square = square(&forms);
        return Ok(Some((Box::new(move |alpha| of_forms(&forms, alpha)), (square, 0.0))));
    }
    if let Some(Committee { activation, weights, directions }) = problem.target.rule.as_committee(k) {
        let Some(basis) = short_basis(&activation, false, tolerance) else { return Ok(None) };
        let last = basis.order().max(order);
        let forms = directions * symmetric_root(overlaps.as_ref())?;
        let variance: Vec<f64> = (0..weights.len()).map(|m| forms.row(m).squared_norm_l2()).collect();
        let table = Derivatives::new(&activation, false, last).table(&variance, &vec![0.0; weights.len()], last, last);
        let forms: Vec<Ridge> = (0..weights.len())
            .map(|m| Ridge {
                form: (0..k).map(|r| forms[(m, r)]).collect(),
                means: table.columns.iter().map(|column| weights[m] * column[m]).collect(),
            })
            .collect();
        let unknown: f64 = weights.iter().zip(&table.tail).map(|(weight, tail)| weight.abs() * tail.sqrt()).sum();
        let square = square(&forms);
        return Ok(Some((Box::new(move |alpha| of_forms(&forms, alpha)), (square, unknown * unknown))));
    }
    if !matches!(problem.target.rule, Rule::Expression(_)) || k > DIRECTIONS {
        return Ok(None);
    }
    let kept = order.min(super::TARGET_ORDER[k]);
    let coefficients = Coefficients::new(&problem.target.rule, overlaps, kept)?;
    let (tail, error) = coefficients.unknown();
    // A polynomial network needs no more than its own degree.
    if error > super::WORTH * tolerance || (kept < order && tail > tolerance) {
        return Ok(None);
    }
    let square = coefficients.square;
    Ok(Some((Box::new(move |alpha| coefficients.derivative(alpha)), square)))
}

/// `f(⟨form, u⟩)` by its mean derivatives.
struct Ridge {
    form: Vec<f64>,
    means: Vec<f64>,
}

/// `E[∂ᵅ Σ_m f_m(⟨v_m, u⟩)] = Σ_m E f_m⁽ⁿ⁾ v_mᵅ`.
fn of_forms(forms: &[Ridge], alpha: &[usize]) -> f64 {
    let n: usize = alpha.iter().sum();
    let term = |unit: &Ridge| -> f64 {
        let power: f64 = unit.form.iter().zip(alpha).map(|(v, a)| v.powi(*a as i32)).product();
        unit.means.get(n).copied().unwrap_or(0.0) * power
    };
    forms.iter().map(term).sum()
}

/// `E (Σ_m f_m)² = Σ_mm' Σ_n E f_m⁽ⁿ⁾ E f_m'⁽ⁿ⁾ ⟨v_m, v_m'⟩ⁿ/n!`.
fn square(forms: &[Ridge]) -> f64 {
    let mut sum = 0.0;
    for left in forms {
        for right in forms {
            let c: f64 = left.form.iter().zip(&right.form).map(|(v, w)| v * w).sum();
            let terms = left.means.iter().zip(&right.means).enumerate();
            sum += terms.map(|(n, (a, b))| a * b * c.powi(n as i32) / factorial(n)).sum::<f64>();
        }
    }
    sum
}

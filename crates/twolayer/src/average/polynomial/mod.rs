//! Exact averages of a polynomial network that learns a polynomial target: Isserlis' theorem with every term, at any degree,
//! width, bias and covariance, singular ones included. (theory.md §6)
//!
//! Neurons and target are functions of one Gaussian field each, `f − g = Σ_m c_m f_m(x_m)`. For polynomials
//!
//! ```text
//! E[Π_i f_i(x_i)] = Σ_n Π_{i<l} C_ilⁿⁱˡ/n_il! · Π_i E[f_i⁽ᵈⁱ⁾(x_i)],   d_i = Σ_l n_il
//! ```
//!
//! is a finite sum over the numbers of contractions between fields: over one for R, D and A, over six for N
//! ([`diagrams`]). Nothing is sampled or cut, so that no tolerance is out of reach.

mod diagrams;
mod means;
mod quadratic;
mod units;

use faer::{Accum, Mat, Par, linalg::matmul::matmul};

use super::{Averages, Kernel, State, Want};
use crate::{
    error::Result,
    expression::factorial,
    overlaps::clipped_power,
    problem::{Loss, Problem},
};
use diagrams::Diagrams;
pub(crate) use means::mean_derivatives;
pub(crate) use units::{Unit, units};

/// Eigenvalues of Ω below zero by less than this fraction of its trace are the error of an integration, not a mistake.
const NEGATIVE: f64 = 1e-5;

/// The kernel of a polynomial network and a polynomial target, exact to rounding.
///
/// Cost: deg·(p+u)² for R and D with u functions of the target; N costs as much times the number of diagrams for degree 2, and
/// p²(p+u)² from degree 3 on.
#[derive(Debug)]
pub struct PolynomialKernel {
    /// s.
    output_scale: f64,
    /// Δ.
    label_noise: f64,
    /// Whether f is part of e.
    squared: bool,
    /// σ, in Hermite polynomials that are not normalised.
    activation: Vec<f64>,
    /// −g.
    units: Vec<Unit>,
    /// V, u×k: the directions of the units.
    directions: Mat<f64>,
    /// The largest degree of σ and the units.
    degree: usize,
}

/// Covariances and mean derivatives at one state.
struct Fields {
    /// Covariance of the neurons' fields and the units', n×n.
    covariance: Mat<f64>,
    /// Covariance of (λ, z) with them, (p+k)×n.
    reach: Mat<f64>,
    /// `E[σ⁽ᵃ⁾(h_j)]`, for each a up to the degree, one more that vanishes.
    students: Vec<Vec<f64>>,
    /// `E[(c_m f_m)⁽ᵃ⁾]`, neurons included whatever the loss.
    all: Vec<Vec<f64>>,
    /// `Σ_m |c_m| (E f_m²)^{½}`, of the size of what is summed.
    size: f64,
    /// The largest `|s a_j| (E σ'_j²)^{½}`.
    slope: f64,
}

impl PolynomialKernel {
    /// The kernel of `problem`; `None` unless activation and target are both polynomials.
    pub fn new(problem: &Problem) -> Option<Self> {
        let activation = problem.network.activation.polynomial()?;
        let k = problem.directions();
        let mut units = units(&problem.target.rule, k)?;
        units.iter_mut().flat_map(|unit| &mut unit.coefficients).for_each(|c| *c = -*c);
        let degree = units.iter().map(|unit| unit.coefficients.len()).chain([activation.len()]).max()? - 1;
        Some(Self {
            output_scale: problem.output_scale(),
            label_noise: problem.target.noise,
            squared: problem.training.loss == Loss::Squared,
            directions: Mat::from_fn(units.len(), k, |m, r| units[m].direction[r]),
            activation,
            units,
            degree,
        })
    }

    /// Seconds that one evaluation takes, roughly.
    pub(super) fn seconds(&self, want: Want, p: usize) -> f64 {
        let (p, n, degree) = (p as f64, (p + self.units.len()) as f64, (self.degree + 1) as f64);
        let noise = match (want.noise || want.radial, self.activation.len() > 3) {
            (false, _) => 0.0,
            (true, false) => 3e-6 + 8e-9 * p * n * (p + n),
            (true, true) => 1e-5 + 1e-9 * degree.powi(4) * p * p * n * n,
        };
        let times = if want.radial { 1.0 + degree + self.activation.len() as f64 } else { 1.0 };
        2e-6 + 2e-9 * degree * n * n + if want.drift { 1e-9 * n * n * p } else { 0.0 } + times * noise
    }

    /// The fields at `state`, with every covariance multiplied by `factor`.
    fn fields(&self, state: &State, factor: f64) -> Fields {
        let overlaps = &state.overlaps;
        let (p, k, u) = (overlaps.width(), overlaps.directions(), self.units.len());
        let of_units = &overlaps.student_teacher * self.directions.transpose();
        let targets = &overlaps.teacher_teacher * self.directions.transpose();
        let among = &self.directions * &targets;
        let mut covariance = Mat::<f64>::zeros(p + u, p + u);
        covariance.subrows_mut(0, p).subcols_mut(0, p).copy_from(&overlaps.student_student);
        covariance.subrows_mut(0, p).subcols_mut(p, u).copy_from(&of_units);
        covariance.subrows_mut(p, u).subcols_mut(0, p).copy_from(of_units.transpose());
        covariance.subrows_mut(p, u).subcols_mut(p, u).copy_from(&among);
        let mut reach = Mat::<f64>::zeros(p + k, p + u);
        reach.subrows_mut(0, p).copy_from(covariance.subrows(0, p));
        reach.subrows_mut(p, k).subcols_mut(0, p).copy_from(overlaps.student_teacher.transpose());
        reach.subrows_mut(p, k).subcols_mut(p, u).copy_from(&targets);
        if factor != 1.0 {
            covariance *= faer::Scale(factor);
        }
        let (mut scratch, mut out) = (vec![0.0; self.degree + 1], vec![0.0; self.degree + 2]);
        let mut fields = Fields {
            covariance,
            reach,
            students: vec![vec![0.0; p]; self.degree + 2],
            all: vec![vec![0.0; p + u]; self.degree + 1],
            size: 0.0,
            slope: 0.0,
        };
        for m in 0..p + u {
            let variance = fields.covariance[(m, m)];
            let (coefficients, bias, c) = match m.checked_sub(p) {
                None => (&self.activation, state.bias[m], self.output_scale * state.second_layer[m]),
                Some(unit) => (&self.units[unit].coefficients, 0.0, 1.0),
            };
            mean_derivatives(coefficients, bias, variance, &mut scratch, &mut out);
            let (mut square, mut slope) = (0.0, 0.0);
            for (a, mean) in out.iter().enumerate() {
                let power = variance.powi(a as i32) / factorial(a);
                square += mean * mean * power;
                slope += out.get(a + 1).map_or(0.0, |next| next * next) * power;
                if m < p {
                    fields.students[a][m] = *mean;
                }
                if a <= self.degree {
                    fields.all[a][m] = c * mean;
                }
            }
            fields.size += c.abs() * square.sqrt();
            if m < p {
                fields.slope = fields.slope.max(c.abs() * slope.sqrt());
            }
        }
        fields
    }

    /// The part of the fields that is in e: none of the neurons for the correlation loss.
    fn first(&self, p: usize) -> usize {
        if self.squared { 0 } else { p }
    }

    /// R = ½ Σ_a 1/a! Σ_mm' F_a(m) C_mm'ᵃ F_a(m').
    fn risk(&self, fields: &Fields, out: &mut Averages) {
        let n = fields.covariance.nrows();
        let mut power = vec![1.0; n];
        let mut sum = 0.0;
        for m in 0..n {
            // Row by row, the lower triangle twice.
            power[..=m].fill(1.0);
            for (a, of) in fields.all.iter().enumerate() {
                if a > 0 {
                    let column = fields.covariance.col_as_slice(m);
                    power[..=m].iter_mut().zip(column).for_each(|(power, c)| *power *= c / a as f64);
                }
                let below: f64 = power[..m].iter().zip(of).map(|(power, f)| power * f).sum();
                sum += of[m] * (below + 0.5 * power[m] * of[m]);
            }
        }
        out.risk = sum.max(0.0);
        out.risk_error = 8.0 * f64::EPSILON * fields.size * fields.size;
    }

    /// D by Stein's lemma, `E[c_jσ'_j x e] = Cov(x, x_j) E[c_jσ''_j e] + Σ_m Cov(x, x_m) E[c_jσ'_j c_mf'_m]`; A, E\[g_j\].
    fn drift(&self, state: &State, fields: &Fields, out: &mut Averages) {
        let (p, k) = (state.bias.len(), state.overlaps.directions());
        let (n, first) = (fields.covariance.nrows(), self.first(p));
        let mut weights = Mat::<f64>::zeros(p, n);
        let mut power = Mat::<f64>::from_fn(p, n, |_, _| 1.0);
        let mut curved = vec![0.0; p];
        out.second.fill(0.0);
        out.bias.fill(0.0);
        for a in 0..=self.degree {
            if a > 0 {
                for m in first..n {
                    let column = fields.covariance.col_as_slice(m);
                    let powers = power.col_as_slice_mut(m).iter_mut().zip(column);
                    powers.for_each(|(power, c)| *power *= c / a as f64);
                }
            }
            let (value, slope, curve) = (&fields.students[a], &fields.students[a + 1], fields.students.get(a + 2));
            for m in first..n {
                let error = fields.all[a][m];
                let next = fields.all.get(a + 1).map_or(0.0, |next| next[m]);
                let powers = power.col_as_slice(m);
                let weights = weights.col_as_slice_mut(m);
                for j in 0..p {
                    let with_error = powers[j] * error;
                    curved[j] += curve.map_or(0.0, |curve| curve[j]) * with_error;
                    out.bias[j] += slope[j] * with_error;
                    out.second[j] += value[j] * with_error;
                    weights[j] += slope[j] * next * powers[j];
                }
            }
        }
        let mut product = Mat::<f64>::zeros(p, p + k);
        matmul(&mut product, Accum::Replace, &weights, fields.reach.transpose(), 1.0, Par::Seq);
        for j in 0..p {
            let c = self.output_scale * state.second_layer[j];
            for q in 0..p + k {
                let entry = c * (product[(j, q)] + curved[j] * fields.reach[(q, j)]);
                if q < p {
                    out.drift_student[(j, q)] = entry;
                } else {
                    out.drift_teacher[(j, q - p)] = entry;
                }
            }
            out.second[j] *= self.output_scale;
            out.bias[j] *= c;
        }
        let root = (0..n).map(|m| fields.covariance[(m, m)]).fold(0.0, f64::max).sqrt();
        out.drift_error = 16.0 * f64::EPSILON * fields.size * fields.slope * root;
    }

    /// N, or its label-noise part alone.
    fn noise(&self, state: &State, fields: &Fields, with_error: bool, out: &mut Mat<f64>) {
        let (p, first) = (state.bias.len(), self.first(state.bias.len()));
        let n = fields.covariance.nrows() - first;
        // Of σ' and of what is contracted with it; of e.
        let (top, degree) = (self.activation.len().saturating_sub(2), if with_error { self.degree } else { 0 });
        let powers = |rows: usize, columns: (usize, usize), from: usize, count: usize| {
            let (start, width) = columns;
            let mut all = vec![Mat::<f64>::from_fn(rows, width, |_, _| 1.0)];
            for a in 1..=count {
                let last = &all[a - 1];
                let next = Mat::from_fn(rows, width, |i, m| {
                    last[(i, m)] * fields.covariance[(from + i, start + m)] / a as f64
                });
                all.push(next);
            }
            all
        };
        let slopes = |b: usize| -> Vec<f64> {
            let of = fields.students[b + 1].iter().zip(&state.second_layer);
            of.map(|(mean, a)| self.output_scale * a * mean).collect()
        };
        let diagrams = Diagrams {
            across: powers(p, (first, n), 0, top),
            within: powers(n, (first, n), first, degree),
            students: powers(p, (0, p), 0, top),
            errors: match with_error {
                true => fields.all.iter().map(|of| of[first..].to_vec()).collect(),
                false => vec![vec![0.0; n]],
            },
            slopes: (0..=top).map(slopes).collect(),
        };
        if diagrams.is_quadratic() {
            diagrams.quadratic_noise(self.label_noise, out);
        } else {
            diagrams.noise(self.label_noise, out);
        }
    }

    /// `E[g gᵀ ‖ζ‖²] = rank N + E[Δ_ζ g gᵀ] = rank N + 2 dN(τΩ)/dτ` at τ = 1, by the derivative of the polynomial in τ that N is.
    fn radial(&self, state: &State, noise: &Mat<f64>) -> Result<Mat<f64>> {
        let omega = state.overlaps.omega();
        let range = clipped_power(omega.as_ref(), NEGATIVE, 0.0)?;
        let rank = (0..omega.nrows()).map(|i| range[(i, i)]).sum::<f64>().round();
        let mut radial = noise * faer::Scale(rank);
        let mut shifted = Mat::<f64>::zeros(noise.nrows(), noise.ncols());
        for (factor, weight) in derivative_at_one(self.activation.len() - 1 + self.degree) {
            self.noise(state, &self.fields(state, factor), true, &mut shifted);
            radial += &shifted * faer::Scale(2.0 * weight);
        }
        Ok(radial)
    }
}

/// Points and weights of a rule for the derivative at 1, exact for polynomials up to `degree`: Chebyshev points in [½, 3/2].
fn derivative_at_one(degree: usize) -> Vec<(f64, f64)> {
    let count = degree + 1;
    let angle = |i: usize| std::f64::consts::PI * (i as f64 + 0.5) / count as f64;
    let points: Vec<f64> = (0..count).map(|i| 1.0 + 0.5 * angle(i).cos()).collect();
    // Lagrange: ℓ'_i(1) = Σ_{l≠i} 1/(x_i − x_l) Π_{m≠i,l} (1 − x_m)/(x_i − x_m).
    let weight = |i: usize| -> f64 {
        let others = || (0..count).filter(move |l| *l != i);
        let term = |l: usize| -> f64 {
            let product: f64 =
                others().filter(|m| *m != l).map(|m| (1.0 - points[m]) / (points[i] - points[m])).product();
            product / (points[i] - points[l])
        };
        others().map(term).sum()
    };
    (0..count).map(|i| (points[i], weight(i))).collect()
}

impl Kernel for PolynomialKernel {
    fn averages(&self, state: &State, want: Want, out: &mut Averages) -> Result<()> {
        let fields = self.fields(state, 1.0);
        if want.risk {
            self.risk(&fields, out);
        }
        if want.drift {
            self.drift(state, &fields, out);
        }
        if want.noise || want.label_noise || want.radial {
            let mut whole = Mat::zeros(state.bias.len(), state.bias.len());
            self.noise(state, &fields, want.noise || want.radial, &mut whole);
            if want.radial {
                out.radial = self.radial(state, &whole)?;
            }
            if want.noise || want.label_noise {
                out.noise = whole;
            }
            let size = fields.size.powi(2) + self.label_noise;
            out.noise_error = 64.0 * f64::EPSILON * fields.slope.powi(2) * size;
        }
        Ok(())
    }

    fn describe(&self) -> String {
        let (own, terms) = (self.activation.len() - 1, self.units.len());
        format!(
            "polynomials, exact: activation of degree {own}, target of degree {} as {terms} functions of linear forms",
            { self.units.iter().map(|unit| unit.coefficients.len()).max().unwrap_or(1) - 1 }
        )
    }
}

//! Closed forms for a network and a target that are sums of `erf(x/√2)`. (theory.md §6; Saad & Solla 1995)
//!
//! Students and teacher units are treated alike: fields `x = (λ, Vz)` with covariance C, V the directions of the units, and
//! `f − g = Σ_m c_m σ(x_m)` with `c_m = s a_m` for a student and minus the weight of a teacher unit.

mod four;

use std::{
    f64::consts::PI,
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
};

use super::{Averages, Kernel, SampledKernel, State, Want};
use crate::{
    error::Result,
    expression::vector,
    problem::{Activation, Committee, Loss, Problem},
};
pub(super) use four::{FourFields, Series};

/// Students up to which N is taken in closed form, in p²(p+u)² operations; beyond, over samples.
const CLOSED_NOISE: usize = 128;

/// Error allowed to a polynomial in place of asin in N, as a fraction of the tolerance.
const SERIES: f64 = 1e-5;

/// Tolerance of the averages without a closed form.
const SAMPLED_TOLERANCE: f64 = 1e-4;

/// The kernel of an erf network that learns an erf committee, exact to rounding.
#[derive(Debug)]
pub struct ErfKernel {
    /// p.
    students: usize,
    /// k.
    directions: usize,
    /// p + u, u the units of the target.
    fields: usize,
    /// s.
    output_scale: f64,
    /// What multiplies each teacher unit.
    weights: Vec<f64>,
    /// The entries of each unit's direction that are not 0: of `z_r` and how much.
    units: Vec<Vec<(usize, f64)>>,
    /// Polynomials in place of asin in N.
    series: Series,
    /// First field that takes part in e: 0, or p for the correlation loss, whose e has no f.
    first: usize,
    /// Δ.
    label_noise: f64,
    /// One for each thread that has been here at the same time as others.
    scratch: Mutex<Vec<Scratch>>,
    problem: Problem,
    seed: u64,
    /// For the averages that have no closed form, or a costly one.
    sampled: OnceLock<SampledKernel>,
}

/// Arrays of one evaluation, kept so that an evaluation allocates nothing.
#[derive(Debug)]
struct Scratch {
    /// C, n×n.
    covariance: Vec<f64>,
    /// Covariance of z with the fields, k×n.
    reach: Vec<f64>,
    /// c (n).
    coefficients: Vec<f64>,
    /// `asin(C_mn/√((1+C_mm)(1+C_nn)))`, lower triangle.
    pairs: Vec<f64>,
    /// Per field: `1/√(1+C_mm)`.
    root: Vec<f64>,
    /// Per field x of (λ, z): sums over the fields of e.
    sums: Vec<f64>,
    four: FourFields,
}

impl Scratch {
    /// For p students, k directions, n fields, the first of which that takes part in e is `first`.
    fn new(p: usize, k: usize, n: usize, first: usize) -> Self {
        Self {
            covariance: vec![0.0; n * n],
            reach: vec![0.0; k * n],
            coefficients: vec![0.0; n],
            pairs: vec![0.0; triangle(n)],
            root: vec![0.0; n],
            sums: vec![0.0; p + k],
            four: FourFields::new(n, first),
        }
    }
}

/// Entries of a lower triangle with n rows.
const fn triangle(n: usize) -> usize {
    n * (n + 1) / 2
}

impl ErfKernel {
    /// The kernel of `problem`; `None` unless network and target are both made of erf, without biases.
    pub fn new(problem: &Problem) -> Option<Self> {
        Self::seeded(problem, 0.0, 0)
    }

    /// The same where the risk need not be known better than to `tolerance`: N then takes polynomials for asin, with an error of
    /// 10⁻⁵ of that. With other samples for each `seed`, where it needs any.
    pub fn seeded(problem: &Problem, tolerance: f64, seed: u64) -> Option<Self> {
        if problem.network.activation != Activation::Erf || problem.network.bias.is_some() {
            return None;
        }
        let (p, k) = (problem.width(), problem.directions());
        let Committee { activation: Activation::Erf, weights, directions } = problem.target.rule.as_committee(k)?
        else {
            return None;
        };
        let n = p + weights.len();
        let first = if problem.training.loss == Loss::Correlation { p } else { 0 };
        let entries = |m: usize| -> Vec<(usize, f64)> {
            (0..k).map(|r| (r, directions[(m, r)])).filter(|(_, v)| *v != 0.0).collect()
        };
        Some(Self {
            students: p,
            directions: k,
            fields: n,
            output_scale: problem.output_scale(),
            units: (0..weights.len()).map(entries).collect(),
            weights,
            series: Series::new(SERIES * tolerance),
            first,
            label_noise: problem.target.noise,
            scratch: Mutex::new(Vec::new()),
            problem: problem.clone(),
            seed,
            sampled: OnceLock::new(),
        })
    }

    /// The arrays that are not in use: every evaluation rewrites what it reads, so a panic elsewhere leaves no harm.
    fn kept(&self) -> MutexGuard<'_, Vec<Scratch>> {
        self.scratch.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Copies Ω and c to flat arrays.
    fn load(&self, state: &State, scratch: &mut Scratch) {
        let (p, n) = (self.students, self.fields);
        let overlaps = &state.overlaps;
        for j in 0..p {
            for l in 0..p {
                scratch.covariance[j * n + l] = overlaps.student_student[(j, l)];
            }
            for (m, unit) in self.units.iter().enumerate() {
                let c = unit.iter().map(|(r, v)| v * overlaps.student_teacher[(j, *r)]).sum();
                scratch.covariance[j * n + p + m] = c;
                scratch.covariance[(p + m) * n + j] = c;
            }
            for r in 0..self.directions {
                scratch.reach[r * n + j] = overlaps.student_teacher[(j, r)];
            }
            scratch.coefficients[j] = self.output_scale * state.second_layer[j];
        }
        for (m, unit) in self.units.iter().enumerate() {
            for r in 0..self.directions {
                scratch.reach[r * n + p + m] = unit.iter().map(|(q, v)| v * overlaps.teacher_teacher[(r, *q)]).sum();
            }
            scratch.coefficients[p + m] = -self.weights[m];
        }
        for (m, unit) in self.units.iter().enumerate() {
            for l in p..n {
                scratch.covariance[(p + m) * n + l] = unit.iter().map(|(r, v)| v * scratch.reach[r * n + l]).sum();
            }
        }
    }

    /// `E[σ(x_m)σ(x_n)] = (2/π) asin(C_mn/√((1+C_mm)(1+C_nn)))`, up to its factor 2/π, for n ≤ m.
    fn fill_pairs(&self, scratch: &mut Scratch) {
        let n = self.fields;
        for m in 0..n {
            scratch.root[m] = 1.0 / (1.0 + scratch.covariance[m * n + m]).sqrt();
        }
        let mut at = 0;
        for m in 0..n {
            for l in 0..=m {
                scratch.pairs[at] = scratch.covariance[m * n + l] * scratch.root[m] * scratch.root[l];
                at += 1;
            }
        }
        vector::asin(&mut scratch.pairs);
    }

    /// `R = ½ Σ_mn c_m c_n E[σσ]`, with the students whatever the loss.
    fn risk(&self, scratch: &Scratch) -> f64 {
        let c = &scratch.coefficients;
        let mut sum = 0.0;
        let mut pairs = scratch.pairs.iter();
        for m in 0..self.fields {
            for (l, pair) in pairs.by_ref().take(m + 1).enumerate() {
                sum += if l == m { 0.5 } else { 1.0 } * c[m] * c[l] * pair;
            }
        }
        2.0 / PI * sum
    }

    /// D from the three-field integrals, A from the pairs.
    fn drift(&self, scratch: &mut Scratch, out: &mut Averages) {
        let Scratch { covariance, reach, coefficients: c, pairs, sums, .. } = scratch;
        let (p, k, n) = (self.students, self.directions, self.fields);
        for j in 0..p {
            let row = &covariance[j * n..(j + 1) * n];
            let one_plus = 1.0 + row[j];
            // E[σ'(x_j) x_q e] = (2/π) Σ_m w_m (C_qm − C_jq C_jm/(1+C_jj)), w_m = c_m/√Λ3(j,m).
            let mut along = 0.0;
            let mut second = 0.0;
            sums.fill(0.0);
            for m in self.first..n {
                let weight = c[m] / lambda_two(row[j], covariance[m * n + m], row[m]).sqrt();
                along += weight * row[m];
                for (sum, c_qm) in sums.iter_mut().zip(&covariance[m * n..m * n + p]) {
                    *sum += weight * c_qm;
                }
                for (r, sum) in sums[p..].iter_mut().enumerate() {
                    *sum += weight * reach[r * n + m];
                }
                let (high, low) = (j.max(m), j.min(m));
                second += c[m] * pairs[triangle(high) + low];
            }
            let factor = 2.0 / PI * c[j];
            for q in 0..p {
                out.drift_student[(j, q)] = factor * (sums[q] - along * row[q] / one_plus);
            }
            for r in 0..k {
                out.drift_teacher[(j, r)] = factor * (sums[p + r] - along * reach[r * n + j] / one_plus);
            }
            out.second[j] = 2.0 / PI * self.output_scale * second;
            // σ' is even and e is odd.
            out.bias[j] = 0.0;
        }
    }

    /// N: the four-field integrals of every entry, and the label noise.
    fn noise(&self, scratch: &mut Scratch, out: &mut Averages) {
        let Scratch { covariance, coefficients: c, four, .. } = scratch;
        let n = self.fields;
        let largest = (self.first..n).map(|m| covariance[m * n + m]).fold(0.0, f64::max);
        let (series, error) = self.series.up_to(largest / (1.0 + largest));
        four.load(covariance, c);
        let mut greatest = 0.0_f64;
        for j in 0..self.students {
            for l in 0..=j {
                let sum = four.sum(covariance, j, l, series);
                let factor = c[j] * c[l]
                    / lambda_two(covariance[j * n + j], covariance[l * n + l], covariance[j * n + l]).sqrt();
                let entry = factor * (4.0 / (PI * PI) * sum + 2.0 / PI * self.label_noise);
                greatest = greatest.max(factor.abs());
                out.noise[(j, l)] = entry;
                out.noise[(l, j)] = entry;
            }
        }
        let size: f64 = c[self.first..].iter().map(|c| c.abs()).sum();
        out.noise_error = greatest * 4.0 / (PI * PI) * error * size * size + 32.0 * f64::EPSILON * out.noise.norm_max();
    }

    /// `Δ s² a_j a_l E[σ'_jσ'_l]`.
    fn label_noise(&self, scratch: &Scratch, out: &mut Averages) {
        let (covariance, c, n) = (&scratch.covariance, &scratch.coefficients, self.fields);
        for (j, l) in (0..self.students).flat_map(|j| (0..=j).map(move |l| (j, l))) {
            let lambda_four = lambda_two(covariance[j * n + j], covariance[l * n + l], covariance[j * n + l]);
            let entry = 2.0 / PI * self.label_noise * c[j] * c[l] / lambda_four.sqrt();
            out.noise[(j, l)] = entry;
            out.noise[(l, j)] = entry;
        }
    }
}

/// `(1+a)(1+b) − c²`, written so that rounding cannot take it below what a covariance allows.
pub(super) fn lambda_two(a: f64, b: f64, c: f64) -> f64 {
    1.0 + a + b + (a * b - c * c).max(0.0)
}

impl Kernel for ErfKernel {
    fn averages(&self, state: &State, want: Want, out: &mut Averages) -> Result<()> {
        let mut own =
            self.kept().pop().unwrap_or_else(|| Scratch::new(self.students, self.directions, self.fields, self.first));
        let scratch = &mut own;
        self.load(state, scratch);
        let size: f64 = scratch.coefficients.iter().map(|c| c.abs()).sum();
        if want.risk || want.drift {
            self.fill_pairs(scratch);
        }
        if want.risk {
            out.risk = self.risk(scratch);
            out.risk_error = 4.0 * f64::EPSILON * size * size;
        }
        if want.drift {
            self.drift(scratch, out);
            let largest = scratch.coefficients[..self.students].iter().fold(0.0, |m: f64, c| m.max(c.abs()));
            out.drift_error = 8.0 * f64::EPSILON * size * largest;
        }
        let closed = self.students <= CLOSED_NOISE;
        if want.noise && closed {
            self.noise(scratch, out);
        } else if want.label_noise && !want.noise {
            self.label_noise(scratch, out);
            out.noise_error = 32.0 * f64::EPSILON * out.noise.norm_max();
        }
        if want.radial || (want.noise && !closed) {
            let want = Want { risk: false, drift: false, noise: want.noise && !closed, ..want };
            let sampled = || SampledKernel::for_noise(&self.problem, SAMPLED_TOLERANCE, self.seed);
            self.sampled.get_or_init(sampled).averages(state, want, out)?;
        }
        self.kept().push(own);
        Ok(())
    }

    fn describe(&self) -> String {
        "erf, closed form".into()
    }
}

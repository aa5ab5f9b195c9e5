//! Closed forms for a network and a target that are sums of `erf(x/√2)`. (theory.md §6; Saad & Solla 1995)
//!
//! Students and teacher units are treated alike: fields `x = (λ, z)` with covariance C = Ω, and
//! `f − g = Σ_m c_m σ(x_m)` with `c_m = s a_m` for a student and minus the target's scale for a teacher unit.

use std::{
    f64::consts::PI,
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
};

use super::{Averages, Kernel, SampledKernel, State, Want};
use crate::{
    error::Result,
    expression::vector,
    problem::{Activation, Loss, Problem, Rule},
};

/// Students up to which N is taken in closed form, in p²(p+k)² operations; beyond, over samples.
const CLOSED_NOISE: usize = 128;

/// Tolerance of the averages without a closed form.
const SAMPLED_TOLERANCE: f64 = 1e-4;

/// Arguments of asin that are handled at a time: they stay in the first cache.
const BUFFER: usize = 2048;

/// The kernel of an erf network that learns an erf committee, exact to rounding.
#[derive(Debug)]
pub struct ErfKernel {
    /// p.
    students: usize,
    /// p + k.
    fields: usize,
    /// s.
    output_scale: f64,
    /// What multiplies each teacher unit.
    target_scale: f64,
    /// Teacher directions that carry a unit.
    units: usize,
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
    /// c (n).
    coefficients: Vec<f64>,
    /// `asin(C_mn/√((1+C_mm)(1+C_nn)))`, lower triangle.
    pairs: Vec<f64>,
    /// `c_m c_n`, doubled off the diagonal: lower triangle of the fields in e.
    weights: Vec<f64>,
    /// `(j, l)`, l ≤ j: the entries of N.
    entries: Vec<(usize, usize)>,
    /// Arguments of asin in the four-field integrals of some entries of N.
    arguments: Vec<f64>,
    /// Per field: `C_jm(1+C_ll) − C_jl C_lm`, the same with j ↔ l, and `1/√Λ1`.
    left: Vec<f64>,
    right: Vec<f64>,
    root: Vec<f64>,
}

impl Scratch {
    /// For p students, n fields, the first of which that takes part in e is `first`.
    fn new(p: usize, n: usize, first: usize) -> Self {
        let size = triangle(n - first);
        let entries: Vec<(usize, usize)> = (0..p).flat_map(|j| (0..=j).map(move |l| (j, l))).collect();
        let at_a_time = (BUFFER / size).clamp(1, entries.len());
        Self {
            covariance: vec![0.0; n * n],
            coefficients: vec![0.0; n],
            pairs: vec![0.0; triangle(n)],
            weights: vec![0.0; size],
            entries,
            arguments: vec![0.0; at_a_time * size],
            left: vec![0.0; n - first],
            right: vec![0.0; n - first],
            root: vec![0.0; n],
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
        Self::seeded(problem, 0)
    }

    /// The same with other samples for each `seed`, where it needs any.
    pub fn seeded(problem: &Problem, seed: u64) -> Option<Self> {
        let Rule::Committee { activation: Activation::Erf, units, scale } = problem.target.rule else {
            return None;
        };
        if problem.network.activation != Activation::Erf || problem.network.bias.is_some() {
            return None;
        }
        let (p, n) = (problem.width(), problem.width() + problem.directions());
        let first = if problem.training.loss == Loss::Correlation { p } else { 0 };
        Some(Self {
            students: p,
            fields: n,
            output_scale: problem.output_scale(),
            target_scale: scale,
            units,
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
            for r in p..n {
                let m = overlaps.student_teacher[(j, r - p)];
                scratch.covariance[j * n + r] = m;
                scratch.covariance[r * n + j] = m;
            }
            scratch.coefficients[j] = self.output_scale * state.second_layer[j];
        }
        for r in p..n {
            for q in p..n {
                scratch.covariance[r * n + q] = overlaps.teacher_teacher[(r - p, q - p)];
            }
            scratch.coefficients[r] = if r - p < self.units { -self.target_scale } else { 0.0 };
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
        let Scratch { covariance, coefficients: c, pairs, root: sums, .. } = scratch;
        let (p, n) = (self.students, self.fields);
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
                for (sum, c_qm) in sums.iter_mut().zip(&covariance[m * n..(m + 1) * n]) {
                    *sum += weight * c_qm;
                }
                let (high, low) = (j.max(m), j.min(m));
                second += c[m] * pairs[triangle(high) + low];
            }
            let factor = 2.0 / PI * c[j];
            for q in 0..n {
                let entry = factor * (sums[q] - along * row[q] / one_plus);
                if q < p {
                    out.drift_student[(j, q)] = entry;
                } else {
                    out.drift_teacher[(j, q - p)] = entry;
                }
            }
            out.second[j] = 2.0 / PI * self.output_scale * second;
            // σ' is even and e is odd.
            out.bias[j] = 0.0;
        }
    }

    /// N: four-field integrals of every entry at once, and the label noise.
    fn noise(&self, scratch: &mut Scratch, out: &mut Averages) {
        let Scratch { covariance, coefficients: c, weights, entries, arguments, left, right, root, .. } = scratch;
        let (n, first) = (self.fields, self.first);
        let active = n - first;
        let mut at = 0;
        for m in first..n {
            for l in first..=m {
                weights[at] = if l == m { 1.0 } else { 2.0 } * c[m] * c[l];
                at += 1;
            }
        }
        let size = weights.len();
        for entries in entries.chunks(arguments.len() / size) {
            for (&(j, l), arguments) in entries.iter().zip(arguments.chunks_exact_mut(size)) {
                let (alpha, beta) = (&covariance[j * n + first..(j + 1) * n], &covariance[l * n + first..(l + 1) * n]);
                let (jj, ll, jl) = (covariance[j * n + j], covariance[l * n + l], covariance[j * n + l]);
                let lambda_four = lambda_two(jj, ll, jl);
                for m in 0..active {
                    left[m] = alpha[m] * (1.0 + ll) - jl * beta[m];
                    right[m] = beta[m] * (1.0 + jj) - jl * alpha[m];
                    let mm = covariance[(first + m) * n + first + m];
                    let lambda_one = lambda_four * (1.0 + mm) - alpha[m] * left[m] - beta[m] * right[m];
                    // Λ1/Λ4 − 1 is a conditional variance.
                    root[m] = 1.0 / lambda_one.max(lambda_four).sqrt();
                }
                let mut rest = arguments;
                for m in 0..active {
                    let (row, tail) = rest.split_at_mut(m + 1);
                    rest = tail;
                    let start = (first + m) * n + first;
                    let fields = covariance[start..=start + m].iter().zip(alpha).zip(beta).zip(&*root);
                    for (argument, (((c_mn, alpha), beta), root_n)) in row.iter_mut().zip(fields) {
                        let lambda_zero = lambda_four * c_mn - alpha * left[m] - beta * right[m];
                        *argument = lambda_zero * root[m] * root_n;
                    }
                }
            }
            vector::asin(&mut arguments[..entries.len() * size]);
            for (&(j, l), arguments) in entries.iter().zip(arguments.chunks_exact(size)) {
                let sum: f64 = weights.iter().zip(arguments).map(|(weight, asin)| weight * asin).sum();
                let lambda_four = lambda_two(covariance[j * n + j], covariance[l * n + l], covariance[j * n + l]);
                let entry = c[j] * c[l] / lambda_four.sqrt() * (4.0 / (PI * PI) * sum + 2.0 / PI * self.label_noise);
                out.noise[(j, l)] = entry;
                out.noise[(l, j)] = entry;
            }
        }
    }

    /// `Δ s² a_j a_l E[σ'_jσ'_l]`.
    fn label_noise(&self, scratch: &Scratch, out: &mut Averages) {
        let (covariance, c, n) = (&scratch.covariance, &scratch.coefficients, self.fields);
        for &(j, l) in &scratch.entries {
            let lambda_four = lambda_two(covariance[j * n + j], covariance[l * n + l], covariance[j * n + l]);
            let entry = 2.0 / PI * self.label_noise * c[j] * c[l] / lambda_four.sqrt();
            out.noise[(j, l)] = entry;
            out.noise[(l, j)] = entry;
        }
    }
}

/// `(1+a)(1+b) − c²`, written so that rounding cannot take it below what a covariance allows.
fn lambda_two(a: f64, b: f64, c: f64) -> f64 {
    1.0 + a + b + (a * b - c * c).max(0.0)
}

impl Kernel for ErfKernel {
    fn averages(&self, state: &State, want: Want, out: &mut Averages) -> Result<()> {
        let mut own = self.kept().pop().unwrap_or_else(|| Scratch::new(self.students, self.fields, self.first));
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
        }
        out.noise_error = 32.0 * f64::EPSILON * out.noise.norm_max();
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

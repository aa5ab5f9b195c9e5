//! N = E\[g gᵀ\] of a wide network that has learnt something, f ≢ 0. (theory.md §6)
//!
//! Given z AND the r leading eigendirections of `V = Q − M P⁻¹ Mᵀ` (giant steps give all neurons shared components of order
//! one, about one a step) the neurons are Gaussian with covariance `E = V − c cᵀ`, whose diagonal is of order one and whose
//! other entries E_o are small. With σ's averages given the latent point, `m_0 = Eσ, m_1 = Eσ', m_2 = Eσ''`,
//! `b = s a∘m_1`, `mean = s aᵀm_0 − g`, `e² = mean² + s² Σ_j a_j² Var σ_j + bᵀE_o b + Δ` and the covariance of the error with
//! a slope, `T = (E_o b)∘m_2 + s a∘(E[σσ'] − m_0 m_1)`,
//!
//! ```text
//! N_jl/(s² a_j a_l) = ⟨ e² m_1j m_1l + 2 mean (T_j m_1l + m_1j T_l) + 2 T_j T_l + e² m_2j m_2l E_jl ⟩     j ≠ l
//!                   = ⟨ 2 (T + mean m_1)_j (T + mean m_1)_l + (e² − 2 mean²) m_1j m_1l + E_jl e² m_2j m_2l ⟩
//! N_jj/(s² a_j²)    = ⟨ e² E[σ'²] + 2 mean ((E_o b)_j E[(σ'²)'] + s a_j (E[σσ'²] − m_0 E[σ'²])) ⟩
//! ```
//!
//! averaged over scrambled Sobol points in k + r dimensions: three symmetric products and one other of p×S matrices; the
//! next order, ½ E_jl² e² m_3j m_3l, is taken from fewer points. σ'' is meant in the sense of averages, `E[σ'G]/√E_jj`, so that kinks are allowed. Pairs that are strongly correlated, as
//! neurons that started as copies, get their E\[σ'_jσ'_l\] exactly.

mod directions;
mod pairs;
mod pass;
mod table;

use faer::Mat;

use super::{Averages, State, sampled::widen};
use crate::{
    average::label::labels,
    error::Result,
    expression::Scratch,
    gaussian::sobol::normals,
    overlaps::{inverse_root, symmetric_root},
    problem::{Loss, Problem},
};
use directions::leading;
use pairs::Pairs;
use pass::{Latent, Pass};

/// Neurons from which on what is left out, a few parts in a thousand of the largest entry, is less than what samples leave.
pub(super) const FEWEST: usize = 64;

/// p² times the points.
const WORK: u64 = 1 << 32;

/// Points at least, and at most.
const POINTS: [usize; 2] = [1 << 12, 1 << 15];

/// Eigendirections are latent where they carry this part of the trace of V.
const SHARE: f64 = 0.02;

/// Latent eigendirections at most, one more for the error.
const MOST: usize = 6;

/// Writes N of the squared loss into `out`, with its error: that of one latent direction fewer, and of half the points.
/// False where it cannot, because more pairs than a few to a neuron are strongly correlated.
///
/// # Errors
/// [`Error::Numerical`](crate::Error::Numerical) where P or Q is not a covariance.
pub(super) fn noise(problem: &Problem, state: &State, seed: u64, out: &mut Averages) -> Result<bool> {
    let (p, k) = (problem.width(), problem.directions());
    let root = symmetric_root(problem.target.overlaps.as_ref())?;
    let whiten = inverse_root(problem.target.overlaps.as_ref())?;
    let along_target = &state.overlaps.student_teacher * &whiten;
    let covariance = &state.overlaps.student_student - &along_target * along_target.transpose();
    let (values, vectors) = leading(&covariance, MOST + 1)?;
    let trace: f64 = (0..p).map(|j| covariance[(j, j)]).sum();
    let few = values.iter().take(MOST).filter(|value| **value > SHARE * trace).count();
    let points = usize::try_from(WORK / (p as u64).pow(2)).unwrap_or(usize::MAX).clamp(POINTS[0], POINTS[1]);
    let points = 1 << points.ilog2();
    let mut x = normals(points, k + few + 1, seed);
    let weights = widen(&mut x[..k * points], points);
    let u = Mat::from_fn(points, k, |mu, r| x[r * points + mu]);
    let z = &u * &root;
    let columns: Vec<&[f64]> = (0..k).map(|r| z.col_as_slice(r)).collect();
    let mut label = vec![0.0; points];
    labels(&problem.target.rule, &columns, &mut label, &mut Scratch::default());
    let scale = problem.output_scale();
    let pass = |latent: usize| {
        let loadings = Mat::from_fn(p, k + latent, |j, i| {
            if i < k { along_target[(j, i)] } else { vectors[(j, i - k)] * values[i - k].max(0.0).sqrt() }
        });
        let left = Mat::from_fn(p, p, |j, l| {
            let explained: f64 = (k..k + latent).map(|i| loadings[(j, i)] * loadings[(l, i)]).sum();
            covariance[(j, l)] - explained
        });
        Pairs::of(&left, &state.bias).map(|pairs| Pass {
            activation: &problem.network.activation,
            bias: &state.bias,
            weights: state.second_layer.iter().map(|a| scale * a).collect(),
            noise: problem.target.noise,
            loadings,
            left,
            pairs,
        })
    };
    let (Some(fine), Some(coarse)) = (pass(few + 1), pass(few)) else { return Ok(false) };
    let latent = |count: usize| Latent { x: &x, points, used: count, weights: &weights, label: &label };
    let half = points / 2;
    let [fine_half, whole] = fine.noise(&latent(points), half);
    let [coarse_half, _] = coarse.noise(&latent(half), half);
    let apart = |other: &Mat<f64>| (&fine_half - other).norm_max();
    out.noise_error = apart(&coarse_half) + apart(&whole);
    out.noise.copy_from(&whole);
    Ok(true)
}

/// What it is, for the manifest.
pub(super) const DESCRIPTION: &str =
    "N given the target's and the leading shared directions, pairs of neurons to second order";

/// Whether a width and a loss are what this is for.
pub(super) fn applies(problem: &Problem) -> bool {
    problem.width() >= FEWEST && problem.training.loss == Loss::Squared
}

#[cfg(test)]
mod tests;

//! Hermite coefficients of a target, and the one that decides a stair.

use faer::Mat;

use super::{
    function::Function,
    grid,
    indices::{Indices, factorial},
    sample,
    series::{Series, total},
    subspace::join,
};
use crate::error::Result;

/// The highest degree in the known directions at which the decisive coefficient is looked for.
const KNOWN_DEGREE: usize = 4;

/// The coefficient that decides a stair.
pub(super) struct Decisive {
    /// ‖E[g He_j(u) ⊗ He_ℓ(v)]‖.
    pub(super) size: f64,
    pub(super) error: f64,
    /// j.
    pub(super) known_degree: usize,
}

/// The coefficient `E[g He_j(u) ⊗ He_ℓ(v)]` of the lowest j at which it does not vanish; `None` where that is above 4.
pub(super) fn decisive(
    function: &Function<'_>,
    known: &Mat<f64>,
    rest: &Mat<f64>,
    leap: usize,
) -> Result<Option<Decisive>> {
    let (series, error, _) = expand(&function.along(&join(known, rest)), leap + KNOWN_DEGREE)?;
    let split = known.ncols();
    Ok((0..=KNOWN_DEGREE).find_map(|j| {
        let at = |index: &[u8]| total(&index[..split]) == j && total(&index[split..]) == leap;
        let terms = series.terms().iter().filter(|(index, _)| at(index));
        let power = terms.map(|(_, a)| a * a).fold(0.0, |sum, power| sum + power);
        let unit = (factorial(j) * factorial(leap)).sqrt();
        (power > 0.0).then(|| Decisive { size: unit * power.sqrt(), error: unit * error, known_degree: j })
    }))
}

/// The Hermite series of g up to `degree` (kinks in three directions and more: 8), without the terms that are zero; the error of the sum in the mean
/// square, and √Var g.
pub(super) fn expand(function: &Function<'_>, degree: usize) -> Result<(Series, f64, f64)> {
    let m = function.dimension();
    if let Some((coefficients, error, deviation)) = grid::coefficients(function, degree) {
        let indices = Indices::up_to(degree, m);
        let terms = indices.iter().zip(coefficients).filter(|(_, a)| a.abs() > 10.0 * error);
        let terms = terms.map(|(index, a)| (index.to_vec(), a)).collect();
        return Ok((Series::new(m, terms), error * (indices.len() as f64).sqrt(), deviation));
    }
    let degree = degree.min(if m < 3 { 12 } else { 8 });
    let (coefficients, errors, deviation) = sample::coefficients(function, degree)?;
    let indices = Indices::up_to(degree, m);
    let mut terms = Vec::new();
    for (index, (a, error)) in indices.iter().zip(coefficients.into_iter().zip(&errors)) {
        if a.abs() > 8.0 * error {
            terms.push((index.to_vec(), a));
        }
    }
    let error = errors.iter().map(|error| error * error).sum::<f64>().sqrt();
    Ok((Series::new(m, terms), error, deviation))
}

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
    let Expansion { series, errors, .. } = expand(&function.along(&join(known, rest)), leap + KNOWN_DEGREE)?;
    let split = known.ncols();
    Ok((0..=KNOWN_DEGREE).find_map(|j| {
        let at = |index: &[u8]| total(&index[..split]) == j && total(&index[split..]) == leap;
        let (mut power, mut error) = (0.0, 0.0);
        for ((_, a), e) in series.terms().iter().zip(&errors).filter(|((index, _), _)| at(index)) {
            power += a * a;
            error += e * e;
        }
        let unit = factorial(j) * factorial(leap);
        let (size, error) = ((unit * power).sqrt(), (unit * error).sqrt());
        (power > 0.0).then_some(Decisive { size, error, known_degree: j })
    }))
}

/// What is known of the Hermite series of g.
pub(super) struct Expansion {
    /// Without the terms that are zero within their error.
    pub(super) series: Series,
    /// Of its terms.
    pub(super) errors: Vec<f64>,
    /// Of the sum, in the mean square.
    pub(super) error: f64,
    /// √Var g.
    pub(super) deviation: f64,
}

/// The Hermite series of g up to `degree` (kinks in three directions and more: 8).
pub(super) fn expand(function: &Function<'_>, degree: usize) -> Result<Expansion> {
    let m = function.dimension();
    let (degree, margin, coefficients, errors, deviation) = match grid::coefficients(function, degree) {
        Some((coefficients, error, deviation)) => {
            let errors = vec![error; coefficients.len()];
            (degree, 10.0, coefficients, errors, deviation)
        }
        None => {
            let degree = degree.min(if m < 3 { 12 } else { 8 });
            let (coefficients, errors, deviation) = sample::coefficients(function, degree)?;
            (degree, 8.0, coefficients, errors, deviation)
        }
    };
    let (mut terms, mut kept) = (Vec::new(), Vec::new());
    for (index, (a, error)) in Indices::up_to(degree, m).iter().zip(coefficients.into_iter().zip(&errors)) {
        if a.abs() > margin * error {
            terms.push((index.to_vec(), a));
            kept.push(*error);
        }
    }
    let error = errors.iter().map(|error| error * error).sum::<f64>().sqrt();
    Ok(Expansion { series: Series::new(m, terms), errors: kept, error, deviation })
}

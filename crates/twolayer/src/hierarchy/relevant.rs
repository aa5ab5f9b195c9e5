//! The directions that g depends on at all.

use faer::Mat;

use super::{
    function::Function,
    subspace::{columns, complement, eigen, join, nearest_to_axes, perpendicular},
};
use crate::{error::Result, gaussian::sobol};

/// Points at which slopes are taken.
const POINTS: usize = 64;
/// Step of the central differences: small, so that a kink or a jump is rarely crossed.
const STEP: f64 = 1e-5;
/// Slopes below this part of the largest count as none.
const FLAT: f64 = 1e-6;
/// Mean square change, in units of the variance, below which g does not depend on a direction.
const UNCHANGED: f64 = 1e-14;

/// An orthonormal basis of the directions that g depends on, as near to the axes as can be.
///
/// Candidates for directions without influence are those without slope, the axes, and the sums and differences of two
/// axes; each is believed only where moving along it leaves g unchanged at many points.
pub(super) fn basis(function: &Function<'_>) -> Result<Mat<f64>> {
    let m = function.dimension();
    let mut idle = Mat::<f64>::zeros(m, 0);
    let slopes = slopes(function);
    let (values, vectors) = eigen(&slopes)?;
    let flat = m - values.iter().filter(|value| **value > FLAT.powi(2) * values[0]).count();
    let candidates = nearest_to_axes(&columns(&vectors, m - flat..m));
    if flat > 0 && flat < m && is_idle(function, &candidates) {
        idle = candidates;
    } else {
        for candidate in guesses(m) {
            let candidate = perpendicular(&idle, candidate);
            if candidate.ncols() == 1 && is_idle(function, &candidate) {
                idle = join(&idle, &candidate);
            }
        }
    }
    Ok(complement(&idle))
}

/// The directions along which g has a slope, where there are others that it depends on by jumps alone. A subspace that is
/// known without sampling error.
pub(super) fn sloped(function: &Function<'_>) -> Result<Option<Mat<f64>>> {
    let m = function.dimension();
    let (values, vectors) = eigen(&slopes(function))?;
    let rank = values.iter().filter(|value| **value > FLAT.powi(2) * values[0]).count();
    Ok((rank > 0 && rank < m).then(|| columns(&vectors, 0..rank)))
}

fn is_idle(function: &Function<'_>, directions: &Mat<f64>) -> bool {
    function.dependence(&complement(directions), directions) <= UNCHANGED
}

/// E[∇g ∇gᵀ] over a few points, by central differences.
fn slopes(function: &Function<'_>) -> Mat<f64> {
    let m = function.dimension();
    let x = sobol::normals(POINTS, m, 3);
    let gradient: Vec<Vec<f64>> = (0..m)
        .map(|along| {
            let moved = |step: f64| {
                let mut x = x.clone();
                x[along * POINTS..(along + 1) * POINTS].iter_mut().for_each(|x| *x += step);
                let mut y = vec![0.0; POINTS];
                function.evaluate(&x.chunks(POINTS).collect::<Vec<_>>(), &mut y);
                y
            };
            moved(STEP).iter().zip(moved(-STEP)).map(|(up, down)| (up - down) / (2.0 * STEP)).collect()
        })
        .collect();
    let product = |i: usize, j: usize| gradient[i].iter().zip(&gradient[j]).map(|(a, b)| a * b).sum::<f64>();
    Mat::from_fn(m, m, product)
}

/// The axes, then the sums and differences of two.
fn guesses(m: usize) -> Vec<Vec<f64>> {
    let axis = |r: usize| (0..m).map(|i| f64::from(i == r)).collect::<Vec<f64>>();
    let mut all: Vec<Vec<f64>> = (0..m).map(axis).collect();
    for (r, q) in (0..m).flat_map(|q| (0..q).map(move |r| (r, q))) {
        for sign in [1.0, -1.0] {
            all.push(axis(r).iter().zip(axis(q)).map(|(a, b)| a + sign * b).collect());
        }
    }
    all
}

//! The leading eigendirections of a large covariance.

use faer::Mat;

use crate::{
    error::{Error, Result},
    gaussian::sobol::normals,
};

/// Multiplications of the subspace with the covariance.
const ITERATIONS: usize = 16;

/// Vectors beyond those wanted, which speed convergence up.
const SPARE: usize = 4;

/// The `count` largest eigenvalues of a p×p covariance, largest first, and their directions, by subspace iteration: p²
/// times a few hundred. Where eigenvalues are close their directions are only a basis of about the same space.
pub(super) fn leading(covariance: &Mat<f64>, count: usize) -> Result<(Vec<f64>, Mat<f64>)> {
    let p = covariance.nrows();
    let width = (count + SPARE).min(p);
    let start = normals(p, width, 17);
    let mut basis = Mat::from_fn(p, width, |i, j| start[j * p + i]);
    for _ in 0..ITERATIONS {
        basis = (covariance * &basis).qr().compute_thin_Q();
    }
    let inside = basis.transpose() * (covariance * &basis);
    let failed = |_| Error::Numerical("the leading directions of Q did not converge".into());
    let eigen = inside.self_adjoint_eigen(faer::Side::Lower).map_err(failed)?;
    let count = count.min(width);
    let values = (0..count).map(|i| eigen.S()[width - 1 - i]).collect();
    let turn = Mat::from_fn(width, count, |i, j| eigen.U()[(i, width - 1 - j)]);
    Ok((values, basis * turn))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shared_directions_are_found() {
        let p = 100;
        let shared = |i: usize| [1.0, (i as f64).sin()];
        let covariance = Mat::from_fn(p, p, |i, j| {
            let [a, b] = [shared(i), shared(j)];
            3.0 * a[0] * b[0] + a[1] * b[1] + if i == j { 1.0 } else { 0.0 }
        });
        let (values, vectors) = leading(&covariance, 3).unwrap();
        let eigen = covariance.self_adjoint_eigen(faer::Side::Lower).unwrap();
        for i in 0..2 {
            assert!((values[i] / eigen.S()[p - 1 - i] - 1.0).abs() < 1e-9, "{values:?}");
            let along: f64 = (0..p).map(|j| vectors[(j, i)] * eigen.U()[(j, p - 1 - i)]).sum();
            assert!((along.abs() - 1.0).abs() < 1e-9);
        }
    }
}

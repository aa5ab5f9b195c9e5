//! The law of the inner product Ξ of two independent uniform unit vectors in D dimensions: density ∝ (1 − z²)^{(D−3)/2}.

use faer::{Mat, Side};

use crate::error::{Error, Result};

/// `E Ξ^l`: `Π_{j<l/2} (2j+1)/(D+2j)` for even l, else 0. D = ∞: Ξ = 0.
pub(super) fn moment(dimension: f64, l: usize) -> f64 {
    if l % 2 == 1 {
        return 0.0;
    }
    (0..l / 2).map(|j| (2 * j + 1) as f64 / (dimension + (2 * j) as f64)).product()
}

/// Gauss–Jacobi nodes and weights, α = β = (D−3)/2, exact for polynomials of degree 2·`count` − 1; ±1 for D = 1, the one node 0
/// for D = ∞.
///
/// From the three-term recurrence (Golub and Welsch), with the weights normalised from the start: no Γ function overflows at
/// D = 10⁶.
///
/// # Errors
/// [`Error::Numerical`] where the eigenvalues do not converge.
pub(super) fn rule(dimension: f64, count: usize) -> Result<(Vec<f64>, Vec<f64>)> {
    if dimension == f64::INFINITY {
        return Ok((vec![0.0], vec![1.0]));
    }
    let count = if dimension == 1.0 { 2 } else { count };
    // n(n + D − 3)/((2n + D − 2)(2n + D − 4)), whose limits at n = 1 and at D = 2 are 1/D and ¼.
    let square = |n: usize| {
        let x = n as f64;
        match n {
            1 => 1.0 / dimension,
            _ => x * (x + dimension - 3.0) / ((2.0 * x + dimension - 2.0) * (2.0 * x + dimension - 4.0)),
        }
    };
    let jacobi = Mat::from_fn(count, count, |i, j| match i.abs_diff(j) {
        1 => square(i.max(j)).sqrt(),
        _ => 0.0,
    });
    let eigen = jacobi
        .self_adjoint_eigen(Side::Lower)
        .map_err(|_| Error::Numerical("the nodes of a quadrature rule did not converge".into()))?;
    let nodes = (0..count).map(|i| eigen.S()[i]).collect();
    let weights = (0..count).map(|i| eigen.U()[(0, i)].powi(2)).collect();
    Ok((nodes, weights))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_have_the_moments_of_the_sphere() {
        for dimension in [1.0, 2.0, 3.0, 5.0, 1e6, f64::INFINITY] {
            let (nodes, weights) = rule(dimension, 12).unwrap();
            for l in 0..12 {
                let sum: f64 = nodes.iter().zip(&weights).map(|(z, w)| w * z.powi(l as i32)).sum();
                assert!((sum - moment(dimension, l)).abs() < 1e-13, "D = {dimension}, l = {l}: {sum}");
            }
        }
        // Arcsine law: E Ξ⁴ = 3/8.
        assert_eq!((moment(1.0, 6), moment(2.0, 4), moment(3.0, 2)), (1.0, 0.375, 1.0 / 3.0));
    }
}

//! M, Q, P: the state that all views share, and factors of a possibly singular Ω.

mod factor;

use faer::{Mat, MatRef, Side};

pub use factor::{add_gram, add_product, gram_factor, lower_factor_of_both, product};

use crate::error::{Error, Result};

/// Overlaps of p students and k teacher directions: everything a Gaussian input lets the outside see of the weights.
///
/// `Ω = [[Q, M], [Mᵀ, P]]` is the covariance of the fields `(λ, z)`. (theory.md §1)
#[derive(Debug, Clone, PartialEq)]
pub struct Overlaps {
    /// M = W W*ᵀ, p×k.
    pub student_teacher: Mat<f64>,
    /// Q = W Wᵀ, p×p, symmetric.
    pub student_student: Mat<f64>,
    /// P = W* W*ᵀ, k×k, symmetric.
    pub teacher_teacher: Mat<f64>,
}

impl Overlaps {
    /// M = 0, Q = 0, P = the identity.
    pub fn zeros(p: usize, k: usize) -> Self {
        Self {
            student_teacher: Mat::zeros(p, k),
            student_student: Mat::zeros(p, p),
            teacher_teacher: Mat::identity(k, k),
        }
    }

    /// Number of students, p.
    pub fn width(&self) -> usize {
        self.student_student.nrows()
    }

    /// Number of teacher directions, k.
    pub fn directions(&self) -> usize {
        self.teacher_teacher.nrows()
    }

    /// Ω = [[Q, M], [Mᵀ, P]], (p+k)×(p+k), students first.
    pub fn omega(&self) -> Mat<f64> {
        let (p, k) = (self.width(), self.directions());
        Mat::from_fn(p + k, p + k, |i, j| match (i < p, j < p) {
            (true, true) => self.student_student[(i, j)],
            (true, false) => self.student_teacher[(i, j - p)],
            (false, true) => self.student_teacher[(j, i - p)],
            (false, false) => self.teacher_teacher[(i - p, j - p)],
        })
    }

    /// Cosine of student j with direction r, `M_jr / √(Q_jj P_rr)`; 0 for a vanishing student.
    pub fn cosine(&self, j: usize, r: usize) -> f64 {
        let squares = [self.student_student[(j, j)], self.teacher_teacher[(r, r)]];
        cosine(self.student_teacher[(j, r)], squares.map(f64::sqrt))
    }

    /// The largest |cosine| with direction r over students; those that are not known do not count.
    pub fn largest_cosine(&self, r: usize) -> f64 {
        (0..self.width()).map(|j| self.cosine(j, r).abs()).fold(0.0, f64::max)
    }
}

/// `⟨u, v⟩/(‖u‖‖v‖)` of a product and the two lengths: 0 where one vanishes, NaN where one is not known.
pub fn cosine(product: f64, lengths: [f64; 2]) -> f64 {
    let scale = lengths[0] * lengths[1];
    if scale > 0.0 { product / scale } else { scale * 0.0 }
}

/// Eigenvalues below this fraction of the trace count as zero.
pub const RANK_TOLERANCE: f64 = 1e-14;

/// Eigenvalues below minus this fraction of the trace are not rounding: the matrix is not a covariance.
const NEGATIVE_TOLERANCE: f64 = 1e-9;

/// Symmetric square root `S = V √Λ Vᵀ` of a positive semi-definite matrix that may be singular; eigenvalues below
/// [`RANK_TOLERANCE`]·trace are taken as zero.
///
/// # Errors
/// [`Error::Numerical`] where an eigenvalue is truly negative.
pub fn symmetric_root(matrix: MatRef<'_, f64>) -> Result<Mat<f64>> {
    symmetric_root_at_scale(matrix, trace(matrix))
}

/// [`symmetric_root`] of a difference of matrices of size `scale`, below whose rounding nothing counts.
///
/// # Errors
/// [`Error::Numerical`] where an eigenvalue is truly negative.
pub fn symmetric_root_at_scale(matrix: MatRef<'_, f64>, scale: f64) -> Result<Mat<f64>> {
    spectral(matrix, scale, NEGATIVE_TOLERANCE, f64::sqrt)
}

/// `V Λ^power Vᵀ` of the nearest covariance, over its eigenvalues that are not zero: power ½ is the symmetric root, −½ its
/// Moore–Penrose inverse, 0 the projector on the range. Eigenvalues below zero, by up to `negative`·trace, count as zero.
///
/// For matrices that carry an error of their own, as the state of an integration does.
///
/// # Errors
/// [`Error::Numerical`] where an eigenvalue is more negative than −`negative`·trace.
pub fn clipped_power(matrix: MatRef<'_, f64>, negative: f64, power: f64) -> Result<Mat<f64>> {
    spectral(matrix, trace(matrix), negative, |eigenvalue| eigenvalue.powf(power))
}

/// [`clipped_power`] of a difference of covariances of trace `scale`, below whose rounding nothing counts.
///
/// # Errors
/// [`Error::Numerical`] where an eigenvalue is more negative than −`negative`·`scale`.
pub fn clipped_power_at_scale(matrix: MatRef<'_, f64>, scale: f64, negative: f64, power: f64) -> Result<Mat<f64>> {
    spectral(matrix, scale, negative, |eigenvalue| eigenvalue.powf(power))
}

/// Moore–Penrose inverse of the [`symmetric_root`], with the same rule for zero.
///
/// # Errors
/// [`Error::Numerical`] where an eigenvalue is truly negative.
pub fn inverse_root(matrix: MatRef<'_, f64>) -> Result<Mat<f64>> {
    spectral(matrix, trace(matrix), NEGATIVE_TOLERANCE, |eigenvalue| 1.0 / eigenvalue.sqrt())
}

fn trace(matrix: MatRef<'_, f64>) -> f64 {
    (0..matrix.nrows()).map(|i| matrix[(i, i)].abs()).sum()
}

/// `V f(Λ) Vᵀ` over the eigenvalues that are not zero.
fn spectral(matrix: MatRef<'_, f64>, scale: f64, negative: f64, f: impl Fn(f64) -> f64) -> Result<Mat<f64>> {
    let n = matrix.nrows();
    let eigen = matrix
        .self_adjoint_eigen(Side::Lower)
        .map_err(|_| Error::Numerical("the eigenvalues of a covariance did not converge".into()))?;
    let values: Vec<f64> = (0..n).map(|i| eigen.S()[i]).collect();
    if let Some(&smallest) = values.iter().find(|v| v.is_nan() || **v < -negative * scale) {
        return Err(Error::Numerical(format!("not positive semi-definite: smallest eigenvalue {smallest:.3e}")));
    }
    let mapped: Vec<f64> = values.iter().map(|&v| if v > RANK_TOLERANCE * scale { f(v) } else { 0.0 }).collect();
    let vectors = eigen.U();
    let scaled = Mat::from_fn(n, n, |i, l| vectors[(i, l)] * mapped[l]);
    Ok(scaled * vectors.transpose())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_of_a_singular_covariance_squares_back() {
        let parallel = Mat::from_fn(3, 3, |i, j| [1.0, 1.0, -2.0][i] * [1.0, 1.0, -2.0][j]);
        let root = symmetric_root(parallel.as_ref()).unwrap();
        let square = &root * &root;
        for i in 0..3 {
            for j in 0..3 {
                assert!((square[(i, j)] - parallel[(i, j)]).abs() < 1e-13);
            }
        }
    }

    #[test]
    fn a_negative_eigenvalue_is_an_error() {
        let indefinite = Mat::from_fn(2, 2, |i, j| if i == j { 1.0 } else { 1.1 });
        assert!(matches!(symmetric_root(indefinite.as_ref()), Err(Error::Numerical(_))));
    }
}

//! One factorisation of a symmetric matrix for all its shifts.

use faer::{
    Auto, Conj, Mat, MatMut, Par, Spec,
    dyn_stack::{MemBuffer, MemStack},
    linalg::{
        evd::tridiag::{TridiagParams, tridiag_in_place, tridiag_in_place_scratch},
        householder::{
            apply_block_householder_sequence_on_the_left_in_place_scratch,
            apply_block_householder_sequence_on_the_left_in_place_with_conj,
            apply_block_householder_sequence_transpose_on_the_left_in_place_scratch,
            apply_block_householder_sequence_transpose_on_the_left_in_place_with_conj,
        },
        qr::no_pivoting::factor::recommended_block_size,
    },
};

use crate::error::{Error, Result};

/// A symmetric matrix `A = U T Uᵀ` with T tridiagonal and U orthogonal: 4n³/3 multiply-adds, once; then `(A + λ)⁻¹ c` for
/// every shift λ in n steps, and the eigenvalues in n².
pub struct Tridiagonal {
    /// The vectors of the reflections below the first subdiagonal.
    vectors: Mat<f64>,
    /// Their block factors.
    factors: Mat<f64>,
    diagonal: Vec<f64>,
    below: Vec<f64>,
}

impl Tridiagonal {
    /// Factors the symmetric matrix whose lower triangle is that of `matrix`.
    ///
    /// # Errors
    /// [`Error::Numerical`] where an entry is no number.
    pub fn new(mut matrix: Mat<f64>) -> Result<Self> {
        let n = matrix.nrows();
        let finite = (0..n).all(|j| matrix.col_as_slice(j)[j..].iter().all(|x| x.is_finite()));
        if !finite {
            return Err(Error::Numerical("a Gram matrix of features is not finite".into()));
        }
        let block = recommended_block_size::<f64>(n, n).max(1);
        let mut factors = Mat::zeros(block, n.saturating_sub(1));
        let parameters: Spec<TridiagParams, f64> = <TridiagParams as Auto<f64>>::auto().into();
        let mut memory = MemBuffer::new(tridiag_in_place_scratch::<f64>(n, Par::Seq, parameters));
        tridiag_in_place(matrix.as_mut(), factors.as_mut(), Par::Seq, MemStack::new(&mut memory), parameters);
        let diagonal = (0..n).map(|i| matrix[(i, i)]).collect();
        let below = (1..n).map(|i| matrix[(i, i - 1)]).collect();
        Ok(Self { vectors: matrix, factors, diagonal, below })
    }

    /// n.
    pub fn size(&self) -> usize {
        self.diagonal.len()
    }

    /// `(A + λ)⁻¹ c` for every λ of `shifts`, one column each. A must be positive semi-definite.
    ///
    /// # Errors
    /// [`Error::Numerical`] where A + λ is not positive definite within rounding: λ is too small.
    pub fn solve(&self, c: &[f64], shifts: &[f64]) -> Result<Mat<f64>> {
        let n = self.size();
        let mut turned = Mat::from_fn(n, 1, |i, _| c[i]);
        self.rotate(turned.as_mut(), true);
        let mut out = Mat::zeros(n, shifts.len());
        for (l, shift) in shifts.iter().enumerate() {
            self.shifted(turned.col_as_slice(0), *shift, out.col_as_slice_mut(l))?;
        }
        self.rotate(out.as_mut(), false);
        Ok(out)
    }

    /// Eigenvalues, rising.
    ///
    /// # Errors
    /// [`Error::Numerical`] where they do not converge.
    pub fn eigenvalues(&self) -> Result<Vec<f64>> {
        let n = self.size();
        let matrix = Mat::from_fn(n, n, |i, j| match i.abs_diff(j) {
            0 => self.diagonal[i],
            1 => self.below[i.min(j)],
            _ => 0.0,
        });
        let failed = |_| Error::Numerical("the eigenvalues of a Gram matrix did not converge".into());
        matrix.self_adjoint_eigenvalues(faer::Side::Lower).map_err(failed)
    }

    /// `x ← Uᵀ x`, or `x ← U x`.
    fn rotate(&self, mut x: MatMut<'_, f64>, transposed: bool) {
        let n = self.size();
        if n < 2 {
            return;
        }
        let vectors = self.vectors.submatrix(1, 0, n - 1, n - 1);
        let factors = self.factors.as_ref();
        let block = factors.nrows();
        let columns = x.ncols();
        let rest = x.as_mut().subrows_mut(1, n - 1);
        if transposed {
            let scratch =
                apply_block_householder_sequence_transpose_on_the_left_in_place_scratch::<f64>(n - 1, block, columns);
            let mut memory = MemBuffer::new(scratch);
            let stack = MemStack::new(&mut memory);
            apply_block_householder_sequence_transpose_on_the_left_in_place_with_conj(
                vectors,
                factors,
                Conj::No,
                rest,
                Par::Seq,
                stack,
            );
        } else {
            let scratch = apply_block_householder_sequence_on_the_left_in_place_scratch::<f64>(n - 1, block, columns);
            let mut memory = MemBuffer::new(scratch);
            let stack = MemStack::new(&mut memory);
            apply_block_householder_sequence_on_the_left_in_place_with_conj(
                vectors,
                factors,
                Conj::No,
                rest,
                Par::Seq,
                stack,
            );
        }
    }

    /// `x ← (T + λ)⁻¹ c` by `T + λ = L D Lᵀ`.
    fn shifted(&self, c: &[f64], shift: f64, x: &mut [f64]) -> Result<()> {
        let n = self.size();
        let mut pivots = vec![0.0; n];
        for i in 0..n {
            let (carried, eliminated) = if i == 0 {
                (0.0, 0.0)
            } else {
                let factor = self.below[i - 1] / pivots[i - 1];
                (factor * x[i - 1], factor * self.below[i - 1])
            };
            pivots[i] = self.diagonal[i] + shift - eliminated;
            if pivots[i].is_nan() || pivots[i] <= 0.0 {
                return Err(Error::Numerical(format!(
                    "a ridge of {shift:e} is below the rounding of the Gram matrix of the features"
                )));
            }
            x[i] = c[i] - carried;
        }
        for i in (0..n).rev() {
            let above = if i + 1 < n { self.below[i] * x[i + 1] } else { 0.0 };
            x[i] = (x[i] - above) / pivots[i];
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gram(n: usize, m: usize) -> Mat<f64> {
        let rows = Mat::from_fn(n, m, |i, j| ((i * 37 + j * 61 + i * j) % 101) as f64 / 50.0 - 1.0);
        &rows * rows.transpose()
    }

    #[test]
    fn every_shift_solves_its_own_equations() {
        for (n, m) in [(1, 3), (2, 5), (40, 90), (90, 40), (150, 200)] {
            let a = gram(n, m);
            let c: Vec<f64> = (0..n).map(|i| (i as f64).sin()).collect();
            let shifts = [1e-3, 0.7, 30.0];
            let solved = Tridiagonal::new(a.clone()).unwrap().solve(&c, &shifts).unwrap();
            for (l, shift) in shifts.iter().enumerate() {
                let back = &a * solved.col(l) + solved.col(l) * faer::Scale(*shift);
                for i in 0..n {
                    assert!((back[i] - c[i]).abs() < 1e-9 * (1.0 + m as f64), "{n}×{m}, {shift}: {} {}", back[i], c[i]);
                }
            }
        }
    }

    #[test]
    fn eigenvalues_are_those_of_the_matrix() {
        let a = gram(30, 50);
        let got = Tridiagonal::new(a.clone()).unwrap().eigenvalues().unwrap();
        let expected = a.self_adjoint_eigenvalues(faer::Side::Lower).unwrap();
        for (got, expected) in got.iter().zip(&expected) {
            assert!((got - expected).abs() < 1e-11 * expected.abs().max(1.0));
        }
    }

    #[test]
    fn a_ridge_that_rounding_swallows_is_an_error() {
        // Rank 5 of 40.
        let a = gram(40, 5);
        let c = vec![1.0; 40];
        let factored = Tridiagonal::new(a).unwrap();
        assert!(matches!(factored.solve(&c, &[-1.0]), Err(Error::Numerical(_))));
        assert!(factored.solve(&c, &[1e-6]).is_ok());
        let mut broken = gram(4, 5);
        broken[(3, 1)] = f64::NAN;
        assert!(matches!(Tridiagonal::new(broken), Err(Error::Numerical(_))));
    }
}

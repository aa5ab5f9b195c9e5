//! Fields of samples that are not trained on, where a frame has no inputs.

use faer::{Accum, Mat, MatMut, MatRef, Par, linalg::matmul::matmul};

use super::Frame;
use crate::{
    error::Result,
    overlaps::{Overlaps, gram_factor, inverse_root},
    random::{Stream, fill_normal},
    signal::Samples,
};

/// What Ω says of the fields of a fresh sample: `λ = M P^{−1/2} z_* + S z_o` with `S Sᵀ = Q − M P⁻¹ Mᵀ` and standard normal
/// z_*, z_o: p + k numbers for each sample, whatever d. (theory.md §8)
#[derive(Debug, Clone)]
pub struct NormalFields {
    /// M P^{−1/2}, rows×k.
    along: Mat<f64>,
    /// S.
    own: Mat<f64>,
}

impl NormalFields {
    /// Those of the rows of `frame` as they are now; P is `target`.
    ///
    /// # Errors
    /// [`Error::Numerical`](crate::Error::Numerical) where P is not a covariance.
    pub fn of(frame: &mut impl Frame, target: &Mat<f64>) -> Result<Self> {
        let mut overlaps = Overlaps { teacher_teacher: target.clone(), ..Overlaps::zeros(0, target.nrows()) };
        frame.overlaps(&mut overlaps);
        let along = &overlaps.student_teacher * inverse_root(target.as_ref())?;
        let rest = &overlaps.student_student - &along * along.transpose();
        Ok(Self { own: gram_factor(rest.as_ref()), along })
    }

    /// Writes the fields of `samples` (rows·m, neuron-major), whose coordinates z_* are given; z_o comes from `stream`.
    pub fn draw(&self, samples: &Samples<'_>, stream: &mut Stream, into: &mut Vec<f64>) {
        let (rows, m) = (self.along.nrows(), samples.count());
        let mut normals = vec![0.0; self.own.ncols() * m];
        fill_normal(stream, &mut normals);
        into.resize(rows * m, 0.0);
        let mut out = MatMut::from_row_major_slice_mut(into, rows, m);
        let z = MatRef::from_row_major_slice(&normals, self.own.ncols(), m);
        matmul(out.as_mut(), Accum::Replace, &self.own, z, 1.0, Par::Seq);
        for r in 0..self.along.ncols() {
            for (j, field) in out.as_mut().row_iter_mut().enumerate() {
                field.iter_mut().zip(samples.direction(r)).for_each(|(field, z)| *field += self.along[(j, r)] * z);
            }
        }
    }
}

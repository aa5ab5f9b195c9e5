//! The fields as linear functions of independent normals, the target's on their own.

use faer::{Mat, MatRef};

use crate::{
    error::Result,
    overlaps::{Overlaps, clipped_power_at_scale},
};

/// Eigenvalues of a covariance below zero by less than this fraction of its trace are the error of an integration, not a
/// mistake.
const NEGATIVE: f64 = 1e-5;

/// `(λ, z) = ζ F`, ζ = (ζ_λ, ζ_z): `z = P^{1/2} ζ_z`, `λ = M P^{−1/2} ζ_z + V^{1/2} ζ_λ`, `V = Q − M P⁻¹ Mᵀ`.
pub(super) struct Fields {
    /// F, (p+k)×(p+k).
    pub factor: Mat<f64>,
    /// Projector on the coordinates of ζ that F does not send to zero, where it is asked for:
    /// `(λ, z)Ω⁺(λ, z)ᵀ = ‖Πζ‖²`.
    pub range: Option<Mat<f64>>,
}

impl Fields {
    /// # Errors
    /// [`Error::Numerical`](crate::Error::Numerical) where the overlaps are not a covariance.
    pub fn new(overlaps: &Overlaps, with_range: bool) -> Result<Self> {
        let (p, k) = (overlaps.width(), overlaps.directions());
        let (target, students) = (&overlaps.teacher_teacher, &overlaps.student_student);
        let trace = |matrix: &Mat<f64>| (0..matrix.nrows()).map(|i| matrix[(i, i)].abs()).sum::<f64>();
        let of_target = |power: f64| clipped_power_at_scale(target.as_ref(), trace(target), NEGATIVE, power);
        let projections = &overlaps.student_teacher * of_target(-0.5)?;
        let given_target = students - &projections * projections.transpose();
        // What is left of an aligned neuron is rounding of its norm.
        let rest = |power: f64| clipped_power_at_scale(given_target.as_ref(), trace(students), NEGATIVE, power);
        let corner = |of_students: MatRef<'_, f64>, across: Option<&Mat<f64>>, of_target: MatRef<'_, f64>| {
            Mat::from_fn(p + k, p + k, |i, l| match (i < p, l < p) {
                (true, true) => of_students[(i, l)],
                (true, false) => 0.0,
                (false, true) => across.map_or(0.0, |across| across[(l, i - p)]),
                (false, false) => of_target[(i - p, l - p)],
            })
        };
        let factor = corner(rest(0.5)?.as_ref(), Some(&projections), of_target(0.5)?.as_ref());
        let range = if with_range { Some(corner(rest(0.0)?.as_ref(), None, of_target(0.0)?.as_ref())) } else { None };
        Ok(Self { factor, range })
    }
}

//! The mean of one step of a finite dimension and a finite batch. (theory.md §2)

use faer::Mat;

use crate::{
    average::Averages,
    error::{Error, Result},
    overlaps::{Overlaps, clipped_power},
    problem::{Geometry, Problem},
};

/// Eigenvalues of Ω below zero by less than this fraction of its trace are the error of an integration, not a mistake.
const NEGATIVE: f64 = 1e-5;

/// The sizes of a step that is taken as it is.
pub(super) struct ExactStep {
    /// η.
    pub rate: f64,
    /// ηλ_w.
    pub decay: f64,
    /// d.
    dimension: f64,
    /// n_b.
    batch: f64,
}

impl ExactStep {
    /// # Errors
    /// [`Error::Refused`] where there is no step, or no such formula.
    pub fn of(problem: &Problem) -> Result<Self> {
        let key = "view.terms";
        let Some(dimension) = problem.dimension() else {
            let reason = "the exact step has terms of the order of 1/d, and d is infinite here";
            return Err(Error::refused(key, reason, "give the view a dimension, or write terms = \"all\""));
        };
        let rate = problem.learning_rate();
        if !rate.is_finite() {
            let reason = "a gradient flow has no steps";
            return Err(Error::refused(key, reason, "write terms = \"flow\", or algorithm = \"sgd\""));
        }
        if problem.training.geometry != Geometry::Free {
            let reason = "the mean of a step that keeps the norms has no closed formula at finite d";
            return Err(Error::refused(key, reason, "write terms = \"all\", or geometry = \"free\""));
        }
        let decay = rate * problem.training.weight_decay;
        Ok(Self { rate, decay, dimension: dimension as f64, batch: problem.batch() as f64 })
    }

    /// `((d − rank Ω) N + E[g gᵀ (λ,z)Ω⁺(λ,z)ᵀ])/n_b + (1 − 1/n_b) D Ω⁺ Dᵀ`, p×p.
    pub fn squares(&self, overlaps: &Overlaps, moments: &Averages) -> Result<Mat<f64>> {
        let omega = overlaps.omega();
        let (p, n) = (overlaps.width(), omega.nrows());
        let range = clipped_power(omega.as_ref(), NEGATIVE, 0.0)?;
        let rank: f64 = (0..n).map(|i| range[(i, i)]).sum::<f64>().round();
        let inverse_root = clipped_power(omega.as_ref(), NEGATIVE, -0.5)?;
        let drift =
            Mat::from_fn(
                p,
                n,
                |j, q| {
                    if q < p { moments.drift_student[(j, q)] } else { moments.drift_teacher[(j, q - p)] }
                },
            );
        let mean = drift * inverse_root;
        let square = &mean * mean.transpose();
        Ok(Mat::from_fn(p, p, |j, l| {
            let noise = (self.dimension - rank) * moments.noise[(j, l)] + moments.radial[(j, l)];
            (noise + (self.batch - 1.0) * square[(j, l)]) / self.batch
        }))
    }
}

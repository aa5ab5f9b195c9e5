//! The Gram matrix of what lies outside the span of all weights.

use faer::Mat;

use crate::random::{Chi, Stream, normal};

/// Draws Bartlett factors T: `T Tᵀ` is the Gram matrix of m independent standard normal vectors in ν dimensions.
pub(super) struct Bartlett {
    /// χ_{ν−i} for i < min(m, ν).
    diagonal: Vec<Chi>,
    pub(super) rows: usize,
    pub(super) stream: Stream,
}

impl Bartlett {
    /// Of `rows` vectors in `degrees` dimensions.
    pub(super) fn new(degrees: u64, rows: usize, stream: Stream) -> Self {
        let columns = (rows as u64).min(degrees);
        Self { diagonal: (0..columns).map(|i| Chi::new(degrees - i)).collect(), rows, stream }
    }

    /// T for m = 1: the length of one vector.
    #[inline]
    pub(super) fn column(&mut self) -> f64 {
        self.diagonal.first().map_or(0.0, |chi| chi.sample(&mut self.stream))
    }

    /// T, m×min(m, ν), lower trapezoidal.
    pub(super) fn factor(&mut self) -> Mat<f64> {
        let mut factor = Mat::zeros(self.rows, self.diagonal.len());
        for i in 0..self.diagonal.len() {
            factor[(i, i)] = self.diagonal[i].sample(&mut self.stream);
            for j in i + 1..self.rows {
                factor[(j, i)] = normal(&mut self.stream);
            }
        }
        factor
    }
}

//! What a method knows at one moment of a run.

use crate::overlaps::Overlaps;

/// One entry of a [`Trajectory`](super::Trajectory).
#[derive(Debug, Clone, Copy)]
pub struct Entry<'a> {
    /// ν.
    pub step: f64,
    /// t.
    pub time: f64,
    /// Distinct samples seen.
    pub samples: f64,
    /// Sample gradients computed.
    pub gradients: f64,
    /// Population risk.
    pub risk: f64,
    /// Its numerical error.
    pub risk_error: f64,
    /// M, Q, P.
    pub overlaps: &'a Overlaps,
    /// The diagonal of Q (p), where the overlaps hold none.
    pub squares: Option<&'a [f64]>,
    /// a (p).
    pub second_layer: &'a [f64],
    /// b (p).
    pub bias: &'a [f64],
}

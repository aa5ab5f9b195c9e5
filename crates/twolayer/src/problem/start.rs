//! The start: first and second layer in coordinates, before the first step.

/// Coordinates of the start in an orthonormal basis of span(W*, W).
#[derive(Debug, Clone, PartialEq)]
pub struct Start {
    /// p.
    pub width: usize,
}

//! What is to be drawn.

use crate::text::words::FigureAxis;
pub use crate::text::words::{Quantity, Scale};

/// A figure that is asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// What is drawn.
    pub y: Quantity,
    /// Against what.
    pub x: Axis,
    /// Scale of x; `None`: chosen to fit.
    pub x_scale: Option<Scale>,
    /// Scale of y; `None`: chosen to fit.
    pub y_scale: Option<Scale>,
    /// The directions of overlaps and cosines.
    pub directions: Directions,
    /// Times of the panels (scatter, histogram).
    pub at: Vec<f64>,
    /// The neurons that are drawn, from 0; empty: all, or as many as can be told apart.
    pub neurons: Vec<usize>,
}

impl Figure {
    /// `y` against `x`, all else chosen to fit.
    pub fn new(y: Quantity, x: Axis) -> Self {
        let (x_scale, y_scale) = (None, None);
        Self { y, x, x_scale, y_scale, directions: Directions::Axes, at: Vec::new(), neurons: Vec::new() }
    }
}

/// The horizontal axis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Axis {
    /// t = νηs.
    Time,
    /// ν.
    Step,
    /// Distinct samples seen.
    Samples,
    /// The values of a swept key, by its path.
    Swept(String),
}

impl Axis {
    /// Its name in the experiment file.
    pub fn name(&self) -> &str {
        match self {
            Self::Time => FigureAxis::Time.name(),
            Self::Step => FigureAxis::Step.name(),
            Self::Samples => FigureAxis::Samples.name(),
            Self::Swept(key) => key,
        }
    }
}

impl From<FigureAxis> for Axis {
    fn from(word: FigureAxis) -> Self {
        match word {
            FigureAxis::Time => Self::Time,
            FigureAxis::Step => Self::Step,
            FigureAxis::Samples => Self::Samples,
        }
    }
}

/// The directions along which overlaps are drawn.
#[derive(Debug, Clone, PartialEq)]
pub enum Directions {
    /// z₁ … z_k.
    Axes,
    /// `v·z` for each of these v, scaled to `vᵀPv = 1`.
    Given(Vec<Vec<f64>>),
}

//! The samples a step looks at.

use super::Samples;

/// The samples of one step.
#[derive(Debug, Clone, Copy)]
pub enum Batch<'a> {
    /// Samples never seen before.
    Fresh(Samples<'a>),
    /// The samples of the last fresh batch, once more.
    Same(Samples<'a>),
    /// Rows of the stored data set.
    Rows(Rows<'a>),
}

/// Rows of a stored data set.
#[derive(Debug, Clone, Copy)]
pub enum Rows<'a> {
    /// `count` rows from `from` on.
    Block {
        /// The first.
        from: usize,
        /// How many.
        count: usize,
    },
    /// These, rising.
    List(&'a [usize]),
}

impl<'a> Batch<'a> {
    /// n_b.
    pub fn count(&self) -> usize {
        match self {
            Self::Fresh(samples) | Self::Same(samples) => samples.count(),
            Self::Rows(rows) => rows.count(),
        }
    }

    /// The same samples, looked at again.
    pub fn again(self) -> Self {
        match self {
            Self::Fresh(samples) => Self::Same(samples),
            other => other,
        }
    }
}

impl Rows<'_> {
    /// How many.
    pub fn count(&self) -> usize {
        match self {
            Self::Block { count, .. } => *count,
            Self::List(rows) => rows.len(),
        }
    }
}

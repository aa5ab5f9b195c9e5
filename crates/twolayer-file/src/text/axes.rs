//! The directions of a sweep.

use std::ops::Range;

use super::tree::Node;

/// One direction of the sweep: a key, or several that are varied together, with as many values each.
#[derive(Debug, Clone, PartialEq)]
pub struct Axis(pub Vec<Swept>);

/// A key and its values.
#[derive(Debug, Clone, PartialEq)]
pub struct Swept {
    /// Its dotted path.
    pub path: String,
    /// Where it is written.
    pub at: Range<usize>,
    /// The values, in the order of the file; never empty.
    pub values: Vec<Node>,
}

impl Axis {
    /// Number of values.
    pub fn len(&self) -> usize {
        self.0.first().map_or(0, |swept| swept.values.len())
    }

    /// No value: never, once it is checked.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

//! Ways to compute a view.

pub mod single_index;

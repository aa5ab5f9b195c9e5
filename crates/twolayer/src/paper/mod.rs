//! What the papers predict.

pub mod prediction;

//! What is looked at on the way of a training run or a recursion.

pub(crate) mod crossing;
mod recorder;

pub use recorder::{Moment, Recorder};

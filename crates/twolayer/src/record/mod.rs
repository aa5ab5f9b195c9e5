//! What every method returns.

pub mod phases;
mod trajectory;

pub use trajectory::{Entry, KeepQ, Status, Trajectory};

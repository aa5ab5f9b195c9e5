//! What every method returns.

mod trajectory;

pub use trajectory::{Entry, KeepQ, Status, Trajectory};

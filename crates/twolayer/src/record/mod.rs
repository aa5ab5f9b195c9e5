//! What every method returns: columns over one table of observables, on one time axis, with status and error estimates.

mod axis;
mod entry;
mod fault;
mod numbers;
pub mod observable;
pub mod phases;
#[cfg(test)]
mod reference;
mod status;
mod trajectory;

pub use crate::problem::KeepQ;
pub use axis::Axis;
pub use entry::Entry;
pub use observable::{OBSERVABLES, Observable, When};
pub use status::{ENDINGS, Ending, Status};
pub use trajectory::Trajectory;

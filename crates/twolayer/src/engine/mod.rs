//! Engines: functions of a [`Problem`](crate::problem::Problem), a seed and an observer.

pub mod dense;
pub mod frame;
pub mod gaussian;
pub mod simulate;

pub use frame::Frame;
pub use simulate::simulate;

//! After the features: what a network's second layer makes of them, and what any readout of so many could. (theory.md §8)
//!
//! * [`Ridge`]: ridge regression of the labels on the features s σ(Wx + b), any number of ridge values from one
//!   factorisation, and the [`Errors`] of its predictions;
//! * [`Tridiagonal`]: that factorisation, and the spectrum of a feature covariance;
//! * [`bounds`]: lower bounds of what features of random or of learnt directions reach;
//! * [`spiked`]: the exact asymptotics of one giant step followed by ridge.

pub mod bounds;
mod errors;
mod ridge;
pub mod spiked;
mod tridiagonal;

pub use errors::Errors;
pub use ridge::{Fit, Ridge};
pub use tridiagonal::Tridiagonal;

//! Two-layer networks on high-dimensional Gaussian data: simulations, simulations that are exact in law at any
//! dimension, and the limits `d → ∞`, of ONE [`Problem`](problem::Problem).
//!
//! The rooms, ground floor first; a file imports only from floors below its own:
//!
//! 1. [`error`], `lanes`, [`observer`], [`random`]
//! 2. [`expression`], [`gaussian`], [`solve`], [`overlaps`]
//! 3. [`problem`], [`trajectory`]
//! 4. [`hierarchy`], [`kernel`], [`signal`]
//! 5. [`engine`]
//! 6. [`prediction`]

pub mod engine;
pub mod error;
pub mod expression;
pub mod gaussian;
pub mod hierarchy;
pub mod kernel;
mod lanes;
pub mod method;
pub mod observer;
pub mod overlaps;
pub mod prediction;
pub mod problem;
pub mod random;
pub mod record;
pub mod signal;
pub mod solve;
pub mod trajectory;

pub use error::{Advice, Error, Result};

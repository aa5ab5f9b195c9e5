//! Two-layer networks on high-dimensional Gaussian data: simulations, simulations that are exact in law at any
//! dimension, and the limits `d → ∞`, of ONE [`Problem`](problem::Problem).
//!
//! The rooms, ground floor first; a file imports only from floors below its own:
//!
//! 1. [`citation`], [`error`], `lanes`, [`observer`], [`random`]
//! 2. [`expression`], [`gaussian`], [`solve`], [`overlaps`]
//! 3. [`problem`], [`record`]
//! 4. [`average`], [`hierarchy`], [`signal`]
//! 5. [`frame`], [`probe`], [`readout`]
//! 6. [`simulate`], [`method`]
//! 7. [`agree`], [`paper`]
//!
//! Beside them, [`testing`]: what tests share.

pub mod agree;
pub mod average;
pub mod citation;
pub mod error;
pub mod expression;
pub mod frame;
pub mod gaussian;
pub mod hierarchy;
mod lanes;
pub mod method;
pub mod observer;
pub mod overlaps;
pub mod paper;
pub mod probe;
pub mod problem;
pub mod random;
pub mod readout;
pub mod record;
pub mod signal;
pub mod simulate;
pub mod solve;
pub mod testing;

pub use error::{Advice, Error, Result};

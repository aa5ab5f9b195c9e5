//! Limits `d → ∞` of a problem. (theory.md §5)

pub mod dmft;
mod exact_step;
pub mod giant_step;
pub mod leap_step;
pub mod ode;

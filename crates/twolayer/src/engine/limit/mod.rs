//! Limits `d → ∞` of a problem. (theory.md §5)

pub mod giant_step;
pub mod ode;

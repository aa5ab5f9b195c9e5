//! Limits `d → ∞` of a problem. (theory.md §5)

pub mod dmft;
pub mod ode;

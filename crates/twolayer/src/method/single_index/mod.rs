//! Gradient flow of a two-layer network on a single-index target, with rows on the sphere. (theory.md §5.5; paper C)
//!
//! Everything is a power series: with the orthonormal Hermite coefficients `σ_k = E[σ h_k]` of the activation and
//! `φ_k = E[g h_k]` of the target, two neurons see of each other `U(r) = Σ σ_k² r^k`, and of the target
//! `V(s) = Σ φ_k σ_k s^k`. [`Finite`] is the exact flow of m neurons, [`Averaged`] its limit m → ∞.

mod averaged;
mod expansion;
mod finite;
mod gap;
mod ledger;
pub mod prediction;
mod run;
mod series;
pub mod setup;
mod view;

pub use averaged::Averaged;
pub use expansion::{Expansion, MOST_DEGREES};
pub use finite::Finite;
pub use ledger::{DOMINATES, Flow, Ledger};
pub use run::{Kind, run};
pub use series::Series;
pub(in crate::method) use view::refuse_weights;
pub use view::{AVERAGED, FINITE};

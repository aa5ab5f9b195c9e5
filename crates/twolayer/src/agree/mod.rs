//! Whether two views are the same law, and what else several runs of one problem say together: statistics, no files.
//!
//! [`pair`] asks whether the trajectories of two views differ by more than chance and their stated errors explain;
//! [`crossings`], [`slopes`] and [`match_neurons`] say when levels were passed, how fast curves fall, and who is who among
//! neurons of independent starts.

mod agreement;
mod crossed;
mod entries;
mod matching;
mod pair;
mod rotation;
mod rows;
mod scores;
mod shared;
mod slopes;
mod times;

pub use agreement::{Agreement, Evidence, QuantityAgreement, SIGNIFICANCE, Verdict};
pub use crossed::{Crossed, crossings};
pub use matching::match_neurons;
pub use pair::pair;
pub use slopes::{Slope, slopes};

#[cfg(test)]
mod power;
#[cfg(test)]
mod tests;

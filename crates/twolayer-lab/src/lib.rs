//! Experiments: a file in; runs, results on disk, figures and reports out.
//!
//! ```text
//! experiment.toml ─twolayer-file─▶ Experiment ─run─▶ Outcome ─store─▶ results/ ─▶ figure.svg, report.html
//! ```

pub mod across;
pub mod analysis;
pub mod answer;
pub mod compare;
pub mod files;
pub mod foretold;
pub mod gallery;
pub mod machine;

pub mod plan;
pub mod report;
pub mod results;
pub mod run;
pub mod scaling;
pub mod store;
pub mod task;
mod tolerance;

#[cfg(test)]
use twolayer_view::fabricated;
pub use twolayer_view::{outcome, phases};

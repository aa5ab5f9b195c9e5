//! Experiments: a TOML file in; runs, results on disk, figures and reports out.
//!
//! ```text
//! experiment.toml ─spec─▶ Spec ─resolve─▶ Experiment ─run─▶ Outcome ─store─▶ results/ ─▶ figure.svg, report.html
//! ```

pub mod across;
pub mod analysis;
pub mod answer;
pub mod compare;
pub mod diagnostic;
pub mod experiment;
#[cfg(test)]
mod fabricated;
pub mod figure;
pub mod gallery;
mod hash;
pub mod outcome;
pub mod phases;
pub mod paper;
pub mod report;
pub mod resolve;
pub mod results;
pub mod run;
pub mod schema;
pub mod spec;
pub mod store;
pub mod sweep;
pub mod task;

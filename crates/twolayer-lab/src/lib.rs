//! Experiments: a TOML file in; runs, results on disk, figures and reports out.
//!
//! ```text
//! experiment.toml ─spec─▶ Spec ─resolve─▶ Experiment ─run─▶ Outcome ─store─▶ results/ ─▶ figure.svg, report.html
//! ```

//ANSWER
pub mod compare;
pub mod experiment;
#[cfg(test)]
mod fabricated;
pub mod figure;
pub mod outcome;
//REPORT
pub mod store;

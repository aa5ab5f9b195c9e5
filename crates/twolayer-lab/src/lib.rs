//! Experiments: a TOML file in; runs, results on disk, figures and reports out.
//!
//! ```text
//! experiment.toml ─spec─▶ Spec ─resolve─▶ Experiment ─run─▶ Outcome ─store─▶ results/ ─▶ figure.svg, report.html
//! ```

pub mod diagnostic;
pub mod experiment;
pub mod outcome;
pub mod resolve;
pub mod spec;

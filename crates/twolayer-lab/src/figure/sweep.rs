//! The figure of a sweep: the last risk of each view at each point.

use super::Drawing;
use crate::{experiment::Experiment, outcome::Outcome};

/// What the figure of a sweep needs of one point.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// The swept keys and their values, as written.
    pub values: Vec<(String, String)>,
}

impl Summary {
    /// What is kept of a point when its trajectories are dropped.
    pub fn of(values: &[(String, String)], _: &Experiment, _: &[Outcome]) -> Self {
        Self { values: values.to_vec() }
    }
}

/// The figure of a sweep.
pub fn draw_sweep(experiment: &Experiment, summaries: &[Summary], version: &str) -> Drawing {
    let points = format!("twolayer {version}; {} points of a sweep", summaries.len());
    Drawing { blocks: Vec::new(), small_print: vec![experiment.title.clone(), points] }
}

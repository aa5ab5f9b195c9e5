//! What came out of an experiment, before it is written anywhere.

use twolayer::record::Trajectory;

use crate::phases::{ExpectedRecord, WarningRecord};

/// What one view gave.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The id of the method that ran: `reduced-fresh`, `ode`.
    pub method_id: String,
    /// Its name for people: `direct`, `reduced, fresh batches`, `ode, all terms`.
    pub method: String,
    /// Why that one, for the manifest.
    pub reason: String,
    /// How the population risk was averaged: `erf, closed form`.
    pub kernel: String,
    /// One for each replicate, all with the same axis of steps and times.
    pub trajectories: Vec<Trajectory>,
    /// Wall seconds during which at least one of its replicates ran.
    pub seconds: f64,
    /// Core seconds: the sum over replicates.
    pub core_seconds: f64,
    /// Predicted peak bytes, of all replicates with their results.
    pub bytes: f64,
    /// Advice of the plan and on what came out, in words.
    pub advice: Vec<String>,
    /// What the view should be read with.
    pub warnings: Vec<WarningRecord>,
    /// What theory expects to be learnt, in its order.
    pub expected: Vec<ExpectedRecord>,
}

//! `manifest.json`: what was run, how, and how it went.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use twolayer::record::{Status, Trajectory};

use super::{Error, write_bytes};
use twolayer_file::{Request, experiment::NamedView, hash};

use crate::{
    compare::Agreement,
    foretold::{Foretold, foretold},
    outcome::Outcome,
    phases::{PhaseRecord, WarningRecord},
};

/// Version of the manifest's layout: raised when a key changes its meaning, not when one is added.
pub const SCHEMA: u32 = 1;

const NAME: &str = "manifest.json";

/// What only the caller knows about a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// The experiment as resolved.
    pub experiment: Value,
    /// The experiment file, verbatim.
    pub source: String,
    /// Version of the program.
    pub version: String,
    /// The command that repeats the run.
    pub command: String,
    /// Number of threads.
    pub threads: usize,
    /// When it began, seconds since 1970-01-01 UTC.
    pub started: f64,
    /// Wall seconds in all.
    pub seconds: f64,
}

/// Where a run comes from: what tells experiments apart, and what is needed to resolve the file once more.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Provenance {
    /// The experiment file.
    pub file: PathBuf,
    /// Of all that the results depend on, at every point of a sweep, and of no caption.
    pub identity: String,
    /// Of the tasks whose results are here: the program's version, problem, view, moments, replicate of each.
    pub tasks: String,
    /// What the command line changed.
    pub request: Request,
    /// The point of a sweep: keys and their values, as written.
    pub point: Vec<(String, String)>,
}

/// The whole manifest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// [`SCHEMA`].
    pub schema: u32,
    /// Version of the program.
    pub version: String,
    /// The command that repeats the run.
    pub command: String,
    /// Number of threads (results do not depend on it).
    pub threads: usize,
    /// When it began, seconds since 1970-01-01 UTC.
    pub started: f64,
    /// Wall seconds in all.
    pub seconds: f64,
    /// [`fingerprint`] of `experiment`.
    pub experiment_hash: String,
    /// The experiment as resolved.
    pub experiment: Value,
    /// The experiment file, verbatim.
    pub source: String,
    /// Where the run comes from.
    #[serde(default)]
    pub provenance: Provenance,
    /// What the numbers of `status` in the result files mean.
    pub status_codes: BTreeMap<String, u32>,
    /// One record for each view, in the order of the file.
    pub views: Vec<ViewRecord>,
    /// How far apart the views are, pair by pair.
    pub agreement: Vec<Agreement>,
}

/// How one view was computed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ViewRecord {
    /// Its name.
    pub name: String,
    /// Its result file.
    pub file: String,
    /// `direct`, `reduced` or `limit`.
    pub engine: String,
    /// The method that ran, by its id; empty in manifests of version 0.1.0.
    #[serde(default)]
    pub method_id: String,
    /// The same, for people.
    pub method: String,
    /// Why that one.
    pub reason: String,
    /// How the population risk was averaged.
    pub kernel: String,
    /// d; absent when infinite.
    pub dimension: Option<u64>,
    /// Where its scaling lies in the phase diagram of one-pass SGD: `perfect learning`, `plateau`, `bad learning`, `no ODE`; null
    /// where that says nothing.
    #[serde(default)]
    pub regime: Option<String>,
    /// Replicates asked for.
    pub replicates: usize,
    /// Seed.
    pub seed: u64,
    /// The first word among the replicates' that is not `done`, else `done`.
    pub status: String,
    /// How each replicate ended.
    pub replicate_status: Vec<ReplicateRecord>,
    /// Wall seconds.
    pub seconds: f64,
    /// Core seconds.
    pub core_seconds: f64,
    /// Predicted peak bytes of one replicate.
    pub bytes: f64,
    /// Largest numerical error of the risk.
    pub max_risk_error: Option<f64>,
    /// Largest numerical error of M.
    pub max_overlap_error: Option<f64>,
    /// What theory foretells of it, beside what came out.
    #[serde(default)]
    pub predictions: Vec<Foretold>,
    /// Advice of the plan and on what came out.
    pub advice: Vec<String>,
    /// What it should be read with.
    #[serde(default)]
    pub warnings: Vec<WarningRecord>,
    /// Plateaus and transitions of its mean risk, and those that theory expects.
    #[serde(default)]
    pub phases: PhaseRecord,
}

/// How one replicate ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReplicateRecord {
    /// `done`, `interrupted`, `diverged`, `stiff`, `failed`, `out of tolerance`.
    pub status: String,
    /// The step (simulations) or time (limits) at which it diverged or grew stiff.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<f64>,
    /// Its largest numerical error, where that is more than the tolerance asked for.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub error: Option<f64>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason: Option<String>,
    /// Entries that hold numbers.
    pub valid: usize,
}

impl ReplicateRecord {
    /// How `run` ended.
    pub fn new(run: &Trajectory) -> Self {
        let at = match run.status {
            Status::Diverged { at } | Status::Stiff { at } => Some(at),
            _ => None,
        };
        let error = match run.status {
            Status::OutOfTolerance { error } => Some(error),
            _ => None,
        };
        let reason = match &run.status {
            Status::Failed { reason } => Some(reason.clone()),
            _ => None,
        };
        Self { status: run.status.word().into(), at, error, reason, valid: run.valid }
    }

    /// The status in words and numbers, as [`Status`]; `None` for a word that is none of its words.
    pub fn status(&self) -> Option<Status> {
        let at = self.at.unwrap_or(f64::NAN);
        Some(match self.status.as_str() {
            "done" => Status::Done,
            "interrupted" => Status::Interrupted,
            "diverged" => Status::Diverged { at },
            "stiff" => Status::Stiff { at },
            "out of tolerance" => Status::OutOfTolerance { error: self.error.unwrap_or(f64::NAN) },
            "failed" => Status::Failed { reason: self.reason.clone().unwrap_or_default() },
            _ => return None,
        })
    }
}

/// The number that stands for a status in result files: 0 done, 1 interrupted, 2 diverged, 3 stiff, 4 failed,
/// 5 out of tolerance.
pub fn status_code(status: &Status) -> f64 {
    match status {
        Status::Done => 0.0,
        Status::Interrupted => 1.0,
        Status::Diverged { .. } => 2.0,
        Status::Stiff { .. } => 3.0,
        Status::Failed { .. } => 4.0,
        Status::OutOfTolerance { .. } => 5.0,
    }
}

impl ViewRecord {
    /// The record of `view`, as it came out.
    pub fn new(view: &NamedView, outcome: &Outcome) -> Self {
        let runs = &outcome.trajectories;
        let status = runs.iter().map(|run| &run.status).find(|s| **s != Status::Done).unwrap_or(&Status::Done);
        Self {
            name: view.name.clone(),
            file: format!("{}.npz", view.name),
            engine: view.view.engine.name().into(),
            method_id: outcome.method_id.clone(),
            method: outcome.method.clone(),
            reason: outcome.reason.clone(),
            regime: view.problem.phase().map(|phase| phase.name().into()),
            kernel: outcome.kernel.clone(),
            dimension: view.problem.dimension(),
            replicates: view.view.replicates,
            seed: view.view.seed,
            status: status.word().into(),
            replicate_status: runs.iter().map(ReplicateRecord::new).collect(),
            seconds: outcome.seconds,
            core_seconds: outcome.core_seconds,
            bytes: outcome.bytes,
            max_risk_error: largest(runs.iter().filter_map(|run| run.risk_error.as_deref())),
            max_overlap_error: largest(runs.iter().filter_map(|run| run.student_teacher_error.as_deref())),
            predictions: foretold(view, runs),
            advice: outcome.advice.clone(),
            warnings: outcome.warnings.clone(),
            phases: PhaseRecord::of(runs, &outcome.expected),
        }
    }
}

/// The largest finite number; `None` where there is none.
fn largest<'a>(arrays: impl Iterator<Item = &'a [f64]>) -> Option<f64> {
    arrays.flatten().copied().filter(|x| x.is_finite()).reduce(f64::max)
}

impl Manifest {
    /// The manifest of a run.
    pub fn new(run: Run, views: Vec<ViewRecord>, agreement: Vec<Agreement>) -> Self {
        let failed = Status::Failed { reason: String::new() };
        let (diverged, stiff) = (Status::Diverged { at: 0.0 }, Status::Stiff { at: 0.0 });
        let out = Status::OutOfTolerance { error: 0.0 };
        let words = [Status::Done, Status::Interrupted, diverged, stiff, failed, out];
        Self {
            schema: SCHEMA,
            version: run.version,
            command: run.command,
            threads: run.threads,
            started: run.started,
            seconds: run.seconds,
            experiment_hash: fingerprint(&run.experiment),
            experiment: run.experiment,
            source: run.source,
            provenance: Provenance::default(),
            status_codes: words.iter().map(|s| (s.word().to_string(), status_code(s) as u32)).collect(),
            views,
            agreement,
        }
    }

    /// Whether every replicate of every view has come to an end, good or bad.
    pub fn is_complete(&self) -> bool {
        let ended = |view: &ViewRecord| view.replicate_status.iter().all(|run| run.status != "interrupted");
        self.views.iter().all(ended)
    }

    /// Writes `directory/manifest.json`.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn write(&self, directory: &Path) -> Result<(), Error> {
        let path = directory.join(NAME);
        let mut text = serde_json::to_string_pretty(self).map_err(|e| Error::damaged(&path, e))?;
        text.push('\n');
        write_bytes(directory, NAME, text.as_bytes())
    }

    /// Reads `directory/manifest.json`.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Damaged`] where it is of another schema or no manifest at all.
    pub fn read(directory: &Path) -> Result<Self, Error> {
        let path = directory.join(NAME);
        let text = fs::read_to_string(&path).map_err(Error::io(&path, "read"))?;
        let value: Value = serde_json::from_str(&text).map_err(|e| Error::damaged(&path, e))?;
        match value.get("schema").and_then(Value::as_u64) {
            Some(schema) if schema == u64::from(SCHEMA) => {}
            Some(schema) => return Err(Error::damaged(&path, format!("schema {schema}, this program reads {SCHEMA}"))),
            None => return Err(Error::damaged(&path, "no `schema`: not a manifest of this program")),
        }
        serde_json::from_value(value).map_err(|e| Error::damaged(&path, e))
    }
}

/// 64-bit FNV-1a hash of the compact JSON text, in hexadecimal: tells whether two runs are of one experiment.
pub fn fingerprint(value: &Value) -> String {
    hash::short(value.to_string().as_bytes())
}

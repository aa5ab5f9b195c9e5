//! `manifest.json`: what was run, how, and how it went.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use twolayer::{
    agree::Agreement,
    record::{
        ENDINGS, Status, Trajectory,
        observable::{RISK_ERROR, STUDENT_TEACHER_ERROR},
    },
};

use super::{
    Error, arrays,
    layout::{MANIFEST, SCHEMA, WORDS, array_name, is_plain},
    sealed,
    whole::write_bytes,
};
use twolayer_file::{Request, experiment::NamedView, hash};

use crate::{
    foretold::{Foretold, foretold},
    outcome::Outcome,
    phases::{PhaseRecord, WarningRecord},
};

/// The keys of a manifest of 0.1.0, which knew no hashes.
const FIRST_KEYS: [&str; 13] = [
    "schema",
    "version",
    "command",
    "threads",
    "started",
    "seconds",
    "experiment_hash",
    "experiment",
    "source",
    "provenance",
    "status_codes",
    "views",
    "agreement",
];

/// What 0.1.0 wrote beside the arrays, without saying so.
const FIRST_FILES: [&str; 4] = ["figure.svg", "figure.png", "report.html", "index.json"];

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
    /// Its directory, inside that of the sweep.
    #[serde(default)]
    pub directory: String,
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
    /// The SHA-256 of each file that the run has written into this directory; of arrays, whoever reads them checks it.
    #[serde(default)]
    pub files: BTreeMap<String, String>,
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
    /// The axes of each of its arrays, by name, outermost first.
    #[serde(default)]
    pub arrays: BTreeMap<String, Vec<String>>,
    /// Wall seconds.
    pub seconds: f64,
    /// Core seconds.
    pub core_seconds: f64,
    /// Predicted peak bytes, of all replicates with their results.
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

impl ViewRecord {
    /// The files of its arrays.
    pub fn files(&self) -> Vec<String> {
        let words = WORDS.iter().filter(|word| self.has_file(**word));
        words.map(|word| self.file_of(*word)).collect()
    }

    /// Whether it has a file with this word.
    pub(super) fn has_file(&self, word: Option<&str>) -> bool {
        let is_there = |word| self.arrays.keys().any(|name| name.split_once('.').is_some_and(|(file, _)| file == word));
        word.is_none_or(is_there)
    }

    /// The name of its file with this word.
    pub(super) fn file_of(&self, word: Option<&str>) -> String {
        if word.is_none() { self.file.clone() } else { array_name(&self.name, word) }
    }

    /// The record of `view`, as it came out.
    pub fn new(view: &NamedView, outcome: &Outcome) -> Self {
        let runs = &outcome.trajectories;
        let status = runs.iter().map(|run| &run.status).find(|s| **s != Status::Done).unwrap_or(&Status::Done);
        Self {
            name: view.name.clone(),
            file: array_name(&view.name, None),
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
            arrays: arrays::axes(runs),
            seconds: outcome.seconds,
            core_seconds: outcome.core_seconds,
            bytes: outcome.bytes,
            max_risk_error: largest(runs.iter().filter_map(|run| run.get(&RISK_ERROR))),
            max_overlap_error: largest(runs.iter().filter_map(|run| run.get(&STUDENT_TEACHER_ERROR))),
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
            status_codes: ENDINGS.iter().map(|ending| (ending.word.to_string(), u32::from(ending.code))).collect(),
            views,
            agreement,
            files: BTreeMap::new(),
        }
    }

    /// Whether every replicate of every view has come to an end, good or bad.
    pub fn is_complete(&self) -> bool {
        let ended = |view: &ViewRecord| view.replicate_status.iter().all(|run| run.status != "interrupted");
        self.views.iter().all(ended)
    }

    /// Whether it tells the hash of every array: those of 0.1.0 do not.
    pub fn has_hashes(&self) -> bool {
        self.views.iter().flat_map(ViewRecord::files).all(|file| self.files.contains_key(&file))
    }

    /// The names of all files that it lists, itself apart.
    pub fn names(&self) -> BTreeSet<String> {
        let arrays = self.views.iter().flat_map(ViewRecord::files);
        let first = FIRST_FILES.iter().filter(|_| self.files.is_empty()).map(ToString::to_string);
        arrays.chain(self.files.keys().cloned()).chain(first).filter(|name| is_plain(name)).collect()
    }

    /// Writes it into `directory` under `name`, with its own hash as the last member.
    pub(super) fn write_as(&self, directory: &Path, name: &str) -> Result<(), Error> {
        let text = sealed::seal(self).map_err(|error| Error::damaged(&directory.join(name), error))?;
        write_bytes(directory, name, text.as_bytes())
    }

    /// Reads `directory/manifest.json`.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Damaged`] where it is of another schema, no manifest at all, or not as it was written.
    pub fn read(directory: &Path) -> Result<Self, Error> {
        Self::read_as(directory, MANIFEST).map_err(|error| {
            error.remedied(format!(
                "`twolayer run FILE --out {} --resume`, with the experiment's file, makes it again",
                directory.display()
            ))
        })
    }

    pub(super) fn read_as(directory: &Path, name: &str) -> Result<Self, Error> {
        let manifest: Self = sealed::read(&directory.join(name), &FIRST_KEYS)?.content;
        Ok(manifest)
    }
}

/// 64-bit FNV-1a hash of the compact JSON text, in hexadecimal: tells whether two runs are of one experiment.
pub fn fingerprint(value: &Value) -> String {
    hash::short(value.to_string().as_bytes())
}

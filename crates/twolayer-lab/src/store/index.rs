//! `index.json` of a sweep: its keys, its points, and what came out at each. It holds no times and no paths outside the
//! directory, so that two runs of one sweep write the same bytes.

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use twolayer::{
    agree::Agreement,
    record::{
        Status, Trajectory,
        observable::{RISK, TIME},
    },
};

use super::{Error, layout::SCHEMA, sealed};
use twolayer_file::experiment::Experiment;

use crate::outcome::Outcome;

/// The whole index.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Index {
    /// [`SCHEMA`].
    pub schema: u32,
    /// The experiment's title.
    pub title: String,
    /// The keys that are swept, by path, in the order of the file.
    pub keys: Vec<String>,
    /// The points, the first key slowest.
    pub points: Vec<PointRecord>,
}

/// One point of a sweep.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PointRecord {
    /// Its directory, inside the sweep's.
    pub directory: String,
    /// The swept keys and their values: numbers where they are, else as written.
    pub values: Map<String, Value>,
    /// `done`, or the first word among its views' that is not; `not started`.
    pub status: String,
    /// What came out, view by view.
    pub views: Vec<ViewSummary>,
    /// The verdicts: `["limit", "reduced", "agree"]`.
    pub agreement: Vec<[String; 3]>,
}

/// What one view gave.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ViewSummary {
    /// Its name.
    pub name: String,
    /// `done`, or the first word among its replicates' that is not.
    pub status: String,
    /// Replicates.
    pub replicates: usize,
    /// The risk before the first step, the mean over replicates.
    pub first_risk: Option<f64>,
    /// The last risk, the mean over replicates.
    pub final_risk: Option<f64>,
    /// Its standard error; absent with fewer than two replicates.
    pub final_risk_error: Option<f64>,
    /// The last time, of the replicate that came farthest.
    pub final_time: Option<f64>,
}

impl PointRecord {
    /// A point of which nothing is known yet.
    pub fn pending(directory: &str, values: &[(String, String)]) -> Self {
        let json = |word: &str| match (word.parse::<i64>(), word.parse::<f64>()) {
            (Ok(whole), _) => whole.into(),
            (_, Ok(number)) if number.is_finite() => number.into(),
            _ => word.into(),
        };
        Self {
            directory: directory.into(),
            values: values.iter().map(|(key, value)| (key.clone(), json(value))).collect(),
            status: "not started".into(),
            views: Vec::new(),
            agreement: Vec::new(),
        }
    }

    /// What came out at this point.
    pub fn fill(&mut self, experiment: &Experiment, outcomes: &[Outcome], agreement: &[Agreement]) {
        let views = experiment.views.iter().zip(outcomes);
        self.views = views.map(|(view, outcome)| ViewSummary::new(&view.name, &outcome.trajectories)).collect();
        let words = self.views.iter().map(|view| &view.status);
        self.status = words.into_iter().find(|word| *word != "done").map_or("done".into(), String::clone);
        self.agreement = (agreement.iter())
            .map(|pair| [pair.views[0].clone(), pair.views[1].clone(), pair.verdict.word().into()])
            .collect();
    }
}

impl ViewSummary {
    fn new(name: &str, runs: &[Trajectory]) -> Self {
        let status = runs.iter().map(|run| &run.status).find(|status| **status != Status::Done);
        let first: Vec<f64> = runs.iter().filter(|run| run.valid > 0).map(|run| run.of(&RISK)[0]).collect();
        let last: Vec<f64> = runs.iter().filter(|run| run.valid > 0).map(|run| run.of(&RISK)[run.valid - 1]).collect();
        let mean = |values: &[f64]| (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64);
        let final_risk = mean(&last).filter(|risk| risk.is_finite());
        let error = final_risk.filter(|_| last.len() > 1).map(|mean| {
            let squares: f64 = last.iter().map(|risk| (risk - mean).powi(2)).sum();
            (squares / (last.len() - 1) as f64 / last.len() as f64).sqrt()
        });
        let times = runs.iter().filter(|run| run.valid > 0).map(|run| run.of(&TIME)[run.valid - 1]);
        Self {
            name: name.into(),
            status: status.unwrap_or(&Status::Done).word().into(),
            replicates: runs.len(),
            first_risk: mean(&first).filter(|risk| risk.is_finite()),
            final_risk,
            final_risk_error: error,
            final_time: times.reduce(f64::max).filter(|time| time.is_finite()),
        }
    }
}

impl Index {
    /// The name of its file.
    pub const NAME: &str = "index.json";

    /// An index without points.
    pub fn new(title: &str, keys: &[String]) -> Self {
        Self { schema: SCHEMA, title: title.into(), keys: keys.to_vec(), points: Vec::new() }
    }

    /// Its text, with its own hash as the last member.
    ///
    /// # Errors
    /// [`Error::Damaged`] where it cannot be written as JSON.
    pub fn to_text(&self) -> Result<String, Error> {
        sealed::seal(self).map_err(|error| Error::damaged(Path::new(Self::NAME), error))
    }

    /// Reads `directory/index.json`.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Damaged`] where it is no index, or not as it was written.
    pub fn read(directory: &Path) -> Result<Self, Error> {
        let opened = sealed::read(&directory.join(Self::NAME), &["schema", "title", "keys", "points"]);
        opened.map(|opened| opened.content).map_err(|error| {
            error.remedied(format!(
                "`twolayer run FILE --out {} --resume`, with the experiment's file, makes it again",
                directory.display()
            ))
        })
    }
}

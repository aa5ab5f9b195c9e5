//! From finished tasks to results: one point after the other is read, compared, written, drawn and dropped.

use std::{collections::HashMap, path::PathBuf, sync::PoisonError};

use serde_json::json;
use twolayer::{
    agree::Agreement,
    record::{Status, Trajectory},
};

use super::{Session, Stopped, execute::covered};
use twolayer_file::experiment::Experiment;
use twolayer_view::Summary;

use crate::{
    compare::compare,
    outcome::Outcome,
    results::{publish, publish_sweep},
    scaling::{self, TimesAt, scalings},
    store::{self, Commit, Error, Index, Manifest, PointRecord, Provenance},
    task::{Prepared, Task},
};

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What only the caller knows about a run.
#[derive(Debug, Clone)]
pub struct About {
    /// The command that repeats it.
    pub command: String,
    /// Number of threads.
    pub threads: usize,
}

/// A point whose results are written.
pub struct Finished<'a> {
    /// Its directory.
    pub directory: PathBuf,
    /// Its experiment.
    pub experiment: &'a Experiment,
    /// What its views gave.
    pub outcomes: &'a [Outcome],
    /// How far they are apart.
    pub agreement: &'a [Agreement],
    /// Its record in the index.
    pub record: &'a PointRecord,
}

/// What is there of a point.
struct Gathered {
    outcomes: Vec<Outcome>,
    started: f64,
    seconds: f64,
    /// Whether any replicate has an entry or an end.
    anything: bool,
    /// Its manifest, where it was written by an earlier session.
    manifest: Option<Manifest>,
}

impl Session<'_> {
    /// Writes the results of every point of which anything is finished, of a sweep also the index and its figure, and
    /// tells `each` of every such point. What is not drawn is reported to `say`.
    ///
    /// A part is removed as soon as the arrays that hold the same numbers are written, and `parts/` when all is
    /// complete: a finished run keeps nothing twice, an unfinished one loses nothing. Beside the index, what there is to
    /// say of all points together.
    ///
    /// # Errors
    /// The first file that could not be written or read; what was written before is whole, and no task is lost.
    pub fn finish(
        &self,
        about: &About,
        each: &mut dyn FnMut(&Finished<'_>),
        say: &mut dyn FnMut(String),
    ) -> Result<(Index, Vec<String>), Stopped> {
        let mut index = Index::new(&self.study.title(), &self.study.keys());
        let (mut summaries, mut times) = (Vec::new(), Vec::new());
        let (mut started, mut seconds, mut complete) = (f64::INFINITY, 0.0, true);
        // Points may share tasks: a part is needed until the last of them is written.
        let mut needed: HashMap<&str, usize> = HashMap::new();
        self.tasks.all.iter().for_each(|task| *needed.entry(&task.name).or_default() += 1);
        for (number, point) in self.study.points().iter().enumerate() {
            let prepared = self.prepared(number)?;
            let experiment = &prepared.experiment;
            let gathered = self.gather(number, &prepared)?;
            let mut record = PointRecord::pending(&point.directory, &point.values);
            let ended = |run: &Trajectory| run.status != Status::Interrupted;
            let whole = gathered.outcomes.iter().flat_map(|outcome| &outcome.trajectories).all(ended);
            complete &= whole;
            if gathered.anything || !self.study.is_sweep() {
                started = started.min(gathered.started);
                seconds += gathered.seconds;
                let agreement = match &gathered.manifest {
                    Some(manifest) => manifest.agreement.clone(),
                    None => self.write(number, experiment, &gathered, about, say)?,
                };
                let outcomes = &gathered.outcomes[..];
                record.fill(experiment, outcomes, &agreement);
                summaries.push(Summary::of(&point.values, experiment, outcomes));
                times.push(TimesAt::of(experiment, outcomes));
                let directory = self.directory(number);
                each(&Finished { directory, experiment, outcomes, agreement: &agreement, record: &record });
            }
            if whole {
                self.release(number, &mut needed)?;
            }
            index.points.push(record);
        }
        let scalings = scalings(&times);
        if self.study.is_sweep() {
            let mut commit = Commit::new(self.out)?;
            let mut manifest = self.sweep_manifest(about, started, seconds)?;
            // One point's experiment stands for all, but under the title of the file.
            let experiment = Experiment { title: self.study.title(), ..self.prepared(0)?.experiment.clone() };
            publish_sweep(&mut commit, &experiment, &summaries, &index, &scalings, &manifest, say)?;
            commit.finish(&mut manifest, self.owner)?;
        }
        if complete {
            store::remove_parts(self.out, self.owner)?;
        }
        Ok((index, scaling::in_lines(&scalings)))
    }

    /// Reads a point back: from its own directory where it is complete, else from parts and what was interrupted.
    fn gather(&self, number: usize, prepared: &Prepared) -> Result<Gathered, Error> {
        if self.complete[number] {
            let (manifest, outcomes) = store::load(&self.directory(number))?;
            let (started, seconds) = (manifest.started, manifest.seconds);
            // Another title or figure is drawn anew from the same arrays.
            let as_drawn = manifest.experiment == prepared.experiment.resolved.json
                && manifest.source == prepared.experiment.source;
            return Ok(Gathered { outcomes, started, seconds, anything: true, manifest: as_drawn.then_some(manifest) });
        }
        let mut interrupted = self.interrupted.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut spans, mut wrong) = (Vec::new(), None);
        let outcomes = prepared.outcomes(&mut |task: &Task| {
            let found = self.parts.read(&task.name).unwrap_or_else(|error| {
                wrong.get_or_insert(error);
                None
            });
            let part = found.or_else(|| interrupted.remove(&task.name))?;
            spans.push((part.started, part.started + part.seconds));
            Some(part)
        });
        if let Some(error) = wrong {
            return Err(error);
        }
        let started = spans.iter().map(|span| span.0).fold(f64::INFINITY, f64::min);
        let anything = !spans.is_empty();
        Ok(Gathered { outcomes, started, seconds: covered(spans), anything, manifest: None })
    }

    /// Arrays, figure, report, and as the last of them the manifest, which says that the others are there.
    fn write(
        &self,
        number: usize,
        experiment: &Experiment,
        gathered: &Gathered,
        about: &About,
        say: &mut dyn FnMut(String),
    ) -> Result<Vec<Agreement>, Error> {
        let (directory, outcomes) = (self.directory(number), &gathered.outcomes[..]);
        let mut commit = Commit::new(&directory)?;
        for (view, outcome) in experiment.views.iter().zip(outcomes) {
            commit.view(&view.name, outcome)?;
        }
        let agreement = compare(&experiment.views, outcomes);
        let run = store::Run {
            experiment: experiment.resolved.json.clone(),
            source: experiment.source.clone(),
            version: VERSION.into(),
            command: about.command.clone(),
            threads: about.threads,
            started: if gathered.started.is_finite() { gathered.started } else { 0.0 },
            seconds: gathered.seconds,
        };
        let mut manifest = Manifest::new(run, store::records(&experiment.views, outcomes), agreement);
        manifest.provenance = Provenance {
            tasks: self.tasks.of_point_in_a_word(number),
            point: experiment.point.clone(),
            directory: self.study.points()[number].directory.clone(),
            ..self.provenance()
        };
        publish(&mut commit, experiment, outcomes, &manifest, say)?;
        commit.finish(&mut manifest, self.owner)?;
        Ok(manifest.agreement)
    }

    fn provenance(&self) -> Provenance {
        Provenance {
            file: self.study.path().into(),
            identity: self.tasks.identity.clone(),
            request: self.study.request().clone(),
            ..Provenance::default()
        }
    }

    /// Removes the parts of a point that is written, but for those that a later point shares.
    fn release<'a>(&'a self, number: usize, needed: &mut HashMap<&'a str, usize>) -> Result<(), Error> {
        for task in self.tasks.of_point(number) {
            let count = needed.entry(&task.name).or_default();
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.parts.release(&task.name)?;
            }
        }
        Ok(())
    }

    /// The manifest of the sweep as a whole: what was run and how; the points have their own.
    fn sweep_manifest(&self, about: &About, started: f64, seconds: f64) -> Result<Manifest, Stopped> {
        let first = &self.prepared(0)?.experiment;
        let points: Vec<_> = self.study.points().iter().map(|point| json!(point.values)).collect();
        let mut experiment = json!({ "title": self.study.title(), "keys": self.study.keys(), "points": points });
        for key in ["cite", "note"] {
            experiment[key] = first.resolved.json[key].clone();
        }
        let run = store::Run {
            experiment,
            source: first.source.clone(),
            version: VERSION.into(),
            command: about.command.clone(),
            threads: about.threads,
            started: if started.is_finite() { started } else { 0.0 },
            seconds,
        };
        let mut manifest = Manifest::new(run, Vec::new(), Vec::new());
        manifest.provenance = self.provenance();
        Ok(manifest)
    }
}

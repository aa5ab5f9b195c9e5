//! A study: an experiment file with what the command line changes, and the points of its sweep. Each point is an
//! [`Experiment`] of its own; a file without `[sweep]` has one point.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use crate::{
    diagnostic::{Diagnostic, Severity, Source},
    experiment::Experiment,
    loader::Loader,
    point::{Point, Request, directory, in_words},
    resolve,
    text::{
        Override, Spec, Swept,
        tree::{Node, Value},
        with_settings,
    },
};

/// An experiment file and the points of its sweep, all of which make sense.
#[derive(Debug, Clone)]
pub struct Study {
    path: PathBuf,
    /// The file, then its settings.
    text: String,
    file: usize,
    request: Request,
    spec: Spec,
    points: Vec<Point>,
}

/// Points of a sweep: each is resolved and planned before anything runs, which takes milliseconds, and has a directory.
const MOST_POINTS: usize = 10_000;

/// Views of an experiment: each is resolved and planned by itself, and they are compared pair by pair.
const MOST_VIEWS: usize = 256;

/// Faults of so many points are told.
const MOST_FAULTY_POINTS: usize = 5;

/// Reads an experiment from `text`, of a sweep its first point; `path` is what diagnostics and results call it.
///
/// # Errors
/// Every fault found, at any point of a sweep, each with its place and remedy: never empty.
pub fn parse(text: &str, path: &Path) -> Result<Experiment, Vec<Diagnostic>> {
    Study::parse(text, path, &Request::default())?.experiment(0)
}

impl Study {
    /// Reads the experiment file that `loader` has at `path`.
    ///
    /// # Errors
    /// Every fault found, each with its place and remedy: never empty.
    pub fn read(path: &Path, request: &Request, loader: &dyn Loader) -> Result<Self, Vec<Diagnostic>> {
        let bytes = loader.load(path).map_err(|unread| vec![unread.about(path)])?;
        let text = String::from_utf8(bytes).map_err(|error| {
            let reason = format!("byte {} is not UTF-8 text", error.utf8_error().valid_up_to() + 1);
            vec![Diagnostic::about_file(path, reason, "save the file as UTF-8")]
        })?;
        Self::parse(&text, path, request)
    }

    /// Reads an experiment from `text`; `path` is what diagnostics and results call it.
    ///
    /// # Errors
    /// Every fault found, at any point of the sweep, each with its place and remedy: never empty.
    pub fn parse(text: &str, path: &Path, request: &Request) -> Result<Self, Vec<Diagnostic>> {
        let (text, file) = with_settings(text, &request.settings);
        let spec = Spec::parse(&Source { path, text: &text, file }, &request.settings)?;
        let mut study = Self { path: path.into(), text, file, request: request.clone(), spec, points: Vec::new() };
        study.check_number(&Source { path, text: &study.text, file })?;
        study.points = study.all_points();
        study.check_points()?;
        Ok(study)
    }

    /// The points, the first key slowest; one, without values, where nothing is swept.
    pub fn points(&self) -> &[Point] {
        &self.points
    }

    /// The keys that are swept.
    pub fn keys(&self) -> Vec<String> {
        self.swept().map(|swept| swept.path.clone()).collect()
    }

    /// Whether anything is swept.
    pub fn is_sweep(&self) -> bool {
        !self.spec.sweep().is_empty()
    }

    /// The title of the file, with a word where the sizes are a tenth.
    pub fn title(&self) -> String {
        let title = self.spec.root().get("title").and_then(|entry| entry.node.text()).unwrap_or_default();
        let quick = if self.request.quick { " (quick: a tenth of the sizes)" } else { "" };
        format!("{title}{quick}").trim_start().into()
    }

    /// What the command line changed.
    pub fn request(&self) -> &Request {
        &self.request
    }

    /// Where the file was read.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The experiment at point number `point`, whose values its title tells.
    ///
    /// # Errors
    /// Every fault found; none where the study was read.
    pub fn experiment(&self, point: usize) -> Result<Experiment, Vec<Diagnostic>> {
        let spec = self.spec.at(&self.overrides(point));
        let values = self.points.get(point).map(|point| point.values.clone()).unwrap_or_default();
        let at = if values.is_empty() { String::new() } else { format!(" ({})", in_words(&values)) };
        let title = format!("{}{at}", self.title()).trim_start().into();
        let mut experiment = resolve::resolve(&self.source(), &spec, title, &self.request)?;
        experiment.point = values;
        if let Some(seed) = self.request.seed {
            experiment.set_seed(seed);
        }
        Ok(experiment)
    }

    fn source(&self) -> Source<'_> {
        Source { path: &self.path, text: &self.text, file: self.file }
    }

    fn swept(&self) -> impl Iterator<Item = &Swept> {
        self.spec.sweep().iter().flat_map(|axis| &axis.0)
    }

    /// The value of each swept key at a point, the first key slowest.
    fn overrides(&self, point: usize) -> Vec<Override> {
        let mut rest = point;
        let mut found = Vec::new();
        for axis in self.spec.sweep().iter().rev() {
            let i = rest % axis.len().max(1);
            rest /= axis.len().max(1);
            let value = |swept: &Swept| Override {
                path: swept.path.clone(),
                at: swept.at.clone(),
                node: swept.values[i].clone(),
            };
            found.splice(0..0, axis.0.iter().map(value));
        }
        found
    }

    /// That there are not too many views and points to look at each of them.
    fn check_number(&self, source: &Source<'_>) -> Result<(), Vec<Diagnostic>> {
        let views = self.spec.root().get("view").and_then(|entry| entry.node.array());
        if let Some(first_too_many) = views.and_then(|views| views.get(MOST_VIEWS)) {
            let count = views.map_or(0, <[Node]>::len);
            let reason = format!("{count} views; at most {MOST_VIEWS} are run as one experiment");
            let (span, remedy) = (first_too_many.span.clone(), "vary a key with [sweep], or write several files");
            return Err(vec![source.diagnostic(Severity::Error, span, reason, remedy)]);
        }
        let count = self.spec.sweep().iter().fold(1_usize, |count, axis| count.saturating_mul(axis.len()));
        if count <= MOST_POINTS {
            return Ok(());
        }
        let reason = format!("a sweep of {count} points; at most {MOST_POINTS} are run as one experiment");
        Err(vec![Diagnostic::about_file(
            source.path,
            reason,
            "sweep fewer values, or split the sweep into several files",
        )])
    }

    fn all_points(&self) -> Vec<Point> {
        let count: usize = self.spec.sweep().iter().map(|axis| axis.len()).product();
        let mut taken = BTreeSet::new();
        (0..count)
            .map(|point| {
                let values: Vec<(String, String)> =
                    (self.overrides(point).iter()).map(|o| (o.path.clone(), self.as_written(&o.node))).collect();
                let name = directory(&values);
                let numbered = (2..).map(|i| format!("{name}-{i}"));
                let directory = std::iter::once(name.clone())
                    .chain(numbered)
                    .find(|name| taken.insert(name.to_lowercase()))
                    .unwrap_or_default();
                Point { values, directory }
            })
            .collect()
    }

    /// A value as a word: a string without its quotes, anything else as it stands in the file.
    fn as_written(&self, node: &Node) -> String {
        match &node.value {
            Value::Text(text) => text.clone(),
            _ => self.text.get(node.span.clone()).unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" "),
        }
    }

    /// Resolves every point once: what is wrong at all of them is told as of the file, else with the point.
    fn check_points(&self) -> Result<(), Vec<Diagnostic>> {
        let names = self.spec.names();
        let unknown = self.request.only.iter().filter(|name| !names.contains(name)).map(|unknown| {
            let remedy = format!("the views are {}", names.join(", "));
            Diagnostic::about_file(&self.path, format!("there is no view `{unknown}`"), remedy)
        });
        let unknown: Vec<_> = unknown.collect();
        if !unknown.is_empty() {
            return Err(unknown);
        }
        let mut faults: Vec<(Vec<usize>, Diagnostic)> = Vec::new();
        let (mut faulty, mut looked_at) = (0, 0);
        for point in 0..self.points.len() {
            looked_at += 1;
            let Err(found) = self.experiment(point) else { continue };
            faulty += 1;
            for fault in found {
                match faults.iter_mut().find(|(_, known)| *known == fault) {
                    Some((points, _)) => points.push(point),
                    None => faults.push((vec![point], fault)),
                }
            }
            if faulty == MOST_FAULTY_POINTS {
                break;
            }
        }
        let told = faults.into_iter().map(|(points, mut fault)| {
            if points.len() < looked_at {
                fault.reason = format!("at {}: {}", in_words(&self.points[points[0]].values), fault.reason);
            }
            fault
        });
        let told: Vec<Diagnostic> = told.collect();
        if told.is_empty() { Ok(()) } else { Err(resolve::in_order(told)) }
    }
}

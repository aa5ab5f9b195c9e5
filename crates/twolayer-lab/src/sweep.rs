//! A study: an experiment file with what the command line changes, and the points of its sweep. Each point is an
//! [`Experiment`] of its own; a file without `[sweep]` has one point.

use std::{collections::BTreeSet, fs, path::Path, path::PathBuf};

use serde::{Deserialize, Serialize};

use crate::{
    diagnostic::{Diagnostic, Source},
    experiment::Experiment,
    gallery, hash, resolve,
    spec::{
        Override, Spec, Swept,
        keys::last,
        tree::{Node, Value},
        with_settings,
    },
    store::Manifest,
};

/// What the command line changes.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Request {
    /// `key=value`, in order.
    pub settings: Vec<String>,
    /// A tenth of the sizes.
    pub quick: bool,
    /// The seed of every view.
    pub seed: Option<u64>,
    /// The views to keep; all where there is none.
    pub only: Vec<String>,
}

impl Request {
    /// Whether the view of this name is to be looked at.
    pub fn asks_for(&self, name: &String) -> bool {
        self.only.is_empty() || self.only.contains(name)
    }
}

/// One point of a sweep.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Point {
    /// The swept keys and their values, as written.
    pub values: Vec<(String, String)>,
    /// The name of its directory: `dimension=1000,noise=0.1`.
    pub directory: String,
}

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

/// Faults of so many points are told.
const MOST_FAULTY_POINTS: usize = 5;

/// The longest name of a directory that all file systems take, with room for a number.
const LONGEST_NAME: usize = 200;

impl Study {
    /// Reads the experiment file at `path`, or the experiment of the gallery that `gallery:NAME` names.
    ///
    /// # Errors
    /// Every fault found, each with its place and remedy: never empty.
    pub fn read(path: &Path, request: &Request) -> Result<Self, Vec<Diagnostic>> {
        if let Some(name) = path.to_str().and_then(|path| path.strip_prefix(gallery::PREFIX)) {
            return Self::parse(gallery::text(name).map_err(|fault| vec![*fault])?, path, request);
        }
        let bytes = fs::read(path).map_err(|error| {
            let remedy = "give the path of an experiment file";
            vec![Diagnostic::about_file(path, format!("{} cannot be read: {error}", path.display()), remedy)]
        })?;
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
        study.points = study.all_points();
        study.check_points()?;
        Ok(study)
    }

    /// The study of which `manifest` is, resolved once more, and the number of the point where it stands.
    ///
    /// # Errors
    /// As [`Self::parse`]: a file that an older program took may have faults for this one.
    pub fn again(manifest: &Manifest) -> Result<(Self, usize), Vec<Diagnostic>> {
        let from = &manifest.provenance;
        let study = Self::parse(&manifest.source, &from.file, &from.request)?;
        let point = study.points.iter().position(|point| point.values == from.point).unwrap_or(0);
        Ok((study, point))
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

/// `dimension=1000, noise=0.1`; keys with the same last word in full.
pub fn in_words(values: &[(String, String)]) -> String {
    let words = values.iter().map(|(key, value)| format!("{}={value}", label(key, values)));
    words.collect::<Vec<_>>().join(", ")
}

/// The last word of a swept key, or all of it where two end in the same one.
fn label<'a>(key: &'a str, values: &[(String, String)]) -> &'a str {
    let alone = values.iter().filter(|(other, _)| last(other) == last(key)).count() == 1;
    if alone { last(key) } else { key }
}

/// A name for the directory of a point, in characters that no shell and no file system minds.
fn directory(values: &[(String, String)]) -> String {
    let plain = |c: char| if c.is_alphanumeric() || "._+-".contains(c) { c } else { '_' };
    let word = |(key, value): &(String, String)| {
        format!("{}={}", label(key, values), value.chars().map(plain).collect::<String>())
    };
    let name = values.iter().map(word).collect::<Vec<_>>().join(",");
    if name.len() <= LONGEST_NAME {
        return name;
    }
    let cut = name.floor_char_boundary(LONGEST_NAME - 17);
    format!("{}-{}", &name[..cut], hash::short(name.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_are_readable_and_different() {
        let values =
            |pairs: &[(&str, &str)]| pairs.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect::<Vec<_>>();
        let name = |pairs: &[(&str, &str)]| directory(&values(pairs));
        assert_eq!(name(&[("training.dimension", "1000"), ("target.noise", "1e-4")]), "dimension=1000,noise=1e-4");
        assert_eq!(name(&[("training.batch", "3*d")]), "batch=3_d");
        assert_eq!(
            name(&[("network.second_layer.scale", "1"), ("network.first_layer.scale", "2")]),
            "network.second_layer.scale=1,network.first_layer.scale=2"
        );
        let long = "z1 + ".repeat(100);
        let (a, b) = (name(&[("target.expression", &long)]), name(&[("target.expression", &format!("{long}z2"))]));
        assert!(a.len() <= LONGEST_NAME && a != b, "{a}");
    }
}

//! Results directories, opened again: to draw anew, to compare, to cite.

use std::path::{Path, PathBuf};

use twolayer_file::{Diagnostic, Study, experiment::Experiment};
use twolayer_plot::{Drawing, pdf, png, svg};
use twolayer_view::{Summary, draw_sweep};

use crate::{
    outcome::Outcome,
    report,
    scaling::{Scaling, TimesAt, scalings},
    store::{Commit, Error, Index, Manifest, Owner, ViewRecord, load},
};

/// Pixels: a column and a half of a paper at 300 dpi.
const PNG_WIDTH: u32 = 2000;

/// What is drawn of one experiment.
pub(crate) const DRAWN: [&str; 4] = ["figure.svg", "figure.png", "figure.pdf", "report.html"];

/// What is drawn of a sweep as a whole, and listed.
pub(crate) const DRAWN_OF_SWEEP: [&str; 5] = ["figure.svg", "figure.png", "figure.pdf", "report.html", Index::NAME];

/// One directory with the results of one experiment.
#[derive(Debug, Clone)]
pub struct Results {
    /// The directory.
    pub directory: PathBuf,
    /// What was run, and how.
    pub manifest: Manifest,
    /// The experiment, resolved once more from the text that the manifest keeps.
    pub experiment: Experiment,
    /// What the views gave.
    pub outcomes: Vec<Outcome>,
}

/// What hinders opening a directory, in words.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// A file is not there, or damaged.
    #[error(transparent)]
    Store(#[from] Error),
    /// The text that the manifest keeps has a fault for this version.
    #[error("{}: the experiment it keeps is not understood by this version: {reason}", directory.display())]
    Experiment {
        /// The directory.
        directory: PathBuf,
        /// The first fault.
        reason: String,
    },
}

impl Results {
    /// Opens one directory with arrays.
    ///
    /// # Errors
    /// [`Unreadable`], naming the directory or file.
    pub fn open(directory: &Path) -> Result<Self, Unreadable> {
        let (manifest, outcomes) = load(directory)?;
        let (study, point) = again(directory, &manifest)?;
        let mut experiment = study.experiment(point).map_err(|faults| fault(directory, &faults))?;
        // A run leaves out views that it cannot make, where the file leaves them to it.
        experiment.keep_views(|view| manifest.views.iter().any(|record| record.name == view.name));
        if let Some(reason) = strange(&manifest, &experiment, &outcomes) {
            return Err(Unreadable::Experiment { directory: directory.into(), reason });
        }
        Ok(Self { directory: directory.into(), manifest, experiment, outcomes })
    }

    /// Draws `figure.svg`, `figure.png`, `figure.pdf` and `report.html` again from the arrays; what is not drawn is told to `say`.
    ///
    /// # Errors
    /// The first file that could not be written.
    pub fn redraw(&self, say: &mut dyn FnMut(String)) -> Result<(), Error> {
        let mut commit = Commit::new(&self.directory)?;
        publish(&mut commit, &self.experiment, &self.outcomes, &self.manifest, say)?;
        let mut manifest = self.manifest.clone();
        let arrays: Vec<String> = manifest.views.iter().flat_map(ViewRecord::files).collect();
        manifest.files.retain(|name, _| arrays.contains(name));
        put_in_place(commit, &mut manifest)
    }

    /// BibTeX of the experiment's papers and of the methods that ran.
    pub fn citations(&self) -> Vec<String> {
        report::citations(&self.experiment, &self.manifest.views, &self.manifest.version)
    }
}

/// Draws a directory again: one experiment, or a sweep with all of its points. Returns how many were drawn.
///
/// # Errors
/// [`Unreadable`], naming the directory or file.
pub fn redraw(directory: &Path, say: &mut dyn FnMut(String)) -> Result<usize, Unreadable> {
    let manifest = Manifest::read(directory)?;
    let (study, _) = again(directory, &manifest)?;
    if !study.is_sweep() || !manifest.views.is_empty() {
        Results::open(directory)?.redraw(say)?;
        return Ok(1);
    }
    let (mut summaries, mut times) = (Vec::new(), Vec::new());
    for point in &points(directory)? {
        let results = Results::open(point)?;
        results.redraw(say)?;
        let values = &results.manifest.provenance.point;
        summaries.push(Summary::of(values, &results.experiment, &results.outcomes));
        times.push(TimesAt::of(&results.experiment, &results.outcomes));
    }
    let first = study.experiment(0).map_err(|faults| fault(directory, &faults))?;
    let first = Experiment { title: study.title(), ..first };
    let mut commit = Commit::new(directory)?;
    let mut manifest = manifest;
    let index = Index::read(directory)?;
    publish_sweep(&mut commit, &first, &summaries, &index, &scalings(&times), &manifest, say)?;
    manifest.files.clear();
    put_in_place(commit, &mut manifest)?;
    Ok(summaries.len())
}

/// What was drawn anew, and the manifest with its hashes.
fn put_in_place(commit: Commit, manifest: &mut Manifest) -> Result<(), Error> {
    let identity = manifest.provenance.identity.clone();
    commit.finish(manifest, &Owner { identity: &identity, ..Owner::default() })
}

/// The directories with arrays in `directory` whose manifest tells no hash of them, as 0.1.0 wrote it: of a flipped bit
/// in these only the checksums of the arrays know.
///
/// # Errors
/// [`Unreadable`], naming the directory or file.
pub fn without_hashes(directory: &Path) -> Result<Vec<PathBuf>, Unreadable> {
    let mut found = Vec::new();
    for point in points(directory)? {
        if !Manifest::read(&point)?.has_hashes() {
            found.push(point);
        }
    }
    Ok(found)
}

/// The directories with arrays in `directory`: itself, or the finished points of a sweep.
///
/// # Errors
/// [`Unreadable`], naming the directory or file.
pub fn points(directory: &Path) -> Result<Vec<PathBuf>, Unreadable> {
    let manifest = Manifest::read(directory)?;
    if !manifest.views.is_empty() {
        return Ok(vec![directory.into()]);
    }
    let index = Index::read(directory)?;
    let finished = |path: &PathBuf| path.join("manifest.json").exists();
    Ok(index.points.iter().map(|point| directory.join(&point.directory)).filter(finished).collect())
}

/// Figure and report of one experiment.
pub(crate) fn publish(
    commit: &mut Commit,
    experiment: &Experiment,
    outcomes: &[Outcome],
    manifest: &Manifest,
    say: &mut dyn FnMut(String),
) -> Result<(), Error> {
    let drawing = twolayer_view::draw(experiment, outcomes, &manifest.version);
    draw(commit, &drawing, say)?;
    let page = report::html(experiment, outcomes, manifest, &svg(&drawing));
    commit.file("report.html", page.as_bytes())
}

/// Figure, report and index of a sweep as a whole; `experiment` is that of its first point, under the title of the file.
pub(crate) fn publish_sweep(
    commit: &mut Commit,
    experiment: &Experiment,
    summaries: &[Summary],
    index: &Index,
    scalings: &[Scaling],
    manifest: &Manifest,
    say: &mut dyn FnMut(String),
) -> Result<(), Error> {
    let drawing = draw_sweep(experiment, summaries, env!("CARGO_PKG_VERSION"));
    draw(commit, &drawing, say)?;
    let page = report::html_of_sweep(experiment, index, manifest, scalings, &svg(&drawing));
    commit.file("report.html", page.as_bytes())?;
    commit.file(Index::NAME, index.to_text()?.as_bytes())
}

/// `figure.svg`, `figure.png` and `figure.pdf`; a picture that cannot be drawn is told to `say`.
pub(crate) fn draw(commit: &mut Commit, drawing: &Drawing, say: &mut dyn FnMut(String)) -> Result<(), Error> {
    commit.file("figure.svg", svg(drawing).as_bytes())?;
    for (name, picture) in [("figure.png", png(drawing, PNG_WIDTH)), ("figure.pdf", pdf(drawing))] {
        match picture {
            Ok(bytes) => commit.file(name, &bytes)?,
            Err(reason) => say(format!("{name} could not be drawn ({reason}); figure.svg is there")),
        }
    }
    Ok(())
}

/// The study of which `manifest` is, resolved once more, and the number of the point where it stands.
///
/// # Errors
/// As [`Study::parse`]: a file that an older program took may have faults for this one.
pub fn study(manifest: &Manifest) -> Result<(Study, usize), Vec<Diagnostic>> {
    let from = &manifest.provenance;
    let study = Study::parse(&manifest.source, &from.file, &from.request)?;
    let point = study.points().iter().position(|point| point.values == from.point).unwrap_or(0);
    Ok((study, point))
}

/// Why results are not those of the experiment that the manifest keeps, if they are not.
fn strange(manifest: &Manifest, experiment: &Experiment, outcomes: &[Outcome]) -> Option<String> {
    let (kept, found) = (experiment.views.len(), manifest.views.len());
    if kept != found {
        return Some(format!("it has {kept} of the views whose results are here, {found}"));
    }
    let views = experiment.views.iter().zip(manifest.views.iter().zip(outcomes));
    for (view, (record, outcome)) in views {
        if view.name != record.name {
            return Some(format!("it has view `{}` where there are results of `{}`", view.name, record.name));
        }
        let sizes = [view.problem.width(), view.problem.directions()];
        let other = outcome.trajectories.iter().map(|run| [run.width, run.directions]).find(|other| *other != sizes);
        if let Some(other) = other {
            return Some(format!("view `{}` has [p, k] = {sizes:?}, its results {other:?}", view.name));
        }
    }
    None
}

fn again(directory: &Path, manifest: &Manifest) -> Result<(Study, usize), Unreadable> {
    study(manifest).map_err(|faults| fault(directory, &faults))
}

fn fault(directory: &Path, faults: &[Diagnostic]) -> Unreadable {
    let reason = faults.first().map(ToString::to_string).unwrap_or_default();
    Unreadable::Experiment { directory: directory.into(), reason }
}

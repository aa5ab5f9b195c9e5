//! The experiment as written → the experiment as meant: defaults filled in, expressions compiled, one problem for each
//! view, and a diagnostic at its place for everything that makes no sense.

mod figure;
mod network;
mod reader;
mod resolved;
mod target;
mod training;
mod view;

use std::{fs, path::Path};

pub use resolved::Resolved;

use crate::{
    diagnostic::{Diagnostic, Source},
    experiment::Experiment,
    gallery,
    spec::Spec,
};
use reader::Reader;

/// Reads the experiment file at `path`, or the experiment of the gallery that `gallery:NAME` names.
///
/// # Errors
/// Every fault found, each with its place and remedy: never empty.
pub fn read(path: &Path) -> Result<Experiment, Vec<Diagnostic>> {
    if let Some(name) = path.to_str().and_then(|path| path.strip_prefix(gallery::PREFIX)) {
        return parse(gallery::text(name).map_err(|fault| vec![*fault])?, path);
    }
    let bytes = fs::read(path).map_err(|error| {
        let remedy = "give the path of an experiment file";
        vec![Diagnostic::about_file(path, format!("{} cannot be read: {error}", path.display()), remedy)]
    })?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let reason = format!("byte {} is not UTF-8 text", error.utf8_error().valid_up_to() + 1);
        vec![Diagnostic::about_file(path, reason, "save the file as UTF-8")]
    })?;
    parse(&text, path)
}

/// Reads an experiment from `text`; `path` is what diagnostics and results call it.
///
/// # Errors
/// Every fault found, each with its place and remedy: never empty.
pub fn parse(text: &str, path: &Path) -> Result<Experiment, Vec<Diagnostic>> {
    let source = Source { path, text };
    let spec = Spec::parse(&source)?;
    let mut faults = Vec::new();
    let views = view::resolve(&source, &spec, &mut faults);
    let figures = figure::resolve(&source, &spec, &views, &mut faults);
    if !faults.is_empty() {
        return Err(in_order(faults));
    }
    let reader = Reader::new(&source, spec.root(), &mut faults);
    let text_at = |path| reader.text(path).unwrap_or_default();
    let (title, cite, note) = (text_at("title"), reader.texts("cite"), text_at("note"));
    let (views, trees): (Vec<_>, Vec<_>) = views.into_iter().unzip();
    let resolved = Resolved::new(&source, spec.root(), &views, trees, &figures);
    let default_views = spec.tables("view").is_empty();
    Ok(Experiment {
        path: path.into(),
        source: text.into(),
        title,
        cite,
        note,
        views,
        default_views,
        figures,
        resolved,
    })
}

/// In the order of the file, each once: views share most of their keys, and so their faults.
fn in_order(mut faults: Vec<Diagnostic>) -> Vec<Diagnostic> {
    faults.sort_by_key(|fault| fault.span.start);
    let mut seen: Vec<Diagnostic> = Vec::new();
    for fault in faults {
        if !seen.contains(&fault) {
            seen.push(fault);
        }
    }
    seen
}

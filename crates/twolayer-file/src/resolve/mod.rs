//! The experiment as written → the experiment as meant: defaults filled in, expressions compiled, one problem for each
//! view, and a diagnostic at its place for everything that makes no sense.

mod figure;
mod network;
mod quick;
mod reader;
mod readout;
mod record;
mod resolved;
mod target;
mod training;
mod view;

use crate::{
    diagnostic::{Diagnostic, Source},
    experiment::Experiment,
    point::Request,
    text::Spec,
};
use reader::Reader;

/// The experiment that `spec` describes, at one point of its sweep, under this title.
///
/// # Errors
/// Every fault found, each with its place and remedy: never empty.
pub fn resolve(
    source: &Source<'_>,
    spec: &Spec,
    title: String,
    request: &Request,
) -> Result<Experiment, Vec<Diagnostic>> {
    let mut faults = Vec::new();
    let views = view::resolve(source, spec, request, &mut faults);
    let figures = figure::resolve(source, spec, &views, request.may_end_early(), &mut faults);
    if !faults.is_empty() {
        return Err(in_order(faults));
    }
    let reader = Reader::new(source, spec.root(), &mut faults);
    let text_at = |path| reader.text(path).unwrap_or_default();
    let (cite, note) = (reader.texts("cite"), text_at("note"));
    let (views, trees): (Vec<_>, Vec<_>) = views.into_iter().unzip();
    let resolved = resolved::resolved(source, spec.root(), &title, &views, trees, &figures);
    Ok(Experiment {
        path: source.path.into(),
        source: source.text[..source.file].into(),
        settings: request.settings.clone(),
        quick: request.quick,
        point: Vec::new(),
        title,
        cite,
        note,
        views,
        default_views: spec.leaves_views(),
        figures,
        resolved,
    })
}

/// In the order of the file, each once: views share most of their keys, and so their faults.
pub fn in_order(mut faults: Vec<Diagnostic>) -> Vec<Diagnostic> {
    faults.sort_by_key(|fault| fault.span.start);
    let mut seen: Vec<Diagnostic> = Vec::new();
    for fault in faults {
        if !seen.contains(&fault) {
            seen.push(fault);
        }
    }
    seen
}

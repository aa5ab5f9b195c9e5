//! `report.html`: one page that needs nothing else, no network either.

mod animation;
mod cite;
mod hidden;
mod phases;
mod sweep;
mod tables;

use twolayer_file::experiment::Experiment;
use twolayer_plot::escape;

use crate::{
    answer::duration,
    outcome::Outcome,
    store::{Manifest, ViewRecord},
};

pub use cite::citations;
pub use sweep::html as html_of_sweep;

/// The report of a run: the question, the experiment, the figures, what was learnt, predictions, slopes and crossings,
/// agreement, how to repeat it, how to cite it. `figure` is its SVG, set inline. Everything that comes from the file is
/// escaped.
pub fn html(experiment: &Experiment, outcomes: &[Outcome], manifest: &Manifest, figure: &str) -> String {
    let mut page = head(&experiment.title, &experiment.note);
    page += &tables::problem(experiment, outcomes);
    page += &format!(
        "<details>\n<summary>The experiment file</summary>\n<pre>{}</pre>\n</details>\n",
        escape(&experiment.source)
    );
    page += &format!("<figure>\n{figure}</figure>\n");
    page += &animation::animation(experiment, outcomes).unwrap_or_default();
    page += &tables::views(experiment, outcomes, manifest);
    page += &phases::warnings(&manifest.views);
    page += &phases::phases(&manifest.views);
    page += &tables::foretold(experiment, outcomes);
    page += &hidden::hidden(experiment, outcomes);
    page += &tables::agreement(&manifest.agreement);
    page += &tables::times(experiment, outcomes);
    page += &advice(&manifest.views);
    page += &repeat(experiment, manifest);
    let entries = citations(experiment, &manifest.views, &manifest.version);
    page += &format!("<h2>Cite</h2>\n<pre>{}</pre>\n", escape(&entries.join("\n")));
    page + "</body>\n</html>\n"
}

/// Where a page begins.
fn head(title: &str, note: &str) -> String {
    let title = escape(title);
    let page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n\
         <style>\n{}</style>\n</head>\n<body>\n<h1>{title}</h1>\n",
        include_str!("style.css")
    );
    if note.is_empty() { page } else { format!("{page}<p>{}</p>\n", escape(note)) }
}

fn advice(views: &[ViewRecord]) -> String {
    let items: String = (views.iter())
        .flat_map(|view| view.advice.iter().map(move |advice| (view, advice)))
        .map(|(view, advice)| format!("<li>{}: {}</li>\n", escape(&view.name), escape(advice)))
        .collect();
    if items.is_empty() { items } else { format!("<h2>Advice</h2>\n<ul>\n{items}</ul>\n") }
}

fn repeat(experiment: &Experiment, manifest: &Manifest) -> String {
    format!(
        "<h2>Repeat it</h2>\n<pre>{}</pre>\n<p class=\"faint\">twolayer {}, {} thread{} (results do not depend on their \
         number), {} in all; file {}, experiment {}; {}.</p>\n",
        escape(&manifest.command),
        escape(&manifest.version),
        manifest.threads,
        if manifest.threads == 1 { "" } else { "s" },
        duration(manifest.seconds),
        escape(&experiment.path.display().to_string()),
        escape(&manifest.experiment_hash),
        escape(&experiment.seeds()),
    )
}

#[cfg(test)]
mod tests;

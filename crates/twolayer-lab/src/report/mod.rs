//! `report.html`: one page that needs nothing else, no network either.

mod animation;
mod cite;

use crate::{
    answer::{digits, duration, learnt, probability, verdict},
    compare::{Agreement, Verdict},
    experiment::Experiment,
    figure::escape,
    outcome::Outcome,
    store::{Manifest, ViewRecord},
};

pub use cite::bibtex;

/// The report of a run; `figure` is its SVG, set inline. Everything that comes from the file is escaped.
pub fn html(experiment: &Experiment, outcomes: &[Outcome], manifest: &Manifest, figure: &str) -> String {
    let title = escape(&experiment.title);
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n\
         <style>\n{}</style>\n</head>\n<body>\n<h1>{title}</h1>\n",
        include_str!("style.css")
    );
    if !experiment.note.is_empty() {
        page += &format!("<p>{}</p>\n", escape(&experiment.note));
    }
    page += &format!("<figure>\n{figure}</figure>\n");
    page += &animation::animation(experiment, outcomes).unwrap_or_default();
    page += &views(experiment, outcomes, manifest);
    page += &agreement(&manifest.agreement);
    page += &advice(&manifest.views);
    page += &format!("<h2>The experiment</h2>\n<pre>{}</pre>\n", escape(&experiment.source));
    page += &repeat(experiment, manifest);
    page += &citations(experiment, manifest);
    page + "</body>\n</html>\n"
}

/// What each view learnt, and how it was computed.
fn views(experiment: &Experiment, outcomes: &[Outcome], manifest: &Manifest) -> String {
    let mut rows = String::new();
    for ((view, outcome), record) in experiment.views.iter().zip(outcomes).zip(&manifest.views) {
        let d = record.dimension.map_or("∞".into(), |d| d.to_string());
        let error = record.max_risk_error.map_or("none stated".into(), digits);
        let overlap_error = record.max_overlap_error.map(|e| format!(", of M {}", digits(e))).unwrap_or_default();
        rows += &format!(
            "<tr><td><b>{}</b><br><span class=\"faint\">d = {d}, {} run{}, seed {}</span></td><td>{}</td>\
             <td>{}<br><span class=\"faint\">{}; population averages: {}; largest numerical error of the risk \
             {error}{overlap_error}</span></td><td>{}</td></tr>\n",
            escape(&record.name),
            outcome.trajectories.len(),
            if outcome.trajectories.len() == 1 { "" } else { "s" },
            record.seed,
            escape(&learnt(view, outcome)),
            escape(&record.method),
            escape(&record.reason),
            escape(&record.kernel),
            duration(record.seconds),
        );
    }
    format!(
        "<h2>What was learnt, and how it was computed</h2>\n<div class=\"scroll\"><table>\n<tr><th>view</th><th>learnt\
         </th><th>method</th><th>time</th></tr>\n{rows}</table></div>\n"
    )
}

/// The verdicts in words, then the numbers.
fn agreement(pairs: &[Agreement]) -> String {
    if pairs.is_empty() {
        return "<h2>Agreement</h2>\n<p>No two views see the same problem at the same times.</p>\n".into();
    }
    let mut words = String::new();
    let mut rows = String::new();
    let number = |value: Option<f64>| value.map_or("–".into(), |z| format!("{z:.2}"));
    for pair in pairs {
        let class = match pair.verdict {
            Verdict::Agree => "agree",
            Verdict::Differ => "differ",
            Verdict::NotAssessed => "faint",
        };
        words += &format!("<p><span class=\"{class}\">●</span> {}.</p>\n", escape(&verdict(pair)));
        for (i, size) in pair.quantities.iter().enumerate() {
            let p = pair.p_value.filter(|_| i == 0).map(probability).unwrap_or_default();
            let views = if i == 0 { escape(&pair.views.join(" – ")) } else { String::new() };
            rows += &format!(
                "<tr><td>{views}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{} (value {}, t = {})</td><td>{}</td>\
                 </tr>\n",
                escape(&size.quantity),
                size.comparisons,
                number(size.rms_z),
                number(size.max_z),
                digits(size.max_difference),
                digits(size.value),
                digits(size.time),
                escape(&p),
            );
        }
    }
    format!(
        "<h2>Agreement</h2>\n{words}<div class=\"scroll\"><table>\n<tr><th>views</th><th>quantity</th><th>comparisons\
         </th><th>rms z</th><th>max |z|</th><th>largest difference</th><th>p</th></tr>\n{rows}</table></div>\n\
         <p class=\"faint\">z = difference / √(se² + e²): standard errors over replicates, and stated numerical errors. \
         p: probability of a maximum of |z| as large as this when both views have the same law, by a bootstrap over \
         replicates. Views agree when p &gt; 0.001.</p>\n"
    )
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

fn citations(experiment: &Experiment, manifest: &Manifest) -> String {
    let program = format!(
        "@software{{twolayer,\n  title = {{twolayer}},\n  version = {{{}}},\n  url = {{{}}}\n}}\n",
        manifest.version,
        env!("CARGO_PKG_REPOSITORY")
    );
    let entries: Vec<String> = experiment.cite.iter().map(|arxiv| bibtex(arxiv)).chain([program]).collect();
    format!("<h2>Cite</h2>\n<pre>{}</pre>\n", escape(&entries.join("\n")))
}

#[cfg(test)]
mod tests;

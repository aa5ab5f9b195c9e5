//! Phases of each view beside what theory expects of them, and what a view should be read with.

use std::fmt::Write as _;

use twolayer_plot::escape;

use crate::{
    answer::digits,
    phases::{ExpectedRecord, PhaseRecord},
    store::ViewRecord,
};

/// A table of plateaus and transitions for every view that shows a transition between plateaus, or is expected to.
pub(super) fn phases(views: &[ViewRecord]) -> String {
    let shown = |view: &&ViewRecord| !view.phases.expected.is_empty() || view.phases.transitions.len() > 1;
    let rows: String = views.iter().filter(shown).map(|view| of_view(&view.name, &view.phases)).collect();
    if rows.is_empty() {
        return rows;
    }
    format!(
        "<h2>Phases of learning</h2>\n<div class=\"scroll\"><table>\n<tr><th>view</th><th>degree</th><th>risk</th>\
         <th>half of the fall at</th><th>half of the degree at</th><th>expected</th><th>a tenth to nine tenths in</th><th>then a plateau</th></tr>\n{rows}\
         </table></div>\n<p class=\"faint\">Of the mean risk. Half of degree ℓ is learnt when |e_ℓ| first is ½|φ_ℓ|, which \
         is what is expected. A plateau is listed where it is longer than half of the shorter transition beside it.</p>\n"
    )
}

fn of_view(name: &str, phases: &PhaseRecord) -> String {
    let mut rows = String::new();
    let half = |degree: usize| half_of(phases, degree);
    if let Some(first) = phases.plateaus.iter().find(|plateau| plateau.start == 0.0) {
        let _ = writeln!(
            rows,
            "<tr><td>{}</td><td></td><td>{}</td><td></td><td></td><td></td><td></td><td>to t = {}</td></tr>",
            escape(name),
            digits(first.level),
            digits(first.end)
        );
    }
    for transition in &phases.transitions {
        let expected = phases.expected.iter().find(|expected| Some(expected.degree) == transition.degree);
        let plateau = phases.plateaus.iter().find(|plateau| plateau.level == transition.to);
        let _ = writeln!(
            rows,
            "<tr><td>{}</td><td>{}</td><td>{} → {}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            escape(name),
            transition.degree.map(|degree| degree.to_string()).unwrap_or_default(),
            digits(transition.from),
            digits(transition.to.max(0.0)),
            digits(transition.time),
            transition.degree.map_or(String::new(), half),
            expected.map(in_words).unwrap_or_default(),
            transition.width.map_or("–".into(), digits),
            plateau.map_or("none".into(), |plateau| format!("{} to {}", digits(plateau.start), digits(plateau.end))),
        );
    }
    let reached = |degree: usize| phases.transitions.iter().any(|transition| transition.degree == Some(degree));
    for expected in phases.expected.iter().filter(|expected| !reached(expected.degree)) {
        let _ = writeln!(
            rows,
            "<tr><td>{}</td><td>{}</td><td>{} → {}</td><td>not reached</td><td>{}</td><td>{}</td><td></td><td></td></tr>",
            escape(name),
            expected.degree,
            digits(expected.before),
            digits(expected.after.max(0.0)),
            half(expected.degree),
            in_words(expected),
        );
    }
    rows
}

/// When half of a degree was learnt.
fn half_of(phases: &PhaseRecord, degree: usize) -> String {
    let found = phases.half_times.iter().find(|half| half.degree == degree);
    found.map_or(String::new(), |half| digits(half.time))
}

fn in_words(expected: &ExpectedRecord) -> String {
    expected.time.map_or(format!("~ ε^{}", digits(expected.exponent)), digits)
}

/// What each view should be read with.
pub(super) fn warnings(views: &[ViewRecord]) -> String {
    let items: String = (views.iter())
        .flat_map(|view| view.warnings.iter().map(move |warning| (view, warning)))
        .map(|(view, warning)| {
            format!("<li>{}: <b>{}</b>: {}</li>\n", escape(&view.name), escape(&warning.id), escape(&warning.text))
        })
        .collect();
    if items.is_empty() { items } else { format!("<h2>Warnings</h2>\n<ul>\n{items}</ul>\n") }
}

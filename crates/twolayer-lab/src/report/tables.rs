//! The tables of the report.

use twolayer::{
    agree::{Agreement, Crossed, Verdict, crossings, slopes},
    record::observable::{RISK, STEP, TIME},
};
use twolayer_file::experiment::{Axis, Experiment, NamedView, Quantity};
use twolayer_plot::escape;
use twolayer_view::settings;

use crate::{
    answer::{digits, duration, learnt, probability, verdict},
    foretold::{self, Foretold},
    outcome::Outcome,
    store::Manifest,
};

/// Windows of local slopes.
const WINDOWS: usize = 7;

fn table(head: &[&str], rows: &str) -> String {
    let head: String = head.iter().map(|word| format!("<th>{word}</th>")).collect();
    format!("<div class=\"scroll\"><table>\n<tr>{head}</tr>\n{rows}</table></div>\n")
}

/// Escaped, with `_{jr}` and `_j` set as indices.
fn formula(text: &str) -> String {
    let mut html = String::new();
    for (i, part) in escape(text).split('_').enumerate() {
        let (index, rest) = match part.strip_prefix('{').and_then(|inner| inner.split_once('}')) {
            Some(braced) => braced,
            None => part.split_at(part.chars().next().map_or(0, char::len_utf8)),
        };
        html += &if i == 0 { part.to_string() } else { format!("<sub>{index}</sub>{rest}") };
    }
    html
}

/// The problem of each setting in formulas.
pub(super) fn problem(experiment: &Experiment, outcomes: &[Outcome]) -> String {
    let mut rows = String::new();
    for (name, views) in settings(experiment, outcomes) {
        let Some(view) = views.first().and_then(|&i| experiment.views.get(i)) else { continue };
        let problem = &view.problem;
        let noise = match problem.target.noise {
            0.0 => String::new(),
            noise => format!("; label noise of variance Δ = {}", digits(noise)),
        };
        let s = problem.output_scale();
        let biases = if problem.network.bias.is_some() { " + b_j" } else { "" };
        let network = format!(
            "{} Σ_{{j≤{}}} a_j σ(⟨w_j, x⟩{biases}), σ(h) = {}",
            digits(s),
            problem.width(),
            problem.network.activation.formula()
        );
        rows += &format!(
            "<tr><td>{}</td><td>y = {}{noise}</td><td>f = {}</td></tr>\n",
            escape(&name),
            formula(&problem.target.formula()),
            formula(&network)
        );
    }
    table(&["", "target", "network"], &rows)
}

/// What each view learnt, and how it was computed.
pub(super) fn views(experiment: &Experiment, outcomes: &[Outcome], manifest: &Manifest) -> String {
    let mut rows = String::new();
    for ((view, outcome), record) in experiment.views.iter().zip(outcomes).zip(&manifest.views) {
        let d = record.dimension.map_or("∞".into(), |d| d.to_string());
        let error = record.max_risk_error.map_or("none stated".into(), digits);
        let regime = record.regime.as_ref().map(|regime| format!("; regime: {regime}")).unwrap_or_default();
        let overlap_error = record.max_overlap_error.map(|e| format!(", of M {}", digits(e))).unwrap_or_default();
        rows += &format!(
            "<tr><td><b>{}</b><br><span class=\"faint\">d = {d}, {} run{}, seed {}</span></td><td>{}</td>\
             <td>{}<br><span class=\"faint\">{}{regime}; population averages: {}; largest numerical error of the risk \
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
pub(super) fn agreement(pairs: &[Agreement]) -> String {
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
            let p = match (i, pair.p_value) {
                (0, Some(p)) => probability(p).trim_start_matches("= ").to_string(),
                _ => String::new(),
            };
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
        if !pair.evidence.is_empty() {
            let each = pair.evidence.iter().map(|one| format!("{}: p {}", one.statistic, probability(one.p_value)));
            let each = each.collect::<Vec<_>>().join("; ");
            rows += &format!("<tr><td></td><td colspan=\"6\" class=\"faint\">{}</td></tr>\n", escape(&each));
        }
    }
    format!(
        "<h2>Agreement</h2>\n{words}<div class=\"scroll\"><table>\n<tr><th>views</th><th>quantity</th><th>comparisons\
         </th><th>rms z</th><th>max |z|</th><th>largest difference</th><th>p</th></tr>\n{rows}</table></div>\n\
         <p class=\"faint\">z = difference / √(se² + e²): standard errors over replicates, and stated numerical errors. \
         p: probability of evidence as strong as the strongest of five statistics (one place, all places together, \
         stretches of time, steps between records, the risk) when both views have the same means, by random rotations of \
         the replicates, which keep how entries move together; below it, each statistic alone. Views agree when \
         p &gt; 0.001; fewer than four replicates cannot show that they do. Two limits are measured by their stated errors \
         alone.</p>\n"
    )
}

/// The numbers that theory gives in advance, each beside the same quantity in every view of the same problem.
pub(super) fn foretold(experiment: &Experiment, outcomes: &[Outcome]) -> String {
    let mut rows = String::new();
    for (_, views) in settings(experiment, outcomes) {
        let shown: Vec<(&NamedView, Vec<Foretold>)> = views
            .iter()
            .filter_map(|&i| {
                let view = experiment.views.get(i)?;
                Some((view, foretold::foretold(view, &outcomes.get(i)?.trajectories)))
            })
            .collect();
        let mut told: Vec<(&str, u64)> = Vec::new();
        for (_, found) in &shown {
            for found in found {
                if told.contains(&(&found.name, found.value.to_bits())) {
                    continue;
                }
                told.push((&found.name, found.value.to_bits()));
                let same = |(view, others): &(&NamedView, Vec<Foretold>)| {
                    let other = others.iter().find(|other| other.name == found.name && other.value == found.value)?;
                    let error = other.error.map(|error| format!(" ± {}", digits(error))).unwrap_or_default();
                    let value = other.measured.map_or("–".into(), digits);
                    Some(format!("{}: {value}{error}", view.name))
                };
                rows += &format!(
                    "<tr><td>{}<br><span class=\"faint\">{}</span></td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n",
                    escape(&found.name),
                    escape(&found.holds),
                    digits(found.value),
                    escape(&found.formula),
                    escape(&found.source),
                    escape(&shown.iter().filter_map(same).collect::<Vec<_>>().join("; ")),
                );
            }
        }
    }
    if rows.is_empty() && outcomes.iter().any(|outcome| !outcome.expected.is_empty()) {
        return "<h2>Predictions</h2>\n<p>Levels and times of the phases, in the table above.</p>\n".into();
    }
    if rows.is_empty() {
        return "<h2>Predictions</h2>\n<p>None in closed form for this problem: the limit views are the prediction.</p>\n".into();
    }
    format!("<h2>Predictions</h2>\n{}", table(&["prediction", "value", "formula", "source", "measured"], &rows))
}

/// Local slopes of the risk where it is drawn against time, and when levels were crossed.
pub(super) fn times(experiment: &Experiment, outcomes: &[Outcome]) -> String {
    let all = || experiment.views.iter().zip(outcomes);
    let drawn = experiment.figures.iter().any(|f| {
        matches!(f.y, Quantity::Risk | Quantity::TwiceRisk) && matches!(f.x, Axis::Time | Axis::Step | Axis::Samples)
    });
    let rows: String =
        if drawn { all().filter_map(|(view, outcome)| slope_row(view, outcome)).collect() } else { String::new() };
    let mut text = String::new();
    if !rows.is_empty() {
        text += &format!(
            "<h2>Local slopes</h2>\n{}<p class=\"faint\">d ln R/d ln t over windows that overlap by half, around the time \
             given; ± half of the 95 % interval, by a bootstrap over replicates.</p>\n",
            table(&["view", "t: slope"], &rows)
        );
    }
    let mut rows = String::new();
    for (view, outcome) in all() {
        for found in crossings(&view.problem, &view.record.crossings, &outcome.trajectories) {
            let time = if found.time.is_finite() { digits(found.time) } else { "–".into() };
            rows += &format!(
                "<tr><td>{}</td><td>{}</td><td>{}</td><td>{time}</td><td>{} of {}</td></tr>\n",
                escape(&view.name),
                escape(&found.in_words()),
                crossing_step(&found, outcome),
                found.reached,
                found.reached + found.censored,
            );
        }
    }
    if !rows.is_empty() {
        text += &format!(
            "<h2>Crossings</h2>\n{}<p class=\"faint\">The first passage through the level from the side of the start. Means over \
             the runs that crossed, ± one standard error; where some did not, the mean is too early.</p>\n",
            table(&["view", "level", "step", "t", "runs that crossed"], &rows)
        );
    }
    text
}

/// `420 ± 133`, `never reached`, `already there at the start`.
fn crossing_step(found: &Crossed, outcome: &Outcome) -> String {
    let runs = outcome.trajectories.len();
    // A limit at d = ∞ counts no steps, and tells no crossing.
    let counts = outcome.trajectories.iter().any(|run| run.of(&STEP).iter().any(|step| step.is_finite()));
    let never = if counts { "never reached" } else { "– (d = ∞: no steps)" };
    let error = if found.reached > 1 { format!(" ± {}", digits(found.step_error)) } else { String::new() };
    let step = if found.reached > 0 { digits(found.step) + &error } else { never.into() };
    match (found.already, found.is_back(), found.reached) {
        (0, ..) => step,
        (_, true, 0) => "already there at the start, and stays".into(),
        (_, true, _) => format!("already there at the start; back at {step}"),
        (already, false, _) => format!("{step}; {already} of {runs} already there at the start"),
    }
}

fn slope_row(view: &NamedView, outcome: &Outcome) -> Option<String> {
    let valid = outcome.trajectories.iter().map(|run| run.valid).min().filter(|valid| *valid >= 30)?;
    let curves: Vec<&[f64]> = outcome.trajectories.iter().map(|run| &run.of(&RISK)[..valid]).collect();
    let found = slopes(&outcome.trajectories[0].of(&TIME)[..valid], &curves, WINDOWS);
    let words = found.iter().map(|one| {
        let width = if one.half_width.is_nan() { String::new() } else { format!(" ± {:.2}", one.half_width) };
        format!("{}: <b>{:.2}</b>{width}", digits(one.time), one.slope).replace('-', "−")
    });
    let words = words.collect::<Vec<_>>().join("; ");
    (!found.is_empty()).then(|| format!("<tr><td>{}</td><td>{words}</td></tr>\n", escape(&view.name)))
}

//! What a sweep answers: a line for each point.

use std::path::Path;
use twolayer_file::Study;
use twolayer_lab::{
    answer::{digits, duration},
    run::Finished,
    store::{Index, PointRecord, ViewSummary},
};

/// Points that are told one by one.
const MOST: usize = 24;

/// The lines of one sweep.
pub struct Lines {
    title: String,
    width: usize,
    told: usize,
}

impl Lines {
    /// Lines for the points of `study`.
    pub fn new(study: &Study) -> Self {
        let width = study.points().iter().map(|point| point.directory.chars().count()).max().unwrap_or(0);
        Self { title: study.title(), width, told: 0 }
    }

    /// The line of a point, after the title before the first; empty where enough are told.
    pub fn point(&mut self, point: &Finished<'_>) -> String {
        self.told += 1;
        let line = match self.told {
            n if n <= MOST => {
                format!("  {:width$}  {}\n", point.record.directory, results(point.record), width = self.width)
            }
            n if n == MOST + 1 => "  …\n".into(),
            _ => String::new(),
        };
        if self.told == 1 && !self.title.is_empty() { format!("{}\n{line}", self.title) } else { line }
    }

    /// The last lines; `together` is what there is to say of all points.
    pub fn end(&self, index: &Index, together: &[String], out: &Path, seconds: f64) -> String {
        let mut words: Vec<(&str, usize)> = Vec::new();
        for point in &index.points {
            match words.iter_mut().find(|(word, _)| *word == point.status) {
                Some((_, count)) => *count += 1,
                None => words.push((&point.status, 1)),
            }
        }
        let counts: Vec<String> = words.iter().map(|(word, count)| format!("{count} {word}")).collect();
        let pairs = || index.points.iter().flat_map(|point| &point.agreement);
        let count = |verdict: &str| pairs().filter(|pair| pair[2] == verdict).count();
        let (agree, not) = (count("agree"), count("not assessed"));
        let mut text = format!("  {} points over {}: {}", index.points.len(), index.keys.join(", "), counts.join(", "));
        text += &match (pairs().count() - not, not) {
            (0, 0) => String::new(),
            (0, not) => format!("; none of {not} pairs of views was assessed"),
            (all, 0) => format!("; {agree} of {all} pairs of views agree"),
            (all, not) => format!("; {agree} of {all} pairs of views agree, {not} not assessed"),
        };
        together.iter().for_each(|line| text += &format!("\n  {line}"));
        let (figure, list) = (out.join("figure.svg"), out.join("index.json"));
        text + &format!(
            "\n  figure: {}, all points: {} ({} in all)\n",
            figure.display(),
            list.display(),
            duration(seconds)
        )
    }
}

/// `risk limit 4.5e-7, direct 4.4e-7 ± 2e-8; agree`; with the times, where the views end at different ones.
fn results(record: &PointRecord) -> String {
    let first = record.views.first().and_then(|view| view.final_time);
    let together = |time: Option<f64>| matches!((first, time), (Some(a), Some(b)) if (a - b).abs() <= 1e-2 * a);
    let apart = record.views.iter().any(|view| view.final_risk.is_some() && !together(view.final_time));
    let view = |view: &ViewSummary| {
        let risk = view.final_risk.map_or("nothing".into(), digits);
        let error = view.final_risk_error.map(|error| format!(" ± {}", digits(error))).unwrap_or_default();
        let status = if view.status == "done" { String::new() } else { format!(" ({})", view.status) };
        let at = match view.final_time {
            Some(time) if apart => format!(" at t = {}", digits(time)),
            _ => String::new(),
        };
        format!("{} {risk}{error}{at}{status}", view.name)
    };
    let views: Vec<String> = record.views.iter().map(view).collect();
    let not: Vec<String> = (record.agreement.iter())
        .filter(|pair| pair[2] != "agree")
        .map(|[first, second, verdict]| format!("{first} and {second}: {verdict}"))
        .collect();
    let verdict = match (record.agreement.is_empty(), not.is_empty()) {
        (true, _) => String::new(),
        (false, true) => "; agree".into(),
        (false, false) => format!("; {}", not.join(", ")),
    };
    format!("risk {}{verdict}", views.join(", "))
}

//! What the target hides, beside what was learnt of it: the block of `twolayer analyze`, and fresh and reused batches side
//! by side.

use faer::Mat;
use twolayer::{
    hierarchy::Sight,
    problem::{Data, Problem},
    random::Streams,
    record::{
        KeepQ, Trajectory,
        observable::{STUDENT_SQUARES, STUDENT_TEACHER},
    },
};
use twolayer_file::experiment::Experiment;
use twolayer_plot::escape;

use crate::{
    analysis::{Analysed, text},
    answer::digits,
    outcome::Outcome,
};

/// More directions than this take seconds to analyse: the reader is told how to ask.
const MOST_DIRECTIONS: usize = 4;

/// The block of `twolayer analyze` for the first view's target, and the table of protocols where both are there.
pub(super) fn hidden(experiment: &Experiment, outcomes: &[Outcome]) -> String {
    let Some(view) = experiment.views.first() else { return String::new() };
    let problem = &view.problem;
    let mut page = String::from("<h2>What the target hides</h2>\n");
    if problem.directions() > MOST_DIRECTIONS {
        page += "<p class=\"faint\">For so many directions, ask <code>twolayer analyze</code>.</p>\n";
        return page;
    }
    // Where each replicate draws its own start, the first one's stands for all.
    let start = Streams { seed: view.view.seed, replicate: 0 };
    let sight = Sight::of_network(problem, start);
    match sight.and_then(|sight| Analysed::of(&problem.target, Some(&sight))) {
        Ok(analysed) => {
            let directions = found(&analysed);
            page += &format!("<pre>{}</pre>\n", escape(&text(&analysed)));
            page += &side_by_side(experiment, outcomes, &directions);
        }
        Err(error) => page += &format!("<p class=\"faint\">It was not analysed: {}</p>\n", escape(&error.to_string())),
    }
    page
}

/// The directions of the fresh stairs, then what only the law of the label shows.
fn found(analysed: &Analysed) -> Vec<Vec<f64>> {
    let fresh = analysed.analysis.fresh.stairs.iter();
    let aware = analysed.analysis.label_aware.stairs.iter();
    let mut directions: Vec<Vec<f64>> = Vec::new();
    for direction in fresh.chain(aware).flat_map(|stair| stair.directions.iter()) {
        let mut rest = direction.clone();
        for known in &directions {
            let along: f64 = rest.iter().zip(known).map(|(x, y)| x * y).sum();
            rest.iter_mut().zip(known).for_each(|(x, y)| *x -= along * y);
        }
        let norm = rest.iter().map(|x| x * x).sum::<f64>().sqrt();
        if norm > 1e-3 {
            directions.push(rest.iter().map(|x| x / norm).collect());
        }
    }
    directions
}

/// A row for each view: what it trains on, and the largest cosine of a neuron with each direction at the end; only where
/// some views reuse data and others do not, and P = I.
fn side_by_side(experiment: &Experiment, outcomes: &[Outcome], directions: &[Vec<f64>]) -> String {
    let of = |data: Data| experiment.views.iter().any(|view| view.problem.training.data == data);
    let orthonormal = experiment.views.iter().all(|view| {
        let k = view.problem.directions();
        view.problem.target.overlaps == Mat::<f64>::identity(k, k)
    });
    if !(of(Data::Fresh) && of(Data::Reused) && orthonormal) {
        return String::new();
    }
    let component = |x: &f64| format!("{x:.3}").replace('-', "−");
    let words = |v: &Vec<f64>| format!("({})", v.iter().map(component).collect::<Vec<_>>().join(", "));
    let heads: String = directions.iter().map(|v| format!("<th>{}</th>", words(v))).collect();
    let mut rows = String::new();
    for (view, outcome) in experiment.views.iter().zip(outcomes) {
        let cells: String = directions.iter().map(|v| format!("<td>{}</td>", cosine(outcome, v))).collect();
        rows += &format!("<tr><td>{}</td><td>{}</td>{cells}</tr>\n", escape(&view.name), data(&view.problem));
    }
    format!(
        "<h3>Fresh and reused, side by side</h3>\n<div class=\"scroll\"><table>\n<tr><th>view</th><th>data</th>{heads}</tr>\n\
         {rows}</table></div>\n<p class=\"faint\">Largest |cosine| of a neuron with each direction at the end, ± the \
         standard error over replicates. Chance alone gives some 1/√d.</p>\n"
    )
}

fn data(problem: &Problem) -> &'static str {
    match problem.training.data {
        Data::Fresh => "fresh",
        Data::Reused => "reused",
    }
}

/// Mean and standard error over replicates of max_j |⟨M_j, v⟩|/√Q_jj at the last entry.
fn cosine(outcome: &Outcome, v: &[f64]) -> String {
    let of = |run: &Trajectory| {
        let (p, k, t) = (run.width, run.directions, run.valid - 1);
        let one = |j: usize| {
            let row = &run.of(&STUDENT_TEACHER)[(t * p + j) * k..][..k];
            let along: f64 = row.iter().zip(v).map(|(m, v)| m * v).sum();
            twolayer::overlaps::cosine(along, [run.of(&STUDENT_SQUARES)[t * p + j].sqrt(), 1.0]).abs()
        };
        (0..p).map(one).filter(|cosine| cosine.is_finite()).fold(0.0, f64::max)
    };
    let known = |run: &&Trajectory| run.valid > 0 && run.keep_q() != KeepQ::None;
    let values: Vec<f64> = outcome.trajectories.iter().filter(known).map(of).collect();
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    match values.len() {
        0 => "–".into(),
        1 => digits(mean),
        _ => {
            let variance = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (count - 1.0);
            format!("{} ± {}", digits(mean), digits((variance / count).sqrt()))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use twolayer_file::parse;

    #[test]
    fn protocols_stand_side_by_side_along_the_stairs() {
        let text = "[target]\nexpression = \"tanh(z1 + he3(z2))\"\n[network]\nwidth = 2\nactivation = \"relu\"\n[training]\n\
                    dimension = 60\ndata = \"reused\"\nsamples = \"3*d\"\nbatch = \"n\"\nlearning_rate = 0.3\nsteps = 3\n\
                    [[view]]\nengine = \"direct\"\nreplicates = 2\n[[view]]\nname = \"fresh\"\nengine = \"direct\"\n\
                    replicates = 2\noverride = { \"training.data\" = \"fresh\" }\n";
        let mut experiment = parse(text, Path::new("f.toml")).unwrap();
        let machine = twolayer::method::Machine { memory: 1e9, cores: 1 };
        let (plans, _) = crate::plan::plan(&mut experiment, &machine).unwrap();
        struct Quiet;
        impl crate::run::Monitor for Quiet {
            fn progress(&self, _: &crate::task::Task, _: &twolayer::observer::Progress) {}
            fn finished(&self, _: &crate::task::Task, _: &crate::store::Part) {}
            fn interrupted(&self) -> bool {
                false
            }
        }
        let outcomes = crate::run::run(&experiment, &plans, 1, &Quiet).unwrap();
        let page = hidden(&experiment, &outcomes);
        assert!(page.contains("information exponent 1"), "{page}");
        assert!(
            page.contains("<td>fresh</td><td>fresh</td>") && page.contains("<td>direct</td><td>reused</td>"),
            "{page}"
        );
        assert!(page.contains("(0.768, −0.641)") && page.contains("(0.641, 0.768)"), "{page}");
    }
}

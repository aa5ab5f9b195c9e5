//! The neurons in the plane of the first two cosines, or the particles (a, s), as data for the page's animation.

use serde_json::{Value, json};
use twolayer::record::observable::{SECOND_LAYER, STUDENT_SQUARES, STUDENT_TEACHER, TIME};
use twolayer::{
    problem::Engine,
    record::{KeepQ, Trajectory},
};
use twolayer_file::experiment::{Experiment, Quantity};
use twolayer_plot::PALETTE;

use crate::outcome::Outcome;

/// More moments or neurons only make the page heavy.
const MOMENTS: usize = 160;
const NEURONS: usize = 200;

/// The animation, if a scatter figure is asked for and at least two directions are there, or a cloud; and Q: the first
/// replicate of each view.
pub(super) fn animation(experiment: &Experiment, outcomes: &[Outcome]) -> Option<String> {
    let asked = |y: Quantity| experiment.figures.iter().any(|figure| figure.y == y);
    let cloud = !asked(Quantity::Scatter);
    if cloud && !asked(Quantity::Cloud) {
        return None;
    }
    let runs = outcomes.iter().filter_map(|outcome| outcome.trajectories.first());
    let tallest = runs.map(|run| largest(run.of(&SECOND_LAYER))).fold(0.0, f64::max);
    let mut views: Vec<Value> = Vec::new();
    let mut times: Vec<f64> = Vec::new();
    let mut width = 0;
    for (index, (view, outcome)) in experiment.views.iter().zip(outcomes).enumerate() {
        let Some(run) = outcome.trajectories.first() else { continue };
        if (run.directions < 2 && !cloud) || run.keep_q() == KeepQ::None || run.valid == 0 {
            continue;
        }
        let stride = run.valid.div_ceil(MOMENTS);
        // The end is always among them.
        let moments: Vec<usize> = (0..run.valid).rev().step_by(stride).collect::<Vec<_>>().into_iter().rev().collect();
        let p = run.width.min(NEURONS);
        let cosine = |t: usize, j: usize, r: usize| {
            let scale = run.of(&STUDENT_SQUARES)[t * run.width + j] * view.problem.target.overlaps[(r, r)];
            let overlap = run.of(&STUDENT_TEACHER)[(t * run.width + j) * run.directions + r];
            let cosine = if scale > 0.0 { overlap / scale.sqrt() } else { 0.0 };
            (cosine * 1e4).round() / 1e4
        };
        let coordinate = |r: usize| -> Vec<Vec<f64>> {
            moments.iter().map(|&t| (0..p).map(|j| cosine(t, j, r)).collect()).collect()
        };
        let recorded: Vec<f64> = moments.iter().map(|&t| run.of(&TIME)[t]).collect();
        if recorded.len() > times.len() {
            times.clone_from(&recorded);
        }
        width = width.max(p);
        views.push(json!({
            "name": view.name,
            "limit": view.view.engine == Engine::Limit,
            "color": PALETTE[index % PALETTE.len()],
            "times": recorded,
            "x": coordinate(0),
            "y": if cloud { heights(run, &moments, p, tallest) } else { coordinate(1) },
        }));
    }
    if views.is_empty() {
        return None;
    }
    let up = if cloud { "second layer a, on the scale of asinh a" } else { "cosine with z2" };
    // The palette's black would vanish on a dark page.
    let colors: Vec<&str> = PALETTE.into_iter().filter(|color| *color != "#000000").collect();
    let colors = (width <= PALETTE.len()).then_some(colors);
    let levels = if cloud { levels(tallest) } else { Vec::new() };
    let data = json!({ "times": times, "colors": colors, "levels": levels, "views": views })
        .to_string()
        .replace('<', "\\u003c");
    Some(format!(
        "<h2>The neurons in motion</h2>\n\
         <div class=\"plane\"><svg id=\"plane\" viewBox=\"-1.15 -1.15 2.3 2.3\" role=\"img\" \
         aria-label=\"Neurons: {up}, over the cosine with z1\"></svg>\n\
         <div class=\"controls\"><button id=\"play\" type=\"button\">Play</button>\
         <input id=\"moment\" type=\"range\" min=\"0\" aria-label=\"time\"><output id=\"clock\"></output></div></div>\n\
         <p class=\"faint\">Right: cosine with z1. Up: {up}. Crosses: limits; circles: the first replicate of \
         each simulation; with their paths since the start.</p>\n\
         <script type=\"application/json\" id=\"neurons\">{data}</script>\n<script>\n{}</script>\n",
        include_str!("animation.js")
    ))
}

fn largest(values: &[f64]) -> f64 {
    values.iter().filter(|value| value.is_finite()).fold(0.0, |most: f64, value| most.max(value.abs()))
}

/// asinh a over that of the tallest: particles grow by orders of magnitude, and begin near 0.
fn height(a: f64, tallest: f64) -> f64 {
    if tallest > 0.0 { (1e4 * a.asinh() / tallest.asinh()).round() / 1e4 } else { 0.0 }
}

fn heights(run: &Trajectory, moments: &[usize], p: usize, tallest: f64) -> Vec<Vec<f64>> {
    let of = |t: &usize| run.row(&SECOND_LAYER, *t).iter().take(p).map(|a| height(*a, tallest)).collect();
    moments.iter().map(of).collect()
}

/// Round values of a, with the heights at which they are marked.
fn levels(tallest: f64) -> Vec<Value> {
    let powers = (0..6).map(|power| 10_f64.powi(power)).filter(|level| *level <= tallest);
    powers.flat_map(|level| [level, -level]).map(|level| json!([level, height(level, tallest)])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fabricated::{self, Sizes};

    #[test]
    fn a_cloud_moves_on_the_scale_of_its_growth() {
        let sizes = Sizes { p: 3, k: 1 };
        let mut outcome = fabricated::limit(sizes, &[0.0, 1.0], 1e-6);
        let a = [0.5, -0.5, 0.0, 20.0, -1.0, 0.0];
        outcome.trajectories[0].set(&SECOND_LAYER, a.to_vec());
        let views = vec![fabricated::view("limit", Engine::Limit, sizes, 1000)];
        let experiment = fabricated::experiment(views, vec![fabricated::figure(Quantity::Cloud)]);
        let page = animation(&experiment, std::slice::from_ref(&outcome)).unwrap();
        assert!(page.contains("\"y\":[[0.1304,-0.1304,0.0],[1.0,-0.2389,0.0]]"), "{page}");
        assert!(page.contains("[10.0,0.8126],[-10.0,-0.8126]") && !page.contains("100.0"), "{page}");
        assert!(page.contains("Up: second layer a"));
        let plain = fabricated::experiment(experiment.views.clone(), vec![fabricated::figure(Quantity::Risk)]);
        assert!(animation(&plain, &[outcome]).is_none());
    }
}

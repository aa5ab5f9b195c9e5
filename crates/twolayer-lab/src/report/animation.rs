//! The neurons in the plane of the first two cosines, as data for the page's animation.

use serde_json::{Value, json};
use twolayer::{problem::Engine, record::KeepQ};
use twolayer_file::experiment::{Experiment, Quantity};

use crate::{figure::PALETTE, outcome::Outcome};

/// More moments or neurons only make the page heavy.
const MOMENTS: usize = 160;
const NEURONS: usize = 200;

/// The animation, if a scatter figure is asked for and at least two directions and Q are there to draw it: the first
/// replicate of each view.
pub(super) fn animation(experiment: &Experiment, outcomes: &[Outcome]) -> Option<String> {
    experiment.figures.iter().find(|figure| figure.y == Quantity::Scatter)?;
    let mut views: Vec<Value> = Vec::new();
    let mut times: Vec<f64> = Vec::new();
    let mut width = 0;
    for (index, (view, outcome)) in experiment.views.iter().zip(outcomes).enumerate() {
        let Some(run) = outcome.trajectories.first() else { continue };
        if run.directions < 2 || run.keep_q == KeepQ::None || run.valid == 0 {
            continue;
        }
        let stride = run.valid.div_ceil(MOMENTS);
        // The end is always among them.
        let moments: Vec<usize> = (0..run.valid).rev().step_by(stride).collect::<Vec<_>>().into_iter().rev().collect();
        let p = run.width.min(NEURONS);
        let cosine = |t: usize, j: usize, r: usize| {
            let scale = run.student_squares[t * run.width + j] * view.problem.target.overlaps[(r, r)];
            let overlap = run.student_teacher[(t * run.width + j) * run.directions + r];
            let cosine = if scale > 0.0 { overlap / scale.sqrt() } else { 0.0 };
            (cosine * 1e4).round() / 1e4
        };
        let coordinate = |r: usize| -> Vec<Vec<f64>> {
            moments.iter().map(|&t| (0..p).map(|j| cosine(t, j, r)).collect()).collect()
        };
        let recorded: Vec<f64> = moments.iter().map(|&t| run.time[t]).collect();
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
            "y": coordinate(1),
        }));
    }
    if views.is_empty() {
        return None;
    }
    // The palette's black would vanish on a dark page.
    let colors: Vec<&str> = PALETTE.into_iter().filter(|color| *color != "#000000").collect();
    let colors = (width <= PALETTE.len()).then_some(colors);
    let data = json!({ "times": times, "colors": colors, "views": views }).to_string().replace('<', "\\u003c");
    Some(format!(
        "<h2>The neurons in motion</h2>\n\
         <div class=\"plane\"><svg id=\"plane\" viewBox=\"-1.15 -1.15 2.3 2.3\" role=\"img\" \
         aria-label=\"Neurons in the plane of the cosines with z1 (right) and z2 (up)\"></svg>\n\
         <div class=\"controls\"><button id=\"play\" type=\"button\">Play</button>\
         <input id=\"moment\" type=\"range\" min=\"0\" aria-label=\"time\"><output id=\"clock\"></output></div></div>\n\
         <p class=\"faint\">Right: cosine with z1. Up: cosine with z2. Crosses: limits; circles: the first replicate of \
         each simulation; with their paths since the start.</p>\n\
         <script type=\"application/json\" id=\"neurons\">{data}</script>\n<script>\n{}</script>\n",
        include_str!("animation.js")
    ))
}

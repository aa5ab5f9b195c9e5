//! Paper D: one set of ODEs. Weights times √d, batch 1, s = 1/p.

use super::{
    Paper,
    letters::{dimension, no_rate, scale, short},
};
use crate::{citation, problem::Problem};

/// arXiv 2302.05882.
pub const PAPER: Paper = Paper { letter: 'D', citation: citation::ARNABOLDI_2023, letters };

/// `γ = η d`, `t = ν γ/(p d)`, and the risk with the label noise. (theory.md §1)
fn letters(problem: &Problem) -> Vec<String> {
    let p = problem.width() as f64;
    let gamma = problem.learning_rate() * dimension(problem);
    let mut lines: Vec<String> = scale(problem, 1.0 / p, "1/p").into_iter().collect();
    lines.push(format!("γ = η d = {}, γ/p = {}", short(gamma), short(gamma / p)));
    lines.push(format!("t = ν γ/(p d) = {} (ours, νηs)", short(problem.time())));
    lines.push(format!("risk: R + Δ/2, Δ/2 = {}", short(problem.target.noise / 2.0)));
    lines.extend(no_rate(problem));
    lines
}

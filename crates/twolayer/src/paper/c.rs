//! Paper C: time-scales. Unit sphere, gradient flow, s = 1/m.

use super::{
    Paper,
    letters::{scale, short},
};
use crate::{citation, problem::Problem};

/// arXiv 2303.00055.
pub const PAPER: Paper = Paper { letter: 'C', citation: citation::BERTHIER_2023, letters };

/// `m = p`, `ε = η/η_a`. (theory.md §1)
fn letters(problem: &Problem) -> Vec<String> {
    let p = problem.width() as f64;
    let mut lines: Vec<String> = scale(problem, 1.0 / p, "1/m").into_iter().collect();
    lines.push(format!("m = {p}, ε = η/η_a = {}", short(1.0 / problem.rate_ratio())));
    lines.push(format!("t = {} (gradient flow; ours, νηs)", short(problem.time())));
    lines.push("risk: R".into());
    lines
}

//! Paper B: giant steps. Unit weights, mean gradient, s = 1/√p.

use super::{
    Paper,
    letters::{no_rate, scale, short},
};
use crate::{citation, problem::Problem};

/// arXiv 2305.18270.
pub const PAPER: Paper = Paper { letter: 'B', citation: citation::DANDI_2023, letters };

/// `η_B = η`. (theory.md §1)
fn letters(problem: &Problem) -> Vec<String> {
    let mut lines: Vec<String> = scale(problem, 1.0 / (problem.width() as f64).sqrt(), "1/√p").into_iter().collect();
    lines.push(format!("η_B = η = {}", short(problem.learning_rate())));
    lines.push("time: steps".into());
    lines.push("risk: E(f − g)² = 2R".into());
    lines.extend(no_rate(problem));
    lines
}

//! Paper A: reused batches. Weights times √d, gradient of the sum over the batch, s = 1.

use super::{
    Paper,
    letters::{dimension, no_rate, scale, short},
};
use crate::{citation, problem::Problem};

/// arXiv 2402.03220.
pub const PAPER: Paper = Paper { letter: 'A', citation: citation::DANDI_2024, letters };

/// `η_A = η d/n_b`, `λ_A = λ_w η/η_A`. (theory.md §1)
fn letters(problem: &Problem) -> Vec<String> {
    let (d, batch) = (dimension(problem), problem.batch() as f64);
    let mut lines: Vec<String> = scale(problem, 1.0, "1").into_iter().collect();
    lines.push(format!(
        "η_A = η d/n_b = {} (gradient of the sum over the batch, weights times √d)",
        short(problem.learning_rate() * d / batch)
    ));
    lines.push(format!("λ_A = λ_w η/η_A = {}", short(problem.training.weight_decay * batch / d)));
    lines.push("time: steps".into());
    lines.push("risk: R".into());
    lines.extend(no_rate(problem));
    lines
}

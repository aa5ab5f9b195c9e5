//! What the letters of all papers have in common.

use crate::problem::{Algorithm, Problem};

/// What is said where the output scale is not the paper's `expected` one, `formula` in its letters.
pub(super) fn scale(problem: &Problem, expected: f64, formula: &str) -> Option<String> {
    let s = problem.output_scale();
    ((s / expected - 1.0).abs() > 1e-9)
        .then(|| format!("output scale s = {}, where the paper has s = {formula}", short(s)))
}

/// What is said of a gradient flow to a paper that counts steps.
pub(super) fn no_rate(problem: &Problem) -> Option<String> {
    (problem.training.algorithm == Algorithm::GradientFlow)
        .then(|| "a gradient flow has no η: letters that need one are NaN".into())
}

/// d; NaN where it is infinite.
pub(super) fn dimension(problem: &Problem) -> f64 {
    problem.dimension().map_or(f64::NAN, |d| d as f64)
}

/// Six significant digits.
pub(super) fn short(value: f64) -> String {
    format!("{value:.5e}").parse::<f64>().unwrap_or(value).to_string()
}

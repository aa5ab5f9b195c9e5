//! Weights that have grown until there is no risk.

use super::super::Warning;
use crate::{
    problem::Problem,
    record::{Trajectory, observable::STUDENT_SQUARES},
};

/// The activation as a function of the preactivations at the end, where their variance has grown.
pub(super) fn seen(problem: &Problem, runs: &[Trajectory]) -> Option<Warning> {
    let largest = |run: &Trajectory, at: usize| {
        let squares = run.get(&STUDENT_SQUARES)?.get(at * run.width..(at + 1) * run.width)?;
        squares.iter().copied().filter(|square| square.is_finite()).reduce(f64::max)
    };
    let ends = runs.iter().filter(|run| run.valid > 0).filter_map(|run| {
        let (start, end) = (largest(run, 0)?, largest(run, run.valid - 1)?);
        (end > start).then_some(end)
    });
    let end = ends.reduce(f64::max)?;
    let why = problem.network.activation.no_function(end, problem.network.spread_of_biases())?;
    let text = format!("the weights have grown until σ is no activation: at the end {}; {}", why.reason, why.remedy);
    Some(Warning { id: "no function".into(), text })
}

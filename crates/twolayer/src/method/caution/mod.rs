//! What a view should be read with, whatever its method: starts that a limit does not leave and finite runs do, rates that are
//! too large, activations that the weights have outgrown.

mod activation;
mod fixed_point;
mod rate;

pub use fixed_point::FIXED_POINT;
pub use rate::{KnownRates, TOO_LARGE};

use super::{Plan, Warning};
use crate::{
    observer::Observer,
    problem::{Problem, View},
    record::Trajectory,
};

/// All that is to be said of a view: before it runs (`runs` is empty), in a fraction of a second, or with what its replicates
/// have recorded. Then limits are integrated anew where that tells when, or from which rate on; the observer may say stop, and
/// less is told. `known` serves all views of an experiment.
pub fn warnings(
    problem: &Problem,
    view: &View,
    plan: &Plan,
    runs: &[Trajectory],
    known: &mut KnownRates,
    observer: &dyn Observer,
) -> Vec<Warning> {
    let mut all = plan.method.warnings(runs.iter().find(|run| run.valid > 0));
    if runs.is_empty() {
        all.extend(fixed_point::expected(problem, view, plan));
    } else {
        all.extend(fixed_point::seen(problem, view, plan, runs, observer));
        all.extend(rate::seen(problem, view, runs, known, observer));
        all.extend(activation::seen(problem, runs));
    }
    all
}

/// Two significant digits; toward zero, so that what is a bound stays one.
fn short(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return value.to_string();
    }
    let unit = 10_f64.powf(value.abs().log10().floor() - 1.0);
    let cut = (value / unit * (1.0 + 1e-12)).trunc() * unit;
    let rounded: f64 = format!("{cut:.1e}").parse().unwrap_or(cut);
    if (1e-4..1e5).contains(&rounded.abs()) { rounded.to_string() } else { format!("{rounded:e}") }
}

#[cfg(test)]
mod tests {
    use super::short;

    #[test]
    fn bounds_are_cut_and_not_rounded() {
        let words = [0.0203, 0.0299, 6.19, 1.87e6, 12.0, 0.5, 2.5e-7].map(short);
        assert_eq!(words, ["0.02", "0.029", "6.1", "1.8e6", "12", "0.5", "2.5e-7"]);
    }
}

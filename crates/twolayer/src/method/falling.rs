//! A gradient flow of the population risk may only lower it: a record in which the risk rises is wrong.

use super::contract::Warning;
use crate::{
    problem::{Loss, Problem},
    record::{
        Trajectory,
        observable::{RISK, RISK_ERROR, TIME},
    },
};

/// A rise by less than so many stated errors is none.
const ERRORS: f64 = 3.0;
/// Nor one by less than this part of the first risk.
const ROUNDING: f64 = 1e-9;

/// Whether the flow of `problem` is that of its risk: of the squared loss, without weight decay, and nothing climbs.
pub(super) fn only_falls(problem: &Problem) -> bool {
    let training = &problem.training;
    training.loss == Loss::Squared && training.weight_decay == 0.0 && problem.rate_ratio() >= 0.0
}

/// The largest rise above the lowest risk so far that the stated errors do not explain: when, and by how much.
fn largest_rise(run: &Trajectory) -> Option<(f64, f64)> {
    let (risk, time) = (run.of(&RISK), run.of(&TIME));
    let error = |t: usize| run.of(&RISK_ERROR).get(t).copied().filter(|error| error.is_finite()).unwrap_or(0.0);
    let first = *risk.first()?;
    let (mut lowest, mut found) = (0, None);
    for t in 0..run.valid {
        let rise = risk[t] - risk[lowest];
        let allowed = ERRORS * (error(t) + error(lowest)) + ROUNDING * first.abs();
        if rise > allowed && found.is_none_or(|(_, most)| rise > most) {
            found = Some((time[t], rise));
        }
        if risk[t] < risk[lowest] {
            lowest = t;
        }
    }
    found
}

/// The warning, where the risk of a flow that may only fall rises.
pub(super) fn rises(run: &Trajectory) -> Option<Warning> {
    let (at, rise) = largest_rise(run)?;
    let text = format!(
        "a gradient flow can only lower its risk, and this one is {rise:.1e} above its lowest at t = {at:.3e}, more than the \
         stated errors explain: do not trust it from there on; a smaller tolerance may help"
    );
    Some(Warning { id: "risk rises".into(), text })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        overlaps::Overlaps,
        record::{Entry, KeepQ},
    };

    fn run(risks: &[f64], risk_error: f64) -> Trajectory {
        let mut run = Trajectory::new(1, 1, KeepQ::None);
        for (t, &risk) in risks.iter().enumerate() {
            run.push(&Entry {
                step: t as f64,
                time: t as f64,
                samples: 0.0,
                gradients: 0.0,
                risk,
                risk_error,
                overlaps: &Overlaps::zeros(1, 1),
                squares: None,
                second_layer: &[1.0],
                bias: &[0.0],
            });
        }
        run
    }

    #[test]
    fn a_risk_that_rises_is_told_and_one_that_falls_is_not() {
        assert_eq!(rises(&run(&[1.0, 0.5, 0.5, 0.1], 0.0)), None);
        let warning = rises(&run(&[1.0, 0.5, 0.6, 0.55, 0.1], 1e-3)).unwrap();
        assert_eq!(warning.id, "risk rises");
        assert!(warning.text.contains("1.0e-1 above its lowest at t = 2.000e0"), "{}", warning.text);
        // Within what is stated, or the last digit.
        assert_eq!(rises(&run(&[1.0, 0.5, 0.6, 0.1], 0.02)), None);
        assert_eq!(rises(&run(&[1.0, 1e-14, 3e-14], 0.0)), None);
        // Small steps up add up.
        assert!(rises(&run(&[1.0, 0.5, 0.5003, 0.5006, 0.5009], 1e-4)).is_some());
    }
}

//! How long an integration will take, from its first steps: stiffness shows in how slowly they grow.

use std::{
    ops::ControlFlow,
    sync::{Mutex, PoisonError},
};

use super::{OnlineFlow, fine_options};
use crate::{
    average::{self, Averages, State},
    error::Result,
    method::contract::Cost,
    observer::{Observer, Progress},
    problem::{Problem, Terms},
    solve::{self, Ending, Method, Options},
};

/// Seconds of a trial.
pub(super) const SECONDS: f64 = 0.3;
/// Drifts of a step of Tsitouras's method.
const STAGES: f64 = 7.0;
/// Steps of a trial: enough to see them grow, and few enough to be a trial.
const STEPS: [f64; 2] = [16.0, 1000.0];
/// Drifts of the implicit method, its Jacobians not counted, and how many of these it forms.
const IMPLICIT: [f64; 2] = [3000.0, 100.0];
/// The check takes this share of the main integration.
const CHECK: f64 = 0.7;

/// Matrices that the implicit method holds: the Jacobian, what is solved, its factors.
const MATRICES: f64 = 4.0;

/// Predicted seconds of [`super::run`] up to `end`, and the bytes of the implicit method where it will be needed; `clock` tells
/// seconds. A drift slower than a tenth of a second is not tried: `None`.
pub(super) fn cost(
    problem: &Problem,
    start: &State,
    kappa: f64,
    terms: Terms,
    tolerance: f64,
    clock: &dyn Fn() -> f64,
) -> Result<Option<Cost>> {
    let kernel = average::for_problem(problem, tolerance)?;
    let field = OnlineFlow::new(problem, start, kappa, terms, kernel.as_ref())?;
    let mut averages = Averages::zeros(problem.width(), problem.directions());
    let begun = clock();
    kernel.averages(start, field.want, &mut averages)?;
    let drift = (clock() - begun).max(1e-7);
    if drift > SECONDS / 3.0 {
        return Ok(None);
    }
    let error = averages.drift_error.max(averages.noise_error);
    let steps = (SECONDS / (STAGES * drift)).clamp(STEPS[0], STEPS[1]);
    let fine = fine_options(start, error, tolerance);
    let options = Options { method: Method::Explicit, max_steps: steps as usize, ..fine };
    let (y0, end) = (field.pack(start), problem.time());
    let marks = Marks(Mutex::default());
    let begun = clock();
    let solution = solve::integrate(&field, &y0, &[end], &options, &marks)?;
    let took = clock() - begun;
    let mut bytes = 0.0;
    let main = match solution.ending {
        Ending::Stiff { at } => {
            let marks = marks.0.into_inner().unwrap_or_else(PoisonError::into_inner);
            let half = marks.get(marks.len() / 2).copied().unwrap_or(0.0);
            // Steps that go on as in the second half of the trial.
            let left = (end - at) / (at - half) * 0.5 * steps;
            let all = steps + left;
            let most = fine.max_steps as f64;
            let needed = all > most && y0.len() <= solve::MOST_IMPLICIT;
            let implicit = if needed { IMPLICIT[0] + 2.0 * IMPLICIT[1] * y0.len() as f64 } else { 0.0 };
            bytes = if needed { 8.0 * MATRICES * (y0.len() as f64).powi(2) } else { 0.0 };
            took * all.min(most) / steps + implicit * drift
        }
        _ => took,
    };
    Ok(Some(Cost { seconds: main * (1.0 + CHECK), bytes }))
}

/// The times at which the integrator spoke, evenly spread over its steps.
struct Marks(Mutex<Vec<f64>>);

impl Observer for Marks {
    fn progress(&self, at: &Progress) -> ControlFlow<()> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(at.done);
        ControlFlow::Continue(())
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::{
        observer::Silent,
        problem::{Activation, Duration, Formula, Network, Record, Rule, Target, Training},
        random::Streams,
    };

    /// A clock that counts drifts is not at hand; one that is asked tells how often. So: the trial of an integration that
    /// is short enough is the whole of it, and of a long one grows with the time that is asked for.
    #[test]
    fn a_longer_flow_takes_longer() {
        let problem = |time: f64| {
            let target = Target::new(Rule::committee(Activation::Erf, 2, 0.5));
            let training = Training::new(1000, Formula::number(1e-3), Duration::Time(Formula::number(time)));
            Problem::new(target, Network::new(3, Activation::Erf), training).unwrap()
        };
        // Each look at the clock is a tenth of a millisecond: a trial takes one, and so does a drift.
        let ticks = Cell::new(0.0);
        let clock = || {
            ticks.set(ticks.get() + 1e-4);
            ticks.get()
        };
        let predicted = |time: f64| {
            let problem = problem(time);
            let start = problem.start(Streams { seed: 0, replicate: 0 }).unwrap();
            let state = State {
                overlaps: start.overlaps(&problem.target.overlaps).unwrap(),
                bias: start.bias,
                second_layer: start.second_layer,
            };
            let found = cost(&problem, &state, 1.0, Terms::All, 1e-4, &clock).unwrap().unwrap().seconds;
            let times = [time];
            let keep_q = Record::default().keep_q(3);
            let (_, report) =
                super::super::run(&problem, &state, 1.0, Terms::All, &times, 1e-4, keep_q, &Silent).unwrap();
            (found, report.steps as f64)
        };
        let (short, short_steps) = predicted(10.0);
        let (long, long_steps) = predicted(3000.0);
        // In units of the trial's own time, which is one look at the clock for as many steps as there are, 428 at most.
        assert!(long > 1.2 * short, "{short} {long}");
        // The short one is done within the trial.
        let ratio = (long / short) / (long_steps / 428.0);
        assert!((0.3..3.0).contains(&ratio), "{short} of {short_steps} steps, {long} of {long_steps}");
        let slow = Cell::new(0.0);
        let clock = || {
            slow.set(slow.get() + 1.0);
            slow.get()
        };
        let problem = problem(1.0);
        let start = problem.start(Streams { seed: 0, replicate: 0 }).unwrap();
        let state = State {
            overlaps: start.overlaps(&problem.target.overlaps).unwrap(),
            bias: start.bias,
            second_layer: start.second_layer,
        };
        assert_eq!(cost(&problem, &state, 1.0, Terms::All, 1e-4, &clock).unwrap(), None);
    }
}

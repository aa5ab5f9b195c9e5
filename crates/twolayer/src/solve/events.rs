//! What is looked at from step to step: invariants, and the moments at which a function of the solution changes its sign.

use std::ops::ControlFlow;

use crate::error::Result;

/// Looks at an integration from step to step.
pub trait Watch {
    /// Fills `values` with functions of (t, y) whose changes of sign are events; their number never changes.
    fn values(&self, t: f64, y: &[f64], values: &mut Vec<f64>);

    /// Function `index` has changed its sign at t, where the solution is y.
    fn event(&mut self, index: usize, t: f64, y: &[f64]);

    /// The step to t, where the solution is y; `inside` gives it in between, at a cost. `Break` ends the integration as an
    /// observer does.
    ///
    /// # Errors
    /// Those of `inside`; they end the integration.
    fn step(&mut self, t: f64, y: &[f64], inside: &mut Inside<'_>) -> Result<ControlFlow<()>>;
}

/// The solution at a time within the step just made.
pub type Inside<'a> = dyn FnMut(f64, &mut Vec<f64>) -> Result<()> + 'a;

/// Looks at nothing.
impl Watch for () {
    fn values(&self, _: f64, _: &[f64], _: &mut Vec<f64>) {}

    fn event(&mut self, _: usize, _: f64, _: &[f64]) {}

    fn step(&mut self, _: f64, _: &[f64], _: &mut Inside<'_>) -> Result<ControlFlow<()>> {
        Ok(ControlFlow::Continue(()))
    }
}

/// Part of a step to which the time of an event is known.
const RESOLUTION: f64 = 1e-10;
/// Evaluations that one event may take.
const LOOKS: usize = 60;

/// The events of one step and of the steps before.
pub(super) struct Events {
    before: Vec<f64>,
    after: Vec<f64>,
    scratch: Vec<f64>,
}

impl Events {
    /// From the start of an integration on.
    pub(super) fn new(watch: &dyn Watch, t: f64, y: &[f64]) -> Self {
        let mut before = Vec::new();
        watch.values(t, y, &mut before);
        Self { before, after: Vec::new(), scratch: Vec::new() }
    }

    /// Locates the events of the step from `t` to `end`, where the solution is `y_end`, and tells of them in the order of
    /// their times; `inside` gives the solution between.
    ///
    /// # Errors
    /// Those of `inside`.
    pub(super) fn of_step(
        &mut self,
        watch: &mut dyn Watch,
        [t, end]: [f64; 2],
        y_end: &[f64],
        inside: &mut Inside<'_>,
    ) -> Result<()> {
        self.after.clear();
        watch.values(end, y_end, &mut self.after);
        let changes = self.before.iter().zip(&self.after).enumerate();
        let changed: Vec<usize> =
            changes.filter(|(_, (b, a))| **b != 0.0 && (**a == 0.0 || *b * *a < 0.0)).map(|(index, _)| index).collect();
        let mut found = Vec::new();
        for index in changed {
            let mut y = y_end.to_vec();
            let at = self.root(watch, index, [t, end], &mut y, inside)?;
            found.push((at, index, y));
        }
        found.sort_by(|left, right| left.0.total_cmp(&right.0));
        found.iter().for_each(|(at, index, y)| watch.event(*index, *at, y));
        std::mem::swap(&mut self.before, &mut self.after);
        Ok(())
    }

    /// Where function `index` is 0, by the Illinois variant of the false position; y becomes the solution there.
    fn root(
        &mut self,
        watch: &dyn Watch,
        index: usize,
        [mut low, mut high]: [f64; 2],
        y: &mut Vec<f64>,
        inside: &mut Inside<'_>,
    ) -> Result<f64> {
        let (mut value_low, mut value_high) = (self.before[index], self.after[index]);
        let width = RESOLUTION * (high - low);
        let mut side = 0;
        let mut at = high;
        for _ in 0..LOOKS {
            if value_high == 0.0 || high - low <= width {
                break;
            }
            at = (low * value_high - high * value_low) / (value_high - value_low);
            at = at.clamp(low, high);
            inside(at, y)?;
            self.scratch.clear();
            watch.values(at, y, &mut self.scratch);
            let value = self.scratch[index];
            if value == 0.0 || value.abs() < f64::EPSILON * (value_low.abs() + value_high.abs()) {
                break;
            }
            // One end that stays for ever would let the other creep: it counts half from the second time on.
            if value * value_high > 0.0 {
                (high, value_high) = (at, value);
                value_low *= if side == 1 { 0.5 } else { 1.0 };
                side = 1;
            } else {
                (low, value_low) = (at, value);
                value_high *= if side == -1 { 0.5 } else { 1.0 };
                side = -1;
            }
        }
        Ok(at)
    }
}

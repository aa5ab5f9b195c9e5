//! A stiff integrator for systems whose fast part is linear: extrapolated Euler steps of variable order.
//!
//! With fast components x and slow ones z, `dx/dt = g(z) − A(z) x` and `dz/dt = v(x, z)`, one small step is explicit in z and
//! implicit in x,
//!
//! ```text
//! z' = z + h v(x, z),   x' = (I + h A(z'))⁻¹ (x + h g(z')).
//! ```
//!
//! A step of size H is made with 1, 2, 3, … small steps, and the polynomial in h through the results is taken to h = 0:
//! order j with j of them, however stiff A. No Newton iteration and no Jacobian of v, which for pairs of neurons would have
//! (p²/2)² entries.
//!
//! Source: Hairer & Wanner, Solving ODEs II, §IV.9 (extrapolation, choice of order and step) and §VI.4 (why in A only).

use super::{
    Ending, Options, Run, Solution, VectorField,
    events::{Events, Watch},
};
use crate::{
    error::{Error, Result},
    observer::Observer,
};

/// A system whose first components x, the fast ones, obey a linear equation with coefficients that depend on the others.
pub trait LinearlyFast: VectorField {
    /// How many components are fast.
    fn fast(&self) -> usize;

    /// `x ← (I + h A(z))⁻¹ (x + h g(z))`.
    ///
    /// # Errors
    /// Where there is no such x; the integrator then tries a smaller step.
    fn relax(&self, h: f64, z: &[f64], x: &mut [f64]) -> Result<()>;

    /// `dz ← v(x, z)`.
    ///
    /// # Errors
    /// As for [`VectorField::drift`].
    fn slow_drift(&self, x: &[f64], z: &[f64], dz: &mut [f64]) -> Result<()>;
}

/// Rows of the tableau: the order is at most this.
const ROWS: usize = 10;
/// The first row after which a step may be accepted.
const FIRST: usize = 3;
/// Part of the step that the error estimate asks for.
const SAFETY: f64 = 0.85;
/// What a step may grow and shrink by.
const GROWTH: [f64; 2] = [0.1, 4.0];
/// What a step shrinks by where the drift does not exist.
const RETREAT: f64 = 0.25;

/// Integrates from `y0` at t = 0 and answers at `times` (rising, ≥ 0), each of which is the end of a step; `watch` sees
/// every step and every event. The error of a step, in each component, stays below
/// `absolute_tolerance + relative_tolerance·|y_i|`; `options.method` is of no consequence.
///
/// # Errors
/// As for [`integrate`](super::integrate).
pub fn integrate(
    system: &dyn LinearlyFast,
    y0: &[f64],
    times: &[f64],
    options: &Options,
    watch: &mut dyn Watch,
    observer: &dyn Observer,
) -> Result<Solution> {
    let field: &dyn VectorField = system;
    let mut run = Run::new(field, y0, times, options, observer)?;
    while run.due(0.0).is_some() {
        run.states.push(y0.to_vec());
    }
    let ending = if run.finished() {
        Ending::Done
    } else {
        let mut dy = vec![0.0; y0.len()];
        field.drift(0.0, y0, &mut dy)?;
        let first = first_step(y0, &dy, options, run.end());
        advance(system, &mut run, y0, first, watch)?
    };
    Ok(run.solution(ending, "extrapolated Euler steps, implicit in the second layer".into()))
}

/// A step along which the drift moves y by a hundredth, or by 10⁻³ of the tolerance where y is 0.
fn first_step(y: &[f64], dy: &[f64], options: &Options, end: f64) -> f64 {
    let small = 1e-3 * (options.absolute_tolerance + options.relative_tolerance);
    let rate = |(y, dy): (&f64, &f64)| dy.abs() / (1e-2 * y.abs()).max(small);
    let fastest = y.iter().zip(dy).map(rate).fold(0.0, f64::max);
    if fastest > 0.0 { (1.0 / fastest).min(1e-2 * end) } else { 1e-6 * end }
}

fn advance(
    system: &dyn LinearlyFast,
    run: &mut Run<'_>,
    y0: &[f64],
    first: f64,
    watch: &mut dyn Watch,
) -> Result<Ending> {
    let (end, options) = (run.end(), *run.options);
    let mut tableau = Tableau::new(system, y0.len());
    let (mut t, mut y, mut wanted, mut row) = (0.0, y0.to_vec(), first, FIRST);
    let mut events = Events::new(watch, t, &y);
    let mut refused = false;
    for _ in 0..options.max_steps {
        let (h, lands) = run.fitted(t, wanted);
        if t + h <= t {
            return Ok(run.stuck(t, &y));
        }
        let attempt = tableau.attempt(&y, h, row, &options);
        run.calls.count(std::mem::take(&mut tableau.evaluations), matches!(attempt, Attempt::Lost));
        let (used, next_row, next_step) = match attempt {
            Attempt::Lost => {
                (wanted, refused) = (RETREAT * h, true);
                continue;
            }
            Attempt::Refused { step, row: lower } => {
                (wanted, row, refused) = (step.min(0.7 * h), lower, true);
                continue;
            }
            Attempt::Accepted { used, row, step } => (used, row, step),
        };
        let new = if lands { run.next_time() } else { t + h };
        let next = tableau.result(used);
        while run.due(new).is_some() {
            run.states.push(next.clone());
        }
        let mut inside = |time: f64, state: &mut Vec<f64>| {
            tableau.plain(&y, time - t, used)?;
            *state = tableau.result(used);
            Ok(())
        };
        events.of_step(watch, [t, new], &next, &mut inside)?;
        let stop = watch.step(new, &next, &mut inside)?.is_break();
        (t, y) = (new, next);
        if let Some(ending) = run.accepted(t, &y, stop) {
            return Ok(ending);
        }
        // A step that was cut short by a time to answer at says nothing against the longer one.
        let grown = if refused { next_step.min(h) } else { next_step };
        wanted = if h < wanted { grown.max(wanted) } else { grown }.min(end);
        (row, refused) = (next_row, false);
    }
    Ok(Ending::Stiff { at: t })
}

/// What came of a step.
enum Attempt {
    /// Row `used` is good enough; the row and the step to try next.
    Accepted { used: usize, row: usize, step: f64 },
    /// Not good enough after all rows that were worth it.
    Refused { step: f64, row: usize },
    /// The drift does not exist somewhere on the way.
    Lost,
}

/// The results of one step with 1, 2, 3, … small steps, extrapolated.
struct Tableau<'a> {
    system: &'a dyn LinearlyFast,
    /// `columns[i]` holds T_{j,i} of the last row j computed, and `before` that of the row before.
    columns: Vec<Vec<f64>>,
    before: Vec<Vec<f64>>,
    slope: Vec<f64>,
    evaluations: usize,
}

impl<'a> Tableau<'a> {
    fn new(system: &'a dyn LinearlyFast, n: usize) -> Self {
        Self {
            system,
            columns: vec![vec![0.0; n]; ROWS],
            before: vec![vec![0.0; n]; ROWS],
            slope: vec![0.0; n - system.fast()],
            evaluations: 0,
        }
    }

    /// The most extrapolated result of row `row`, the last one computed.
    fn result(&self, row: usize) -> Vec<f64> {
        self.columns[row].clone()
    }

    /// Makes rows until one is good enough, near `target`.
    fn attempt(&mut self, y: &[f64], h: f64, target: usize, options: &Options) -> Attempt {
        let mut steps = [0.0; ROWS];
        let last = (target + 1).min(ROWS - 1);
        let work = |row: usize| ((row + 1) * (row + 2) / 2) as f64;
        for row in 0..=last {
            if self.row(y, h, row).is_err() {
                return Attempt::Lost;
            }
            if row == 0 {
                continue;
            }
            let error = self.error(y, row, options);
            if error.is_nan() {
                return Attempt::Lost;
            }
            let factor = SAFETY * (0.7 / error.max(1e-12)).powf(1.0 / (row + 1) as f64);
            steps[row] = h * factor.clamp(GROWTH[0], GROWTH[1]);
            let cost = |row: usize| work(row) / steps[row];
            if error <= 1.0 && row + 1 >= target && row >= 2 {
                // The next row: cheaper per unit of time than the one before, as far as it shows.
                let next = if row > FIRST && cost(row - 1) < 0.9 * cost(row) {
                    row - 1
                } else if row + 1 < ROWS && cost(row) < 0.9 * cost(row - 1) {
                    row + 1
                } else {
                    row
                };
                let step = if next > row { steps[row] * work(next) / work(row) } else { steps[next] };
                return Attempt::Accepted { used: row, row: next.max(FIRST), step: step.min(GROWTH[1] * h) };
            }
            // Hopeless: rows to come can gain a factor of about (n/1)² each.
            if row + 1 >= target && row < last && error > ((row + 2) * (row + 2)) as f64 {
                return Attempt::Refused { step: steps[row], row: row.max(FIRST) };
            }
        }
        Attempt::Refused { step: steps[target.min(last)], row: target }
    }

    /// Rows up to `last` for a step of size h.
    fn plain(&mut self, y: &[f64], h: f64, last: usize) -> Result<()> {
        (0..=last).try_for_each(|row| self.row(y, h, row))
    }

    /// Row `row`: row + 1 small steps, and the extrapolations with the rows before.
    fn row(&mut self, y: &[f64], h: f64, row: usize) -> Result<()> {
        std::mem::swap(&mut self.columns, &mut self.before);
        let (count, fast) = (row + 1, self.system.fast());
        let small = h / count as f64;
        let state = &mut self.columns[0];
        state.copy_from_slice(y);
        let (x, z) = state.split_at_mut(fast);
        for _ in 0..count {
            self.system.slow_drift(x, z, &mut self.slope)?;
            z.iter_mut().zip(&self.slope).for_each(|(z, slope)| *z += small * slope);
            self.system.relax(small, z, x)?;
            self.evaluations += 1;
        }
        for i in 1..=row {
            // T_{j,i} = T_{j,i−1} + (T_{j,i−1} − T_{j−1,i−1})/(n_j/n_{j−i} − 1)
            let weight = (count - i) as f64 / i as f64;
            let (lower, higher) = self.columns.split_at_mut(i);
            let (lower, before) = (&lower[i - 1], &self.before[i - 1]);
            for ((new, lower), before) in higher[0].iter_mut().zip(lower).zip(before) {
                *new = lower + weight * (lower - before);
            }
        }
        if self.columns[row].iter().all(|y| y.is_finite()) {
            Ok(())
        } else {
            Err(Error::Numerical("a step left the finite numbers".into()))
        }
    }

    /// The largest error of T_{row,row−1}, relative to the tolerance.
    fn error(&self, y: &[f64], row: usize, options: &Options) -> f64 {
        let Options { relative_tolerance, absolute_tolerance, .. } = *options;
        let (best, other) = (&self.columns[row], &self.columns[row - 1]);
        let relative = |((old, best), other): ((&f64, &f64), &f64)| {
            (best - other).abs() / (absolute_tolerance + relative_tolerance * old.abs().max(best.abs()))
        };
        y.iter()
            .zip(best)
            .zip(other)
            .map(relative)
            .fold(0.0, |most: f64, x| if x > most || x.is_nan() { x } else { most })
    }
}

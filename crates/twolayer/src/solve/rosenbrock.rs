//! A stiff integrator: the Rosenbrock method Rodas5P with step control, dense output and events.
//!
//! One step from (t, y) of size h solves, with the exact Jacobian J and `W = I − hγJ`,
//!
//! ```text
//! W u_i = γ [ h v(t + c_i h, y + Σ_j a_ij u_j) + Σ_{j<i} C_ij u_j + h² d_i ∂v/∂t ],   y' = y + Σ_j b_j u_j
//! ```
//!
//! for i = 1 … 8: order 5, L-stable, and no iteration that could fail. The last u is the difference to the embedded method
//! of order 4, and estimates the error. Where J is blocks plus low rank, a step costs O(n·rank).

mod tableau;

use super::{
    Ending, Jacobian, Options, Run, Shifted, Solution, VectorField,
    events::{Events, Watch},
};
use crate::{error::Result, observer::Observer};
use tableau::{A, C, DENSE, GAMMA, NODES, STAGES, TIME};

/// What a step may grow and shrink by.
const GROWTH: [f64; 2] = [0.2, 6.0];
/// What a step shrinks by where the drift does not exist.
const RETREAT: f64 = 0.25;
/// Part of the step that the error estimate asks for.
const SAFETY: f64 = 0.9;
/// One over the order of the embedded method plus one.
const EXPONENT: f64 = 0.2;

/// Integrates from `y0` at t = 0 by Rodas5P and answers at `times` (rising, ≥ 0), each of which is the end of a step, because
/// the solution inside one is of lower order; `watch` sees every step and every event.
///
/// The error of a step, in each component, stays below `absolute_tolerance + relative_tolerance·|y_i|`;
/// `options.method` is of no consequence.
///
/// # Errors
/// As for [`integrate`](super::integrate).
pub fn integrate(
    field: &dyn VectorField,
    y0: &[f64],
    times: &[f64],
    options: &Options,
    watch: &mut dyn Watch,
    observer: &dyn Observer,
) -> Result<Solution> {
    let mut run = Run::new(field, y0, times, options, observer)?;
    while run.due(0.0).is_some() {
        run.states.push(y0.to_vec());
    }
    let ending = if run.finished() { Ending::Done } else { Stepper::new(&run, y0)?.advance(&mut run, watch)? };
    Ok(run.solution(ending, "Rodas5P".into()))
}

/// The state of an integration, and the room that a step needs.
struct Stepper<'a> {
    field: &'a dyn VectorField,
    options: Options,
    t: f64,
    y: Vec<f64>,
    h: f64,
    /// v(t, y).
    drift: Vec<f64>,
    /// ∂v/∂t.
    time_derivative: Vec<f64>,
    jacobian: Jacobian,
    /// u_i.
    stages: Vec<Vec<f64>>,
    /// Where the last step ended.
    next: Vec<f64>,
    evaluations: usize,
}

impl<'a> Stepper<'a> {
    fn new(run: &Run<'a>, y0: &[f64]) -> Result<Self> {
        let n = y0.len();
        let mut stepper = Self {
            field: run.field,
            options: *run.options,
            t: 0.0,
            y: y0.to_vec(),
            h: 0.0,
            drift: vec![0.0; n],
            time_derivative: vec![0.0; n],
            jacobian: Jacobian::zeros(run.field.structure(), n),
            stages: vec![vec![0.0; n]; STAGES],
            next: vec![0.0; n],
            evaluations: 1,
        };
        run.field.drift(0.0, y0, &mut stepper.drift)?;
        stepper.h = stepper.first_step(run.end());
        Ok(stepper)
    }

    /// A step along which the drift moves y by a hundredth, or by 10⁻³ of the tolerance where y is 0.
    fn first_step(&self, end: f64) -> f64 {
        let Options { relative_tolerance, absolute_tolerance, .. } = self.options;
        let rate =
            |(y, dy): (&f64, &f64)| dy.abs() / (1e-2 * y.abs()).max(1e-3 * (absolute_tolerance + relative_tolerance));
        let fastest = self.y.iter().zip(&self.drift).map(rate).fold(0.0, f64::max);
        if fastest > 0.0 { (1.0 / fastest).min(1e-2 * end) } else { 1e-6 * end }
    }

    fn advance(&mut self, run: &mut Run<'a>, watch: &mut dyn Watch) -> Result<Ending> {
        let end = run.end();
        let mut events = Events::new(watch, 0.0, &self.y);
        let mut refused = false;
        // Refused steps count: they cost the same.
        for _ in 0..self.options.max_steps {
            let wanted = self.h;
            let (h, lands) = run.fitted(self.t, wanted);
            self.h = h;
            if self.t + self.h <= self.t {
                run.calls.count(self.evaluations, false);
                return Ok(run.stuck(self.t, &self.y));
            }
            if !refused {
                self.linearise()?;
            }
            let Some(error) = self.attempt() else {
                run.calls.count(0, true);
                self.h *= RETREAT;
                refused = true;
                continue;
            };
            let factor = (SAFETY * error.powf(-EXPONENT)).clamp(GROWTH[0], GROWTH[1]);
            if error > 1.0 {
                self.h *= factor.min(0.9);
                refused = true;
                continue;
            }
            let new = if lands { run.next_time() } else { self.t + self.h };
            let ending = self.accept(run, watch, &mut events, new)?;
            if let Some(ending) = ending {
                return Ok(ending);
            }
            // A step that was cut short by a time to answer at says nothing against the longer one.
            let grown = self.h * if refused { factor.min(1.0) } else { factor };
            self.h = if h < wanted { grown.max(wanted) } else { grown }.min(end);
            refused = false;
        }
        run.calls.count(self.evaluations, false);
        Ok(Ending::Stiff { at: self.t })
    }

    /// Answers at the times within the step to `new`, tells of its events, and moves there.
    fn accept(
        &mut self,
        run: &mut Run<'a>,
        watch: &mut dyn Watch,
        events: &mut Events,
        new: f64,
    ) -> Result<Option<Ending>> {
        let extension = Extension::of(self, new);
        while run.due(new).is_some() {
            run.states.push(self.next.clone());
        }
        let mut inside = |time: f64, y: &mut Vec<f64>| {
            extension.at(time, y);
            Ok(())
        };
        events.of_step(watch, [self.t, new], &self.next, &mut inside)?;
        let stop = watch.step(new, &self.next, &mut inside)?.is_break();
        std::mem::swap(&mut self.y, &mut self.next);
        self.t = new;
        run.calls.count(std::mem::take(&mut self.evaluations), false);
        Ok(run.accepted(self.t, &self.y, stop))
    }

    /// J, v and ∂v/∂t at (t, y).
    fn linearise(&mut self) -> Result<()> {
        self.field.drift(self.t, &self.y, &mut self.drift)?;
        self.field.jacobian(self.t, &self.y, &mut self.jacobian)?;
        self.evaluations += 2;
        if self.field.depends_on_time() {
            let step = f64::EPSILON.sqrt() * self.t.abs().max(self.h);
            self.field.drift(self.t + step, &self.y, &mut self.time_derivative)?;
            self.evaluations += 1;
            let change = self.time_derivative.iter_mut().zip(&self.drift);
            change.for_each(|(later, now)| *later = (*later - now) / step);
        }
        Ok(())
    }

    /// One step of size h, left in `next`; its error relative to the tolerance, or `None` where there is no such step.
    fn attempt(&mut self) -> Option<f64> {
        let (h, n) = (self.h, self.y.len());
        let system: Shifted = self.jacobian.shifted(h * GAMMA).ok()?;
        let mut drift = std::mem::take(&mut self.drift);
        let mut right = vec![0.0; n];
        let done = (0..STAGES).try_for_each(|i| {
            if i > 0 {
                self.enter(i);
                self.field.drift(self.t + NODES[i] * h, &self.next, &mut right).ok()?;
                self.evaluations += 1;
            }
            let drift = if i == 0 { &drift } else { &right };
            let stage = self.stage(i, drift, &system);
            let finite = stage.iter().all(|u| u.is_finite());
            self.stages[i] = stage;
            finite.then_some(())
        });
        std::mem::swap(&mut self.drift, &mut drift);
        done?;
        let last = &self.stages[STAGES - 1];
        self.next.iter_mut().zip(last).for_each(|(y, u)| *y += u);
        let Options { relative_tolerance, absolute_tolerance, .. } = self.options;
        let mut largest: f64 = 1e-10;
        for ((error, old), new) in last.iter().zip(&self.y).zip(&self.next) {
            let allowed = absolute_tolerance + relative_tolerance * old.abs().max(new.abs());
            let relative = error.abs() / allowed;
            if relative.is_nan() {
                return None;
            }
            largest = largest.max(relative);
        }
        Some(largest)
    }

    /// Where stage i looks: `y + Σ_j a_ij u_j`, in `next`.
    fn enter(&mut self, i: usize) {
        if i < A.len() {
            self.next.copy_from_slice(&self.y);
            for (weight, stage) in A[i].iter().zip(&self.stages).take(i) {
                add(&mut self.next, *weight, stage);
            }
        } else {
            add(&mut self.next, 1.0, &self.stages[i - 1]);
        }
    }

    /// u_i from the drift where the stage looks.
    fn stage(&self, i: usize, drift: &[f64], system: &Shifted) -> Vec<f64> {
        let h = self.h;
        let mut u: Vec<f64> = drift.iter().map(|v| h * GAMMA * v).collect();
        for (weight, stage) in C[i].iter().zip(&self.stages).take(i) {
            add(&mut u, GAMMA * weight, stage);
        }
        if TIME[i] != 0.0 && self.field.depends_on_time() {
            add(&mut u, h * h * GAMMA * TIME[i], &self.time_derivative);
        }
        system.solve(&mut u);
        u
    }
}

/// `y ← y + weight·x`.
fn add(y: &mut [f64], weight: f64, x: &[f64]) {
    y.iter_mut().zip(x).for_each(|(y, x)| *y += weight * x);
}

/// The solution within one step, of order 4:
/// `y(θ) = (1−θ) y + θ [ y' + (1−θ)(D_2 + θ(D_3 + θ D_4)) ]`.
struct Extension<'s> {
    from: f64,
    to: f64,
    y: &'s [f64],
    next: &'s [f64],
    stages: &'s [Vec<f64>],
}

impl<'s> Extension<'s> {
    fn of(stepper: &'s Stepper<'_>, to: f64) -> Self {
        Self { from: stepper.t, to, y: &stepper.y, next: &stepper.next, stages: &stepper.stages }
    }

    fn at(&self, time: f64, into: &mut Vec<f64>) {
        let theta = (time - self.from) / (self.to - self.from);
        let left = 1.0 - theta;
        into.clear();
        into.extend(self.y.iter().zip(self.next).map(|(y, next)| left * y + theta * next));
        for (j, stage) in self.stages.iter().enumerate() {
            let weight = DENSE[0][j] + theta * (DENSE[1][j] + theta * DENSE[2][j]);
            add(into, theta * left * weight, stage);
        }
    }
}

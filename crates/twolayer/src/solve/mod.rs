//! Ordinary differential equations `dy/dt = v(t, y)` with answers at given times.
//!
//! The explicit method first, the implicit one where that needs too many steps; failure is a value, with everything
//! before it kept.

mod events;
pub mod extrapolation;
mod jacobian;
mod library;
pub mod rosenbrock;

use std::{cell::Cell, ops::ControlFlow, rc::Rc};

use crate::{
    error::{Error, Result},
    observer::{Observer, Progress},
};
pub use events::{Inside, Watch};
pub use jacobian::{BlocksPlusLowRank, Jacobian, Shifted, Structure};

/// The right-hand side of `dy/dt = v(t, y)`.
pub trait VectorField {
    /// Number of components of y.
    fn dim(&self) -> usize;

    /// `dy ← v(t, y)`.
    ///
    /// # Errors
    /// Where v does not exist at y; the integrator then tries a smaller step.
    fn drift(&self, t: f64, y: &[f64], dy: &mut [f64]) -> Result<()>;

    /// `jv ← (∂v/∂y) v`, by a central difference along the direction unless written out; implicit methods only.
    ///
    /// # Errors
    /// As for [`drift`](Self::drift).
    fn jacobian_times(&self, t: f64, y: &[f64], v: &[f64], jv: &mut [f64]) -> Result<()> {
        let size = |x: &[f64]| x.iter().fold(0.0, |m: f64, x| m.max(x.abs()));
        let length = size(v);
        if length == 0.0 {
            jv.fill(0.0);
            return Ok(());
        }
        // ε^{1/3}: where truncation and rounding of a central difference balance.
        let step = f64::EPSILON.cbrt() * (1.0 + size(y)) / length;
        let moved = |sign: f64| y.iter().zip(v).map(|(y, v)| y + sign * step * v).collect::<Vec<f64>>();
        let mut back = vec![0.0; y.len()];
        self.drift(t, &moved(1.0), jv)?;
        self.drift(t, &moved(-1.0), &mut back)?;
        jv.iter_mut().zip(&back).for_each(|(forth, back)| *forth = (*forth - back) / (2.0 * step));
        Ok(())
    }

    /// The shape of the Jacobian that [`jacobian`](Self::jacobian) writes.
    fn structure(&self) -> Structure {
        Structure::Dense
    }

    /// `∂v/∂y` at (t, y), for the Rosenbrock method; column by column from [`jacobian_times`](Self::jacobian_times) unless
    /// written out.
    ///
    /// # Errors
    /// As for [`drift`](Self::drift); where the structure is not dense and nothing is written out.
    fn jacobian(&self, t: f64, y: &[f64], jacobian: &mut Jacobian) -> Result<()> {
        let Jacobian::Dense(matrix) = jacobian else {
            return Err(Error::Numerical("a Jacobian with a structure must be written out".into()));
        };
        let (mut direction, mut column) = (vec![0.0; y.len()], vec![0.0; y.len()]);
        for j in 0..y.len() {
            direction[j] = 1.0;
            self.jacobian_times(t, y, &direction, &mut column)?;
            direction[j] = 0.0;
            (0..y.len()).for_each(|i| matrix[(i, j)] = column[i]);
        }
        Ok(())
    }

    /// Whether v depends on t.
    fn depends_on_time(&self) -> bool {
        true
    }
}

/// Which method integrates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Explicit, then implicit where that needs too many steps.
    Auto,
    /// Tsitouras 5(4).
    Explicit,
    /// BDF of variable order.
    Implicit,
}

/// How precisely, and for how long.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
    /// Local error allowed, relative to |y_i|.
    pub relative_tolerance: f64,
    /// Local error allowed beside that.
    pub absolute_tolerance: f64,
    /// The method.
    pub method: Method,
    /// Steps that each method may take.
    pub max_steps: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { relative_tolerance: 1e-6, absolute_tolerance: 1e-9, method: Method::Auto, max_steps: 10_000 }
    }
}

/// How an integration ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Ending {
    /// At the last time.
    Done,
    /// The observer said stop.
    Interrupted,
    /// The solution left the finite numbers, or passed 10¹² times its start.
    Diverged {
        /// The last time at which it was finite.
        at: f64,
    },
    /// The methods allowed could not go on at the tolerance, or within their number of steps.
    Stiff {
        /// The last time reached.
        at: f64,
    },
}

/// What came out.
#[derive(Debug, Clone, PartialEq)]
pub struct Solution {
    /// y at the first `reached` times, by dense output.
    pub states: Vec<Vec<f64>>,
    /// How many of the times were reached.
    pub reached: usize,
    /// How it ended.
    pub ending: Ending,
    /// Which method ran, and why that one.
    pub method: String,
    /// Evaluations of v (Jacobian products included).
    pub evaluations: usize,
    /// Accepted steps.
    pub steps: usize,
}

/// Components beyond which [`Method::Auto`] does not go on implicitly: matrices of their square, and as many drifts for each,
/// take the memory and hours.
pub const MOST_IMPLICIT: usize = 3000;

/// Integrates from `y0` at t = 0 and answers at `times` (rising, ≥ 0).
///
/// # Errors
/// [`Error::Numerical`] for times out of order or a drift that is an error at y0; everything that happens later is an
/// [`Ending`].
pub fn integrate(
    field: &dyn VectorField,
    y0: &[f64],
    times: &[f64],
    options: &Options,
    observer: &dyn Observer,
) -> Result<Solution> {
    let mut run = Run::new(field, y0, times, options, observer)?;
    let mut dy = vec![0.0; y0.len()];
    field.drift(0.0, y0, &mut dy)?;
    while run.due(0.0).is_some() {
        run.states.push(y0.to_vec());
    }
    let (mut t, mut y) = (0.0, y0.to_vec());
    let (ending, method) = if run.finished() {
        (Ending::Done, "none: nothing to integrate".into())
    } else if !dy.iter().all(|x| x.is_finite()) {
        (Ending::Diverged { at: 0.0 }, "none: the drift at the start is not finite".into())
    } else if options.method == Method::Implicit {
        (library::advance(&mut run, Method::Implicit, &mut t, &mut y)?, "BDF, as asked for".into())
    } else {
        match library::advance(&mut run, Method::Explicit, &mut t, &mut y)? {
            Ending::Stiff { at } if options.method == Method::Auto && y0.len() > MOST_IMPLICIT => {
                let why = format!("and {} components are too many for BDF", y0.len());
                (Ending::Stiff { at }, format!("{EXPLICIT} to t = {at:.3e}, where it needed too many steps, {why}"))
            }
            Ending::Stiff { at } if options.method == Method::Auto => {
                let ending = library::advance(&mut run, Method::Implicit, &mut t, &mut y)?;
                (ending, format!("{EXPLICIT} to t = {at:.3e}, where it needed too many steps, then BDF"))
            }
            ending => (ending, EXPLICIT.into()),
        }
    };
    Ok(run.solution(ending, method))
}

/// The name of the explicit method.
const EXPLICIT: &str = "Tsitouras 5(4)";
/// Growth beyond which a solution has diverged.
const DIVERGED: f64 = 1e12;

/// One integration under way.
struct Run<'a> {
    field: &'a dyn VectorField,
    times: &'a [f64],
    options: &'a Options,
    observer: &'a dyn Observer,
    /// |y_i| beyond which the solution has diverged.
    bound: f64,
    states: Vec<Vec<f64>>,
    calls: Rc<Calls>,
    steps: usize,
}

/// What the calls of the vector field told, shared with the method's closures.
#[derive(Default)]
struct Calls {
    evaluations: Cell<usize>,
    /// Whether one since the last accepted step was not finite.
    lost: Cell<bool>,
}

impl Calls {
    fn count(&self, evaluations: usize, lost: bool) {
        self.evaluations.set(self.evaluations.get() + evaluations);
        self.lost.set(lost || self.lost.get());
    }
}

impl<'a> Run<'a> {
    /// Before the first step.
    fn new(
        field: &'a dyn VectorField,
        y0: &[f64],
        times: &'a [f64],
        options: &'a Options,
        observer: &'a dyn Observer,
    ) -> Result<Self> {
        if !times.is_sorted() || !times.iter().all(|t| *t >= 0.0 && t.is_finite()) {
            return Err(Error::Numerical("the times of an integration must be finite, rising, from 0 on".into()));
        }
        let bound = DIVERGED * y0.iter().fold(1.0, |m: f64, y| m.max(y.abs()));
        Ok(Self { field, times, options, observer, bound, states: Vec::new(), calls: Rc::default(), steps: 0 })
    }

    /// After the last step.
    fn solution(self, ending: Ending, method: String) -> Solution {
        let evaluations = self.calls.evaluations.get();
        Solution { reached: self.states.len(), states: self.states, ending, method, evaluations, steps: self.steps }
    }
}

impl Run<'_> {
    /// The last time asked for.
    fn end(&self) -> f64 {
        self.times.last().copied().unwrap_or(0.0)
    }

    /// The next time to answer at; the last where all are answered.
    fn next_time(&self) -> f64 {
        self.times.get(self.states.len()).copied().unwrap_or(self.end())
    }

    /// A step from t of at most `wanted`, and whether it ends at the next time to answer at: two equal steps to there rather
    /// than a long one and a crumb.
    fn fitted(&self, t: f64, wanted: f64) -> (f64, bool) {
        let left = self.next_time() - t;
        match wanted / left {
            part if part >= 1.0 => (left, true),
            part if part > 0.6 => (0.5 * left, false),
            _ => (wanted, false),
        }
    }

    /// The next time to answer at, if it is not after `t`.
    fn due(&self, t: f64) -> Option<f64> {
        self.times.get(self.states.len()).copied().filter(|time| *time <= t)
    }

    fn finished(&self) -> bool {
        self.states.len() == self.times.len()
    }

    /// After a step to (t, y): why the integration should end here, if it should.
    fn ending(&self, t: f64, y: &[f64]) -> Option<Ending> {
        // Written so that NaN counts as too large.
        if !y.iter().all(|y| y.abs() <= self.bound) {
            return Some(Ending::Diverged { at: t });
        }
        if self.finished() {
            return Some(Ending::Done);
        }
        let progress = Progress { done: t, total: self.end(), risk: f64::NAN };
        if self.observer.progress(&progress) == ControlFlow::Break(()) {
            return Some(Ending::Interrupted);
        }
        None
    }

    /// After an accepted step to (t, y), at which `stop` was asked for or not: the end of the integration, if it is one.
    fn accepted(&mut self, t: f64, y: &[f64], stop: bool) -> Option<Ending> {
        self.steps += 1;
        self.calls.lost.set(false);
        match self.ending(t, y) {
            None if stop => Some(Ending::Interrupted),
            ending => ending,
        }
    }

    /// The end of an integration whose step became too small at (t, y): a divergence where the drift is lost next to y,
    /// or so fast that y would double within 10⁻¹⁰ of the whole time.
    fn stuck(&self, t: f64, y: &[f64]) -> Ending {
        let mut dy = vec![0.0; y.len()];
        let known = self.field.drift(t, y, &mut dy).is_ok();
        let size = |x: &[f64]| x.iter().fold(0.0, |m: f64, x| m.max(x.abs()));
        let fast = size(&dy) * 1e-10 * self.end() > size(y);
        if self.calls.lost.get() || !known || fast { Ending::Diverged { at: t } } else { Ending::Stiff { at: t } }
    }
}

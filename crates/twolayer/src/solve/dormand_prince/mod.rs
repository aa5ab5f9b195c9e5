//! Explicit Runge–Kutta steps of order 8, with interpolation of order 7.
//!
//! At the tolerances asked for here, 10⁻⁶ and less, they need a third to a tenth of the drifts of a method of order 5. The error of
//! a step is that of the embedded formulas of order 5 and 3, `e = h e₅²/(e₅² + e₃²/100)^{½}`, in the root mean square of
//! components, each in units of `absolute + relative·|y|`.
//!
//! Source: Hairer, Nørsett & Wanner, Solving ODEs I (1993), §II.5 and II.6, DOP853.

mod table;

use super::{Ending, Options, Run, VectorField};
use crate::error::Result;
use table::{ERROR_OF_FIVE, ERROR_OF_THREE, INTERPOLATION, Row, STAGES, STEPS, TIMES};

/// Part of the step that the error estimate asks for.
const SAFETY: f64 = 0.9;
/// What a step may shrink and grow by.
const GROWTH: [f64; 2] = [0.2, 6.0];
/// What a step shrinks by where the drift does not exist.
const RETREAT: f64 = 0.25;
/// One over the order.
const EXPONENT: f64 = 1.0 / 8.0;

/// Integrates from `(t, y)` and leaves there how far it came.
///
/// # Errors
/// Where the drift does not exist at the start.
pub(super) fn advance(run: &mut Run<'_>, t: &mut f64, y: &mut [f64]) -> Result<Ending> {
    let (field, options, end) = (run.field, *run.options, run.end());
    let mut step = Step::new(field, y.len());
    field.drift(*t, y, &mut step.drifts[0])?;
    let mut wanted = step.first(*t, y, &options, end);
    run.calls.count(std::mem::take(&mut step.evaluations) + 1, false);
    let mut refused = false;
    for _ in 0..options.max_steps {
        let left = end - *t;
        // Two equal steps to the end rather than a long one and a crumb.
        let h = if wanted >= left { left } else { wanted.min(0.5 * left) };
        if h <= 4.0 * f64::EPSILON * end || *t + h <= *t {
            return Ok(run.stuck(*t, y));
        }
        let error = step.attempt(*t, y, h, &options);
        run.calls.count(std::mem::take(&mut step.evaluations), error.is_none());
        let Some(error) = error else {
            (wanted, refused) = (RETREAT * h, true);
            continue;
        };
        let growth = (SAFETY * error.max(1e-300).powf(-EXPONENT)).clamp(GROWTH[0], GROWTH[1]);
        if error > 1.0 {
            (wanted, refused) = (h * growth.min(SAFETY), true);
            continue;
        }
        let from = *t;
        // The last step ends at the last time, whatever the rounding of t + h.
        let until = if wanted >= left { end } else { from + h };
        if run.due(until).is_some() {
            if !step.interpolates(from, y, h) {
                run.calls.count(std::mem::take(&mut step.evaluations), true);
                (wanted, refused) = (RETREAT * h, true);
                continue;
            }
            run.calls.count(std::mem::take(&mut step.evaluations), false);
            while let Some(time) = run.due(until) {
                run.states.push(step.at((time - from) / h, y));
            }
        }
        y.copy_from_slice(&step.end);
        step.drifts.swap(0, STAGES);
        *t = until;
        wanted = h * if refused { growth.min(1.0) } else { growth };
        refused = false;
        if let Some(ending) = run.accepted(*t, y, false) {
            return Ok(ending);
        }
    }
    Ok(Ending::Stiff { at: *t })
}

/// The stages of a step and what is made of them.
struct Step<'a> {
    field: &'a dyn VectorField,
    /// The drift at each stage; the first is the one at the start of the step.
    drifts: Vec<Vec<f64>>,
    /// Where a stage is.
    place: Vec<f64>,
    /// y at the end of the step.
    end: Vec<f64>,
    /// The coefficients of the interpolation after y at the start, as multiples of `s, s(1 − s), s²(1 − s), …` of the
    /// fraction s of the step.
    coefficients: Vec<Vec<f64>>,
    evaluations: usize,
}

impl<'a> Step<'a> {
    fn new(field: &'a dyn VectorField, dim: usize) -> Self {
        Self {
            field,
            drifts: vec![vec![0.0; dim]; TIMES.len()],
            place: vec![0.0; dim],
            end: vec![0.0; dim],
            coefficients: vec![vec![0.0; dim]; 7],
            evaluations: 0,
        }
    }

    /// A step whose error of order 1 is a hundredth of the tolerance, at most a hundred times one along which y moves by a
    /// hundredth.
    fn first(&mut self, t: f64, y: &[f64], options: &Options, end: f64) -> f64 {
        let scale = |y: f64| options.absolute_tolerance + options.relative_tolerance * y.abs();
        let norm = |of: &mut dyn Iterator<Item = f64>| -> f64 {
            (of.map(|x| x * x).sum::<f64>() / y.len().max(1) as f64).sqrt()
        };
        let size = norm(&mut y.iter().map(|y| y / scale(*y)));
        let speed = norm(&mut y.iter().zip(&self.drifts[0]).map(|(y, v)| v / scale(*y)));
        let small = if size < 1e-10 || speed < 1e-10 { 1e-6 * end } else { (0.01 * size / speed).min(end) };
        let drift = &self.drifts[0];
        self.place.iter_mut().zip(y.iter().zip(drift)).for_each(|(place, (y, v))| *place = y + small * v);
        self.evaluations += 1;
        if self.field.drift(t + small, &self.place, &mut self.drifts[1]).is_err() {
            return RETREAT * small;
        }
        let bend = y.iter().zip(self.drifts[0].iter().zip(&self.drifts[1]));
        let curvature = norm(&mut bend.map(|(y, (v, w))| (w - v) / scale(*y))) / small;
        let fastest = speed.max(curvature);
        let by_order = if fastest <= 1e-15 { 1e-3 * small.max(1e-6 * end) } else { (0.01 / fastest).powf(EXPONENT) };
        let step = (100.0 * small).min(by_order).min(end);
        if step.is_finite() { step } else { RETREAT * small }
    }

    /// `place ← y + h Σ a k`.
    fn gather(&mut self, y: &[f64], h: f64, row: Row) {
        self.place.copy_from_slice(y);
        for &(stage, coefficient) in row {
            let by = h * coefficient;
            self.place.iter_mut().zip(&self.drifts[stage]).for_each(|(place, v)| *place += by * v);
        }
    }

    /// The drift of one stage; whether it is finite.
    fn stage(&mut self, t: f64, y: &[f64], h: f64, stage: usize) -> bool {
        self.gather(y, h, STEPS[stage]);
        self.evaluations += 1;
        let out = &mut self.drifts[stage];
        self.field.drift(t + TIMES[stage] * h, &self.place, out).is_ok() && out.iter().all(|v| v.is_finite())
    }

    /// A step of length h and its error, where 1 is what is allowed; `None` where the drift does not exist.
    fn attempt(&mut self, t: f64, y: &[f64], h: f64, options: &Options) -> Option<f64> {
        if !(1..=STAGES).all(|stage| self.stage(t, y, h, stage)) {
            return None;
        }
        self.end.copy_from_slice(&self.place);
        let (mut five, mut three) = (0.0, 0.0);
        for (i, (y, end)) in y.iter().zip(&self.end).enumerate() {
            let scale = options.absolute_tolerance + options.relative_tolerance * y.abs().max(end.abs());
            let of = |row: Row| row.iter().map(|(stage, c)| c * self.drifts[*stage][i]).sum::<f64>() / scale;
            five += of(ERROR_OF_FIVE).powi(2);
            three += of(ERROR_OF_THREE).powi(2);
        }
        let together = five + 0.01 * three;
        let error = if together == 0.0 { 0.0 } else { h * five / (together * y.len() as f64).sqrt() };
        error.is_finite().then_some(error)
    }

    /// Prepares [`at`](Self::at) for an accepted step; whether the drift exists where that needs it.
    fn interpolates(&mut self, t: f64, y: &[f64], h: f64) -> bool {
        if !(STAGES + 1..TIMES.len()).all(|stage| self.stage(t, y, h, stage)) {
            return false;
        }
        for i in 0..y.len() {
            let across = self.end[i] - y[i];
            let bend = h * self.drifts[0][i] - across;
            self.coefficients[0][i] = across;
            self.coefficients[1][i] = bend;
            self.coefficients[2][i] = across - h * self.drifts[STAGES][i] - bend;
        }
        for (row, out) in INTERPOLATION.iter().zip(&mut self.coefficients[3..]) {
            out.fill(0.0);
            for &(stage, coefficient) in *row {
                let by = h * coefficient;
                out.iter_mut().zip(&self.drifts[stage]).for_each(|(out, v)| *out += by * v);
            }
        }
        true
    }

    /// y at the fraction s of the step.
    fn at(&self, s: f64, y: &[f64]) -> Vec<f64> {
        let c = &self.coefficients;
        (0..y.len())
            .map(|i| {
                let turn = |sum: f64, n: usize| (c[n][i] + sum) * if n.is_multiple_of(2) { s } else { 1.0 - s };
                y[i] + (0..c.len()).rev().fold(0.0, turn)
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use std::f64::consts::TAU;

    use crate::{
        error::Result,
        observer::Silent,
        solve::{Ending, Method, Options, VectorField, integrate},
    };

    /// The harmonic oscillator, and what it cost to ask.
    struct Circle;

    impl VectorField for Circle {
        fn dim(&self) -> usize {
            2
        }

        fn drift(&self, _: f64, y: &[f64], dy: &mut [f64]) -> Result<()> {
            (dy[0], dy[1]) = (y[1], -y[0]);
            Ok(())
        }
    }

    fn options(relative_tolerance: f64) -> Options {
        let absolute_tolerance = 1e-3 * relative_tolerance;
        Options { relative_tolerance, absolute_tolerance, method: Method::Explicit, max_steps: 100_000 }
    }

    /// Ten turns: the points asked for between steps are as good as the steps, and the error follows the tolerance.
    #[test]
    fn steps_and_interpolation_are_as_good_as_was_asked() {
        let times: Vec<f64> = (0..=997).map(|i| f64::from(i) * 10.0 * TAU / 997.0).collect();
        let mut errors = Vec::new();
        for tolerance in [1e-6, 1e-9, 1e-12] {
            let solution = integrate(&Circle, &[0.0, 1.0], &times, &options(tolerance), &Silent).unwrap();
            assert_eq!((solution.ending, solution.reached), (Ending::Done, times.len()));
            let off = |(t, y): (&f64, &Vec<f64>)| (y[0] - t.sin()).abs().max((y[1] - t.cos()).abs());
            let error = times.iter().zip(&solution.states).map(off).fold(0.0, f64::max);
            assert!(error < 300.0 * tolerance, "{tolerance:e}: {error:e}");
            errors.push(error);
        }
        assert!(errors[0] > 30.0 * errors[1] && errors[1] > 30.0 * errors[2], "{errors:?}");
    }

    /// Order 8: at half the step the error is 2⁻⁸ of it, or less. Steps of a length are had by asking for their ends alone.
    #[test]
    fn it_is_of_order_eight() {
        let error = |steps: f64| {
            let mut step = super::Step::new(&Circle, 2);
            let (h, mut y) = (2.0 / steps, vec![0.0, 1.0]);
            for i in 0..steps as usize {
                let t = i as f64 * h;
                VectorField::drift(&Circle, t, &y, &mut step.drifts[0]).unwrap();
                step.attempt(t, &y, h, &options(1e-6)).unwrap();
                y.copy_from_slice(&step.end);
            }
            (y[0] - 2f64.sin()).abs().max((y[1] - 2f64.cos()).abs())
        };
        let (coarse, fine) = (error(2.0), error(4.0));
        let order = (coarse / fine).log2();
        assert!((7.5..9.5).contains(&order), "{coarse:e} {fine:e}: order {order}");
    }

    /// y' = y² leaves the numbers at t = 1, and y' = √(1 − y) does not exist beyond y = 1.
    #[test]
    fn what_leaves_the_numbers_is_said_to_diverge() {
        struct Explosion;
        impl VectorField for Explosion {
            fn dim(&self) -> usize {
                1
            }
            fn drift(&self, _: f64, y: &[f64], dy: &mut [f64]) -> Result<()> {
                dy[0] = y[0] * y[0];
                Ok(())
            }
        }
        let solution = integrate(&Explosion, &[1.0], &[0.5, 2.0], &options(1e-8), &Silent).unwrap();
        assert!((solution.states[0][0] - 2.0).abs() < 1e-6, "{:?}", solution.states);
        assert_eq!(solution.reached, 1);
        assert!(
            matches!(solution.ending, Ending::Diverged { at } if (0.99..=1.0).contains(&at)),
            "{:?}",
            solution.ending
        );
    }
}

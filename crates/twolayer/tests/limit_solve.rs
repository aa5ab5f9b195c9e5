//! Integration of problems with known answers.

#![allow(clippy::unwrap_used)] // A test that cannot go on has failed.

use std::{
    ops::ControlFlow,
    sync::atomic::{AtomicUsize, Ordering},
};

use twolayer::{
    Error, Result,
    observer::{Observer, Progress, Silent},
    solve::{Ending, Method, Options, Solution, VectorField, integrate},
};

/// A vector field from a function of y.
struct Field<F>(usize, F);

impl<F: Fn(&[f64], &mut [f64])> VectorField for Field<F> {
    fn dim(&self) -> usize {
        self.0
    }

    fn drift(&self, _: f64, y: &[f64], dy: &mut [f64]) -> Result<()> {
        (self.1)(y, dy);
        Ok(())
    }
}

fn options(tolerance: f64, method: Method) -> Options {
    Options { relative_tolerance: tolerance, absolute_tolerance: tolerance, method, ..Options::default() }
}

fn solve(field: &dyn VectorField, y0: &[f64], times: &[f64], options: &Options) -> Solution {
    integrate(field, y0, times, options, &Silent).unwrap()
}

fn log_spaced(first: f64, last: f64, count: usize) -> Vec<f64> {
    (0..count).map(|i| first * (last / first).powf(i as f64 / (count - 1) as f64)).collect()
}

const METHODS: [Method; 2] = [Method::Explicit, Method::Implicit];

#[test]
fn the_harmonic_oscillator_is_accurate_at_every_recorded_time() {
    let oscillator = Field(2, |y: &[f64], dy: &mut [f64]| (dy[0], dy[1]) = (y[1], -y[0]));
    let mut times = vec![0.0];
    times.extend(log_spaced(1e-3, 30.0, 200));
    for method in METHODS {
        let mut errors = Vec::new();
        for tolerance in [1e-5, 1e-7, 1e-9] {
            let solution = solve(&oscillator, &[1.0, 0.0], &times, &options(tolerance, method));
            assert_eq!((solution.ending, solution.reached), (Ending::Done, 201));
            assert_eq!(solution.states[0], [1.0, 0.0]);
            let wrong = |(y, t): (&Vec<f64>, &f64)| (y[0] - t.cos()).abs().max((y[1] + t.sin()).abs());
            let worst = solution.states.iter().zip(&times).map(wrong).fold(0.0, f64::max);
            assert!(worst < 300.0 * tolerance, "{method:?} {tolerance:e}: {worst:e}");
            errors.push(worst);
        }
        assert!(errors[2] < 1e-2 * errors[0], "{method:?}: the error follows the tolerance: {errors:?}");
    }
}

#[test]
fn logistic_growth() {
    let logistic = Field(1, |y: &[f64], dy: &mut [f64]| dy[0] = y[0] * (1.0 - y[0]));
    let times = log_spaced(1e-2, 40.0, 200);
    let start: f64 = 1e-6;
    for method in METHODS {
        let options = Options { absolute_tolerance: 1e-15, ..options(1e-9, method) };
        let solution = solve(&logistic, &[start], &times, &options);
        for (y, t) in solution.states.iter().zip(&times) {
            let exact = 1.0 / (1.0 + (1.0 / start - 1.0) * (-t).exp());
            assert!((y[0] / exact - 1.0).abs() < 2e-7, "{method:?} t = {t}: {} {exact}", y[0]);
        }
    }
}

/// Reference values: Hairer & Wanner, Solving ODEs II, §IV.10 and the CVODE example `cvRoberts_dns`.
#[test]
fn robertson_needs_the_implicit_method_and_auto_finds_it() {
    let robertson = Field(3, |y: &[f64], dy: &mut [f64]| {
        let (slow, fast, back) = (0.04 * y[0], 3e7 * y[1] * y[1], 1e4 * y[1] * y[2]);
        (dy[0], dy[1], dy[2]) = (back - slow, slow - back - fast, fast);
    });
    let wanted = [(0.4, [9.8517e-1, 3.3864e-5, 1.4794e-2]), (4e4, [3.8983e-2, 1.6218e-7, 9.6102e-1])];
    for method in [Method::Implicit, Method::Auto] {
        let options = Options { absolute_tolerance: 1e-12, max_steps: 2000, ..options(1e-7, method) };
        let solution = solve(&robertson, &[1.0, 0.0, 0.0], &[0.4, 4e4], &options);
        assert_eq!(solution.ending, Ending::Done, "{}", solution.method);
        assert!(solution.method.contains("BDF"));
        for ((_, wanted), y) in wanted.iter().zip(&solution.states) {
            for i in 0..3 {
                assert!((y[i] / wanted[i] - 1.0).abs() < 1e-4, "{method:?}: {y:?} {wanted:?}");
            }
        }
    }
    let solution = solve(
        &robertson,
        &[1.0, 0.0, 0.0],
        &[0.4, 4e4],
        &Options { max_steps: 2000, ..options(1e-7, Method::Explicit) },
    );
    assert!(matches!(solution.ending, Ending::Stiff { at } if at > 0.4 && at < 4e4), "{:?}", solution.ending);
    assert_eq!(solution.reached, 1);
}

/// A thousand of them side by side and one more: matrices of 9·10⁶ numbers, of which there are several.
#[test]
fn what_is_too_large_for_matrices_ends_as_stiff() {
    let many = Field(3003, |y: &[f64], dy: &mut [f64]| {
        for (y, dy) in y.chunks(3).zip(dy.chunks_mut(3)) {
            let (slow, fast, back) = (0.04 * y[0], 3e7 * y[1] * y[1], 1e4 * y[1] * y[2]);
            (dy[0], dy[1], dy[2]) = (back - slow, slow - back - fast, fast);
        }
    });
    let options = Options { absolute_tolerance: 1e-12, max_steps: 500, ..options(1e-7, Method::Auto) };
    let solution = solve(&many, &[1.0, 0.0, 0.0].repeat(1001), &[0.4, 4e4], &options);
    assert!(matches!(solution.ending, Ending::Stiff { at } if at < 4e4), "{:?}", solution.ending);
    assert!(solution.method.contains("3003 components are too many for BDF"), "{}", solution.method);
}

/// μ = 1000; reference at t = 2000: IVP test set (Mazzia & Magherini), problem VDPOL in the unscaled variable.
#[test]
fn van_der_pol_is_stiff() {
    let van_der_pol =
        Field(2, |y: &[f64], dy: &mut [f64]| (dy[0], dy[1]) = (y[1], 1000.0 * (1.0 - y[0] * y[0]) * y[1] - y[0]));
    let options = Options { absolute_tolerance: 1e-10, ..options(1e-8, Method::Implicit) };
    let solution = solve(&van_der_pol, &[2.0, 0.0], &[2000.0], &options);
    assert_eq!(solution.ending, Ending::Done);
    assert!((solution.states[0][0] / 1.706_167_732_170_483 - 1.0).abs() < 1e-4, "{:?}", solution.states);
}

#[test]
fn a_blow_up_is_an_ending_and_what_came_before_is_kept() {
    let square = Field(1, |y: &[f64], dy: &mut [f64]| dy[0] = y[0] * y[0]);
    for method in [Method::Explicit, Method::Implicit, Method::Auto] {
        let solution = solve(&square, &[1.0], &[0.0, 0.5, 0.9, 1.5, 2.0], &options(1e-8, method));
        assert!(matches!(solution.ending, Ending::Diverged { at } if (at - 1.0).abs() < 1e-6), "{:?}", solution.ending);
        assert_eq!(solution.reached, 3);
        assert!((solution.states[2][0] - 10.0).abs() < 1e-4);
    }
}

#[test]
fn a_drift_that_is_lost_is_a_divergence() {
    // y' = −1/√y with y(0) = 1 reaches 0 at t = 2/3, beyond which it does not exist.
    let lost = Field(1, |y: &[f64], dy: &mut [f64]| dy[0] = -1.0 / y[0].sqrt());
    for method in METHODS {
        let solution = solve(&lost, &[1.0], &[0.1, 0.6, 1.0], &options(1e-8, method));
        assert!(matches!(solution.ending, Ending::Diverged { at } if (at - 2.0 / 3.0).abs() < 1e-4), "{solution:?}");
        assert_eq!(solution.reached, 2);
        assert!((solution.states[0][0] - (1.0_f64 - 0.15).powf(2.0 / 3.0)).abs() < 1e-6);
    }
    let nowhere = Field(1, |_: &[f64], dy: &mut [f64]| dy[0] = f64::NAN);
    let solution = solve(&nowhere, &[1.0], &[0.0, 1.0], &options(1e-8, Method::Auto));
    assert_eq!((solution.ending, solution.reached), (Ending::Diverged { at: 0.0 }, 1));
}

#[test]
fn the_observer_can_stop_it() {
    struct Third(AtomicUsize);
    impl Observer for Third {
        fn progress(&self, at: &Progress) -> ControlFlow<()> {
            assert!(at.done > 0.0 && at.done < at.total);
            if self.0.fetch_add(1, Ordering::Relaxed) == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        }
    }
    let oscillator = Field(2, |y: &[f64], dy: &mut [f64]| (dy[0], dy[1]) = (y[1], -y[0]));
    let times = [1e-9, 1e4];
    let solution =
        integrate(&oscillator, &[1.0, 0.0], &times, &options(1e-8, Method::Auto), &Third(AtomicUsize::new(0))).unwrap();
    assert_eq!((solution.ending, solution.reached), (Ending::Interrupted, 1));
}

#[test]
fn times_out_of_order_are_refused() {
    let rest = Field(1, |_: &[f64], dy: &mut [f64]| dy[0] = 0.0);
    let refused = integrate(&rest, &[1.0], &[1.0, 0.5], &Options::default(), &Silent);
    assert!(matches!(refused, Err(Error::Numerical(_))));
}

//! The stiff integrators on problems with published answers.

#![allow(clippy::unwrap_used)] // A test that cannot go on has failed.

use std::ops::ControlFlow;

use twolayer::{
    Error, Result,
    observer::{Observer, Progress, Silent},
    solve::{
        Ending, Inside, Options, Solution, VectorField, Watch, extrapolation, extrapolation::LinearlyFast, rosenbrock,
    },
};

/// A vector field from a function of t and y.
struct Field<F>(usize, F);

impl<F: Fn(f64, &[f64], &mut [f64])> VectorField for Field<F> {
    fn dim(&self) -> usize {
        self.0
    }

    fn drift(&self, t: f64, y: &[f64], dy: &mut [f64]) -> Result<()> {
        (self.1)(t, y, dy);
        Ok(())
    }
}

fn options(relative_tolerance: f64, absolute_tolerance: f64) -> Options {
    Options { relative_tolerance, absolute_tolerance, max_steps: 100_000, ..Options::default() }
}

fn solve(field: &dyn VectorField, y0: &[f64], times: &[f64], options: &Options) -> Solution {
    let solution = rosenbrock::integrate(field, y0, times, options, &mut (), &Silent).unwrap();
    assert_eq!(solution.ending, Ending::Done);
    solution
}

/// Mazzia & Magherini, Test Set for Initial Value Problem Solvers 2.4: Robertson's reactions at t = 10¹¹.
#[test]
fn robertson() {
    let field = Field(3, |_, y: &[f64], dy: &mut [f64]| {
        let (slow, fast, square) = (0.04 * y[0], 1e4 * y[1] * y[2], 3e7 * y[1] * y[1]);
        (dy[0], dy[1], dy[2]) = (fast - slow, slow - fast - square, square);
    });
    let published = [0.208_334_014_970_125_5e-7, 0.833_336_077_033_471_3e-13, 0.999_999_979_166_505];
    let solution = solve(&field, &[1.0, 0.0, 0.0], &[1e11], &options(1e-10, 1e-19));
    for (y, exact) in solution.states[0].iter().zip(published) {
        assert!((y / exact - 1.0).abs() < 2e-7, "{y:e} {exact:e}");
    }
    assert!(solution.steps < 4000, "{}", solution.steps);
}

/// The same set: Van der Pol's oscillator at μ = 10³, which in scaled time is ε = 10⁻⁶.
#[test]
fn van_der_pol() {
    let scaled = |epsilon: f64| {
        Field(2, move |_, y: &[f64], dy: &mut [f64]| {
            (dy[0], dy[1]) = (y[1], ((1.0 - y[0] * y[0]) * y[1] - y[0]) / epsilon);
        })
    };
    let solution = solve(&scaled(1e-6), &[2.0, 0.0], &[1.0, 2.0], &options(1e-10, 1e-10));
    // At t = 1: Hairer & Wanner, Solving ODEs II, the values that come with their programs.
    let published = [[-1.863_646_254_808_13, 0.753_543_086_543_546], [1.706_167_732_170_483, -0.892_809_701_024_797_5]];
    for (state, exact) in solution.states.iter().zip(published) {
        for (y, exact) in state.iter().zip(exact) {
            assert!((y / exact - 1.0).abs() < 1e-7, "{y} {exact}");
        }
    }
    let mu = 1e3;
    let field = Field(2, |_, y: &[f64], dy: &mut [f64]| {
        (dy[0], dy[1]) = (y[1], mu * (1.0 - y[0] * y[0]) * y[1] - y[0]);
    });
    let state = &solve(&field, &[2.0, 0.0], &[2000.0], &options(1e-10, 1e-12)).states[0];
    assert!((state[0] / 1.706_167_732_170_469 - 1.0).abs() < 1e-7, "{}", state[0]);
    assert!((state[1] / -0.892_809_701_024_812_5e-3 - 1.0).abs() < 1e-7, "{}", state[1]);
}

/// `y' = −λ(y − cos t) − sin t`, y = cos t (Prothero & Robinson): v depends on t, and λ may be anything.
#[test]
fn a_forced_linear_problem_at_any_stiffness() {
    let times: Vec<f64> = (0..=40).map(|i| 0.25 * f64::from(i)).collect();
    for rate in [1.0, 1e3, 1e6, 1e9] {
        let field = Field(1, move |t: f64, y: &[f64], dy: &mut [f64]| dy[0] = -rate * (y[0] - t.cos()) - t.sin());
        let solution = solve(&field, &[1.0], &times, &options(1e-8, 1e-8));
        for (state, t) in solution.states.iter().zip(&times) {
            assert!((state[0] - t.cos()).abs() < 3e-7, "λ = {rate:e}, t = {t}: {}", state[0] - t.cos());
        }
        assert!(solution.steps < 600, "λ = {rate:e}: {} steps", solution.steps);
    }
}

/// A decay beside a limit cycle: the errors follow the fifth power of the number of steps.
#[test]
fn order_of_convergence() {
    let field = Field(3, |_, y: &[f64], dy: &mut [f64]| {
        let (x, y, z) = (y[0], y[1], y[2]);
        let square = x * x + y * y;
        (dy[0], dy[1], dy[2]) = (-y + x * (1.0 - square), x + y * (1.0 - square), -3.0 * (z - x * y));
    });
    // From the limit cycle: (cos t, sin t).
    let times = [3.0, 10.0];
    let error = |tolerance: f64| {
        let solution = solve(&field, &[1.0, 0.0, 0.0], &times, &options(tolerance, tolerance));
        let wrong = |(state, t): (&Vec<f64>, &f64)| (state[0] - t.cos()).abs().max((state[1] - t.sin()).abs());
        let worst = solution.states.iter().zip(&times).map(wrong).fold(0.0, f64::max);
        ((solution.steps as f64).ln(), worst.ln())
    };
    let (loose, tight) = (error(1e-6), error(1e-10));
    let order = (loose.1 - tight.1) / (tight.0 - loose.0);
    assert!((4.7..5.6).contains(&order), "{order}");
    assert!(tight.1 < (1e-9_f64).ln(), "{}", tight.1.exp());
}

/// Where two functions change their signs.
struct Signs {
    found: Vec<(usize, f64)>,
    steps: usize,
    stop_at: f64,
}

impl Watch for Signs {
    fn values(&self, _: f64, y: &[f64], values: &mut Vec<f64>) {
        values.extend([y[0], y[1] - 0.5]);
    }

    fn event(&mut self, index: usize, t: f64, _: &[f64]) {
        self.found.push((index, t));
    }

    fn step(&mut self, t: f64, y: &[f64], inside: &mut Inside<'_>) -> Result<ControlFlow<()>> {
        self.steps += 1;
        let mut at_end = Vec::new();
        inside(t, &mut at_end)?;
        for (inside, end) in at_end.iter().zip(y) {
            assert!((inside - end).abs() < 1e-9, "the solution inside a step ends where the step does");
        }
        Ok(if t > self.stop_at { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    }
}

#[test]
fn events_are_located_in_order() {
    use std::f64::consts::PI;
    let oscillator = Field(2, |_, y: &[f64], dy: &mut [f64]| (dy[0], dy[1]) = (-y[1], y[0]));
    let mut watch = Signs { found: Vec::new(), steps: 0, stop_at: f64::INFINITY };
    let options = options(1e-9, 1e-9);
    let solution = rosenbrock::integrate(&oscillator, &[1.0, 0.0], &[7.0], &options, &mut watch, &Silent).unwrap();
    assert_eq!((solution.ending, watch.steps), (Ending::Done, solution.steps));
    let expected = [(1, PI / 6.0), (0, PI / 2.0), (1, 5.0 * PI / 6.0), (0, 1.5 * PI), (1, 2.0 * PI + PI / 6.0)];
    assert_eq!(watch.found.len(), expected.len(), "{:?}", watch.found);
    for ((index, t), (which, exact)) in watch.found.iter().zip(expected) {
        assert!(*index == which && (t - exact).abs() < 1e-7, "{:?}", watch.found);
    }
    let mut watch = Signs { found: Vec::new(), steps: 0, stop_at: 2.0 };
    let solution = rosenbrock::integrate(&oscillator, &[1.0, 0.0], &[1.0, 7.0], &options, &mut watch, &Silent).unwrap();
    assert_eq!((solution.ending, solution.reached), (Ending::Interrupted, 1));
}

#[test]
fn what_has_no_solution_ends_with_a_status() {
    let blow_up = Field(1, |_, y: &[f64], dy: &mut [f64]| dy[0] = y[0] * y[0]);
    let run = |field: &dyn VectorField, times: &[f64]| {
        rosenbrock::integrate(field, &[1.0], times, &options(1e-8, 1e-8), &mut (), &Silent).unwrap()
    };
    let solution = run(&blow_up, &[0.5, 2.0]);
    assert!(matches!(solution.ending, Ending::Diverged { at } if (at - 1.0).abs() < 1e-3), "{:?}", solution.ending);
    assert!((solution.states[0][0] - 2.0).abs() < 1e-6);
    let lost = Field(1, |_, y: &[f64], dy: &mut [f64]| dy[0] = if y[0] > 2.0 { f64::NAN } else { 1.0 });
    let solution = run(&lost, &[0.5, 2.0]);
    assert!(matches!(solution.ending, Ending::Diverged { at } if (at - 1.0).abs() < 1e-3), "{:?}", solution.ending);
    let still = Field(1, |_, _: &[f64], dy: &mut [f64]| dy[0] = 0.0);
    assert_eq!(run(&still, &[0.0, 3.0]).states, [[1.0], [1.0]]);
    let error = rosenbrock::integrate(&still, &[1.0], &[2.0, 1.0], &Options::default(), &mut (), &Silent).unwrap_err();
    assert!(matches!(error, Error::Numerical(_)), "{error}");
}

#[test]
fn an_observer_stops_the_integration() {
    struct Stop;
    impl Observer for Stop {
        fn progress(&self, at: &Progress) -> ControlFlow<()> {
            if at.done > 1.0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        }
    }
    let oscillator = Field(2, |_, y: &[f64], dy: &mut [f64]| (dy[0], dy[1]) = (-y[1], y[0]));
    let options = options(1e-11, 1e-11);
    let solution = rosenbrock::integrate(&oscillator, &[1.0, 0.0], &[0.5, 50.0], &options, &mut (), &Stop).unwrap();
    assert_eq!((solution.ending, solution.reached), (Ending::Interrupted, 1));
}

/// Two fast components that follow two slow ones: `ε x' = B z − (1 + z_1²) C x`, C symmetric positive definite.
struct Follower {
    epsilon: f64,
}

impl Follower {
    /// C, with eigenvalues 1 and 3.
    const C: [[f64; 2]; 2] = [[2.0, 1.0], [1.0, 2.0]];
}

impl VectorField for Follower {
    fn dim(&self) -> usize {
        4
    }

    fn drift(&self, _: f64, y: &[f64], dy: &mut [f64]) -> Result<()> {
        let (x, z) = y.split_at(2);
        for i in 0..2 {
            let pull = (1.0 + z[0] * z[0]) * (Self::C[i][0] * x[0] + Self::C[i][1] * x[1]);
            dy[i] = (z[i] - pull) / self.epsilon;
        }
        let (_, dz) = dy.split_at_mut(2);
        self.slow_drift(x, z, dz)
    }
}

impl LinearlyFast for Follower {
    fn fast(&self) -> usize {
        2
    }

    fn relax(&self, h: f64, z: &[f64], x: &mut [f64]) -> Result<()> {
        let rate = h / self.epsilon;
        let c = rate * (1.0 + z[0] * z[0]);
        let (d, o) = (1.0 + 2.0 * c, c);
        let right = [x[0] + rate * z[0], x[1] + rate * z[1]];
        let determinant = d * d - o * o;
        (x[0], x[1]) = ((d * right[0] - o * right[1]) / determinant, (d * right[1] - o * right[0]) / determinant);
        Ok(())
    }

    fn slow_drift(&self, x: &[f64], z: &[f64], dz: &mut [f64]) -> Result<()> {
        (dz[0], dz[1]) = (-z[1] + x[0] * z[1], z[0] - 0.1 * x[1]);
        Ok(())
    }
}

/// Against the Rosenbrock method, from a start away from where x wants to be, at every stiffness.
#[test]
fn extrapolation_agrees_with_rosenbrock() {
    let times = [0.0, 1e-6, 0.01, 0.3, 1.0, 4.0, 10.0];
    for epsilon in [1.0, 1e-2, 1e-5, 1e-9] {
        let system = Follower { epsilon };
        let start = [1.0, -0.5, 1.0, 0.2];
        let reference = solve(&system, &start, &times, &options(1e-11, 1e-12));
        for tolerance in [1e-6, 1e-9] {
            let options = options(tolerance, tolerance);
            let solution = extrapolation::integrate(&system, &start, &times, &options, &mut (), &Silent).unwrap();
            assert_eq!((solution.ending, solution.reached), (Ending::Done, times.len()));
            for (state, exact) in solution.states.iter().zip(&reference.states) {
                for (y, exact) in state.iter().zip(exact) {
                    assert!((y - exact).abs() < 50.0 * tolerance, "ε = {epsilon:e}, {tolerance:e}: {y} {exact}");
                }
            }
            assert!(solution.steps < 1000, "ε = {epsilon:e}: {} steps", solution.steps);
        }
    }
}

#[test]
fn extrapolation_locates_events_too() {
    struct Slow(Vec<f64>);
    impl Watch for Slow {
        fn values(&self, _: f64, y: &[f64], values: &mut Vec<f64>) {
            values.push(y[2]);
        }

        fn event(&mut self, _: usize, t: f64, _: &[f64]) {
            self.0.push(t);
        }

        fn step(&mut self, _: f64, _: &[f64], _: &mut Inside<'_>) -> Result<ControlFlow<()>> {
            Ok(ControlFlow::Continue(()))
        }
    }
    let (system, start, options) = (Follower { epsilon: 1e-4 }, [1.0, -0.5, 1.0, 0.2], options(1e-9, 1e-9));
    let (mut one, mut other) = (Slow(vec![]), Slow(vec![]));
    rosenbrock::integrate(&system, &start, &[10.0], &options, &mut one, &Silent).unwrap();
    extrapolation::integrate(&system, &start, &[5.0, 10.0], &options, &mut other, &Silent).unwrap();
    assert!(one.0.len() >= 2, "{:?}", one.0);
    assert_eq!(one.0.len(), other.0.len());
    for (one, other) in one.0.iter().zip(&other.0) {
        assert!((one - other).abs() < 1e-7, "{one} {other}");
    }
}

//! The methods, from `diffsol`: the only file that names it.

use diffsol::{DiffsolError, FaerLU, FaerMat, OdeBuilder, OdeEquations, OdeSolverMethod, OdeSolverStopReason, Vector};

use super::{Ending, Method, Run};
use crate::error::{Error, Result};

/// What stands for a drift that is not finite: `diffsol` takes the maximum of error norms, which overlooks NaN and would
/// accept the step; a drift of this size fails every error test without spoiling sums by 0·∞.
const LOST: f64 = 1e150;

/// Integrates from `(t, y)`, explicitly or implicitly, and leaves there how far it came.
pub(super) fn advance(run: &mut Run<'_>, method: Method, t: &mut f64, y: &mut [f64]) -> Result<Ending> {
    let end = run.end();
    let start = y.to_vec();
    let calls = run.calls.clone();
    let field = run.field;
    let drift = |y: &[f64], t: f64, dy: &mut [f64]| {
        let finite = field.drift(t, y, dy).is_ok() && dy.iter().all(|x| x.is_finite());
        calls.count(1, !finite);
        if !finite {
            dy.fill(LOST);
        }
    };
    let product = |y: &[f64], t: f64, v: &[f64], jv: &mut [f64]| {
        let finite = field.jacobian_times(t, y, v, jv).is_ok() && jv.iter().all(|x| x.is_finite());
        calls.count(1, !finite);
        if !finite {
            jv.fill(LOST);
        }
    };
    let mut problem = OdeBuilder::<FaerMat<f64>>::new()
        .rtol(run.options.relative_tolerance)
        .atol([run.options.absolute_tolerance])
        .t0(*t)
        .rhs_implicit(|y, _, t, dy| drift(y, t, dy), |y, _, t, v, jv| product(y, t, v, jv))
        .init(|_, _, out| out.copy_from_slice(&start), start.len())
        .build()
        .map_err(failure)?;
    // Its caps suit short integrations: 50 failed Newton iterations in all, and steps of 10⁻¹³ in whatever unit.
    problem.ode_options.max_nonlinear_solver_failures = 10_000;
    problem.ode_options.min_timestep = 4.0 * f64::EPSILON * end;
    match method {
        Method::Implicit => steps(run, problem.bdf::<FaerLU<f64>>().map_err(failure)?, t, y),
        _ => steps(run, problem.tsit45().map_err(failure)?, t, y),
    }
}

/// Steps to the last time, or until something ends the integration.
fn steps<'a, E: OdeEquations<T = f64> + 'a>(
    run: &mut Run<'_>,
    mut solver: impl OdeSolverMethod<'a, E>,
    t: &mut f64,
    y: &mut [f64],
) -> Result<Ending> {
    let end = run.end();
    solver.set_stop_time(end).map_err(failure)?;
    for _ in 0..run.options.max_steps {
        let Ok(reason) = solver.step() else {
            return Ok(run.stuck(*t, y));
        };
        let state = solver.state();
        y.copy_from_slice(&state.y.clone_as_vec());
        *t = state.t;
        // It stops within rounding of the last time.
        let until = if matches!(reason, OdeSolverStopReason::TstopReached) { end } else { *t };
        while let Some(time) = run.due(until) {
            run.states.push(solver.interpolate(time.min(*t)).map_err(failure)?.clone_as_vec());
        }
        if let Some(ending) = run.accepted(*t, y, false) {
            return Ok(ending);
        }
    }
    Ok(Ending::Stiff { at: *t })
}

fn failure(error: DiffsolError) -> Error {
    Error::Numerical(format!("the integrator failed: {error}"))
}

//! Overlaps as rows read them off trajectories: with the errors of runs, of limits and of limits at several seeds.

use std::thread;

use twolayer::record::Trajectory;

use super::{Row, Shown};

/// `⟨M_j, u⟩` at entry t.
pub fn overlap(run: &Trajectory, t: usize, j: usize, u: &[f64]) -> f64 {
    let row = &run.student_teacher[(t * run.width + j) * run.directions..][..run.directions];
    row.iter().zip(u).map(|(m, u)| m * u).sum()
}

/// The unit vector along direction r of k.
pub fn axis(r: usize, k: usize) -> Vec<f64> {
    (0..k).map(|i| f64::from(u8::from(i == r))).collect()
}

/// Mean over runs and its standard error.
pub fn mean_and_error(runs: &[Trajectory], value: impl Fn(&Trajectory) -> f64) -> (f64, f64) {
    let values: Vec<f64> = runs.iter().map(value).collect();
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    (mean, (values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (count * (count - 1.0))).sqrt())
}

/// What the neurons have in common with direction r where they differ in the sign of a: `Σ_j sign(a_j) M_jr / p`.
pub fn signed(run: &Trajectory, t: usize, u: &[f64]) -> f64 {
    let p = run.width;
    (0..p).map(|j| run.second_layer[j].signum() * overlap(run, t, j, u)).sum::<f64>() / p as f64
}

/// With `decimals` of them, and no sign before zero.
pub fn rounded(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    if text.bytes().all(|byte| matches!(byte, b'-' | b'0' | b'.')) { text.replace('-', "") } else { text }
}

pub fn numbers(values: &[f64]) -> String {
    values.iter().map(|value| rounded(*value, 4)).collect::<Vec<_>>().join(" ")
}

/// `1.2e-3`, and `0`.
fn power(value: f64) -> String {
    if value == 0.0 { "0".into() } else { format!("{value:.1e}") }
}

/// `mean ± error`, the error to two figures, and at least four decimals.
pub fn measured((mean, error): (f64, f64)) -> String {
    let decimals = if error > 0.0 { (1.0 - error.log10()).ceil().clamp(4.0, 6.0) as usize } else { 4 };
    format!("{} ± {}", rounded(mean, decimals), rounded(error, decimals))
}

/// `⟨M_j, u⟩` at entry t of a limit, with what its error is at most: the sum of the stated ones.
pub fn stated(limit: &Trajectory, t: usize, j: usize, u: &[f64]) -> (f64, f64) {
    let errors = limit.student_teacher_error.as_deref().expect("a limit states its errors");
    let row = &errors[(t * limit.width + j) * limit.directions..][..limit.directions];
    (overlap(limit, t, j, u), row.iter().zip(u).map(|(error, u)| error * u.abs()).sum())
}

/// The same of [`signed`].
pub fn stated_signed(limit: &Trajectory, t: usize, u: &[f64]) -> (f64, f64) {
    let p = limit.width;
    (signed(limit, t, u), (0..p).map(|j| stated(limit, t, j, u).1).sum::<f64>() / p as f64)
}

/// A limit at `count` seeds: their spread is the error of whatever is read off them together.
pub fn seeds(name: &str, view: &str, settings: &[&str], count: usize) -> Vec<Trajectory> {
    let of = |seed: usize| {
        let seed = format!("view.{view}.seed={seed}");
        Shown::with(name, &[settings, &[&seed]].concat(), &[view]).runs(view)[0].clone()
    };
    thread::scope(|scope| {
        let of = &of;
        let threads = [0, 1].map(|odd| scope.spawn(move || (odd..count).step_by(2).map(of).collect::<Vec<_>>()));
        threads.into_iter().flat_map(|thread| thread.join().expect("no panic")).collect()
    })
}

/// Values at the steps `1..`, all within `tolerance` of those required.
pub fn on(name: &'static str, asserted: &'static str, required: &[f64], tolerance: f64, got: &[f64]) -> Row {
    Row {
        name,
        asserted,
        required: format!("{} (±{tolerance})", numbers(required)),
        got: numbers(got),
        met: required.iter().zip(got).all(|(required, got)| (required - got).abs() <= tolerance),
        reason: "",
    }
}

/// A mean over runs that is zero within 4 of its standard errors, or is not.
pub fn zero(name: &'static str, asserted: &'static str, (mean, error): (f64, f64), expected: bool) -> Row {
    Row {
        name,
        asserted,
        required: if expected { "within 4 standard errors of 0" } else { "more than 4 standard errors from 0" }.into(),
        got: measured((mean, error)),
        // Neither holds of a number that is none.
        met: if expected { mean.abs() <= 4.0 * error } else { mean.abs() > 4.0 * error },
        reason: "",
    }
}

/// Values that are all zero within 4 of their errors.
pub fn zeros(name: &'static str, asserted: &'static str, values: &[(f64, f64)]) -> Row {
    let largest = |of: fn(&(f64, f64)) -> f64| values.iter().map(of).fold(0.0, f64::max);
    let (size, error) = (largest(|(value, _)| value.abs()), largest(|(_, error)| *error));
    let farthest = largest(|(value, error)| if *value == 0.0 { 0.0 } else { value.abs() / error });
    Row {
        name,
        asserted,
        required: "each within 4 errors of 0".into(),
        got: format!("at most {}, {farthest:.1} errors; errors ≤ {}", power(size), power(error)),
        met: values.iter().all(|(value, error)| value.abs() <= 4.0 * error),
        reason: "",
    }
}

/// Values of a limit that are zero to 10⁻⁴, errors included.
pub fn nothing(name: &'static str, asserted: &'static str, values: &[(f64, f64)]) -> Row {
    let largest = |of: fn(&(f64, f64)) -> f64| values.iter().map(of).fold(0.0, f64::max);
    Row {
        name,
        asserted,
        required: "0 ± 1e-4".into(),
        got: format!("at most {} ± {}", power(largest(|(value, _)| value.abs())), power(largest(|(_, error)| *error))),
        met: values.iter().all(|(value, error)| value.abs() + error <= 1e-4),
        reason: "",
    }
}

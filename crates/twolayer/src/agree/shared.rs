//! Runs that two views share: two simulations by one engine from one seed are one simulation.

use crate::record::{
    Trajectory,
    observable::{RISK, STUDENT_TEACHER},
};

/// How many runs of `first` are runs of `second` too: equal to the last bit in risk and M at all common `times`, and not
/// at rest.
pub fn runs(first: &[Trajectory], second: &[Trajectory], times: &[(usize, usize)]) -> usize {
    let moves = |run: &Trajectory| times.iter().any(|&(t, _)| !at(run, t).eq(at(run, times[0].0)));
    let same = |a: &Trajectory, b: &Trajectory| times.iter().all(|&(i, j)| at(a, i).eq(at(b, j)));
    first.iter().filter(|a| moves(a) && second.iter().any(|b| same(a, b))).count()
}

/// Risk and M at one entry.
fn at(run: &Trajectory, t: usize) -> impl Iterator<Item = &f64> {
    let width = run.width * run.directions;
    std::iter::once(&run.of(&RISK)[t]).chain(&run.of(&STUDENT_TEACHER)[t * width..][..width])
}

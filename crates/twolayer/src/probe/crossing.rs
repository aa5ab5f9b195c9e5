//! When a run first crosses a level.

use faer::Mat;

use super::{Moment, NEVER, Probe, Verdict};
use crate::{
    error::Result,
    overlaps::Overlaps,
    problem::{Crossing, CrossingOf, Grid},
    record::{
        Trajectory,
        observable::{CROSSING_STEP, RISK, STEP, STUDENT_SQUARES, STUDENT_TEACHER},
    },
};

/// Steps between two looks, relative to the steps made: crossings are interpolated between looks.
const RESOLUTION: f64 = 0.005;

/// Parts into which the interval around a crossing of a limit is cut.
const INNER: u64 = 64;

/// Watches for the first crossing of each level.
pub struct Watch<'a> {
    crossings: &'a [Crossing],
    /// Step and value at the last look.
    before: Vec<(f64, f64)>,
    /// The step of the next look.
    next: u64,
}

impl<'a> Watch<'a> {
    /// For these levels.
    pub fn new(crossings: &'a [Crossing]) -> Self {
        Self { crossings, before: Vec::new(), next: 0 }
    }

    /// Whether a level of the risk is among them.
    fn needs_risk(&self) -> bool {
        self.crossings.iter().any(|crossing| crossing.of == CrossingOf::Risk)
    }

    /// Sees the values `now`, and writes new crossings, linearly interpolated since the last look, into `found` (NaN where
    /// there was none yet). True where the run should end.
    fn see(&mut self, now: f64, risk: f64, overlaps: &Overlaps, found: &mut [f64]) -> bool {
        let mut stop = false;
        let mut values = Vec::with_capacity(self.crossings.len());
        for (index, crossing) in self.crossings.iter().enumerate() {
            let value = match crossing.of {
                CrossingOf::Risk => risk,
                CrossingOf::Cosine => {
                    (0..overlaps.directions()).map(|r| overlaps.largest_cosine(r)).fold(0.0, f64::max)
                }
                CrossingOf::CosineWith(r) => overlaps.largest_cosine(r),
            };
            let (then, earlier) = self.before.get(index).copied().unwrap_or((now, value));
            let (from, to) = (earlier - crossing.level, value - crossing.level);
            if found[index].is_nan() && (to == 0.0 || from * to < 0.0) {
                found[index] = if to == 0.0 { now } else { then + (now - then) * from / (from - to) };
            }
            stop |= crossing.stop && !found[index].is_nan();
            values.push((now, value));
        }
        self.before = values;
        stop
    }
}

impl Probe for Watch<'_> {
    fn due(&self) -> u64 {
        if self.crossings.is_empty() { NEVER } else { self.next }
    }

    fn look(&mut self, at: &mut dyn Moment, into: &mut Trajectory) -> Result<Verdict> {
        let step = at.step();
        self.next = step + ((step as f64 * RESOLUTION) as u64).max(1);
        let risk = if self.needs_risk() { at.risk()?.0 } else { f64::NAN };
        let stop = self.see(step as f64, risk, &at.state()?.overlaps, into.of_mut(&CROSSING_STEP));
        // The start is always recorded.
        Ok(if stop && step > 0 { Verdict::Stop } else { Verdict::GoOn })
    }
}

/// Crossings of a limit, interpolated between its entries, written into the trajectory (NaN where d is infinite: no steps);
/// from the entry after the first at which it should end on, entries become NaN.
pub fn of_entries(trajectory: &mut Trajectory, crossings: &[Crossing], teacher: &Mat<f64>) {
    let mut found = vec![f64::NAN; crossings.len()];
    let mut watch = Watch::new(crossings);
    let (p, k) = (trajectory.width, trajectory.directions);
    let mut overlaps = Overlaps { teacher_teacher: teacher.clone(), ..Overlaps::zeros(p, k) };
    for t in 0..if crossings.is_empty() { 0 } else { trajectory.valid } {
        for j in 0..p {
            // Without Q there are no cosines.
            let norm = trajectory.of(&STUDENT_SQUARES).get(t * p + j).copied().unwrap_or(f64::INFINITY);
            overlaps.student_student[(j, j)] = norm;
            (0..k)
                .for_each(|r| overlaps.student_teacher[(j, r)] = trajectory.of(&STUDENT_TEACHER)[(t * p + j) * k + r]);
        }
        if watch.see(trajectory.of(&STEP)[t], trajectory.of(&RISK)[t], &overlaps, &mut found) {
            trajectory.cut(t + 1);
            break;
        }
    }
    trajectory.set(&CROSSING_STEP, found);
}

/// The moments of `grid`, and more of them around the crossings that a limit has shown between its entries.
pub fn around(trajectory: &Trajectory, grid: &Grid) -> Grid {
    let step = trajectory.of(&STEP);
    let brackets = trajectory.of(&CROSSING_STEP).iter().filter_map(|crossing| {
        let after = step.iter().position(|step| step >= crossing)?;
        after.checked_sub(1)
    });
    match grid {
        Grid::Steps(steps) => {
            let between = |i: usize| {
                let (low, high) = (steps[i], steps[i + 1]);
                (1..INNER).map(move |inner| low + (high - low) * inner / INNER)
            };
            let mut all: Vec<u64> = steps.iter().copied().chain(brackets.flat_map(between)).collect();
            all.sort_unstable();
            all.dedup();
            Grid::Steps(all)
        }
        Grid::Times(times) => {
            let between = |i: usize| {
                let (low, high) = (times[i], times[i + 1]);
                (1..INNER).map(move |inner| low + (high - low) * inner as f64 / INNER as f64)
            };
            let mut all: Vec<f64> = times.iter().copied().chain(brackets.flat_map(between)).collect();
            all.sort_by(f64::total_cmp);
            all.dedup();
            Grid::Times(all)
        }
    }
}

#[cfg(test)]
mod tests {
    use faer::mat;

    use super::*;

    /// One neuron of length 2 and targets of lengths 1 and 3: cosines 0.2 and 0.9 at step 10, 0.6 and 0.8 at step 20.
    #[test]
    fn a_cosine_is_that_with_the_direction_named() {
        let at = |first: f64, second: f64| Overlaps {
            student_teacher: mat![[2.0 * first, -6.0 * second]],
            student_student: mat![[4.0]],
            teacher_teacher: mat![[1.0, 0.0], [0.0, 9.0]],
        };
        let level = |of, level| Crossing { of, level, stop: false };
        let levels = [
            level(CrossingOf::CosineWith(0), 0.4),
            level(CrossingOf::CosineWith(1), 0.4),
            level(CrossingOf::CosineWith(1), 0.85),
            level(CrossingOf::Cosine, 0.85),
            level(CrossingOf::Risk, 0.25),
        ];
        let mut watch = Watch::new(&levels);
        let mut found = vec![f64::NAN; 5];
        watch.see(10.0, 0.5, &at(0.2, 0.9), &mut found);
        assert!(found.iter().all(|step| step.is_nan()), "{found:?}");
        watch.see(20.0, 0.0, &at(0.6, 0.8), &mut found);
        let expected = [15.0, f64::NAN, 15.0, 15.0, 15.0];
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-12 || found.is_nan() && expected.is_nan(), "{found} {expected}");
        }
        // Found once, found for ever.
        watch.see(30.0, 0.5, &at(0.2, 0.9), &mut found);
        assert!((found[0] - 15.0).abs() < 1e-12 && found[1].is_nan(), "{found:?}");
        let names = levels.map(|level| level.of.name());
        assert_eq!(names, ["cosine:1", "cosine:2", "cosine:2", "cosine", "risk"]);
    }
}

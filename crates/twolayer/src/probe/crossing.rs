//! When a run first crosses a level.

use faer::Mat;

use crate::{
    overlaps::Overlaps,
    problem::{Crossing, CrossingOf, Grid},
    record::Trajectory,
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

    /// Whether step `step` should be looked at.
    #[inline]
    pub fn is_due(&self, step: u64) -> bool {
        step >= self.next && !self.crossings.is_empty()
    }

    /// Whether a level of the risk is among them.
    pub fn needs_risk(&self) -> bool {
        self.crossings.iter().any(|crossing| crossing.of == CrossingOf::Risk)
    }

    /// Looks at `step` and writes new crossings, linearly interpolated since the last look, into `found` (NaN where there
    /// was none yet). True where the run should end.
    pub fn look(&mut self, step: u64, risk: f64, overlaps: &Overlaps, found: &mut [f64]) -> bool {
        self.next = step + ((step as f64 * RESOLUTION) as u64).max(1);
        self.see(step as f64, risk, overlaps, found)
    }

    fn see(&mut self, now: f64, risk: f64, overlaps: &Overlaps, found: &mut [f64]) -> bool {
        let mut stop = false;
        let mut values = Vec::with_capacity(self.crossings.len());
        for (index, crossing) in self.crossings.iter().enumerate() {
            let value = match crossing.of {
                CrossingOf::Risk => risk,
                CrossingOf::Cosine => {
                    (0..overlaps.directions()).map(|r| largest_cosine(overlaps, r)).fold(0.0, f64::max)
                }
                CrossingOf::CosineWith(r) => largest_cosine(overlaps, r),
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
            let norm = trajectory.student_squares.get(t * p + j).copied().unwrap_or(f64::INFINITY);
            overlaps.student_student[(j, j)] = norm;
            (0..k).for_each(|r| overlaps.student_teacher[(j, r)] = trajectory.student_teacher[(t * p + j) * k + r]);
        }
        if watch.see(trajectory.step[t], trajectory.risk[t], &overlaps, &mut found) {
            trajectory.cut(t + 1);
            break;
        }
    }
    trajectory.crossing_step = found;
}

/// The moments of `grid`, and more of them around the crossings that a limit has shown between its entries.
pub fn around(trajectory: &Trajectory, grid: &Grid) -> Grid {
    let step = &trajectory.step;
    let brackets = trajectory.crossing_step.iter().filter_map(|crossing| {
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

/// The largest |M_jr|/√(Q_jj P_rr) over neurons.
fn largest_cosine(overlaps: &Overlaps, r: usize) -> f64 {
    let length = overlaps.teacher_teacher[(r, r)].sqrt();
    let cosine = |j: usize| {
        let norm = overlaps.student_student[(j, j)].sqrt();
        if norm > 0.0 { overlaps.student_teacher[(j, r)].abs() / (norm * length) } else { 0.0 }
    };
    (0..overlaps.width()).map(cosine).fold(0.0, f64::max)
}

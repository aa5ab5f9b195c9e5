//! The entries that two views have in common: means, variances, numerical errors, z.

use super::{
    agreement::QuantityAgreement,
    rows::Contrast,
    scores::{Moments, errors, moments, normal_score, sizes},
    times::{choose, thin},
};
use crate::{
    gaussian::normal,
    record::{
        OBSERVABLES, Observable, Trajectory,
        observable::{STUDENT_SQUARES, STUDENT_TEACHER, TIME},
    },
};

/// Differences below this fraction of the quantity's size are rounding.
const ROUNDING: f64 = 1e-12;
/// An arcsine, and with it every overlap of functions that saturate, is known to so much of its size where its argument
/// is 1 to the last digit.
const ROUNDING_AT_ONE: f64 = 1.5e-8;
/// More entries than this are thinned: 2000 say as much as 10⁶ that move together, at once.
const MOST: usize = 2000;
/// Times that are kept then.
const MOST_TIMES: usize = 100;
/// So many stated errors are no difference.
pub const FORGIVEN: f64 = 2.0;

/// One entry of a quantity at one time, as the test sees it.
pub struct Column {
    /// The contrast, then the residuals: see [`Contrast`].
    pub rows: Vec<f64>,
    /// e of the contrast, in its units.
    pub error: f64,
}

/// One entry of a quantity, in the order of time.
pub struct Line {
    /// Number of the quantity among those compared; 0 is the risk.
    pub quantity: usize,
    /// Its columns, without those at which there is nothing to compare.
    pub columns: Vec<Column>,
}

/// What differences are measured by.
pub enum Yardstick {
    /// Nothing: only the sizes are of interest.
    Nothing,
    /// Two limits: the numerical errors that both state.
    Errors,
    /// The spread over replicates.
    Replicates(Contrast),
}

/// What two views have in common.
pub struct Entries {
    /// Entries whose differences are measured by replicates.
    pub lines: Vec<Line>,
    /// z on the normal scale, and the quantity's number in `largest`.
    z: Vec<(f64, usize)>,
    /// (entries kept, entries in all), where they were thinned.
    pub thinned: Option<(usize, usize)>,
    largest: Vec<QuantityAgreement>,
}

/// The arrays that are compared: those of each entry whose numerical error a method can state.
fn compared() -> impl Iterator<Item = &'static Observable> {
    OBSERVABLES.iter().copied().filter(|observable| observable.error.is_some() && observable.is_by_entry())
}

/// Numbers of a quantity at each time; 0 where it is not recorded.
fn width(run: &Trajectory, quantity: &Observable) -> usize {
    run.get(quantity).map_or(0, |_| run.row_size(quantity))
}

/// One quantity of both views, at their common times.
struct Both<'a> {
    first: &'a [Trajectory],
    second: &'a [Trajectory],
    times: &'a [(usize, usize)],
    quantity: &'static Observable,
    /// Its number among those compared, and its numbers at each time.
    index: usize,
    width: usize,
}

impl Both<'_> {
    /// Where entry `i` at the common time of this number is, in each view.
    fn at(&self, time: usize, i: usize) -> [usize; 2] {
        [self.times[time].0 * self.width + i, self.times[time].1 * self.width + i]
    }

    /// Moments and stated errors of both views.
    fn moments(&self, time: usize, i: usize) -> [(Moments, f64); 2] {
        let [a, b] = self.at(time, i);
        [moments(self.first, self.quantity, a), moments(self.second, self.quantity, b)]
    }

    /// Every (time, entry).
    fn everywhere(&self) -> impl Iterator<Item = (usize, usize)> {
        (0..self.times.len()).flat_map(|time| (0..self.width).map(move |i| (time, i)))
    }

    /// The largest |mean|, and where the means are furthest apart.
    fn sizes(&self) -> (f64, QuantityAgreement) {
        let (mut scale, mut largest) = (0.0_f64, (0.0, 0.0, 0));
        for (time, i) in self.everywhere() {
            let [(a, _), (b, _)] = self.moments(time, i);
            scale = scale.max(a.mean.abs()).max(b.mean.abs());
            let difference = (a.mean - b.mean).abs();
            if difference >= largest.0 {
                largest = (difference, b.mean, time);
            }
        }
        let agreement = QuantityAgreement {
            quantity: self.quantity.name.into(),
            comparisons: 0,
            rms_z: None,
            max_z: None,
            max_difference: largest.0,
            value: largest.1,
            time: self.first[0].of(&TIME)[self.times[largest.2].0],
        };
        (scale, agreement)
    }

    /// z by the errors that both state; none where one states none.
    fn scores_by_errors(&self, rounding: f64) -> Vec<f64> {
        let stated = |run: &Trajectory| errors(run, self.quantity).is_some();
        if !stated(&self.first[0]) || !stated(&self.second[0]) {
            return Vec::new();
        }
        let score = |(time, i): (usize, usize)| {
            let [(a, error_a), (b, error_b)] = self.moments(time, i);
            let error = error_a.hypot(error_b).hypot(rounding);
            (error > 0.0).then(|| (a.mean - b.mean) / error)
        };
        self.everywhere().filter_map(score).collect()
    }

    /// Entry `i` at these times, and its z by the spread over replicates; times at which nothing differs and nothing
    /// spreads are left out.
    fn line(&self, i: usize, times: &[usize], contrast: &Contrast, rounding: f64) -> (Line, Vec<f64>) {
        let (mut columns, mut scores) = (Vec::new(), Vec::new());
        for &time in times {
            let [(a, error_a), (b, error_b)] = self.moments(time, i);
            let error = error_a.hypot(error_b);
            let difference = a.mean - b.mean;
            let spread = (a.variance + b.variance).sqrt();
            if spread <= rounding && difference.abs() <= rounding.max(FORGIVEN * error) {
                continue;
            }
            let error = error.hypot(rounding);
            let replicates = [self.first.len() as f64, self.second.len() as f64];
            scores.push(normal_score(difference, [a.variance, b.variance], error * error, replicates));
            let [at, other] = self.at(time, i);
            let values: Vec<f64> = (self.first.iter().map(|run| run.of(self.quantity)[at]))
                .chain(self.second.iter().map(|run| run.of(self.quantity)[other]))
                .collect();
            columns.push(Column { rows: contrast.of(&values), error: contrast.scale * error });
        }
        (Line { quantity: self.index, columns }, scores)
    }
}

impl Entries {
    /// The entries at the given pairs of times.
    pub fn new(first: &[Trajectory], second: &[Trajectory], times: &[(usize, usize)], yardstick: &Yardstick) -> Self {
        let widths: Vec<usize> = compared().map(|q| width(&first[0], q).min(width(&second[0], q))).collect();
        let all = match yardstick {
            Yardstick::Replicates(_) => times.len() * widths.iter().sum::<usize>(),
            // Numbers against numbers are soon done: nothing is left out.
            Yardstick::Errors | Yardstick::Nothing => 0,
        };
        let kept_times = thin(times.len(), if all > MOST { MOST_TIMES } else { usize::MAX });
        let most_lines = (MOST / kept_times.len().max(1)).saturating_sub(widths[0]).max(1);
        // The risk is always among them; of the others a random share, always the same one: strides would meet the
        // same neuron again and again.
        let others = widths[1..].iter().sum::<usize>();
        let share = |index: usize| if index == 0 { 1.0 } else { most_lines as f64 / others.max(1) as f64 };
        let norm = largest_norm(first, second, times);
        let mut entries = Self { lines: Vec::new(), z: Vec::new(), thinned: None, largest: Vec::new() };
        for (index, quantity) in compared().enumerate().filter(|(index, _)| widths[*index] * times.len() > 0) {
            let both = Both { first, second, times, quantity, index, width: widths[index] };
            let (scale, largest) = both.sizes();
            let number = entries.largest.len();
            entries.largest.push(largest);
            let rounding = rounding(index, scale, norm);
            match yardstick {
                Yardstick::Nothing => {}
                Yardstick::Errors => {
                    entries.z.extend(both.scores_by_errors(rounding).into_iter().map(|z| (z, number)));
                }
                Yardstick::Replicates(contrast) => {
                    for i in choose(both.width, share(index)) {
                        let (line, scores) = both.line(i, &kept_times, contrast, rounding);
                        entries.z.extend(scores.into_iter().map(|z| (z, number)));
                        entries.lines.push(line);
                    }
                }
            }
        }
        if all > MOST {
            entries.thinned = Some((entries.z.len(), all));
        }
        entries
    }

    /// Bonferroni's bound on the probability of a |z| as large as the largest, where every error is the standard error of
    /// a normal number; `None` without any z.
    pub fn bound(&self) -> Option<f64> {
        let [_, max] = sizes(self.z());
        max.map(|max| (2.0 * self.z.len() as f64 * normal::distribution(-max)).min(1.0))
    }

    /// All z.
    pub fn z(&self) -> impl Iterator<Item = f64> {
        self.z.iter().map(|(z, _)| *z)
    }

    /// The sizes, quantity by quantity.
    pub fn quantities(&self) -> Vec<QuantityAgreement> {
        let mut all = self.largest.clone();
        for (index, size) in all.iter_mut().enumerate() {
            let own = || self.z.iter().filter(|(_, of)| *of == index).map(|(z, _)| *z);
            [size.rms_z, size.max_z] = sizes(own());
            size.comparisons = own().count();
        }
        all
    }
}

/// The largest ‖w_j‖ at these times, as far as it is known: |M| is a lower bound.
fn largest_norm(first: &[Trajectory], second: &[Trajectory], times: &[(usize, usize)]) -> f64 {
    let largest = |run: &Trajectory, t: usize| {
        let at = |array: &[f64], width: usize| {
            let entry = array.get(t * width..(t + 1) * width).unwrap_or_default();
            entry.iter().map(|x| x.abs()).filter(|x| x.is_finite()).fold(0.0, f64::max)
        };
        let overlap = at(run.of(&STUDENT_TEACHER), run.width * run.directions);
        overlap.max(at(run.of(&STUDENT_SQUARES), run.width).sqrt())
    };
    let of_first = first.iter().flat_map(|run| times.iter().map(|&(i, _)| largest(run, i)));
    let of_second = second.iter().flat_map(|run| times.iter().map(|&(_, j)| largest(run, j)));
    of_first.chain(of_second).fold(0.0, f64::max)
}

/// Differences that are rounding, of a quantity of size `scale` where the largest weight vector has length `norm`: M is a
/// sum of products as large as the norm, whatever is left of it, and in the risk of units that saturate the angle between
/// vectors is lost as their length grows, to the square root of the last digit.
fn rounding(quantity: usize, scale: f64, norm: f64) -> f64 {
    match quantity {
        0 => scale * (ROUNDING * norm.max(1.0)).min(ROUNDING_AT_ONE),
        1 => ROUNDING * scale.max(norm),
        _ => ROUNDING * scale,
    }
}

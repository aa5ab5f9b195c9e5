//! The entries that two views have in common: means, variances, numerical errors, z.

use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use twolayer::{
    gaussian::normal,
    record::{
        OBSERVABLES, Observable, Trajectory,
        observable::{STUDENT_SQUARES, STUDENT_TEACHER, TIME},
    },
};

use super::{QuantityAgreement, rows::Contrast};

/// Times that differ by less than this fraction are the same moment.
const SAME_TIME: f64 = 1e-9;
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
pub(super) const FORGIVEN: f64 = 2.0;

/// Pairs of indices at which the two axes are at the same moment.
pub(super) fn common_times(a: &Trajectory, b: &Trajectory) -> Vec<(usize, usize)> {
    let (mut i, mut j, mut pairs) = (0, 0, Vec::new());
    while i < a.len() && j < b.len() {
        let (s, t) = (a.of(&TIME)[i], b.of(&TIME)[j]);
        if (s - t).abs() <= SAME_TIME * s.abs().max(t.abs()) {
            pairs.push((i, j));
            (i, j) = (i + 1, j + 1);
        } else if s < t || s.is_nan() {
            i += 1;
        } else {
            j += 1;
        }
    }
    pairs
}

/// Moments of one view's replicates at one entry.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moments {
    pub mean: f64,
    /// Squared standard error of the mean; 0 for one replicate.
    pub variance: f64,
}

impl Moments {
    /// From Σx and Σx² of values already shifted to be near zero.
    pub fn from_sums(sum: f64, squares: f64, replicates: f64) -> Self {
        let mean = sum / replicates;
        let spread = (squares / replicates - mean * mean).max(0.0);
        Self { mean, variance: if replicates > 1.0 { spread / (replicates - 1.0) } else { 0.0 } }
    }
}

/// One entry of a quantity at one time, as the test sees it.
pub(super) struct Column {
    /// The contrast, then the residuals: see [`Contrast`].
    pub rows: Vec<f64>,
    /// e of the contrast, in its units.
    pub error: f64,
}

/// One entry of a quantity, in the order of time.
pub(super) struct Line {
    /// Number of the quantity in [`QUANTITIES`]; 0 is the risk.
    pub quantity: usize,
    pub columns: Vec<Column>,
}

/// What differences are measured by.
pub(super) enum Yardstick {
    /// Nothing: only the sizes are of interest.
    Nothing,
    /// Two limits: the numerical errors that both state.
    Errors,
    /// The spread over replicates.
    Replicates(Contrast),
}

/// What two views have in common.
pub(super) struct Entries {
    pub lines: Vec<Line>,
    /// z on the normal scale, and the quantity's number in `largest`.
    z: Vec<(f64, usize)>,
    /// (entries kept, entries in all), where they were thinned.
    pub thinned: Option<(usize, usize)>,
    largest: Vec<QuantityAgreement>,
}

/// The arrays that are compared, entry by entry: those whose numerical error a method can state.
fn compared() -> impl Iterator<Item = &'static Observable> {
    OBSERVABLES.iter().copied().filter(|observable| observable.error.is_some() && observable.is_by_entry())
}

/// Numbers of a quantity at each time; 0 where it is not recorded.
fn width(run: &Trajectory, quantity: &Observable) -> usize {
    run.get(quantity).map_or(0, |_| run.row_size(quantity))
}

/// The stated errors of a quantity.
fn errors<'a>(run: &'a Trajectory, quantity: &Observable) -> Option<&'a [f64]> {
    run.get(Observable::named(quantity.error?)?)
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
        let norm = largest_norm(first, second, times);
        let mut entries = Self { lines: Vec::new(), z: Vec::new(), thinned: None, largest: Vec::new() };
        for (index, quantity) in compared().enumerate().filter(|(index, _)| widths[*index] * times.len() > 0) {
            let width = widths[index];
            let at = |time: usize, i: usize| [times[time].0 * width + i, times[time].1 * width + i];
            let both = |time: usize, i: usize| {
                let at = at(time, i);
                [moments(first, quantity, at[0]), moments(second, quantity, at[1])]
            };
            let everywhere = || (0..times.len()).flat_map(|time| (0..width).map(move |i| (time, i)));
            let (mut scale, mut largest) = (0.0_f64, (0.0, 0.0, 0));
            for (time, i) in everywhere() {
                let [(a, _), (b, _)] = both(time, i);
                scale = scale.max(a.mean.abs()).max(b.mean.abs());
                let difference = (a.mean - b.mean).abs();
                if difference >= largest.0 {
                    largest = (difference, b.mean, time);
                }
            }
            entries.largest.push(QuantityAgreement {
                quantity: quantity.name.into(),
                comparisons: 0,
                rms_z: None,
                max_z: None,
                max_difference: largest.0,
                value: largest.1,
                time: first[0].of(&TIME)[times[largest.2].0],
            });
            let rounding = rounding(index, scale, norm);
            let contrast = match yardstick {
                Yardstick::Replicates(contrast) => contrast,
                Yardstick::Errors => {
                    let stated = |run: &Trajectory| errors(run, quantity).is_some();
                    for (time, i) in everywhere().filter(|_| stated(&first[0]) && stated(&second[0])) {
                        let [(a, error_a), (b, error_b)] = both(time, i);
                        let error = error_a.hypot(error_b).hypot(rounding);
                        if error > 0.0 {
                            entries.z.push(((a.mean - b.mean) / error, entries.largest.len() - 1));
                        }
                    }
                    continue;
                }
                Yardstick::Nothing => continue,
            };
            // The risk is always among them; of the others a random share, always the same one: strides would meet the
            // same neuron again and again.
            let others = widths[1..].iter().sum::<usize>();
            let share = if index == 0 { 1.0 } else { most_lines as f64 / others.max(1) as f64 };
            for i in choose(width, share) {
                let mut columns = Vec::new();
                for &time in &kept_times {
                    let [(a, error_a), (b, error_b)] = both(time, i);
                    let (error, floor) = (error_a.hypot(error_b), rounding);
                    let difference = a.mean - b.mean;
                    let spread = (a.variance + b.variance).sqrt();
                    if spread <= floor && difference.abs() <= floor.max(FORGIVEN * error) {
                        continue;
                    }
                    let error = error.hypot(floor);
                    let replicates = [first.len() as f64, second.len() as f64];
                    let z = normal_score(difference, [a.variance, b.variance], error * error, replicates);
                    entries.z.push((z, entries.largest.len() - 1));
                    let at = at(time, i);
                    let values: Vec<f64> = (first.iter().map(|run| run.of(quantity)[at[0]]))
                        .chain(second.iter().map(|run| run.of(quantity)[at[1]]))
                        .collect();
                    columns.push(Column { rows: contrast.of(&values), error: contrast.scale * error });
                }
                entries.lines.push(Line { quantity: index, columns });
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
        let [_, max] = super::sizes(self.z());
        max.map(|max| (2.0 * self.z.len() as f64 * normal::distribution(-max)).min(1.0))
    }

    /// All z.
    pub fn z(&self) -> impl Iterator<Item = f64> {
        self.z.iter().map(|(z, _)| *z)
    }

    /// The sizes, quantity by quantity.
    pub fn quantities(&self) -> Vec<QuantityAgreement> {
        let mut sizes = self.largest.clone();
        for (index, size) in sizes.iter_mut().enumerate() {
            let own = || self.z.iter().filter(|(_, of)| *of == index).map(|(z, _)| *z);
            [size.rms_z, size.max_z] = super::sizes(own());
            size.comparisons = own().count();
        }
        sizes
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

/// Mean and its squared standard error over replicates, and the mean numerical error, at one index.
fn moments(runs: &[Trajectory], quantity: &Observable, index: usize) -> (Moments, f64) {
    // Shifted by the first value: a sum of squares of nearly equal numbers would lose the variance.
    let shift = runs[0].of(quantity)[index];
    let (mut sum, mut squares, mut error) = (0.0, 0.0, 0.0);
    for run in runs {
        let x = run.of(quantity)[index] - shift;
        sum += x;
        squares += x * x;
        let stated = errors(run, quantity).map_or(0.0, |errors| errors[index]);
        error += if stated.is_finite() { stated.abs() } else { 0.0 };
    }
    let mut moments = Moments::from_sums(sum, squares, runs.len() as f64);
    moments.mean += shift;
    (moments, error / runs.len() as f64)
}

/// At most `most` of `0..n`, evenly spread, the last among them.
fn thin(n: usize, most: usize) -> Vec<usize> {
    if n <= most { (0..n).collect() } else { (1..=most).map(|i| i * n / most - 1).collect() }
}

/// A random `share` of `0..total`, always the same one, in rising order.
fn choose(total: usize, share: f64) -> Vec<usize> {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(total as u64);
    (0..total).filter(|_| share >= 1.0 || rng.random::<f64>() < share).collect()
}

/// `difference/√(se² + e²)`, carried from Student's t with Welch's degrees of freedom to the normal scale by Wallace's
/// transformation, `√(ν ln(1 + t²/ν))·(8ν+1)/(8ν+3)`: entries with few replicates and entries with a stated numerical
/// error only can then be compared with each other.
pub(super) fn normal_score(difference: f64, variances: [f64; 2], error: f64, replicates: [f64; 2]) -> f64 {
    let square = variances[0] + variances[1] + error;
    let t = difference / square.sqrt();
    let freedom = |variance: f64, r: f64| if r > 1.0 { variance * variance / (r - 1.0) } else { 0.0 };
    let denominator = freedom(variances[0], replicates[0]) + freedom(variances[1], replicates[1]);
    // Beyond 10⁴ degrees of freedom t is normal to four digits.
    if denominator * 1e4 <= square * square {
        return t;
    }
    let nu = square * square / denominator;
    let score = (nu * (t * t / nu).ln_1p()).sqrt() * (8.0 * nu + 1.0) / (8.0 * nu + 3.0);
    score.copysign(t)
}

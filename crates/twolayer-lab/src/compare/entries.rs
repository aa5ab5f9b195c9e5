//! The entries that two views have in common: means, variances, numerical errors, z.

use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use twolayer::trajectory::{KeepQ, Trajectory};

use super::QuantityAgreement;

/// Times that differ by less than this fraction are the same moment.
const SAME_TIME: f64 = 1e-9;
/// Differences below this fraction of the quantity's size are rounding.
const ROUNDING: f64 = 1e-12;
/// More entries than this are thinned: 2000 say as much as 10⁶ that move together, at once.
const MOST: usize = 2000;

/// Pairs of indices at which the two axes are at the same moment.
pub(super) fn common_times(a: &Trajectory, b: &Trajectory) -> Vec<(usize, usize)> {
    let (mut i, mut j, mut pairs) = (0, 0, Vec::new());
    while i < a.len() && j < b.len() {
        let (s, t) = (a.time[i], b.time[j]);
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

/// One view's replicates at the entries that are compared.
pub(super) struct Side {
    pub replicates: usize,
    /// Deviations from the mean, replicate after replicate.
    pub centred: Vec<f64>,
}

/// What two views have in common.
pub(super) struct Entries {
    pub sides: [Side; 2],
    /// e², both views together.
    pub error: Vec<f64>,
    /// z on the normal scale.
    pub z: Vec<f64>,
    /// (entries kept, entries in all), where they were thinned.
    pub thinned: Option<(usize, usize)>,
    quantity_of: Vec<usize>,
    largest: Vec<QuantityAgreement>,
}

/// A quantity as an array with `width` entries at each time.
struct Quantity {
    name: &'static str,
    width: fn(&Trajectory) -> usize,
    values: fn(&Trajectory) -> &[f64],
    errors: fn(&Trajectory) -> Option<&[f64]>,
}

const QUANTITIES: [Quantity; 3] = [
    Quantity { name: "risk", width: |_| 1, values: |run| &run.risk, errors: |run| run.risk_error.as_deref() },
    Quantity {
        name: "M",
        width: |run| run.width * run.directions,
        values: |run| &run.student_teacher,
        errors: |run| run.student_teacher_error.as_deref(),
    },
    Quantity {
        name: "Q_diag",
        width: |run| if run.keep_q == KeepQ::None { 0 } else { run.width },
        values: |run| &run.student_norms,
        errors: |_| None,
    },
];

impl Entries {
    pub fn new(first: &[Trajectory], second: &[Trajectory], times: &[(usize, usize)]) -> Self {
        let mut entries = Self {
            sides: [first, second].map(|runs| Side { replicates: runs.len(), centred: Vec::new() }),
            error: Vec::new(),
            z: Vec::new(),
            thinned: None,
            quantity_of: Vec::new(),
            largest: Vec::new(),
        };
        let mut kept: [Vec<Vec<f64>>; 2] = [vec![Vec::new(); first.len()], vec![Vec::new(); second.len()]];
        let widths = QUANTITIES.map(|q| (q.width)(&first[0]).min((q.width)(&second[0])));
        let all = times.len() * widths.iter().sum::<usize>();
        let share = MOST.saturating_sub(times.len()) as f64 / (all - times.len() * widths[0]).max(1) as f64;
        for (index, quantity) in QUANTITIES.iter().enumerate() {
            let (width, total) = (widths[index], widths[index] * times.len());
            if total == 0 {
                continue;
            }
            let chosen = choose(total, if index == 0 { 1.0 } else { share });
            let at = |entry: usize, side: usize| {
                let (i, j) = times[entry / width];
                [i, j][side] * width + entry % width
            };
            let moments = |entry: usize| {
                [first, second].map(|runs| {
                    let side = usize::from(std::ptr::eq(runs, second));
                    moments(runs, quantity, at(entry, side))
                })
            };
            let scale = (0..total).flat_map(moments).map(|(m, _)| m.mean.abs()).fold(0.0, f64::max);
            let size = |entry: usize| {
                let [(a, _), (b, _)] = moments(entry);
                ((a.mean - b.mean).abs(), b.mean)
            };
            let worst = (0..total).max_by(|&x, &y| size(x).0.total_cmp(&size(y).0)).unwrap_or(0);
            entries.largest.push(QuantityAgreement {
                quantity: quantity.name.into(),
                comparisons: 0,
                rms_z: None,
                max_z: None,
                max_difference: size(worst).0,
                value: size(worst).1,
                time: first[0].time[times[worst / width].0],
            });
            for entry in chosen {
                let [(a, error_a), (b, error_b)] = moments(entry);
                let error = error_a * error_a + error_b * error_b;
                let difference = a.mean - b.mean;
                let floor = (ROUNDING * scale) * (ROUNDING * scale);
                if a.variance + b.variance + error <= floor && difference.abs() <= ROUNDING * scale {
                    continue;
                }
                let error = error + floor;
                let z = normal_score(difference, [a.variance, b.variance], error, entries.replicates());
                entries.z.push(z);
                entries.error.push(error);
                entries.quantity_of.push(entries.largest.len() - 1);
                for (side, (runs, mean)) in [(first, a.mean), (second, b.mean)].into_iter().enumerate() {
                    for (r, run) in runs.iter().enumerate() {
                        kept[side][r].push((quantity.values)(run)[at(entry, side)] - mean);
                    }
                }
            }
            if all > MOST {
                entries.thinned = Some((entries.z.len(), all));
            }
        }
        for (side, rows) in entries.sides.iter_mut().zip(kept) {
            side.centred = rows.concat();
        }
        entries
    }

    pub fn replicates(&self) -> [f64; 2] {
        [self.sides[0].replicates as f64, self.sides[1].replicates as f64]
    }

    /// The sizes, quantity by quantity.
    pub fn quantities(&self, assessed: bool) -> Vec<QuantityAgreement> {
        let mut sizes = self.largest.clone();
        for (index, size) in sizes.iter_mut().enumerate() {
            let mut z = (self.z.iter().zip(&self.quantity_of)).filter(|(_, q)| **q == index).map(|(z, _)| *z);
            [size.rms_z, size.max_z] = super::sizes(assessed, &mut z);
            size.comparisons = if assessed { self.quantity_of.iter().filter(|q| **q == index).count() } else { 0 };
        }
        sizes
    }
}

/// Mean and its squared standard error over replicates, and the mean numerical error, at one index.
fn moments(runs: &[Trajectory], quantity: &Quantity, index: usize) -> (Moments, f64) {
    // Shifted by the first value: a sum of squares of nearly equal numbers would lose the variance.
    let shift = (quantity.values)(&runs[0])[index];
    let (mut sum, mut squares, mut error) = (0.0, 0.0, 0.0);
    for run in runs {
        let x = (quantity.values)(run)[index] - shift;
        sum += x;
        squares += x * x;
        let stated = (quantity.errors)(run).map_or(0.0, |errors| errors[index]);
        error += if stated.is_finite() { stated.abs() } else { 0.0 };
    }
    let mut moments = Moments::from_sums(sum, squares, runs.len() as f64);
    moments.mean += shift;
    (moments, error / runs.len() as f64)
}

/// A random `share` of `0..total`, always the same one, in rising order: strides would meet the same neuron again and
/// again.
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

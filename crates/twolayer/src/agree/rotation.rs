//! The p-value of several statistics at once, when thousands of entries move together and replicates are few.

use rand::SeedableRng;
use rand_distr::{Distribution, StandardNormal};
use rand_xoshiro::Xoshiro256PlusPlus;

use super::{
    agreement::Evidence,
    entries::{Entries, FORGIVEN, Line},
};

/// Rotations that tell a p-value above [`DOUBT`], and those that tell a small one.
const FEW: usize = 499;
const MANY: usize = 9_999;
const DOUBT: f64 = 0.02;

/// What is looked at; the order of [`Statistics`].
const NAMES: [&str; 5] =
    ["one place", "all places together", "a stretch of time", "the step between two records", "the risk"];

/// One number for each of [`NAMES`], larger the less the views agree.
type Statistics = [f64; 5];

/// The probability of evidence as strong as this against two views of the same means, and of each statistic alone.
///
/// The test is Langsrud's (2005) rotation test. Each entry is a contrast and n − 1 residuals (a `Contrast`); if the
/// views agree and replicates are Gaussian, the n rows of all entries together have the same law after any rotation among
/// them, however the entries move together. Data rotated at random are therefore draws from the null, exact for any number
/// of replicates, and every statistic of them is calibrated without a model of the correlations. The statistics share the
/// rotations, and what is reported is the p-value of their smallest p-value (Westfall and Young). Of numerical errors only
/// what exceeds twice the stated ones counts. What it does not promise: 16 replicates as skew as an exponential law, against
/// a limit, “differ” in 2 % of cases instead of 0.1 %; against each other skewness cancels.
pub fn p_value(entries: &Entries) -> (f64, Vec<Evidence>) {
    let mut rotated = Rotated::new(&entries.lines);
    let observed = rotated.observed();
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(0);
    let mut draws = Vec::new();
    for count in [FEW, MANY] {
        while draws.len() < count {
            draws.push(rotated.draw(&mut rng));
        }
        let (p, each) = smallest(&observed, &draws);
        if p > DOUBT || count == MANY {
            let evidence = NAMES.iter().zip(each).map(|(name, p)| Evidence { statistic: (*name).into(), p_value: p });
            return (p, evidence.collect());
        }
    }
    (1.0, Vec::new())
}

/// The p-value of each statistic, and that of the smallest of them.
fn smallest(observed: &Statistics, draws: &[Statistics]) -> (f64, Statistics) {
    let total = draws.len() + 1;
    // The number of statistics at least as large, among all draws and the observed one: all are alike under the null.
    let mut least = vec![usize::MAX; total];
    let mut own = [0.0; NAMES.len()];
    for s in 0..NAMES.len() {
        let value = |i: usize| if i == 0 { observed[s] } else { draws[i - 1][s] };
        let mut order: Vec<usize> = (0..total).collect();
        order.sort_by(|&i, &j| value(j).total_cmp(&value(i)));
        let mut rank = 0;
        for (place, &i) in order.iter().enumerate() {
            // Of equal ones each counts all: the last place of the tie.
            if place >= rank {
                rank = place + order[place..].iter().take_while(|&&j| value(j) == value(i)).count();
            }
            least[i] = least[i].min(rank);
            if i == 0 {
                own[s] = rank as f64 / total as f64;
            }
        }
    }
    let p = least.iter().filter(|&&rank| rank <= least[0]).count() as f64 / total as f64;
    (p, own)
}

/// All entries, and the differences between consecutive times, scaled to length 1 over their rows: a length that no
/// rotation changes.
struct Rotated {
    n: usize,
    /// n numbers for each column.
    levels: Vec<f64>,
    steps: Vec<f64>,
    observed_levels: Vec<f64>,
    observed_steps: Vec<f64>,
    /// The levels of each line, and whether it is the risk.
    lines: Vec<(std::ops::Range<usize>, bool)>,
    /// Stretches of levels, first and beyond the last, with their size under rotations.
    stretches: Vec<(usize, usize, f64)>,
    /// How many of the stretches are of the risk; they come first.
    of_risk: usize,
    scratch: Vec<f64>,
}

impl Rotated {
    fn new(lines: &[Line]) -> Self {
        let n = lines.iter().find_map(|line| line.columns.first()).map_or(0, |column| column.rows.len());
        let mut all = Self {
            n,
            levels: Vec::new(),
            steps: Vec::new(),
            observed_levels: Vec::new(),
            observed_steps: Vec::new(),
            lines: Vec::new(),
            stretches: Vec::new(),
            of_risk: 0,
            scratch: Vec::new(),
        };
        for line in lines {
            let start = all.observed_levels.len();
            for column in &line.columns {
                push(&mut all.levels, &mut all.observed_levels, &column.rows, column.error);
            }
            for pair in line.columns.windows(2) {
                let step: Vec<f64> = pair[0].rows.iter().zip(&pair[1].rows).map(|(a, b)| b - a).collect();
                push(&mut all.steps, &mut all.observed_steps, &step, pair[0].error + pair[1].error);
            }
            all.lines.push((start..all.observed_levels.len(), line.quantity == 0));
        }
        all.cut(lines);
        all.scratch = vec![0.0; all.observed_levels.len()];
        all
    }

    /// Stretches of 1, 2, 4, … levels, each half over the next. Their sizes are taken from all stretches of one length
    /// in one quantity: a stretch then needs not estimate its own spread from few replicates.
    fn cut(&mut self, lines: &[Line]) {
        let mut sizes: std::collections::BTreeMap<(usize, usize), (f64, f64)> = std::collections::BTreeMap::new();
        let mut cuts = Vec::new();
        for (line, (range, _)) in lines.iter().zip(&self.lines) {
            let mut length = 1;
            while length <= range.len() {
                for start in (range.start..=range.end - length).step_by((length / 2).max(1)) {
                    let sum = |r: usize| (start..start + length).map(|i| self.levels[i * self.n + r]).sum::<f64>();
                    let square: f64 = (0..self.n).map(|r| sum(r).powi(2)).sum();
                    let size = sizes.entry((line.quantity, length)).or_default();
                    *size = (size.0 + square, size.1 + 1.0);
                    cuts.push((line.quantity, start, length));
                }
                length *= 2;
            }
        }
        self.of_risk = cuts.iter().filter(|(quantity, ..)| *quantity == 0).count();
        let size = |quantity, length| sizes.get(&(quantity, length)).map_or(1.0, |(sum, count)| (sum / count).sqrt());
        self.stretches = cuts
            .into_iter()
            .map(|(quantity, start, length)| (start, start + length, size(quantity, length)))
            .filter(|(.., size)| *size > 0.0)
            .collect();
    }

    fn observed(&self) -> Statistics {
        self.statistics(&self.observed_levels, self.observed_steps.iter().copied())
    }

    fn draw(&mut self, rng: &mut Xoshiro256PlusPlus) -> Statistics {
        let mut direction: Vec<f64> = (0..self.n).map(|_| StandardNormal.sample(rng)).collect();
        let norm = direction.iter().map(|x| x * x).sum::<f64>().sqrt();
        direction.iter_mut().for_each(|x| *x /= norm);
        let project = |column: &[f64]| column.iter().zip(&direction).map(|(x, u)| x * u).sum::<f64>();
        let mut levels = std::mem::take(&mut self.scratch);
        levels.iter_mut().zip(self.levels.chunks_exact(self.n)).for_each(|(level, column)| *level = project(column));
        let statistics = self.statistics(&levels, self.steps.chunks_exact(self.n).map(project));
        self.scratch = levels;
        statistics
    }

    /// From the contrasts, as fractions of the entries' lengths: with ρ the square of one, t² = (n − 1) ρ/(1 − ρ).
    fn statistics(&self, levels: &[f64], steps: impl Iterator<Item = f64>) -> Statistics {
        let largest = |numbers: &mut dyn Iterator<Item = f64>| numbers.fold(0.0_f64, |max, x| max.max(x.abs()));
        // −ln(1 − ρ) = ln(1 + t²/ν): a sum of squares whose tails few replicates do not blow up.
        let one = |x: &f64| 1.0 - (x * x).min(1.0 - 1e-15);
        let together: f64 = levels.chunks(16).map(|some| -some.iter().map(one).product::<f64>().ln()).sum();
        let mut sums = Vec::with_capacity(levels.len() + 1);
        sums.push(0.0);
        let mut sum = 0.0;
        for x in levels {
            sum += x;
            sums.push(sum);
        }
        let stretch = |&(start, end, size): &(usize, usize, f64)| (sums[end] - sums[start]) / size;
        [
            largest(&mut levels.iter().copied()),
            together,
            largest(&mut self.stretches.iter().map(stretch)),
            largest(&mut { steps }),
            largest(&mut self.stretches[..self.of_risk].iter().map(stretch)),
        ]
    }
}

/// Appends a column scaled to length 1, and its contrast less what numerical errors may explain; nothing where all of it
/// is numerical error.
fn push(columns: &mut Vec<f64>, observed: &mut Vec<f64>, rows: &[f64], error: f64) {
    let length = rows.iter().map(|x| x * x).sum::<f64>().sqrt();
    let contrast = (rows[0].abs() - FORGIVEN * error).max(0.0);
    let spread = rows[1..].iter().map(|x| x * x).sum::<f64>().sqrt();
    if length > 0.0 && (spread > error * 1e-3 || contrast > 0.0) {
        columns.extend(rows.iter().map(|x| x / length));
        observed.push(contrast.copysign(rows[0]) / length);
    }
}

//! Hermite tensors by scrambled Sobol samples, for kinks and jumps, and for the law of the label.
//!
//! Several u are fixed, and v is drawn anew at each of them, in independent replicates. Products of two DIFFERENT
//! replicates are unbiased for `T_ℓ(u) T_ℓ(u)ᵀ`, so a tensor that vanishes averages to zero and not to its own noise;
//! the jackknife over replicates gives the error.

use faer::Mat;

use super::{
    Method, Spectrum,
    function::{Function, Spread},
    indices::Indices,
    subspace::{eigen, join, tables},
};
use crate::{
    error::{Error, Result},
    gaussian::sobol,
};

/// Rounding of labels relative to the largest, and of eigenvalues relative to the variance.
const ROUNDING: f64 = 1e-12;
/// An error of U below this is rounding.
const EXACT: f64 = 1e-9;
/// Where U is known to δ only, g may tell v apart from labels that differ by δ. Label noise of this many times δ, which
/// changes no stair, blurs that: what is left has a size of 1/300.
const BLUR: f64 = 300.0;
/// Products of samples and coefficients that an expansion may cost.
const COEFFICIENT_WORK: usize = 200_000_000;
/// Independent scramblings; one more serves as the pilot that fixes centres and bins.
const REPLICATES: usize = 16;
/// Points whose Hermite polynomials are computed together.
const BLOCK: usize = 1024;
/// Labels closer than this fraction of their interquartile range are one label.
const TIE: f64 = 1e-9;

/// What of the label is looked at.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Labels {
    /// Its mean given z: `T_ℓ(u) = E[g He_ℓ(v) | u]`.
    Value,
    /// Its whole law, with noise of variance Δ: `G_ℓ(y, u) = E[He_ℓ(v) | y, u]`.
    Law {
        /// Δ.
        noise: f64,
    },
}

/// How many samples.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    /// Fixed u.
    known: usize,
    /// Points of v for each u and replicate, a power of two.
    each: usize,
    /// A statement “zero” is made only where what could hide is below this part of the variance.
    required: [f64; 2],
}

/// Plans in rising order of cost.
pub(super) fn plans(nothing_known: bool) -> [Plan; 3] {
    let plan = |known, each, required| Plan { known, each, required };
    if nothing_known {
        [plan(1, 1 << 14, [1e-5, 1e-3]), plan(1, 1 << 16, [1e-4, 1e-3]), plan(1, 1 << 18, [1e-4, 2e-3])]
    } else {
        [plan(128, 512, [1e-4, 1e-3]), plan(256, 1024, [1e-4, 1e-3]), plan(256, 4096, [1e-3, 3e-3])]
    }
}

/// Samples of g from a known subspace.
pub(super) struct Sample {
    plan: Plan,
    /// Number of coordinates of v.
    unknown: usize,
    replicates: Vec<Replicate>,
    /// Bins at each u, with their probabilities; empty where the label itself is the only feature.
    bins: Vec<Vec<f64>>,
    /// What the eigenvalues are compared with: E Var(g|u), or 1 shrunk by the noise.
    scale: f64,
    required: f64,
    /// What an error of U lets through, in units of `scale`.
    leak: f64,
}

struct Replicate {
    /// v, coordinate i of point μ at `i·count + μ`.
    points: Vec<f64>,
    feature: Feature,
}

enum Feature {
    /// y less its mean at this u.
    Value(Vec<f64>),
    /// The number of the bin.
    Bin(Vec<u16>),
}

impl Sample {
    /// Draws the samples.
    ///
    /// # Errors
    /// [`Error::Numerical`] where g is not finite.
    pub(super) fn draw(
        function: &Function<'_>,
        known: &Mat<f64>,
        rest: &Mat<f64>,
        labels: Labels,
        plan: Plan,
        slack: f64,
    ) -> Result<Self> {
        let original = function;
        let function = function.along(&join(known, rest));
        let unknown = rest.ncols();
        let count = plan.known * plan.each;
        let fixed = sobol::normals(plan.known, known.ncols(), 5);
        let fixed: Vec<Vec<f64>> = (fixed.chunks(plan.known))
            .map(|u| u.iter().flat_map(|&u| std::iter::repeat_n(u, plan.each)).collect())
            .collect();
        let noisy = matches!(labels, Labels::Law { noise } if noise > 0.0 || slack > EXACT);
        let draw = |seed: u64| -> Result<(Vec<f64>, Vec<f64>)> {
            let points = sobol::normals(count, unknown + usize::from(noisy), 1000 + seed);
            let mut y = vec![0.0; count];
            let x: Vec<&[f64]> =
                fixed.iter().map(Vec::as_slice).chain(points.chunks_exact(count).take(unknown)).collect();
            function.evaluate(&x, &mut y);
            match y.iter().find(|y| !y.is_finite()) {
                Some(wrong) => Err(Error::Numerical(format!("g is {wrong} at an input that normal data reach"))),
                None => Ok((points, y)),
            }
        };
        // The pilot fixes centres and bins and is not used again, so they are independent of everything averaged.
        let (points, mut pilot) = draw(0)?;
        let spreads: Vec<Spread> = pilot.chunks_exact(plan.each).map(Spread::of).collect();
        let variance = spreads.iter().map(|spread| spread.variance).sum::<f64>() / plan.known as f64;
        let noise = match labels {
            Labels::Law { noise } if slack > EXACT => noise + (BLUR * slack * deviation(&pilot)).powi(2),
            Labels::Law { noise } => noise,
            Labels::Value => 0.0,
        };
        let blur = |y: &mut [f64], points: &[f64]| {
            let xi = points.chunks_exact(count).nth(unknown).unwrap_or_default();
            y.iter_mut().zip(xi).for_each(|(y, xi)| *y += noise.sqrt() * xi);
        };
        blur(&mut pilot, &points);
        let bins: Vec<Bins> = match labels {
            Labels::Value => Vec::new(),
            Labels::Law { .. } => pilot.chunks_exact(plan.each).map(Bins::of).collect(),
        };
        let mut replicates = Vec::with_capacity(REPLICATES);
        for seed in 1..=REPLICATES {
            let (mut points, mut y) = draw(seed as u64)?;
            blur(&mut y, &points);
            points.truncate(unknown * count);
            let feature = match labels {
                Labels::Value => {
                    let at_each = y.chunks_exact_mut(plan.each).zip(&spreads);
                    at_each.for_each(|(y, spread)| y.iter_mut().for_each(|y| *y -= spread.mean));
                    Feature::Value(y)
                }
                Labels::Law { .. } => {
                    let at_each = y.chunks_exact(plan.each).zip(&bins);
                    Feature::Bin(at_each.flat_map(|(y, bins)| y.iter().map(|y| bins.place(*y))).collect())
                }
            };
            replicates.push(Replicate { points, feature });
        }
        let (scale, required) = match labels {
            Labels::Value => (variance, plan.required[0]),
            // Noise shrinks what the label says of z; what “zero” has to exclude shrinks with it.
            Labels::Law { .. } => (1.0, plan.required[1] * (variance / (variance + noise)).max(1e-3)),
        };
        let bins = bins.into_iter().map(|bins| bins.probabilities).collect();
        let leak =
            if slack > EXACT { leak(&original.shaken(known, rest, slack), labels, variance, noise) } else { 0.0 };
        let leak = leak + ROUNDING;
        Ok(Self { plan, unknown, replicates, bins, scale, required, leak })
    }

    /// S_ℓ/ℓ!, or S̃_ℓ/ℓ!, averaged over symmetries, decided.
    pub(super) fn spectrum(&self, degree: usize, average: &dyn Fn(&Mat<f64>) -> Mat<f64>) -> Result<Spectrum> {
        let (m, r) = (self.unknown, REPLICATES as f64);
        let indices = Indices::up_to(degree, m);
        let unfolding = indices.unfolding(degree);
        let zero = || Mat::<f64>::zeros(m, m);
        // With A_r the average of replicate r and A = Σ_r A_r: Σ A_r A_rᵀ and Σ A A_rᵀ, over all u and bins.
        let (mut own, mut with_all) = (vec![zero(); REPLICATES], vec![zero(); REPLICATES]);
        let (mut by_known, mut terms) = (Vec::new(), 0);
        let size = indices.range(degree).len();
        for at in 0..self.plan.known {
            let bins: &[f64] = self.bins.get(at).map_or(&[1.0], Vec::as_slice);
            let averages: Vec<Vec<f64>> =
                self.replicates.iter().map(|replicate| self.average(replicate, at, bins, degree, &indices)).collect();
            let mut trace = 0.0;
            for bin in 0..bins.len() {
                let part = |average: &'_ [f64]| average[bin * size..(bin + 1) * size].to_vec();
                let parts: Vec<Vec<f64>> = averages.iter().map(|average| part(average)).collect();
                let all: Vec<f64> = (0..size).map(|i| parts.iter().map(|part| part[i]).sum()).collect();
                let weight = 1.0 / self.plan.known as f64;
                for (index, part) in parts.iter().enumerate() {
                    unfolding.add_product(part, part, weight, &mut own[index]);
                    unfolding.add_product(&all, part, weight, &mut with_all[index]);
                    trace -= part.iter().map(|a| a * a).sum::<f64>();
                }
                trace += all.iter().map(|a| a * a).sum::<f64>();
            }
            terms += bins.len() * size;
            by_known.push(trace / (r * (r - 1.0)));
        }
        let sum = |matrices: &[Mat<f64>]| matrices.iter().fold(zero(), |sum, matrix| sum + matrix);
        let (all, own_sum) = (sum(&with_all), sum(&own));
        let mean = average(&((&all - &own_sum) * faer::Scale(1.0 / (r * (r - 1.0)))));
        // Σ_{s≠t≠r} of the products without replicate r.
        let without: Vec<Mat<f64>> = (0..REPLICATES)
            .map(|i| {
                let rest = &all - &with_all[i] * faer::Scale(2.0) + &own[i] * faer::Scale(2.0) - &own_sum;
                average(&(rest * faer::Scale(1.0 / ((r - 1.0) * (r - 2.0)))))
            })
            .collect();
        let jackknife = |of: &dyn Fn(&Mat<f64>) -> f64| {
            let values: Vec<f64> = without.iter().map(of).collect();
            ((r - 1.0) * Spread::of(&values).variance).sqrt()
        };
        let (values, vectors) = eigen(&mean)?;
        let along = |c: usize| {
            let vectors = &vectors;
            move |matrix: &Mat<f64>| {
                (0..m).map(|i| (0..m).map(|j| vectors[(i, c)] * matrix[(i, j)] * vectors[(j, c)]).sum::<f64>()).sum()
            }
        };
        let errors: Vec<f64> = (0..m).map(|c| jackknife(&along(c))).collect();
        // One squared average has the heavy tail of χ²; a sum of many is normal.
        let nonzero = 8.0 + 32.0 / (terms as f64).sqrt();
        let leak = self.leak * self.scale;
        let zero_below: Vec<f64> = errors.iter().map(|error| (nonzero / 3.0).max(4.0) * error + leak).collect();
        let nonzero_above: Vec<f64> = errors.iter().map(|error| nonzero * error + 3.0 * leak).collect();
        let small = |c: &usize| values[*c] <= nonzero_above[*c];
        let resolution = (0..m).filter(small).map(|c| zero_below[c] / self.scale).fold(0.0, f64::max);
        let trace = |matrix: &Mat<f64>| (0..m).map(|i| matrix[(i, i)]).sum::<f64>();
        let squared = trace(&mean).max(0.0);
        let spread_over_known = (Spread::of(&by_known).variance / self.plan.known as f64).sqrt();
        let squared_error = jackknife(&trace).hypot(spread_over_known);
        Ok(Spectrum {
            size: squared.sqrt(),
            size_error: squared_error / (2.0 * squared.sqrt()).max(squared_error.sqrt()),
            nonzero_above,
            zero_below,
            resolution: resolution.sqrt(),
            required: self.required.sqrt(),
            deviations: (without.iter())
                .map(|without| (without - &mean) * faer::Scale(((r - 1.0) / r).sqrt()))
                .collect(),
            values,
            vectors,
            scale: self.scale,
            method: Method::Samples { samples: REPLICATES * self.plan.known * self.plan.each },
        })
    }

    /// `E Var(g|u) − Σ_{1≤q≤degree} tr S_q/q!` of samples of the label's value, and its standard error.
    pub(super) fn unexplained(&self, degree: usize) -> Result<(f64, f64)> {
        let (each, known) = (self.plan.each, self.plan.known);
        // Of each replicate and u; a replicate's mean over u, and a u's mean over replicates, tell two errors.
        let mut by_replicate = Vec::with_capacity(REPLICATES);
        let mut by_known = vec![0.0; known];
        for replicate in &self.replicates {
            let Feature::Value(y) = &replicate.feature else { continue };
            let variances = y.chunks_exact(each).map(|y| Spread::of(y).variance);
            let mut mean = 0.0;
            for (by_known, variance) in by_known.iter_mut().zip(variances) {
                mean += variance / known as f64;
                *by_known += variance / REPLICATES as f64;
            }
            by_replicate.push(mean);
        }
        let Spread { mean, variance } = Spread::of(&by_replicate);
        let over_known = if known > 1 { Spread::of(&by_known).variance / (known as f64 - 1.0) } else { 0.0 };
        // Scrambled points know their own mean better than plain ones, whose variance would be too small by 1/each.
        let bias = mean / each as f64;
        let (mut value, mut error) = (mean, (variance / (REPLICATES as f64 - 1.0) + over_known).sqrt() + bias);
        for degree in 1..=degree {
            let spectrum = self.spectrum(degree, &Mat::clone)?;
            value -= spectrum.size * spectrum.size;
            error += (2.0 * spectrum.size * spectrum.size_error).max(spectrum.size_error.powi(2));
        }
        Ok((value, error))
    }

    /// `E[h_γ(v) 1(bin)]/√P(bin)`, or `E[y h_γ(v)]`, at one u: bin by bin, the indices of the degree asked for.
    fn average(&self, replicate: &Replicate, at: usize, bins: &[f64], degree: usize, indices: &Indices) -> Vec<f64> {
        let (each, count) = (self.plan.each, self.plan.known * self.plan.each);
        let size = indices.range(degree).len();
        let mut sums = vec![0.0; bins.len() * size];
        let mut product = vec![0.0; BLOCK.min(each)];
        for start in (at * each..(at + 1) * each).step_by(BLOCK) {
            let range = start..(start + BLOCK).min((at + 1) * each);
            let x: Vec<&[f64]> = replicate.points.chunks_exact(count).map(|v| &v[range.clone()]).collect();
            let tables = tables(degree, &x);
            for (index, gamma) in indices.of_degree(degree).iter().enumerate() {
                product.fill(1.0);
                for (table, &q) in tables.iter().zip(gamma).filter(|(_, q)| **q > 0) {
                    product.iter_mut().zip(&table[usize::from(q)]).for_each(|(product, h)| *product *= h);
                }
                match &replicate.feature {
                    Feature::Value(y) => {
                        sums[index] += y[range.clone()].iter().zip(&product).map(|(y, h)| y * h).sum::<f64>();
                    }
                    Feature::Bin(bin) => {
                        let bins = bin[range.clone()].iter().zip(&product);
                        bins.for_each(|(bin, h)| sums[usize::from(*bin) * size + index] += h);
                    }
                }
            }
        }
        for (bin, probability) in bins.iter().enumerate() {
            let factor = 1.0 / (each as f64 * probability.sqrt());
            sums[bin * size..(bin + 1) * size].iter_mut().for_each(|sum| *sum *= factor);
        }
        sums
    }
}

/// How much an error of U can add to the eigenvalues: by Bessel's inequality no more than the mean square change of what
/// is averaged. The label itself changes by `E(g∘R − g)²`; of its law, blurred by noise, only changes that the noise does
/// not cover count.
fn leak((y, moved): &(Vec<f64>, Vec<f64>), labels: Labels, variance: f64, noise: f64) -> f64 {
    let change = |(y, moved): (&f64, &f64)| match labels {
        Labels::Value => (y - moved).powi(2) / variance,
        Labels::Law { .. } => (10.0 * (y - moved).powi(2) / noise).min(1.0),
    };
    y.iter().zip(moved).map(change).sum::<f64>() / y.len() as f64
}

/// The interquartile range of sorted numbers, or where that is 0 the whole range.
fn range(sorted: &[f64]) -> f64 {
    let count = sorted.len();
    let middle = sorted[count * 3 / 4] - sorted[count / 4];
    if middle > 0.0 { middle } else { sorted[count - 1] - sorted[0] }
}

/// A standard deviation that heavy tails do not blow up.
fn deviation(labels: &[f64]) -> f64 {
    let mut sorted = labels.to_vec();
    sorted.sort_by(f64::total_cmp);
    range(&sorted) / 1.35
}

/// Bins of equal probability; equal labels share one.
struct Bins {
    /// Upper edges of all but the last.
    edges: Vec<f64>,
    probabilities: Vec<f64>,
}

impl Bins {
    fn of(labels: &[f64]) -> Self {
        let mut sorted = labels.to_vec();
        sorted.sort_by(f64::total_cmp);
        let count = sorted.len();
        let wanted = (count / 32).clamp(2, 128);
        let largest = sorted[0].abs().max(sorted[count - 1].abs());
        let tie = (TIE * range(&sorted)).max(ROUNDING * largest);
        let mut edges: Vec<f64> = Vec::new();
        for bin in 1..wanted {
            let edge = sorted[bin * count / wanted - 1] + tie;
            if edges.last().is_none_or(|last| edge > last + tie) && edge < sorted[count - 1] {
                edges.push(edge);
            }
        }
        let mut bins = Self { edges, probabilities: Vec::new() };
        bins.probabilities = vec![0.0; bins.edges.len() + 1];
        for &y in labels {
            let bin = usize::from(bins.place(y));
            bins.probabilities[bin] += 1.0 / count as f64;
        }
        bins
    }

    fn place(&self, label: f64) -> u16 {
        self.edges.partition_point(|edge| *edge < label) as u16
    }
}

/// `E[g h_α]` for |α| ≤ degree, their standard errors, and √Var g.
///
/// # Errors
/// [`Error::Numerical`] where g is not finite.
pub(super) fn coefficients(function: &Function<'_>, degree: usize) -> Result<(Vec<f64>, Vec<f64>, f64)> {
    let m = function.dimension();
    let indices = Indices::up_to(degree, m);
    let affordable = (COEFFICIENT_WORK / (REPLICATES * indices.len())).max(1).ilog2();
    let each = 1 << affordable.clamp(13, 16);
    let plan = Plan { known: 1, each, required: [1.0, 1.0] };
    let sample = Sample::draw(function, &Mat::zeros(m, 0), &Mat::identity(m, m), Labels::Value, plan, 0.0)?;
    let mut by_replicate: Vec<Vec<f64>> = vec![Vec::new(); REPLICATES];
    for degree in 0..=degree {
        for (replicate, coefficients) in sample.replicates.iter().zip(&mut by_replicate) {
            coefficients.extend(sample.average(replicate, 0, &[1.0], degree, &indices));
        }
    }
    let spreads: Vec<Spread> = (0..indices.len())
        .map(|i| Spread::of(&by_replicate.iter().map(|coefficients| coefficients[i]).collect::<Vec<_>>()))
        .collect();
    let error = |spread: &Spread| (spread.variance / (REPLICATES as f64 - 1.0)).sqrt();
    let means = spreads.iter().map(|spread| spread.mean).collect();
    Ok((means, spreads.iter().map(error).collect(), sample.scale.sqrt()))
}

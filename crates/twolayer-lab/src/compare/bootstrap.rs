//! The p-value of max|z| when thousands of entries move together.

use rand::{RngExt, SeedableRng};
use rand_distr::{Distribution, StandardNormal};
use rand_xoshiro::Xoshiro256PlusPlus;

use super::entries::{Entries, Moments, normal_score};

/// Number of resamples: the smallest p-value is 1/(RESAMPLES + 1).
const RESAMPLES: usize = 2000;
/// After so many larger maxima p is known to a tenth, and is no small one (Besag and Clifford's sequential p-value).
const ENOUGH: usize = 100;

/// Probability that max|z| is as large as it is when both views have the same law: by the [`bootstrap`], or, with fewer
/// than 16 replicates, by Student's t (Gaussian replicates, every entry on its own) where that is smaller. With R
/// replicates one resample in `R^{R−1}` is R times the same, and its z is infinite: the bootstrap alone could never tell
/// four replicates from a limit.
pub(super) fn p_value(entries: &Entries) -> f64 {
    let observed = entries.z.iter().fold(0.0_f64, |max, z| max.max(z.abs()));
    let p = bootstrap(entries, observed);
    let fewest = entries.replicates().into_iter().filter(|&r| r > 1.0).fold(f64::INFINITY, f64::min);
    if fewest >= 16.0 {
        return p;
    }
    // z is Student's t on the normal scale; Bonferroni's bound holds however the entries move together.
    p.min(entries.z.len() as f64 * libm::erfc(observed / std::f64::consts::SQRT_2))
}

/// Whole replicates, centred on their view's mean, are drawn with replacement, all times and quantities together;
/// means, standard errors and z are computed anew. Numerical errors are drawn as independent normals. A resample with
/// few distinct replicates has a small standard error and a large z: with few replicates the tails are as heavy as
/// Student's, and errors are on the side of “agree”.
fn bootstrap(entries: &Entries, observed: f64) -> f64 {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(0);
    let n = entries.z.len();
    let replicates = entries.replicates();
    let mut sums = [(); 2].map(|()| (vec![0.0; n], vec![0.0; n]));
    let exceeding = (1..=RESAMPLES).filter(|_| {
        for (side, (sum, squares)) in entries.sides.iter().zip(&mut sums) {
            sum.fill(0.0);
            squares.fill(0.0);
            for _ in 0..side.replicates {
                let r = rng.random_range(0..side.replicates);
                let row = &side.centred[r * n..(r + 1) * n];
                for ((sum, square), x) in sum.iter_mut().zip(squares.iter_mut()).zip(row) {
                    *sum += x;
                    *square += x * x;
                }
            }
        }
        let [(sum_a, squares_a), (sum_b, squares_b)] = &sums;
        (0..n).any(|i| {
            let a = Moments::from_sums(sum_a[i], squares_a[i], replicates[0]);
            let b = Moments::from_sums(sum_b[i], squares_b[i], replicates[1]);
            let noise: f64 = StandardNormal.sample(&mut rng);
            let difference = a.mean - b.mean + entries.error[i].sqrt() * noise;
            normal_score(difference, [a.variance, b.variance], entries.error[i], replicates).abs() >= observed
        })
    });
    let mut found = 0;
    for resample in exceeding {
        found += 1;
        if found == ENOUGH {
            return ENOUGH as f64 / resample as f64;
        }
    }
    (found + 1) as f64 / (RESAMPLES + 1) as f64
}

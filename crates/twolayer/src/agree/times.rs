//! Which moments and which entries of two views are compared.

use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use crate::record::{Trajectory, observable::TIME};

/// Times that differ by less than this fraction are the same moment.
const SAME_TIME: f64 = 1e-9;

/// Pairs of indices at which the two axes are at the same moment.
pub fn common_times(a: &Trajectory, b: &Trajectory) -> Vec<(usize, usize)> {
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

/// At most `most` of `0..n`, evenly spread, the last among them.
pub fn thin(n: usize, most: usize) -> Vec<usize> {
    if n <= most { (0..n).collect() } else { (1..=most).map(|i| i * n / most - 1).collect() }
}

/// A random `share` of `0..total`, always the same one, in rising order.
pub fn choose(total: usize, share: f64) -> Vec<usize> {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(total as u64);
    (0..total).filter(|_| share >= 1.0 || rng.random::<f64>() < share).collect()
}

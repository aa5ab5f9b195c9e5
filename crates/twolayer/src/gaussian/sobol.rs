//! Scrambled Sobol points as standard normals.

use rand::SeedableRng;
use rand_distr::{Distribution, StandardNormal};
use rand_xoshiro::Xoshiro256PlusPlus;
use sobol::{Sobol, SobolParams, params::JoeKuoD6};

use super::normal::quantile;

/// Coordinates that the table of direction numbers holds (Joe & Kuo 2008); later ones are ordinary random normals.
pub const TABLE: usize = 1000;

/// `count` points of `dimension` standard normals: Sobol points under Owen's nested uniform scrambling, mapped by Φ⁻¹.
///
/// Coordinate i of point μ is at `i·count + μ`. Every power-of-two prefix is stratified in each coordinate among the
/// first [`TABLE`]; averages over smooth functions converge faster than 1/count, and every point has the normal law, so
/// that the spread over `seed`s measures the error.
pub fn normals(count: usize, dimension: usize, seed: u64) -> Vec<f64> {
    let digits = scrambled(count, dimension.min(TABLE), seed);
    // The middle of the 2⁻³² interval: never 0 or 1.
    let mut out: Vec<f64> = digits.iter().map(|&x| quantile((f64::from(x) + 0.5) / 4_294_967_296.0)).collect();
    let mut stream = Xoshiro256PlusPlus::seed_from_u64(seed);
    let rest = count * dimension.saturating_sub(TABLE);
    out.extend((0..rest).map(|_| -> f64 { StandardNormal.sample(&mut stream) }));
    out
}

/// The scrambled points as 32 binary digits, coordinate by coordinate.
fn scrambled(count: usize, dimension: usize, seed: u64) -> Vec<u32> {
    let table = if dimension <= 100 { JoeKuoD6::minimal() } else { JoeKuoD6::standard() };
    let mut out = vec![0; count * dimension];
    let keys: Vec<u32> = (0..dimension as u64).map(|i| key(seed, i)).collect();
    debug_assert!(dimension <= SobolParams::<u32>::max_dims(&table));
    for (mu, point) in Sobol::<u32>::new(dimension, &table).take(count).enumerate() {
        for (i, (digits, key)) in point.into_iter().zip(&keys).enumerate() {
            out[i * count + mu] = scramble(digits, *key);
        }
    }
    out
}

/// Owen scrambling by a hash: each digit is flipped by a hash of the digits above it.
///
/// Source: B. Burley, Practical Hash-based Owen Scrambling, J. Computer Graphics Techniques 9(4), 2020, after Laine and
/// Karras 2011. On reversed digits each operation carries upwards only, so equal prefixes stay equal.
fn scramble(digits: u32, key: u32) -> u32 {
    let mut x = digits.reverse_bits().wrapping_add(key);
    for multiplier in [0x6c50_b47c, 0xb82f_1e52, 0xc7af_e638, 0x8d22_f6e6] {
        x ^= x.wrapping_mul(multiplier);
    }
    x.reverse_bits()
}

/// An independent key for each coordinate and seed: the finaliser of SplitMix64 (Steele, Lea, Flood 2014).
fn key(seed: u64, coordinate: u64) -> u32 {
    let mut x = seed ^ (coordinate + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    for _ in 0..2 {
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^= x >> 31;
    }
    (x >> 32) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stratum_holds_one_point_at_two_to_the_twenty() {
        let count = 1 << 20;
        let digits = scrambled(count, 5, 7);
        for coordinate in digits.chunks_exact(count) {
            let mut seen = vec![false; count];
            for &x in coordinate {
                let stratum = (x >> 12) as usize;
                assert!(!std::mem::replace(&mut seen[stratum], true), "stratum {stratum} holds two points");
            }
        }
    }

    #[test]
    fn pairs_of_coordinates_are_stratified_and_seeds_differ() {
        // The first two Sobol coordinates form a (0, m, 2)-net: every elementary box 2⁻⁵×2⁻⁵ holds one of 2¹⁰ points.
        let digits = scrambled(1 << 10, 2, 3);
        let mut boxes = vec![0; 1 << 10];
        for mu in 0..1 << 10 {
            boxes[((digits[mu] >> 27) * 32 + (digits[(1 << 10) + mu] >> 27)) as usize] += 1;
        }
        assert!(boxes.iter().all(|&b| b == 1));
        assert_ne!(digits, scrambled(1 << 10, 2, 4));
    }

    #[test]
    fn moments_are_those_of_the_normal_law() {
        let (count, dimension) = (1 << 14, 6);
        let x = normals(count, dimension, 1);
        let mean = |f: &dyn Fn(&[f64]) -> f64| {
            let mut point = vec![0.0; dimension];
            let mut sum = 0.0;
            for mu in 0..count {
                for i in 0..dimension {
                    point[i] = x[i * count + mu];
                }
                sum += f(&point);
            }
            sum / count as f64
        };
        for i in 0..dimension {
            assert!(mean(&|x| x[i]).abs() < 1e-4);
            assert!((mean(&|x| x[i] * x[i]) - 1.0).abs() < 1e-3);
            assert!((mean(&|x| x[i].powi(4)) - 3.0).abs() < 3e-2);
            for l in 0..i {
                assert!(mean(&|x| x[i] * x[l]).abs() < 3e-3, "{i} {l}");
                assert!((mean(&|x| (x[i] * x[l]).powi(2)) - 1.0).abs() < 2e-2);
            }
        }
        // The mean over seeds is unbiased: third moments vanish within their own spread.
        let thirds: Vec<f64> =
            (0..16).map(|s| normals(256, 1, s).iter().map(|x| x.powi(3)).sum::<f64>() / 256.0).collect();
        let m = thirds.iter().sum::<f64>() / 16.0;
        let spread = (thirds.iter().map(|t| (t - m).powi(2)).sum::<f64>() / 15.0 / 16.0).sqrt();
        assert!(m.abs() < 4.0 * spread && spread < 0.1, "{m} ± {spread}");
    }

    #[test]
    fn beyond_the_table_the_normals_are_ordinary() {
        let x = normals(512, TABLE + 1, 5);
        let last = &x[TABLE * 512..];
        let variance = last.iter().map(|x| x * x).sum::<f64>() / 512.0;
        assert!((variance - 1.0).abs() < 5.0 * (2.0_f64 / 512.0).sqrt());
    }
}

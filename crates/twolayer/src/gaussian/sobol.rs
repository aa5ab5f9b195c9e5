//! Scrambled Sobol points as standard normals.

use pulp::{Arch, NullaryFnOnce};
use sobol::{Sobol, params::JoeKuoD6};

use super::normal::{quantile, quantiles};

/// Coordinates that the table of direction numbers holds (Joe & Kuo 2008); later ones are ordinary random normals.
pub const TABLE: usize = 1000;

/// Points that share the upper digits of their number.
const BLOCK: usize = 256;
const BLOCK_DIGITS: usize = BLOCK.trailing_zeros() as usize;

/// Points of many standard normals: Sobol points under Owen's nested uniform scrambling, mapped by Φ⁻¹.
///
/// Every power-of-two prefix is stratified in each coordinate among the first [`TABLE`]; averages over smooth functions
/// converge faster than 1/count, and every point has the normal law, so that the spread over `seed`s measures the error.
pub struct Points {
    seed: u64,
    coordinates: Vec<Coordinate>,
    arch: Arch,
}

/// One coordinate of the points, digits reversed.
struct Coordinate {
    directions: Vec<u32>,
    /// Of the points below `BLOCK`.
    first: [u32; BLOCK],
    key: u32,
}

impl Points {
    /// Points of `dimension` coordinates, at least.
    pub fn new(dimension: usize, seed: u64) -> Self {
        let table = if dimension <= 100 { JoeKuoD6::minimal() } else { JoeKuoD6::standard() };
        let directions = Sobol::<u32>::init_direction_vals(dimension.min(TABLE), 32, &table);
        let coordinate = |(i, directions): (u64, Vec<u32>)| {
            let directions: Vec<u32> = directions.iter().map(|digits| digits.reverse_bits()).collect();
            let first = std::array::from_fn(|n| combination(&directions, n));
            Coordinate { directions, first, key: key(seed, i) }
        };
        Self { seed, coordinates: (0..).zip(directions).map(coordinate).collect(), arch: Arch::new() }
    }

    /// Coordinate i of the points from number `first` on.
    pub fn fill(&self, i: usize, first: usize, out: &mut [f64]) {
        let Some(coordinate) = self.coordinates.get(i) else {
            for (mu, x) in (first..).zip(out) {
                // The middle of a 2⁻⁵² interval.
                let word = mix(mix(self.seed ^ mix(i as u64)) ^ mu as u64);
                *x = quantile(((word >> 12) as f64 + 0.5) / 4_503_599_627_370_496.0);
            }
            return;
        };
        let mut digits = [0; BLOCK];
        let (mut at, mut rest) = (first, out);
        while !rest.is_empty() {
            let (now, later) = rest.split_at_mut(rest.len().min(BLOCK - at % BLOCK));
            let digits = &mut digits[..now.len()];
            coordinate.scramble(at, digits, self.arch);
            // The middle of the 2⁻³² interval: never 0 or 1.
            now.iter_mut().zip(&*digits).for_each(|(u, x)| *u = (f64::from(*x) + 0.5) / 4_294_967_296.0);
            quantiles(self.arch, now);
            at += now.len();
            rest = later;
        }
    }
}

impl Coordinate {
    /// The points from number `first` on, as 32 binary digits, up to the end of a block.
    fn scramble(&self, first: usize, digits: &mut [u32], arch: Arch) {
        // Point `BLOCK n + j` is point j and what its block has in common.
        let block = first / BLOCK;
        let common = combination(&self.directions[BLOCK_DIGITS..], block)
            ^ if block % 2 == 1 { self.directions[BLOCK_DIGITS - 1] } else { 0 };
        arch.dispatch(Scramble { low: &self.first[first % BLOCK..], common, key: self.key, digits });
    }
}

/// `count` points of `dimension` standard normals; coordinate i of point μ is at `i·count + μ`.
pub fn normals(count: usize, dimension: usize, seed: u64) -> Vec<f64> {
    let points = Points::new(dimension, seed);
    let mut out = vec![0.0; count * dimension];
    for (i, coordinate) in out.chunks_exact_mut(count.max(1)).enumerate() {
        points.fill(i, 0, coordinate);
    }
    out
}

/// Point n in Gray-code order: the sum (XOR) of the directions of the digits of n XOR n/2.
fn combination(directions: &[u32], n: usize) -> u32 {
    let mut gray = n ^ (n >> 1);
    let mut sum = 0;
    for direction in directions {
        if gray & 1 == 1 {
            sum ^= direction;
        }
        gray >>= 1;
    }
    sum
}

/// Owen scrambling by a hash of the points `common XOR low`: each digit is flipped by a hash of the digits above it.
///
/// Source: B. Burley, Practical Hash-based Owen Scrambling, J. Computer Graphics Techniques 9(4), 2020, after Laine and
/// Karras 2011. On reversed digits each operation carries upwards only, so equal prefixes stay equal.
struct Scramble<'a> {
    low: &'a [u32],
    common: u32,
    key: u32,
    digits: &'a mut [u32],
}

impl NullaryFnOnce for Scramble<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        for (digits, low) in self.digits.iter_mut().zip(self.low) {
            let mut x = (low ^ self.common).wrapping_add(self.key);
            for multiplier in [0x6c50_b47c, 0xb82f_1e52, 0xc7af_e638, 0x8d22_f6e6] {
                x ^= x.wrapping_mul(multiplier);
            }
            *digits = x.reverse_bits();
        }
    }
}

/// An independent key for each coordinate and seed: the finaliser of SplitMix64 (Steele, Lea, Flood 2014).
fn key(seed: u64, coordinate: u64) -> u32 {
    (mix(mix(seed ^ (coordinate + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15))) >> 32) as u32
}

fn mix(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Coordinate by coordinate.
    fn scrambled(count: usize, dimension: usize, seed: u64) -> Vec<u32> {
        let points = Points::new(dimension, seed);
        let mut out = vec![0; count * dimension];
        for (coordinate, digits) in points.coordinates.iter().zip(out.chunks_exact_mut(count)) {
            for (first, digits) in (0..).step_by(BLOCK).zip(digits.chunks_mut(BLOCK)) {
                coordinate.scramble(first, digits, points.arch);
            }
        }
        out
    }

    #[test]
    fn points_are_those_of_the_library_scrambled_one_by_one() {
        let count = 3000;
        let digits = scrambled(count, 4, 11);
        for (mu, point) in Sobol::<u32>::new(4, &JoeKuoD6::minimal()).take(count).enumerate() {
            for (i, x) in point.into_iter().enumerate() {
                let mut x = x.reverse_bits().wrapping_add(key(11, i as u64));
                for multiplier in [0x6c50_b47c, 0xb82f_1e52, 0xc7af_e638, 0x8d22_f6e6] {
                    x ^= x.wrapping_mul(multiplier);
                }
                assert_eq!(digits[i * count + mu], x.reverse_bits());
            }
        }
    }

    #[test]
    fn a_stretch_of_points_is_that_of_all() {
        let all = normals(2000, 3, 4);
        let mut some = vec![0.0; 700];
        Points::new(3, 4).fill(2, 777, &mut some);
        assert_eq!(some, all[2 * 2000 + 777..2 * 2000 + 1477]);
    }

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

//! Addressable random streams: every consumer has its own, whatever ran before it and on whatever thread.
//!
//! A stream is addressed by (seed, purpose, replicate). Its Xoshiro256++ state is the first four outputs of SplitMix64
//! started from a hash of the address: `state = mix(mix(mix(seed) + purpose) + replicate)`, `mix` the SplitMix64
//! finaliser. Known-answer tests pin it: results are bit-identical for any number of threads.

use rand::SeedableRng;
use rand::distr::Distribution;
use rand_distr::{ChiSquared, StandardNormal};
use rand_xoshiro::Xoshiro256PlusPlus;

/// A stream of random numbers.
pub type Stream = Xoshiro256PlusPlus;

/// What a stream is for. The numbers are part of the definition of a run: never renumber.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u64)]
pub enum Purpose {
    /// The start of both layers.
    Start = 1,
    /// Coordinates of the inputs along the target directions.
    Teacher = 2,
    /// Label noise.
    LabelNoise = 3,
    /// The rest of each input: d − k coordinates (direct), or p of them (reduced).
    Input = 4,
    /// Bartlett factors: what lies outside the span of all weights.
    Complement = 5,
}

/// The streams of one replicate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Streams {
    /// Seed of the view (or of the shared start).
    pub seed: u64,
    /// Number of the replicate.
    pub replicate: u64,
}

impl Streams {
    /// The streams of one engine: its name is part of the address, so that two engines with one seed are independent.
    pub fn of_engine(self, name: &str) -> Self {
        Self { seed: name.bytes().fold(mix(self.seed), |seed, byte| mix(seed.wrapping_add(u64::from(byte)))), ..self }
    }

    /// The stream for `purpose`, from its beginning.
    pub fn stream(self, purpose: Purpose) -> Stream {
        let mut state = mix(mix(mix(self.seed).wrapping_add(purpose as u64)).wrapping_add(self.replicate));
        let mut bytes = [0; 32];
        for word in bytes.chunks_exact_mut(8) {
            state = state.wrapping_add(GOLDEN);
            word.copy_from_slice(&mix(state).to_le_bytes());
        }
        Stream::from_seed(bytes)
    }
}

/// 2⁶⁴/φ, the increment of SplitMix64.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// The finaliser of SplitMix64 (Steele, Lea, Flood 2014).
fn mix(mut x: u64) -> u64 {
    x = x.wrapping_add(GOLDEN);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// One standard normal.
#[inline]
pub fn normal(stream: &mut Stream) -> f64 {
    StandardNormal.sample(stream)
}

/// Fills `out` with independent standard normals.
// A local copy, in a function of its own, keeps the generator's state in registers; behind the reference it is stored
// and loaded for each number, which costs as much as the number.
#[inline(never)]
pub fn fill_normal(stream: &mut Stream, out: &mut [f64]) {
    let mut local = stream.clone();
    for x in out {
        *x = StandardNormal.sample(&mut local);
    }
    *stream = local;
}

/// The law of χ with a fixed number of degrees of freedom.
#[derive(Debug, Clone, Copy)]
pub struct Chi(Option<ChiSquared<f64>>);

impl Chi {
    /// χ with `degrees` degrees of freedom; χ₀ = 0.
    pub fn new(degrees: u64) -> Self {
        Self(ChiSquared::new(degrees as f64).ok())
    }

    /// One draw.
    #[inline]
    pub fn sample(self, stream: &mut Stream) -> f64 {
        self.0.map_or(0.0, |square| square.sample(stream).sqrt())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::Rng;

    #[test]
    fn streams_are_pinned() {
        // From the definition above, computed independently in Python.
        let mut stream = Streams { seed: 0, replicate: 0 }.stream(Purpose::Start);
        assert_eq!([stream.next_u64(), stream.next_u64()], PINNED_0);
        let mut stream = Streams { seed: 42, replicate: 7 }.stream(Purpose::Input);
        assert_eq!([stream.next_u64(), stream.next_u64()], PINNED_42);
    }

    const PINNED_0: [u64; 2] = [10098455958572631259, 336530353589753902];
    const PINNED_42: [u64; 2] = [12518612619179803925, 5620709093340471955];

    #[test]
    fn chi_has_its_mean_square() {
        let mut stream = Streams { seed: 1, replicate: 0 }.stream(Purpose::Complement);
        let chi = Chi::new(15);
        let mean = (0..100_000).map(|_| chi.sample(&mut stream).powi(2)).sum::<f64>() / 1e5;
        assert!((mean - 15.0).abs() < 5.0 * (30.0f64 / 1e5).sqrt(), "{mean}");
        assert_eq!(Chi::new(0).sample(&mut stream), 0.0);
    }
}

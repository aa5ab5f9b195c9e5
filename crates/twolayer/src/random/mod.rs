//! Addressable random streams: every consumer has its own, whatever ran before it and on whatever thread.
//!
//! A stream is addressed by (seed, purpose, replicate, lane). A SplitMix64 generator that starts at a hash of the address,
//! `mix(mix(mix(seed) + purpose) + replicate)` with `mix` its finaliser (and, for lanes other than 0, `mix(… + lane)` of
//! that), seeds 17 Xoshiro256++ generators with four
//! outputs each. The first 16 take turns at the words of the stream; each word is a number of `rand`, or one normal
//! (`normal`), for whose rare cases the last is spare. So the numbers do not depend on how they are divided into calls,
//! on the number of threads, or on the machine's registers; known-answer tests pin them.

mod normal;
#[cfg(test)]
mod tests;
mod words;

use std::convert::Infallible;

use rand::{SeedableRng, TryRng, rand_core::utils};
use rand_distr::{ChiSquared, Distribution};
use rand_xoshiro::Xoshiro256PlusPlus;

use normal::ZIGGURAT;
use words::Words;

/// A stream of random numbers.
#[derive(Debug, Clone)]
pub struct Stream {
    words: Words,
    spare: Xoshiro256PlusPlus,
}

impl TryRng for Stream {
    type Error = Infallible;

    #[inline]
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok((self.try_next_u64()? >> 32) as u32)
    }

    #[inline]
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.words.take(1)[0])
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        utils::fill_bytes_via_next_word(bytes, || self.try_next_u64())
    }
}

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
    /// Which rows of a stored data set a step looks at.
    Rows = 6,
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
        self.lane(purpose, 0)
    }

    /// The stream for `purpose` of one part of the samples; part 0 has that of [`stream`](Self::stream).
    pub fn lane(self, purpose: Purpose, lane: usize) -> Stream {
        let address = mix(mix(mix(self.seed).wrapping_add(purpose as u64)).wrapping_add(self.replicate));
        let mut seeds = SplitMix(if lane == 0 { address } else { mix(address.wrapping_add(lane as u64)) });
        let words = Words::new(&mut seeds);
        let mut seed = [0; 32];
        seed.as_chunks_mut().0.iter_mut().for_each(|word| *word = seeds.next().to_le_bytes());
        Stream { words, spare: Xoshiro256PlusPlus::from_seed(seed) }
    }
}

/// SplitMix64, which seeds the other generators.
struct SplitMix(u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GOLDEN);
        mix(self.0)
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

/// One standard normal: the same as [`fill_normal`] of one number.
#[inline]
pub fn normal(stream: &mut Stream) -> f64 {
    let mut x = [0.0];
    fill_normal(stream, &mut x);
    x[0]
}

/// Fills `out` with independent standard normals.
pub fn fill_normal(stream: &mut Stream, mut out: &mut [f64]) {
    let ziggurat = &*ZIGGURAT;
    while !out.is_empty() {
        let words = stream.words.take(out.len());
        let (now, later) = out.split_at_mut(words.len());
        ziggurat.normals(words, now, &mut stream.spare);
        out = later;
    }
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

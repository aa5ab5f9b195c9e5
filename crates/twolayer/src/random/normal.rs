//! Standard normals by the ziggurat (Marsaglia, Tsang 2000), exact up to the rounding of doubles.
//!
//! 256 layers of equal area v cover `f(x) = e^{−x²/2}`, x ≥ 0. Layer i ≥ 1 is the rectangle up to the edge `x_i`, between
//! the heights `f(x_i)` and `f(x_{i+1})`; layer 0 lies below `f(r)`, r = x₁, and includes the tail beyond r. With
//! `x_0 = v/f(r)`, a point `u x_i` of layer i, u uniform in [−1, 1), lies below f whenever `|u x_i| < x_{i+1}`: 99 of 100
//! times. Otherwise it falls in a wedge, which compares f, or in the tail, which is drawn by rejection.
//!
//! One word gives the layer (bits 0–7) and u (bits 12–63): no bit is used twice (Doornik 2005). Everything else that the
//! rare cases need comes from a spare generator, so that normal n of a stream belongs to word n.

use std::{f64::consts::FRAC_PI_2, sync::LazyLock};

use rand::Rng;
use rand_xoshiro::Xoshiro256PlusPlus;

const LAYERS: usize = 256;
/// r, where 256 layers of equal area end at f = 1.
pub(super) const TAIL: f64 = 3.654_152_885_361_009;

/// The layers, from their definition.
pub(super) static ZIGGURAT: LazyLock<Ziggurat> = LazyLock::new(Ziggurat::new);

pub(super) struct Ziggurat {
    /// x_0 = v/f(r) > x_1 = r > … > x_256 = 0.
    edges: [f64; LAYERS + 1],
    /// f(x_i).
    heights: [f64; LAYERS + 1],
}

impl Ziggurat {
    fn new() -> Self {
        // v = r f(r) + ∫_r^∞ f.
        let area = TAIL * density(TAIL) + FRAC_PI_2.sqrt() * libm::erfc(TAIL / 2f64.sqrt());
        let (mut edges, mut heights) = ([0.0; LAYERS + 1], [1.0; LAYERS + 1]);
        (edges[0], heights[0]) = (area / density(TAIL), 0.0);
        (edges[1], heights[1]) = (TAIL, density(TAIL));
        for i in 2..LAYERS {
            heights[i] = heights[i - 1] + area / edges[i - 1];
            edges[i] = (-2.0 * libm::log(heights[i])).sqrt();
        }
        Self { edges, heights }
    }

    /// The normals of `words`, in order.
    #[inline]
    pub(super) fn normals(&self, words: &[u64], out: &mut [f64], spare: &mut Xoshiro256PlusPlus) {
        // Four words share a branch, so that they are in work at the same time.
        let ((words, last_words), (out, last)) = (words.as_chunks::<4>(), out.as_chunks_mut::<4>());
        for (out, words) in out.iter_mut().zip(words) {
            let mut inside = true;
            for i in 0..4 {
                let layer = words[i] as usize % LAYERS;
                out[i] = uniform(words[i]) * self.edges[layer];
                inside &= out[i].abs() < self.edges[layer + 1];
            }
            if !inside {
                self.one_by_one(words, out, spare);
            }
        }
        self.one_by_one(last_words, last, spare);
    }

    #[inline]
    fn one_by_one(&self, words: &[u64], out: &mut [f64], spare: &mut Xoshiro256PlusPlus) {
        for (out, &word) in out.iter_mut().zip(words) {
            let layer = word as usize % LAYERS;
            let x = uniform(word) * self.edges[layer];
            *out = if x.abs() < self.edges[layer + 1] { x } else { self.at_the_edge(layer, x, spare) };
        }
    }

    #[cold]
    #[inline(never)]
    fn at_the_edge(&self, mut layer: usize, mut x: f64, spare: &mut Xoshiro256PlusPlus) -> f64 {
        loop {
            if layer == 0 {
                return tail(spare).copysign(x);
            }
            let (low, high) = (self.heights[layer], self.heights[layer + 1]);
            let height = low + (high - low) * open(spare);
            // f(x) = f(x_{i+1}) e^{−t}, and 1 − t ≤ e^{−t} ≤ 1 − t + t²/2 settles nearly all without the exponential.
            let t = 0.5 * (x * x - self.edges[layer + 1].powi(2));
            let below = high * (1.0 - t);
            if height < below || (height < below + 0.5 * high * t * t && height < density(x)) {
                return x;
            }
            let word = spare.next_u64();
            layer = word as usize % LAYERS;
            x = uniform(word) * self.edges[layer];
            if x.abs() < self.edges[layer + 1] {
                return x;
            }
        }
    }
}

/// A normal beyond r: `r + a` with a exponential of rate r, accepted with probability `e^{−a²/2}` (Marsaglia 1964).
fn tail(spare: &mut Xoshiro256PlusPlus) -> f64 {
    loop {
        let excess = -libm::log(open(spare)) / TAIL;
        if -2.0 * libm::log(open(spare)) > excess * excess {
            return TAIL + excess;
        }
    }
}

/// f, from a library whose last bit is the same on every machine.
fn density(x: f64) -> f64 {
    libm::exp(-0.5 * x * x)
}

/// Uniform in [−1, 1) from bits 12–63: they are the fraction of a number in [2, 4).
#[inline(always)]
fn uniform(word: u64) -> f64 {
    f64::from_bits(2f64.to_bits() | word >> 12) - 3.0
}

/// Uniform in (0, 1), 52 bits and a half.
fn open(spare: &mut Xoshiro256PlusPlus) -> f64 {
    ((spare.next_u64() >> 12) as f64 + 0.5) / 2f64.powi(52)
}

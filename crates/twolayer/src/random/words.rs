//! Raw random bits, in blocks: sixteen interleaved generators that advance together in vector registers.

use pulp::{Arch, NullaryFnOnce};

use super::SplitMix;

/// Generators side by side, enough for the compiler to keep each of the four state words in vector registers.
pub(super) const LANES: usize = 16;
/// Words per block; a multiple of [`LANES`].
const BLOCK: usize = 128;

/// Word n is output ⌊n/16⌋ of generator n mod 16, each a Xoshiro256++ (Blackman, Vigna 2021).
#[derive(Debug, Clone)]
pub(super) struct Words {
    /// Word s of the state of generator l is `state[s][l]`.
    state: [[u64; LANES]; 4],
    block: [u64; BLOCK],
    /// Place in `block` of the next word.
    next: usize,
    arch: Arch,
}

impl Words {
    /// Generator l starts from outputs 4l … 4l + 3 of `seeds`.
    pub(super) fn new(seeds: &mut SplitMix) -> Self {
        let mut state = [[0; LANES]; 4];
        for lane in 0..LANES {
            for word in &mut state {
                word[lane] = seeds.next();
            }
        }
        Self { state, block: [0; BLOCK], next: BLOCK, arch: Arch::new() }
    }

    /// The next words: one or more, `most` at most (`most` ≥ 1).
    #[inline(always)]
    pub(super) fn take(&mut self, most: usize) -> &[u64] {
        if self.next == BLOCK {
            self.refill();
        }
        let from = self.next;
        self.next = BLOCK.min(from + most);
        &self.block[from..self.next]
    }

    #[cold]
    #[inline(never)]
    fn refill(&mut self) {
        // Integers only: the same bits whatever the registers.
        self.arch.dispatch(Advance(&mut self.state, &mut self.block));
        self.next = 0;
    }
}

/// A struct, because a closure is not always inlined to where the wide registers are allowed.
struct Advance<'a>(&'a mut [[u64; LANES]; 4], &'a mut [u64; BLOCK]);

impl NullaryFnOnce for Advance<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self(state, block) = self;
        // By value, so that the states stay in registers.
        let [mut a, mut b, mut c, mut d] = *state;
        for out in block.as_chunks_mut::<LANES>().0 {
            for l in 0..LANES {
                out[l] = a[l].wrapping_add(d[l]).rotate_left(23).wrapping_add(a[l]);
                let shifted = b[l] << 17;
                c[l] ^= a[l];
                d[l] ^= b[l];
                b[l] ^= c[l];
                a[l] ^= d[l];
                c[l] ^= shifted;
                d[l] = d[l].rotate_left(45);
            }
        }
        *state = [a, b, c, d];
    }
}

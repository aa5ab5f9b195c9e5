//! Choices that a seed determines, on every machine.

/// SplitMix64.
pub struct Dice(u64);

impl Dice {
    /// The choices of case number `seed` of `target`.
    pub fn new(target: &str, seed: u64) -> Self {
        let name = target
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |h, byte| (h ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        Self(name ^ seed.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    pub fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Below `n`, or 0 where `n` is.
    pub fn below(&mut self, n: usize) -> usize {
        (self.word() % (n.max(1) as u64)) as usize
    }

    /// From 1 to `most`, small numbers more often.
    pub fn few(&mut self, most: usize) -> usize {
        let bound = 1 + self.below(most);
        1 + self.below(bound)
    }

    /// Once in `n` times.
    pub fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    pub fn of<'a, T: ?Sized>(&mut self, list: &[&'a T]) -> &'a T {
        list[self.below(list.len())]
    }
}

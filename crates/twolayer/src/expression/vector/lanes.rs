//! One vector register of numbers, with the operators of a number.

use std::ops::{Add, Div, Mul, Neg, Sub};

use pulp::Simd;

/// As many numbers as one register of the machine holds; every operation acts on each of them alone, so that a result
/// depends on its argument only, never on its place.
#[derive(Clone, Copy)]
pub(super) struct Lanes<S: Simd> {
    simd: S,
    pub(super) numbers: S::f64s,
}

/// Adding 1.5·2⁵² and subtracting it again rounds to the nearest integer.
const ROUND: f64 = 6755399441055744.0;
/// Adding 1.5·2²⁰ + 1023 to an integer n leaves n + 1023, the exponent field of 2ⁿ, in bits 32 to 42.
const EXPONENT: f64 = 1573887.0;
const SIGN: u64 = 1 << 63;

impl<S: Simd> Lanes<S> {
    #[inline(always)]
    pub(super) fn new(simd: S, numbers: S::f64s) -> Self {
        Self { simd, numbers }
    }

    #[inline(always)]
    pub(super) fn splat(self, number: f64) -> Self {
        Self::new(self.simd, self.simd.splat_f64s(number))
    }

    /// `self · factor + term`, fused where the machine does that fast: nothing may rely on a single rounding.
    #[inline(always)]
    pub(super) fn mul_add(self, factor: Self, term: Self) -> Self {
        Self::new(self.simd, self.simd.mul_add_e_f64s(self.numbers, factor.numbers, term.numbers))
    }

    #[inline(always)]
    pub(super) fn sqrt(self) -> Self {
        Self::new(self.simd, self.simd.sqrt_f64s(self.numbers))
    }

    #[inline(always)]
    pub(super) fn abs(self) -> Self {
        self.masked(!SIGN)
    }

    /// The bits of `self` that `mask` keeps.
    #[inline(always)]
    pub(super) fn masked(self, mask: u64) -> Self {
        self.with_bits(self.simd.and_u64s(self.bits(), self.simd.splat_u64s(mask)))
    }

    /// A number ≥ 0 with the sign of `other`.
    #[inline(always)]
    pub(super) fn with_sign_of(self, other: Self) -> Self {
        self.with_bits(self.simd.or_u64s(self.bits(), other.masked(SIGN).bits()))
    }

    /// `yes` where `self < bound`, elsewhere (also for NaN) `no`.
    #[inline(always)]
    pub(super) fn where_less(self, bound: f64, yes: Self, no: Self) -> Self {
        self.choose(self.simd.less_than_f64s(self.numbers, self.simd.splat_f64s(bound)), yes, no)
    }

    /// `max(self, bound)`, NaN where `self` is.
    #[inline(always)]
    pub(super) fn at_least(self, bound: f64) -> Self {
        self.where_less(bound, self.splat(bound), self)
    }

    /// `min(self, bound)`, NaN where `self` is.
    #[inline(always)]
    pub(super) fn at_most(self, bound: f64) -> Self {
        let bound = self.splat(bound);
        let mask = self.simd.less_than_f64s(bound.numbers, self.numbers);
        self.choose(mask, bound, self)
    }

    /// The nearest integer, for |x| < 2⁵¹.
    #[inline(always)]
    pub(super) fn rounded(self) -> Self {
        (self + self.splat(ROUND)) - self.splat(ROUND)
    }

    /// 2ⁿ for integers n in −1022 … 1023.
    #[inline(always)]
    pub(super) fn power_of_two(self) -> Self {
        let shifted = (self + self.splat(EXPONENT)).numbers;
        // The low half of every number is zero by now, so that shifting halves and shifting wholes are the same.
        let numbers = if S::IS_SCALAR {
            let bits: u64 = pulp::bytemuck::cast(shifted);
            pulp::bytemuck::cast(bits << 20)
        } else {
            let halves: S::u32s = pulp::bytemuck::cast(shifted);
            pulp::bytemuck::cast(self.simd.wrapping_dyn_shl_u32s(halves, self.simd.splat_u32s(20)))
        };
        Self::new(self.simd, numbers)
    }

    /// `Σ_i coefficients[i] selfⁱ`, in four chains, because one would wait for itself.
    #[inline(always)]
    pub(super) fn polynomial<const N: usize>(self, coefficients: &[f64; N]) -> Self {
        let square = self * self;
        let fourth = square * square;
        let mut chains = [self; 4];
        for i in (N - 4)..N {
            chains[i % 4] = self.splat(coefficients[i]);
        }
        for i in (0..N - 4).rev() {
            chains[i % 4] = chains[i % 4].mul_add(fourth, self.splat(coefficients[i]));
        }
        let [zero, one, two, three] = chains;
        three.mul_add(self, two).mul_add(square, one.mul_add(self, zero))
    }

    /// On bits, because pulp's own choice between numbers is not always inlined.
    #[inline(always)]
    fn choose(self, mask: S::m64s, yes: Self, no: Self) -> Self {
        self.with_bits(self.simd.select_u64s(mask, yes.bits(), no.bits()))
    }

    #[inline(always)]
    fn with_bits(self, bits: S::u64s) -> Self {
        Self::new(self.simd, self.simd.transmute_f64s_u64s(bits))
    }

    #[inline(always)]
    fn bits(self) -> S::u64s {
        self.simd.transmute_u64s_f64s(self.numbers)
    }
}

impl<S: Simd> Add for Lanes<S> {
    type Output = Self;
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self::new(self.simd, self.simd.add_f64s(self.numbers, other.numbers))
    }
}

impl<S: Simd> Sub for Lanes<S> {
    type Output = Self;
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Self::new(self.simd, self.simd.sub_f64s(self.numbers, other.numbers))
    }
}

impl<S: Simd> Mul for Lanes<S> {
    type Output = Self;
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        Self::new(self.simd, self.simd.mul_f64s(self.numbers, other.numbers))
    }
}

impl<S: Simd> Div for Lanes<S> {
    type Output = Self;
    #[inline(always)]
    fn div(self, other: Self) -> Self {
        Self::new(self.simd, self.simd.div_f64s(self.numbers, other.numbers))
    }
}

impl<S: Simd> Neg for Lanes<S> {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        self.with_bits(self.simd.xor_u64s(self.bits(), self.simd.splat_u64s(SIGN)))
    }
}

//! The normal law: density, distribution function, and its inverse.

use std::f64::consts::{FRAC_1_SQRT_2, TAU};

use pulp::{Arch, NullaryFnOnce};

/// `φ(x) = e^{−x²/2}/√(2π)`.
pub fn density(x: f64) -> f64 {
    (-0.5 * x * x).exp() / TAU.sqrt()
}

/// `Φ(x)`, accurate in both tails.
pub fn distribution(x: f64) -> f64 {
    0.5 * libm::erfc(-x * FRAC_1_SQRT_2)
}

/// `Φ⁻¹(u)`, relative error about 10⁻¹⁶; infinite at 0 and 1.
///
/// Source: M. J. Wichura, Algorithm AS 241 (PPND16), Applied Statistics 37 (1988) 477–484.
pub fn quantile(u: f64) -> f64 {
    let q = u - 0.5;
    if q.abs() <= 0.425 {
        return q * ratio(&CENTRE, 0.180625 - q * q);
    }
    let tail = if q < 0.0 { u } else { 1.0 - u };
    if tail <= 0.0 {
        return f64::INFINITY.copysign(q);
    }
    let r = (-tail.ln()).sqrt();
    let size = if r <= 5.0 { ratio(&MIDDLE, r - 1.6) } else { ratio(&TAIL, r - 5.0) };
    size.copysign(q)
}

/// [`quantile`] of each number.
pub fn quantiles(arch: Arch, u: &mut [f64]) {
    let mut block = [0.0; 256];
    for u in u.chunks_mut(block.len()) {
        let centre = &mut block[..u.len()];
        arch.dispatch(Centre { u, centre });
        for (u, centre) in u.iter_mut().zip(&*centre) {
            *u = if (*u - 0.5).abs() <= 0.425 { *centre } else { quantile(*u) };
        }
    }
}

/// [`quantile`] where |u − ½| ≤ .425, for all at once.
struct Centre<'a> {
    u: &'a [f64],
    centre: &'a mut [f64],
}

impl NullaryFnOnce for Centre<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        for (x, u) in self.centre.iter_mut().zip(self.u) {
            let q = u - 0.5;
            *x = q * ratio(&CENTRE, 0.180625 - q * q);
        }
    }
}

/// Numerator and denominator, ascending powers.
type Ratio = [[f64; 8]; 2];

#[inline(always)]
fn ratio([numerator, denominator]: &Ratio, x: f64) -> f64 {
    let horner = |c: &[f64; 8]| c.iter().rev().fold(0.0, |sum, c| sum * x + c);
    horner(numerator) / horner(denominator)
}

#[rustfmt::skip]
const CENTRE: Ratio = [
    [3.387_132_872_796_366_5, 133.141_667_891_784_38, 1_971.590_950_306_551_3, 13_731.693_765_509_46,
     45_921.953_931_549_87, 67_265.770_927_008_7, 33_430.575_583_588_13, 2_509.080_928_730_122_7],
    [1.0, 42.313_330_701_600_91, 687.187_007_492_057_9, 5_394.196_021_424_751,
     21_213.794_301_586_597, 39_307.895_800_092_71, 28_729.085_735_721_943, 5_226.495_278_852_545],
];

#[rustfmt::skip]
const MIDDLE: Ratio = [
    [1.423_437_110_749_683_5, 4.630_337_846_156_546, 5.769_497_221_460_691, 3.647_848_324_763_204_5,
     1.270_458_252_452_368_4, 2.417_807_251_774_506e-1, 2.272_384_498_926_918_4e-2, 7.745_450_142_783_414e-4],
    [1.0, 2.053_191_626_637_759, 1.676_384_830_183_803_8, 6.897_673_349_851e-1,
     1.481_039_764_274_800_8e-1, 1.519_866_656_361_645_7e-2, 5.475_938_084_995_345e-4, 1.050_750_071_644_416_9e-9],
];

#[rustfmt::skip]
const TAIL: Ratio = [
    [6.657_904_643_501_103, 5.463_784_911_164_114, 1.784_826_539_917_291_3, 2.965_605_718_285_049e-1,
     2.653_218_952_657_612_4e-2, 1.242_660_947_388_078_4e-3, 2.711_555_568_743_487_6e-5, 2.010_334_399_292_288e-7],
    [1.0, 5.998_322_065_558_88e-1, 1.369_298_809_227_358e-1, 1.487_536_129_085_061_5e-2,
     7.868_691_311_456_133e-4, 1.846_318_317_510_054_8e-5, 1.421_511_758_316_446e-7, 2.044_263_103_389_939_7e-15],
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quantile_inverts_the_distribution_function() {
        for exponent in 1..300 {
            for mantissa in [1.0, 1.7, 3.1, 5.0] {
                let u = mantissa * 10f64.powi(-exponent);
                let x = quantile(u);
                let back = 0.5 * libm::erfc(-x / std::f64::consts::SQRT_2);
                // d ln Φ/dx ≈ |x| in the tail, so a relative rounding of x shows x² times larger.
                let allowed = 1e-15 * (4.0 + x * x);
                assert!((back / u - 1.0).abs() < allowed, "u = {u:e}: {}", back / u - 1.0);
                if u > 1e-3 {
                    assert!((quantile(1.0 - u) + x).abs() < 1e-12);
                }
            }
        }
        assert_eq!(quantile(0.5), 0.0);
        assert_eq!(quantile(1.0), f64::INFINITY);
        assert_eq!(quantile(0.0), f64::NEG_INFINITY);
    }
}

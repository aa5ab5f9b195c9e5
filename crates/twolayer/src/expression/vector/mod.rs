//! Branch-free vector functions over slices, dispatched at run time to the widest registers that `pulp` finds.
//!
//! The result of a number depends on that number only: not on its place in the slice, nor on the slice's length. NaN
//! gives NaN. On machines with and without fused multiply-add the last bit may differ.

mod asin_sum;
mod functions;
mod lanes;
#[cfg(test)]
mod tests;

use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI};

use pulp::{Arch, Simd, WithSimd};

pub use asin_sum::{AsinSum, asin_series, asin_sums};
use lanes::Lanes;

/// `x ← eˣ`, within 1.1 units in the last place, within 1.5 where the result is subnormal; overflow gives infinity.
pub fn exp(x: &mut [f64]) {
    map(x, Exp);
}

/// `x ← tanh x`, within 2 units in the last place.
pub fn tanh(x: &mut [f64]) {
    map(x, Tanh);
}

/// `x ← erf x`, the error function itself, within 1.5 units in the last place.
pub fn erf(x: &mut [f64]) {
    map(x, Erf);
}

/// `x ← asin x`, arguments clamped to [−1, 1], within 1 unit in the last place.
pub fn asin(x: &mut [f64]) {
    map(x, Asin);
}

/// `x ← 1/(1 + e⁻ˣ)`, within 3 units in the last place.
pub fn sigmoid(x: &mut [f64]) {
    map(x, Sigmoid);
}

/// `x ← ln(1 + eˣ)`, without overflow, within 3 units in the last place.
pub fn softplus(x: &mut [f64]) {
    map(x, Softplus);
}

/// `x ← erf(x/√2)`.
pub fn scaled_erf(x: &mut [f64]) {
    map(x, ScaledErf);
}

/// `x ← erf(x/√2)` and `derivative ← √(2/π) e^{−x²/2}`, for little more than the price of the first.
///
/// # Panics
/// Where the two lengths differ.
pub fn scaled_erf_with_derivative(x: &mut [f64], derivative: &mut [f64]) {
    map_both(x, derivative, ScaledErf);
}

/// `x ← ln(1 + eˣ)` and `derivative ← 1/(1 + e⁻ˣ)`.
///
/// # Panics
/// Where the two lengths differ.
pub fn softplus_with_derivative(x: &mut [f64], derivative: &mut [f64]) {
    map_both(x, derivative, Softplus);
}

/// `x ← x Φ(x)`, Φ the normal distribution function; its absolute error is 2⁻⁵³|x|.
pub fn gelu(x: &mut [f64]) {
    map(x, Gelu);
}

/// `x ← x Φ(x)` and `derivative ← Φ(x) + x φ(x)`.
///
/// # Panics
/// Where the two lengths differ.
pub fn gelu_with_derivative(x: &mut [f64], derivative: &mut [f64]) {
    map_both(x, derivative, Gelu);
}

/// A function of one number, on a register of them.
trait Function {
    fn value<S: Simd>(x: Lanes<S>) -> Lanes<S>;
}

/// A function whose derivative comes along with it.
trait Differentiable {
    fn both<S: Simd>(x: Lanes<S>) -> (Lanes<S>, Lanes<S>);
}

/// Not a closure: those are not inlined into code for another instruction set.
macro_rules! function {
    ($name:ident, $x:ident => $value:expr) => {
        struct $name;
        impl Function for $name {
            #[inline(always)]
            fn value<S: Simd>($x: Lanes<S>) -> Lanes<S> {
                $value
            }
        }
    };
}

function!(Exp, x => functions::exp(x));
function!(Tanh, x => functions::tanh(x));
function!(Erf, x => functions::erf_and_gauss(x).0);
function!(Asin, x => functions::asin(x));
function!(Sigmoid, x => functions::sigmoid(x));
function!(Softplus, x => functions::softplus_and_sigmoid(x).0);
function!(Gelu, x => functions::gelu(x).0);
function!(ScaledErf, x => ScaledErf::both(x).0);

impl Differentiable for ScaledErf {
    #[inline(always)]
    fn both<S: Simd>(x: Lanes<S>) -> (Lanes<S>, Lanes<S>) {
        let (erf, gauss) = functions::erf_and_gauss(x * x.splat(FRAC_1_SQRT_2));
        (erf, gauss * x.splat(FRAC_2_SQRT_PI * FRAC_1_SQRT_2))
    }
}

impl Differentiable for Softplus {
    #[inline(always)]
    fn both<S: Simd>(x: Lanes<S>) -> (Lanes<S>, Lanes<S>) {
        functions::softplus_and_sigmoid(x)
    }
}

impl Differentiable for Gelu {
    #[inline(always)]
    fn both<S: Simd>(x: Lanes<S>) -> (Lanes<S>, Lanes<S>) {
        functions::gelu(x)
    }
}

#[inline(always)]
fn map<F: Function>(x: &mut [f64], function: F) {
    Arch::new().dispatch(Map { x, _function: function });
}

#[inline(always)]
fn map_both<F: Differentiable>(x: &mut [f64], derivative: &mut [f64], function: F) {
    assert_eq!(x.len(), derivative.len(), "one derivative for each value");
    Arch::new().dispatch(MapBoth { x, derivative, _function: function });
}

struct Map<'a, F> {
    x: &'a mut [f64],
    _function: F,
}

impl<F: Function> WithSimd for Map<'_, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (registers, tail) = S::as_mut_simd_f64s(self.x);
        for numbers in registers {
            *numbers = F::value(Lanes::new(simd, *numbers)).numbers;
        }
        if !tail.is_empty() {
            let x = Lanes::new(simd, simd.partial_load_f64s(tail));
            simd.partial_store_f64s(tail, F::value(x).numbers);
        }
    }
}

struct MapBoth<'a, F> {
    x: &'a mut [f64],
    derivative: &'a mut [f64],
    _function: F,
}

impl<F: Differentiable> WithSimd for MapBoth<'_, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (values, values_tail) = S::as_mut_simd_f64s(self.x);
        let (derivatives, derivatives_tail) = S::as_mut_simd_f64s(self.derivative);
        for (value, derivative) in values.iter_mut().zip(derivatives) {
            let both = F::both(Lanes::new(simd, *value));
            (*value, *derivative) = (both.0.numbers, both.1.numbers);
        }
        if !values_tail.is_empty() {
            let both = F::both(Lanes::new(simd, simd.partial_load_f64s(values_tail)));
            simd.partial_store_f64s(values_tail, both.0.numbers);
            simd.partial_store_f64s(derivatives_tail, both.1.numbers);
        }
    }
}

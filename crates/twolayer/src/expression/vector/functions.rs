//! The functions themselves, on one register: no branch, one polynomial for each region, a choice at the end.
//!
//! The polynomials are minimax fits (Remez) of the functions named beside them; their own error, where it counts, is
//! below a tenth of a unit in the last place.

use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI, FRAC_PI_4, LOG2_E};

use pulp::Simd;

use super::lanes::Lanes;

/// ln 2, short enough that n·LN2_HIGH is exact for |n| < 2¹¹, and the rest of it.
const LN2_HIGH: f64 = 6.931471803691238e-1;
const LN2_LOW: f64 = 1.9082149292705877e-10;
/// Below this eˣ is taken to be 0 where nothing but an absolute error counts; 2ⁿ is still normal here.
const UNDERFLOW: f64 = -708.0;

/// (eʳ − 1 − r)/r² for |r| ≤ (ln 2)/2.
const EXP: [f64; 11] = [
    0.5,
    0.16666666666666677,
    0.041666666666666505,
    0.008333333333321596,
    0.001388888888896295,
    0.00019841269886235178,
    2.4801587171794407e-05,
    2.755724407668757e-06,
    2.755740294833399e-07,
    2.5109090915886183e-08,
    2.0875334691415616e-09,
];

/// The same for 0 ≤ r ≤ ln 2.
const EXP_ABOVE: [f64; 11] = [
    0.5000000000000001,
    0.16666666666666102,
    0.04166666666683929,
    0.008333333330735299,
    0.0013888889114266711,
    0.00019841257626319655,
    2.4802018449373547e-05,
    2.754726168560382e-06,
    2.7710735122825457e-07,
    2.358919163349566e-08,
    2.8653543163210605e-09,
];

/// erf(x)/x − 1 as a function of x², for |x| ≤ 1.
const ERF_NEAR: [f64; 12] = [
    0.12837916709551256,
    -0.3761263890318355,
    0.11283791670945253,
    -0.02686617064327622,
    0.005223977607423468,
    -0.0008548325989696758,
    0.00012055295320494294,
    -1.4924744663335489e-05,
    1.6447517677871873e-06,
    -1.6209175911748696e-07,
    1.3722976265924504e-08,
    -7.801188874097751e-10,
];

/// e^{x²} erfc(x) as a function of x − 3/2, for 1 ≤ x ≤ 5.95, as exact as its weight e^{−x²} in erf asks for.
const ERF_FAR: [f64; 21] = [
    0.3215854164543176,
    -0.1636229177325587,
    0.07615103985546125,
    -0.032930905299695994,
    0.013377340953640376,
    -0.005145957544907434,
    0.0018861348678278897,
    -0.0006619300930171688,
    0.00022331002724840641,
    -7.265884366346692e-05,
    2.2863911850303765e-05,
    -6.974855768866523e-06,
    2.0677953870997286e-06,
    -5.972294004571586e-07,
    1.6762157038684756e-07,
    -4.469812498631516e-08,
    1.0695887971671386e-08,
    -2.1021710989838036e-09,
    3.038826486973897e-10,
    -2.7812559304513892e-11,
    1.186871785654285e-12,
];
/// From here on erf(x) rounds to 1.
const ERF_ONE: f64 = 5.95;

/// (asin(x)/x − 1)/x² as a function of x², for |x| ≤ 1/2.
const ASIN: [f64; 13] = [
    0.16666666666666763,
    0.07499999999970264,
    0.044642857175119184,
    0.03038194268368817,
    0.022372215658397324,
    0.01735160012554806,
    0.013980961045048236,
    0.011397779368047879,
    0.010786509697467132,
    0.003683116793773961,
    0.021763312841453816,
    -0.02107702248037357,
    0.03267671730521705,
];

/// π/2 less its nearest number.
const PI_2_LOW: f64 = 6.123233995736766e-17;

/// (artanh(x)/x − 1)/x² as a function of x², for |x| ≤ 1/3.
const ARTANH: [f64; 10] = [
    0.33333333333333154,
    0.20000000000078394,
    0.14285714273955213,
    0.11111111983154749,
    0.09090872020395234,
    0.07693278788053014,
    0.06650501318553564,
    0.06052935505141931,
    0.041704890226942334,
    0.08508533369655322,
];

/// eʳ − 1 with x = n ln 2 + r, and `polynomial` for (eʳ − 1 − r)/r².
#[inline(always)]
fn grown<S: Simd>(x: Lanes<S>, n: Lanes<S>, polynomial: &[f64; 11]) -> Lanes<S> {
    let r = n.mul_add(x.splat(-LN2_HIGH), x);
    let r = n.mul_add(x.splat(-LN2_LOW), r);
    (r * r).mul_add(r.polynomial(polynomial), r)
}

/// eˣ on the whole line, subnormal and infinite results included.
#[inline(always)]
pub(super) fn exp<S: Simd>(x: Lanes<S>) -> Lanes<S> {
    let x = x.at_least(-746.0).at_most(710.0);
    let n = (x * x.splat(LOG2_E)).rounded();
    let rest = grown(x, n, &EXP);
    // 2ⁿ overflows where eˣ does not yet: multiply by it in two parts.
    let half = (n * x.splat(0.5)).rounded();
    let scale = half.power_of_two();
    scale.mul_add(rest, scale) * (n - half).power_of_two()
}

/// eˣ for x ≤ 0; results below 10⁻³⁰⁷ are 0.
#[inline(always)]
fn exp_of_negative<S: Simd>(x: Lanes<S>) -> Lanes<S> {
    let bounded = x.at_least(UNDERFLOW);
    let n = (bounded * x.splat(LOG2_E)).rounded();
    let scale = n.power_of_two();
    x.where_less(UNDERFLOW, x.splat(0.0), scale.mul_add(grown(bounded, n, &EXP), scale))
}

/// tanh x = (e^{2|x|} − 1)/(e^{2|x|} + 1), with the sign of x.
#[inline(always)]
pub(super) fn tanh<S: Simd>(x: Lanes<S>) -> Lanes<S> {
    // From 20 on tanh rounds to 1.
    let magnitude = x.abs().at_most(20.0);
    let double = magnitude + magnitude;
    // Rounded down: with r ≥ 0 the terms below are positive, and nothing cancels.
    let n = double.mul_add(x.splat(LOG2_E), x.splat(-0.5)).rounded();
    let scale = n.power_of_two();
    let grown = scale.mul_add(grown(double, n, &EXP_ABOVE), scale - x.splat(1.0));
    let denominator = grown + x.splat(2.0);
    let quotient = grown / denominator;
    // What the denominator lost to rounding, where it matters; 1 − tanh is 2/denominator.
    let lost = quotient.where_less(0.5, grown - (denominator - x.splat(2.0)), x.splat(0.0));
    let relative = lost * x.splat(0.5) * (x.splat(1.0) - quotient);
    (quotient - quotient * relative).with_sign_of(x)
}

/// erf x and e^{−x²}.
#[inline(always)]
pub(super) fn erf_and_gauss<S: Simd>(x: Lanes<S>) -> (Lanes<S>, Lanes<S>) {
    let magnitude = x.abs();
    let square = x * x;
    let gauss = exp_of_negative(-square);
    let near = magnitude.mul_add(square.polynomial(&ERF_NEAR), magnitude);
    let scaled = (magnitude.at_most(ERF_ONE) - x.splat(1.5)).polynomial(&ERF_FAR);
    let far = x.splat(1.0) - scaled * gauss;
    (magnitude.where_less(1.0, near, far).with_sign_of(x), gauss)
}

/// asin x = x + x³R(x²) below 1/2, and above it π/2 − 2 asin √((1−x)/2).
#[inline(always)]
pub(super) fn asin<S: Simd>(x: Lanes<S>) -> Lanes<S> {
    let magnitude = x.abs().at_most(1.0);
    let half = (x.splat(1.0) - magnitude) * x.splat(0.5);
    let square = magnitude.where_less(0.5, x * x, half);
    let series = square * square.polynomial(&ASIN);
    let near = magnitude.mul_add(series, magnitude);
    // √half = high + low, with a `high` so short that π/4 − 2·high is all but exact.
    let root = half.sqrt();
    let high = root.masked(!0 << 32);
    let low = (half - high * high) / (root + high).at_least(f64::MIN_POSITIVE);
    let small = (root + root) * series + (low + low - x.splat(PI_2_LOW));
    let far = x.splat(FRAC_PI_4) - (small - (x.splat(FRAC_PI_4) - (high + high)));
    magnitude.where_less(0.5, near, far).with_sign_of(x)
}

/// 1/(1 + e⁻ˣ).
#[inline(always)]
pub(super) fn sigmoid<S: Simd>(x: Lanes<S>) -> Lanes<S> {
    let one = x.splat(1.0);
    let decay = exp(-x.abs());
    x.where_less(0.0, decay, one) / (one + decay)
}

/// ln(1 + eˣ) = max(x, 0) + ln(1 + e^{−|x|}), and its derivative 1/(1 + e⁻ˣ).
#[inline(always)]
pub(super) fn softplus_and_sigmoid<S: Simd>(x: Lanes<S>) -> (Lanes<S>, Lanes<S>) {
    let one = x.splat(1.0);
    let decay = exp(-x.abs());
    // ln(1 + u) = 2 artanh(u/(2 + u)).
    let ratio = decay / (decay + x.splat(2.0));
    let square = ratio * ratio;
    let artanh = ratio.mul_add(square * square.polynomial(&ARTANH), ratio);
    (x.at_least(0.0) + (artanh + artanh), x.where_less(0.0, decay, one) / (one + decay))
}

/// x Φ(x) and its derivative Φ(x) + x φ(x), Φ = (1 + erf(x/√2))/2 and φ = e^{−x²/2}/√(2π).
#[inline(always)]
pub(super) fn gelu<S: Simd>(x: Lanes<S>) -> (Lanes<S>, Lanes<S>) {
    let (erf, gauss) = erf_and_gauss(x * x.splat(FRAC_1_SQRT_2));
    let half = x.splat(0.5);
    let cumulative = half.mul_add(erf, half);
    // Φ = 0 below −40 and φ = 0 beyond 40: keeps infinity from being multiplied by them.
    let bounded = x.at_least(-40.0);
    let density = gauss * x.splat(FRAC_1_SQRT_2 * 0.5 * FRAC_2_SQRT_PI);
    (bounded * cumulative, bounded.at_most(40.0).mul_add(density, cumulative))
}

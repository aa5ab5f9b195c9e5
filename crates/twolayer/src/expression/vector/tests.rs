//! Errors in units in the last place, against references that carry 30 digits.

use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use super::*;

/// `high + low`, exactly; 106 bits.
#[derive(Clone, Copy, Debug)]
struct Double(f64, f64);

impl Double {
    fn sum(a: f64, b: f64) -> Self {
        let s = a + b;
        let t = s - a;
        Self(s, (a - (s - t)) + (b - t))
    }
    fn plus(self, o: Self) -> Self {
        let (s, t) = (Self::sum(self.0, o.0), Self::sum(self.1, o.1));
        let u = Self::sum(s.0, s.1 + t.0);
        Self::sum(u.0, u.1 + t.1)
    }
    fn minus(self, o: Self) -> Self {
        self.plus(Self(-o.0, -o.1))
    }
    fn times(self, o: Self) -> Self {
        let p = self.0 * o.0;
        Self::sum(p, self.0.mul_add(o.0, -p) + (self.0 * o.1 + self.1 * o.0))
    }
    fn over(self, o: Self) -> Self {
        let q = self.0 / o.0;
        let rest = self.minus(o.times(Self(q, 0.0)));
        let q2 = rest.0 / o.0;
        let rest = rest.minus(o.times(Self(q2, 0.0)));
        Self::sum(q, q2).plus(Self(rest.0 / o.0, 0.0))
    }
}

const LN2: Double = Double(std::f64::consts::LN_2, 2.3190468138462996e-17);
const SQRT_PI: Double = Double(1.772453850905516, -7.666586499825799e-17);
const HALF_PI: Double = Double(std::f64::consts::FRAC_PI_2, 6.123233995736766e-17);

/// eˣ as (mantissa, binary exponent).
fn exp_reference(x: Double) -> (Double, i32) {
    let n = (x.0 / LN2.0).round();
    let mut r = x.minus(LN2.times(Double(n, 0.0)));
    r = Double(r.0 / 256.0, r.1 / 256.0);
    // e^r − 1, so that eight squarings lose nothing: (1 + u)² − 1 = 2u + u².
    let (mut term, mut u) = (r, r);
    for i in 2..16 {
        term = term.times(r).over(Double(i as f64, 0.0));
        u = u.plus(term);
    }
    for _ in 0..8 {
        u = u.plus(u).plus(u.times(u));
    }
    (u.plus(Double(1.0, 0.0)), n as i32)
}

fn scaled(x: Double, n: i32) -> Double {
    Double(libm::ldexp(x.0, n), libm::ldexp(x.1, n))
}

fn expm1_reference(x: Double) -> Double {
    if x.0.abs() < 0.1 {
        let (mut term, mut sum) = (x, x);
        for i in 2..24 {
            term = term.times(x).over(Double(i as f64, 0.0));
            sum = sum.plus(term);
        }
        return sum;
    }
    let (m, n) = exp_reference(x);
    scaled(m, n).minus(Double(1.0, 0.0))
}

fn tanh_reference(x: f64) -> Double {
    let e = expm1_reference(Double(2.0 * x, 0.0));
    e.over(e.plus(Double(2.0, 0.0)))
}

/// 2/√π e^{−x²} Σ 2ⁿ x^{2n+1}/(2n+1)!!, all terms positive.
fn erf_reference(x: f64) -> Double {
    let x = Double(x, 0.0);
    let square = x.times(x);
    let (mut term, mut sum) = (x, x);
    for n in 1..250 {
        term = term.times(square).times(Double(2.0, 0.0)).over(Double(2.0 * n as f64 + 1.0, 0.0));
        sum = sum.plus(term);
    }
    let (m, n) = exp_reference(Double(-square.0, -square.1));
    sum.times(scaled(m, n)).times(Double(2.0, 0.0)).over(SQRT_PI)
}

/// One Newton step from libm's value: y + tan-free correction (x − sin y)/cos y, the cosine in plain precision.
fn asin_reference(x: f64) -> Double {
    if x.abs() == 1.0 {
        return Double(HALF_PI.0 * x, HALF_PI.1 * x);
    }
    if x.abs() > 0.7 {
        // asin x = π/2 − 2 asin √((1 − x)/2), the root in double-double.
        let half = Double(0.5 * (1.0 - x.abs()), 0.0);
        let root = half.0.sqrt();
        let rest = half.minus(Double(root, 0.0).times(Double(root, 0.0)));
        let near = asin_small(Double::sum(root, rest.0 / (2.0 * root)));
        let y = HALF_PI.minus(near.plus(near));
        return Double(y.0 * x.signum(), y.1 * x.signum());
    }
    asin_small(Double(x, 0.0))
}

fn asin_small(x: Double) -> Double {
    let mut y = Double(libm::asin(x.0), 0.0);
    for _ in 0..2 {
        let square = y.times(y);
        let (mut term, mut sin) = (y, y);
        for i in 1..16 {
            let i = i as f64;
            term = term.times(square).over(Double(-(2.0 * i) * (2.0 * i + 1.0), 0.0));
            sin = sin.plus(term);
        }
        let rest = x.minus(sin);
        y = y.plus(Double(rest.0 / y.0.cos(), 0.0));
    }
    y
}

/// |value − reference| in units in the last place of the reference.
fn ulps(value: f64, reference: Double) -> f64 {
    if value == reference.0 && (reference.1 == 0.0 || value.is_infinite()) {
        return 0.0;
    }
    let unit = libm::ldexp(1.0, (libm::ilogb(reference.0) - 52).max(-1074));
    ((value - reference.0 - reference.1) / unit).abs()
}

fn numbers(seed: u64, count: usize, draw: impl Fn(&mut Xoshiro256PlusPlus) -> f64) -> Vec<f64> {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    (0..count).map(|_| draw(&mut rng)).collect()
}

/// Numbers of every size between 2^from and 2^to, of both signs.
fn logarithmic(seed: u64, count: usize, from: f64, to: f64) -> Vec<f64> {
    numbers(seed, count, |rng| rng.random_range(from..to).exp2() * if rng.random() { 1.0 } else { -1.0 })
}

fn worst(function: fn(&mut [f64]), reference: impl Fn(f64) -> Double, points: Vec<f64>) -> (f64, f64) {
    let mut values = points.clone();
    function(&mut values);
    (points.iter().zip(values))
        .map(|(&x, y)| (ulps(y, reference(x)), x))
        .fold((0.0, 0.0), |a, b| if b.0 > a.0 || b.0.is_nan() { b } else { a })
}

fn assert_within(bound: f64, name: &str, worst: (f64, f64)) {
    println!("{name}: {:.3} ulp at {:e}", worst.0, worst.1);
    assert!(worst.0 <= bound, "{name} is off by {} ulp at {:e}", worst.0, worst.1);
}

const COUNT: usize = 30_000;

#[test]
fn the_references_are_right() {
    // 40-digit values, split into two doubles.
    let cases = [
        (exp_reference(Double(1.0, 0.0)).0.times(Double(2.0, 0.0)), std::f64::consts::E, 1.4456468917292502e-16),
        (tanh_reference(0.75), 0.6351489523872873, 1.7012977006564836e-17),
        (erf_reference(2.5), 0.999593047982555, 4.6925151097042234e-17),
        (asin_reference(0.9), 1.1197695149986342, 4.092642558112641e-17),
    ];
    for (value, high, low) in cases {
        assert!((value.0 - high + (value.1 - low)).abs() < 1e-29, "{value:?}");
    }
}

#[test]
fn exp_is_within_its_bounds() {
    let reference = |x| {
        let (m, n) = exp_reference(Double(x, 0.0));
        scaled(m, n)
    };
    assert_within(1.1, "exp", worst(exp, reference, numbers(1, COUNT, |rng| rng.random_range(-708.0..709.7))));
    assert_within(1.1, "exp", worst(exp, reference, numbers(2, COUNT, |rng| rng.random_range(-1.0..1.0))));
    // Rounded once more on the way to a subnormal number.
    let subnormal = worst(exp, reference, numbers(3, COUNT, |rng| rng.random_range(-745.0..-708.0)));
    assert_within(1.5, "exp, subnormal", subnormal);
}

#[test]
fn tanh_is_within_two_ulp() {
    assert_within(2.0, "tanh", worst(tanh, tanh_reference, numbers(4, COUNT, |rng| rng.random_range(-3.0..3.0))));
    assert_within(2.0, "tanh", worst(tanh, tanh_reference, logarithmic(5, COUNT, -60.0, 5.0)));
}

#[test]
fn erf_is_within_two_ulp() {
    assert_within(1.5, "erf", worst(erf, erf_reference, numbers(6, COUNT, |rng| rng.random_range(-6.0..6.0))));
    assert_within(1.5, "erf", worst(erf, erf_reference, numbers(7, COUNT, |rng| rng.random_range(0.9..1.3))));
    assert_within(1.5, "erf", worst(erf, erf_reference, logarithmic(8, COUNT, -60.0, 2.5)));
}

#[test]
fn asin_is_within_one_ulp() {
    assert_within(1.0, "asin", worst(asin, asin_reference, numbers(9, COUNT, |rng| rng.random_range(-1.0..1.0))));
    assert_within(1.0, "asin", worst(asin, asin_reference, numbers(10, COUNT, |rng| rng.random_range(0.49..0.55))));
    let near_one = numbers(11, COUNT, |rng| 1.0 - rng.random_range(-53.0..-1.0f64).exp2());
    assert_within(1.0, "asin near 1", worst(asin, asin_reference, near_one));
    assert_within(1.0, "asin", worst(asin, asin_reference, logarithmic(12, COUNT, -60.0, 0.0)));
}

#[test]
fn sigmoid_and_softplus_are_within_three_ulp() {
    let points = || numbers(13, COUNT, |rng| rng.random_range(-700.0..40.0));
    let central = || numbers(14, COUNT, |rng| rng.random_range(-5.0..5.0));
    let one = Double(1.0, 0.0);
    let grown = |x: f64| {
        let (m, n) = exp_reference(Double(x, 0.0));
        scaled(m, n)
    };
    let reference = |x: f64| if x < 0.0 { grown(x).over(one.plus(grown(x))) } else { one.over(one.plus(grown(-x))) };
    assert_within(2.5, "sigmoid", worst(sigmoid, reference, points()));
    assert_within(2.5, "sigmoid", worst(sigmoid, reference, central()));
    // log1p of libm is within 1 ulp; one is left for us.
    let reference = |x: f64| Double::sum(x.max(0.0), libm::log1p(libm::exp(-x.abs())));
    assert_within(3.0, "softplus", worst(softplus, reference, points()));
    assert_within(3.0, "softplus", worst(softplus, reference, central()));
}

/// A million points of each function against the libm crate, itself within an ulp (tanh: two and a half).
#[test]
fn a_million_points_agree_with_libm() {
    type Case = (&'static str, fn(&mut [f64]), fn(f64) -> f64, f64, f64);
    let cases: [Case; 4] = [
        ("exp", exp, libm::exp, 745.0, 2.0),
        ("tanh", tanh, libm::tanh, 22.0, 4.0),
        ("erf", erf, libm::erf, 6.0, 2.0),
        ("asin", asin, libm::asin, 1.0, 2.0),
    ];
    for (name, function, reference, range, bound) in cases {
        let points = numbers(15, 1_000_000, |rng| rng.random_range(-range..range));
        assert_within(bound, name, worst(function, |x| Double(reference(x), 0.0), points));
    }
}

#[test]
fn special_values() {
    let at = |function: fn(&mut [f64]), x: f64| {
        let mut x = [x];
        function(&mut x);
        x[0]
    };
    let infinity = f64::INFINITY;
    for (function, low, high) in
        [(exp as fn(&mut [f64]), 0.0, infinity), (tanh, -1.0, 1.0), (erf, -1.0, 1.0), (sigmoid, 0.0, 1.0)]
    {
        assert!(at(function, f64::NAN).is_nan());
        assert_eq!((at(function, -infinity), at(function, infinity)), (low, high));
        assert_eq!((at(function, -1e300), at(function, 1e300)), (low, high));
    }
    for function in [tanh, erf, asin, scaled_erf] {
        assert_eq!(at(function, -0.0).to_bits(), (-0.0f64).to_bits());
        assert_eq!(at(function, 0.0).to_bits(), 0);
    }
    assert_eq!(at(tanh, 5e-324), 5e-324);
    assert_eq!(at(asin, 5e-324), 5e-324);
    assert_eq!((at(exp, 0.0), at(exp, -0.0)), (1.0, 1.0));
    assert_eq!(at(exp, 709.782712893384), 1.7976931348622732e308);
    assert_eq!(at(exp, 709.782712893385), infinity);
    assert_eq!((at(exp, -745.1332191019411), at(exp, -745.1332191019412)), (5e-324, 0.0));
    assert!(at(asin, f64::NAN).is_nan() && at(softplus, f64::NAN).is_nan());
    for x in [1.0, 1.0000001, infinity] {
        assert_eq!((at(asin, x), at(asin, -x)), (std::f64::consts::FRAC_PI_2, -std::f64::consts::FRAC_PI_2));
    }
    assert_eq!((at(softplus, -infinity), at(softplus, infinity), at(softplus, 800.0)), (0.0, infinity, 800.0));
    assert_eq!(at(softplus, 0.0), std::f64::consts::LN_2);
    let (mut x, mut derivative) = ([0.0, 40.0, infinity, f64::NAN], [7.0; 4]);
    scaled_erf_with_derivative(&mut x, &mut derivative);
    assert_eq!((x[..3].to_vec(), derivative[1..3].to_vec()), (vec![0.0, 1.0, 1.0], vec![0.0, 0.0]));
    assert!((derivative[0] - 0.7978845608028654).abs() < 2e-16 && derivative[3].is_nan());
}

#[test]
fn neither_place_nor_length_matters() {
    let points = numbers(16, 23, |rng| rng.random_range(-3.0..3.0));
    for function in [exp, tanh, erf, asin, sigmoid, softplus, scaled_erf] {
        let mut whole = points.clone();
        function(&mut whole);
        for start in 0..points.len() {
            for end in start..=points.len() {
                let mut part = points[start..end].to_vec();
                function(&mut part);
                assert!(part.iter().zip(&whole[start..end]).all(|(a, b)| a.to_bits() == b.to_bits()));
            }
        }
    }
}

/// The path without vector instructions computes the same function, with its own last bits.
#[test]
fn the_scalar_path_is_as_exact() {
    let points = numbers(17, COUNT, |rng| rng.random_range(-6.0..6.0));
    let mut values = points.clone();
    pulp::Scalar::new().vectorize(Map { x: &mut values, _function: Erf });
    let error = points.iter().zip(&values).map(|(&x, &y)| ulps(y, erf_reference(x))).fold(0.0, f64::max);
    assert_within(1.5, "erf, scalar", (error, f64::NAN));
    let mut values = points.clone();
    pulp::Scalar::new().vectorize(Map { x: &mut values, _function: Tanh });
    let error = points.iter().zip(&values).map(|(&x, &y)| ulps(y, tanh_reference(x))).fold(0.0, f64::max);
    assert_within(2.0, "tanh, scalar", (error, f64::NAN));
}

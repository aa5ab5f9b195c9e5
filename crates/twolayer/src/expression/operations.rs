//! The operations an expression may use: their names, and what they do to numbers and to blocks of them.

use super::vector;

/// An operation on one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Unary {
    Negate,
    Erf,
    Tanh,
    Relu,
    Sign,
    Abs,
    Exp,
    Log,
    Sqrt,
    Sin,
    Cos,
    Sigmoid,
}

/// An operation on two numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Binary {
    Add,
    Subtract,
    Multiply,
    Divide,
    Power,
    Min,
    Max,
}

impl Unary {
    /// The operations that are called by a name, with it.
    pub(super) const NAMED: [(&'static str, Self); 11] = [
        ("erf", Self::Erf),
        ("tanh", Self::Tanh),
        ("relu", Self::Relu),
        ("sign", Self::Sign),
        ("abs", Self::Abs),
        ("exp", Self::Exp),
        ("log", Self::Log),
        ("sqrt", Self::Sqrt),
        ("sin", Self::Sin),
        ("cos", Self::Cos),
        ("sigmoid", Self::Sigmoid),
    ];

    /// Of one number, with the same bits as in a block.
    pub(super) fn of(self, x: f64) -> f64 {
        let mut values = [0.0];
        self.of_block(&[x], &mut values);
        values[0]
    }

    /// `out[μ] = f(x[μ])`. One loop for each operation, so that the compiler vectorises it.
    pub(super) fn of_block(self, x: &[f64], out: &mut [f64]) {
        let in_place = |function: fn(&mut [f64]), out: &mut [f64]| {
            out.copy_from_slice(x);
            function(out);
        };
        match self {
            Self::Erf => in_place(vector::erf, out),
            Self::Tanh => in_place(vector::tanh, out),
            Self::Exp => in_place(vector::exp, out),
            Self::Sigmoid => in_place(vector::sigmoid, out),
            Self::Negate => each(x, out, |x| -x),
            Self::Relu => each(x, out, |x| if x < 0.0 { 0.0 } else { x }),
            Self::Sign => each(x, out, sign),
            Self::Abs => each(x, out, f64::abs),
            Self::Log => each(x, out, f64::ln),
            Self::Sqrt => each(x, out, f64::sqrt),
            Self::Sin => each(x, out, f64::sin),
            Self::Cos => each(x, out, f64::cos),
        }
    }
}

impl Binary {
    /// The operations that are called by a name, with it.
    pub(super) const NAMED: [(&'static str, Self); 2] = [("min", Self::Min), ("max", Self::Max)];

    /// Of two numbers.
    pub(super) fn of(self, a: f64, b: f64) -> f64 {
        let mut values = [0.0];
        self.of_blocks(Operand::Block(&[a]), Operand::Number(b), &mut values);
        values[0]
    }

    /// `out[μ] = f(a[μ], b[μ])`.
    pub(super) fn of_blocks(self, a: Operand, b: Operand, out: &mut [f64]) {
        match self {
            Self::Add => pairs(a, b, out, |a, b| a + b),
            Self::Subtract => pairs(a, b, out, |a, b| a - b),
            Self::Multiply => pairs(a, b, out, |a, b| a * b),
            Self::Divide => pairs(a, b, out, |a, b| a / b),
            Self::Power => pairs(a, b, out, f64::powf),
            Self::Min => pairs(a, b, out, |a, b| if a < b || a.is_nan() { a } else { b }),
            Self::Max => pairs(a, b, out, |a, b| if a > b || a.is_nan() { a } else { b }),
        }
    }
}

/// A block of numbers, or the same number at every sample.
#[derive(Debug, Clone, Copy)]
pub(super) enum Operand<'a> {
    Block(&'a [f64]),
    Number(f64),
}

#[inline(always)]
fn each(x: &[f64], out: &mut [f64], f: impl Fn(f64) -> f64) {
    for (out, &x) in out.iter_mut().zip(x) {
        *out = f(x);
    }
}

#[inline(always)]
fn pairs(a: Operand, b: Operand, out: &mut [f64], f: impl Fn(f64, f64) -> f64) {
    match (a, b) {
        (Operand::Block(a), Operand::Block(b)) => {
            for ((out, &a), &b) in out.iter_mut().zip(a).zip(b) {
                *out = f(a, b);
            }
        }
        (Operand::Block(a), Operand::Number(b)) => each(a, out, |a| f(a, b)),
        (Operand::Number(a), Operand::Block(b)) => each(b, out, |b| f(a, b)),
        (Operand::Number(a), Operand::Number(b)) => out.fill(f(a, b)),
    }
}

/// `out[μ] = yes[μ]` where `condition[μ] > 0`, elsewhere `no[μ]`.
pub(super) fn select(condition: &[f64], yes: Operand, no: Operand, out: &mut [f64]) {
    match no {
        Operand::Block(no) => out.copy_from_slice(no),
        Operand::Number(no) => out.fill(no),
    }
    match yes {
        Operand::Block(yes) => {
            for ((out, &yes), &condition) in out.iter_mut().zip(yes).zip(condition) {
                *out = if condition > 0.0 { yes } else { *out };
            }
        }
        Operand::Number(yes) => {
            for (out, &condition) in out.iter_mut().zip(condition) {
                *out = if condition > 0.0 { yes } else { *out };
            }
        }
    }
}

fn sign(x: f64) -> f64 {
    if x > 0.0 {
        1.0
    } else if x < 0.0 {
        -1.0
    } else {
        // 0 and NaN.
        x.abs()
    }
}

/// Numbers that go through a loop together, so that it is the inner one that is vectorised.
const TOGETHER: usize = 8;

/// `out[μ] = f(x[μ])` for an `f` that is itself a loop.
#[inline(always)]
pub(super) fn together(x: &[f64], out: &mut [f64], f: impl Fn([f64; TOGETHER]) -> [f64; TOGETHER]) {
    let ((x, x_tail), (out, out_tail)) = (x.as_chunks(), out.as_chunks_mut());
    for (out, x) in out.iter_mut().zip(x) {
        *out = f(*x);
    }
    if !x_tail.is_empty() {
        let mut padded = [0.0; TOGETHER];
        padded[..x_tail.len()].copy_from_slice(x_tail);
        out_tail.copy_from_slice(&f(padded)[..x_tail.len()]);
    }
}

/// xⁿ by repeated squaring.
#[inline(always)]
pub(super) fn power<const N: usize>(n: i32, x: [f64; N]) -> [f64; N] {
    let (mut square, mut product, mut left) = (x, [1.0; N], n.unsigned_abs());
    while left > 0 {
        if left % 2 == 1 {
            product = std::array::from_fn(|i| product[i] * square[i]);
        }
        left /= 2;
        if left > 0 {
            square = square.map(|x| x * x);
        }
    }
    if n < 0 { product.map(|x| 1.0 / x) } else { product }
}

/// He_q(x) by `He_{q+1} = x He_q − q He_{q−1}`.
#[inline(always)]
pub(super) fn hermite<const N: usize>(degree: u32, x: [f64; N]) -> [f64; N] {
    hermite_and_previous(degree, x).0
}

/// He_q(x) and He_{q−1}(x) (0 for q = 0); He_q' = q He_{q−1}.
#[inline(always)]
pub(crate) fn hermite_and_previous<const N: usize>(degree: u32, x: [f64; N]) -> ([f64; N], [f64; N]) {
    let (mut previous, mut current) = ([0.0; N], [1.0; N]);
    for q in 0..degree {
        let next = std::array::from_fn(|i| x[i] * current[i] - f64::from(q) * previous[i]);
        (previous, current) = (current, next);
    }
    (current, previous)
}

//! Branch-free vector functions, ≤ 2 ulp, dispatched at run time.

/// `x ← eˣ`.
pub fn exp(_x: &mut [f64]) {
    todo!()
}

/// `x ← tanh x`.
pub fn tanh(_x: &mut [f64]) {
    todo!()
}

/// `x ← erf x`, the error function itself.
pub fn erf(_x: &mut [f64]) {
    todo!()
}

/// `x ← asin x`, arguments clamped to [−1, 1].
pub fn asin(_x: &mut [f64]) {
    todo!()
}

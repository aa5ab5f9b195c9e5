//! The named activations, their derivatives, their formulas.

/// σ, by name.
#[derive(Debug, Clone, PartialEq)]
pub enum Activation {
    /// max(h, 0), with σ'(0) = 0.
    Relu,
    /// erf(h/√2).
    Erf,
    /// tanh h.
    Tanh,
    /// h.
    Linear,
    /// h².
    Square,
    /// ln(1 + eʰ).
    Softplus,
    /// 1/(1 + e⁻ʰ).
    Sigmoid,
    /// h Φ(h).
    Gelu,
    /// He_q(h), probabilists', not normalised, q ≤ 20.
    Hermite(usize),
}

impl Activation {
    /// By its name in the experiment file: `relu`, `erf`, …, `he2`.
    pub fn named(_name: &str) -> Option<Self> {
        todo!()
    }

    /// Its name in the experiment file.
    pub fn name(&self) -> String {
        todo!()
    }

    /// Its formula, for people.
    pub fn formula(&self) -> String {
        todo!()
    }

    /// `h ← σ(h)`.
    pub fn values(&self, _h: &mut [f64]) {
        todo!()
    }

    /// `h ← σ(h)` and `derivative ← σ'(h)` in one pass.
    pub fn values_and_derivatives(&self, _h: &mut [f64], _derivative: &mut [f64]) {
        todo!()
    }
}

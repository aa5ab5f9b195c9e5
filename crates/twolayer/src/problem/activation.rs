//! The named activations, their derivatives, their formulas.

use crate::expression::{hermite_and_previous, hermite_degree, nearest, vector};

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
    /// The names, `he2` for every Hermite polynomial `he0` … `he20`.
    pub const NAMES: [&'static str; 9] =
        ["relu", "erf", "tanh", "linear", "square", "softplus", "sigmoid", "gelu", "he2"];

    /// By its name in the experiment file: `relu`, `erf`, …, `he2`.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "relu" => Some(Self::Relu),
            "erf" => Some(Self::Erf),
            "tanh" => Some(Self::Tanh),
            "linear" => Some(Self::Linear),
            "square" => Some(Self::Square),
            "softplus" => Some(Self::Softplus),
            "sigmoid" => Some(Self::Sigmoid),
            "gelu" => Some(Self::Gelu),
            _ => hermite_degree(name).map(|degree| Self::Hermite(degree as usize)),
        }
    }

    /// The known name that `name` was probably meant to be.
    pub fn nearest_name(name: &str) -> Option<&'static str> {
        nearest(name, Self::NAMES)
    }

    /// Its name in the experiment file.
    pub fn name(&self) -> String {
        match self {
            Self::Relu => "relu".into(),
            Self::Erf => "erf".into(),
            Self::Tanh => "tanh".into(),
            Self::Linear => "linear".into(),
            Self::Square => "square".into(),
            Self::Softplus => "softplus".into(),
            Self::Sigmoid => "sigmoid".into(),
            Self::Gelu => "gelu".into(),
            Self::Hermite(degree) => format!("he{degree}"),
        }
    }

    /// Its formula, for people.
    pub fn formula(&self) -> String {
        match self {
            Self::Relu => "max(h, 0)".into(),
            Self::Erf => "erf(h/√2)".into(),
            Self::Tanh => "tanh(h)".into(),
            Self::Linear => "h".into(),
            Self::Square => "h²".into(),
            Self::Softplus => "ln(1 + eʰ)".into(),
            Self::Sigmoid => "1/(1 + e⁻ʰ)".into(),
            Self::Gelu => "h Φ(h)".into(),
            Self::Hermite(degree) => hermite_formula(*degree),
        }
    }

    /// `h ← σ(h)`.
    pub fn values(&self, h: &mut [f64]) {
        match self {
            Self::Relu => h.iter_mut().for_each(|h| *h = relu(*h)),
            Self::Erf => vector::scaled_erf(h),
            Self::Tanh => vector::tanh(h),
            Self::Linear => {}
            Self::Square => h.iter_mut().for_each(|h| *h *= *h),
            Self::Softplus => vector::softplus(h),
            Self::Sigmoid => vector::sigmoid(h),
            Self::Gelu => vector::gelu(h),
            Self::Hermite(degree) => hermite(*degree as u32, h, |_, _| {}),
        }
    }

    /// `h ← σ(h)` and `derivative ← σ'(h)` in one pass.
    ///
    /// # Panics
    /// Where the two lengths differ.
    pub fn values_and_derivatives(&self, h: &mut [f64], derivative: &mut [f64]) {
        assert_eq!(h.len(), derivative.len(), "one derivative for each value");
        match self {
            Self::Relu => each(h, derivative, |h| (relu(h), f64::from(h > 0.0))),
            Self::Erf => vector::scaled_erf_with_derivative(h, derivative),
            Self::Tanh => {
                vector::tanh(h);
                each(h, derivative, |tanh| (tanh, (1.0 - tanh) * (1.0 + tanh)));
            }
            Self::Linear => derivative.fill(1.0),
            Self::Square => each(h, derivative, |h| (h * h, 2.0 * h)),
            Self::Softplus => vector::softplus_with_derivative(h, derivative),
            Self::Sigmoid => {
                vector::sigmoid(h);
                each(h, derivative, |sigmoid| (sigmoid, sigmoid * (1.0 - sigmoid)));
            }
            Self::Gelu => vector::gelu_with_derivative(h, derivative),
            Self::Hermite(degree) => {
                let factor = *degree as f64;
                hermite(*degree as u32, h, |index, previous| derivative[index] = factor * previous);
            }
        }
    }
}

fn relu(h: f64) -> f64 {
    // NaN stays NaN.
    if h < 0.0 { 0.0 } else { h }
}

#[inline(always)]
fn each(h: &mut [f64], derivative: &mut [f64], both: impl Fn(f64) -> (f64, f64)) {
    for (h, derivative) in h.iter_mut().zip(derivative) {
        (*h, *derivative) = both(*h);
    }
}

/// `h ← He_q(h)`, and He_{q−1} of each to `previous`; eight at a time, so that they go through the recurrence together.
#[inline(always)]
fn hermite(degree: u32, h: &mut [f64], mut previous: impl FnMut(usize, f64)) {
    for (chunk, h) in h.chunks_mut(8).enumerate() {
        let mut padded = [0.0; 8];
        padded[..h.len()].copy_from_slice(h);
        let (values, lower) = hermite_and_previous(degree, padded);
        for i in 0..h.len() {
            h[i] = values[i];
            previous(8 * chunk + i, lower[i]);
        }
    }
}

/// `h⁴ − 6h² + 3`; by name alone where that gets long.
fn hermite_formula(degree: usize) -> String {
    let name = format!("He_{degree}(h)");
    let polynomial = match degree {
        0 => "1",
        1 => "h",
        2 => "h² − 1",
        3 => "h³ − 3h",
        4 => "h⁴ − 6h² + 3",
        5 => "h⁵ − 10h³ + 15h",
        6 => "h⁶ − 15h⁴ + 45h² − 15",
        _ => return name,
    };
    format!("{name} = {polynomial}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Vec<Activation> {
        let mut all: Vec<Activation> = Activation::NAMES.iter().map(|name| Activation::named(name).unwrap()).collect();
        all.extend((0..=20).map(Activation::Hermite));
        all
    }

    /// Written again in plain scalar mathematics.
    fn reference(activation: &Activation, h: f64) -> f64 {
        match activation {
            Activation::Relu => h.max(0.0),
            Activation::Erf => libm::erf(h / 2f64.sqrt()),
            Activation::Tanh => libm::tanh(h),
            Activation::Linear => h,
            Activation::Square => h * h,
            Activation::Softplus => h.max(0.0) + libm::log1p(libm::exp(-h.abs())),
            Activation::Sigmoid => 1.0 / (1.0 + libm::exp(-h)),
            Activation::Gelu => 0.5 * h * libm::erfc(-h / 2f64.sqrt()),
            // Σ_m (−1)^m q!/(m! (q−2m)! 2^m) h^{q−2m}
            Activation::Hermite(q) => (0..=q / 2)
                .map(|m| {
                    let factorial = |n: usize| (1..=n).map(|i| i as f64).product::<f64>();
                    (-0.5f64).powi(m as i32) * factorial(*q) / (factorial(m) * factorial(q - 2 * m))
                        * h.powi((q - 2 * m) as i32)
                })
                .sum(),
        }
    }

    fn points() -> Vec<f64> {
        (0..141).map(|i| -4.9 + 0.07 * f64::from(i)).collect()
    }

    /// Sizes of the terms that a value or derivative is summed from: what a relative error refers to.
    fn scale(activation: &Activation, h: f64) -> f64 {
        match activation {
            Activation::Hermite(q) => {
                // |He_q(ih)|: all terms with the same sign.
                let (mut previous, mut current) = (0.0, 1.0);
                for i in 0..*q {
                    (previous, current) = (current, h.abs() * current + i as f64 * previous);
                }
                current
            }
            _ => 1.0 + h.abs(),
        }
    }

    #[test]
    fn names_lead_back() {
        for activation in all() {
            assert_eq!(Activation::named(&activation.name()), Some(activation));
        }
        assert_eq!(
            (Activation::named("he21"), Activation::named("he02"), Activation::named("Relu")),
            (None, None, None)
        );
        assert_eq!(Activation::nearest_name("reul"), Some("relu"));
        assert_eq!(Activation::nearest_name("softmax"), None);
        assert_eq!(Activation::Hermite(3).formula(), "He_3(h) = h³ − 3h");
    }

    #[test]
    fn values_agree_with_scalar_mathematics() {
        for activation in all() {
            let mut values = points();
            activation.values(&mut values);
            for (h, value) in points().into_iter().zip(values) {
                let error = (value - reference(&activation, h)).abs();
                assert!(error <= 1e-15 * scale(&activation, h), "{activation:?} at {h}: {error:e}");
            }
        }
    }

    #[test]
    fn derivatives_agree_with_central_differences() {
        let step = 1e-5;
        for activation in all() {
            let (mut values, mut derivatives, mut only_values) = (points(), vec![f64::NAN; points().len()], points());
            activation.values_and_derivatives(&mut values, &mut derivatives);
            activation.values(&mut only_values);
            assert_eq!(values, only_values, "{activation:?}");
            for (h, derivative) in points().into_iter().zip(derivatives).filter(|(h, _)| h.abs() > step) {
                let difference = (reference(&activation, h + step) - reference(&activation, h - step)) / (2.0 * step);
                let error = (derivative - difference).abs();
                assert!(error <= 1e-9 * scale(&activation, h.abs().max(1.0)), "{activation:?} at {h}: {error:e}");
            }
        }
    }

    #[test]
    fn extremes() {
        let of = |activation: Activation, h: f64| {
            let (mut value, mut derivative) = ([h], [f64::NAN]);
            activation.values_and_derivatives(&mut value, &mut derivative);
            (value[0], derivative[0])
        };
        assert_eq!(of(Activation::Relu, 0.0), (0.0, 0.0));
        assert_eq!(of(Activation::Softplus, 1000.0), (1000.0, 1.0));
        assert_eq!(of(Activation::Softplus, -1000.0), (0.0, 0.0));
        assert_eq!(of(Activation::Sigmoid, -1000.0), (0.0, 0.0));
        assert_eq!(of(Activation::Gelu, 1e300), (1e300, 1.0));
        assert_eq!(of(Activation::Gelu, -1e300), (0.0, 0.0));
        assert_eq!(of(Activation::Gelu, f64::NEG_INFINITY), (0.0, 0.0));
        for activation in [Activation::Relu, Activation::Erf, Activation::Tanh, Activation::Gelu, Activation::Softplus]
        {
            assert!(of(activation.clone(), f64::NAN).0.is_nan(), "{activation:?}");
        }
    }

    /// The values of a neuron do not depend on how many neurons there are.
    #[test]
    fn slices_of_any_length_agree() {
        for activation in all() {
            let (mut whole, mut derivatives) = (points(), vec![0.0; 141]);
            activation.values_and_derivatives(&mut whole, &mut derivatives);
            for length in 0..12 {
                let (mut part, mut derivative) = (points()[3..3 + length].to_vec(), vec![0.0; length]);
                activation.values_and_derivatives(&mut part, &mut derivative);
                assert_eq!((&part[..], &derivative[..]), (&whole[3..3 + length], &derivatives[3..3 + length]));
            }
        }
    }
}

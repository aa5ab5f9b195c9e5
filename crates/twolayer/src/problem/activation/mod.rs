//! Activations: by name, as an expression in h, or by their Hermite coefficients; their derivatives, their formulas.

mod average;
mod custom;
mod recognition;
mod series;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use crate::{
    error::{Error, Result},
    expression::{Function, Vocabulary, factorial, hermite_and_previous, hermite_degree, nearest, vector},
    problem::{NamedActivation, Word},
};
pub use average::Average;
pub use custom::Custom;
pub use series::HermiteSeries;

/// σ.
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
    /// Σ_q c_q He_q(h)/√q!.
    Series(HermiteSeries),
    /// An expression in h.
    Expression(Function),
    /// A closure.
    Custom(Custom),
}

/// Half the width of where kinks are looked for: normal variables of standard deviation 2 do not go further.
const RANGE: f64 = 40.0;

impl From<NamedActivation> for Activation {
    fn from(name: NamedActivation) -> Self {
        match name {
            NamedActivation::Relu => Self::Relu,
            NamedActivation::Erf => Self::Erf,
            NamedActivation::Tanh => Self::Tanh,
            NamedActivation::Linear => Self::Linear,
            NamedActivation::Square => Self::Square,
            NamedActivation::Softplus => Self::Softplus,
            NamedActivation::Sigmoid => Self::Sigmoid,
            NamedActivation::Gelu => Self::Gelu,
        }
    }
}

/// By its name, or as an expression in h.
impl TryFrom<&str> for Activation {
    type Error = Error;

    fn try_from(text: &str) -> Result<Self> {
        Self::parse(text, &BTreeMap::new())
    }
}

impl Activation {
    /// By its name in the experiment file: `relu`, `erf`, …, or `he0` … `he20`.
    pub fn named(name: &str) -> Option<Self> {
        let hermite = || hermite_degree(name).map(|degree| Self::Hermite(degree as usize));
        NamedActivation::named(name).map(Self::from).or_else(hermite)
    }

    /// The name, where it has one of its own.
    fn word(&self) -> Option<NamedActivation> {
        match self {
            Self::Relu => Some(NamedActivation::Relu),
            Self::Erf => Some(NamedActivation::Erf),
            Self::Tanh => Some(NamedActivation::Tanh),
            Self::Linear => Some(NamedActivation::Linear),
            Self::Square => Some(NamedActivation::Square),
            Self::Softplus => Some(NamedActivation::Softplus),
            Self::Sigmoid => Some(NamedActivation::Sigmoid),
            Self::Gelu => Some(NamedActivation::Gelu),
            Self::Hermite(_) | Self::Series(_) | Self::Expression(_) | Self::Custom(_) => None,
        }
    }

    /// As the experiment file writes it: a name, or an expression in `h` that may use `constants`. An expression that is a
    /// named activation, as `erf(h/sqrt(2))` is `erf`, becomes that.
    ///
    /// # Errors
    /// [`Error::Syntax`] with the bytes at fault and the nearest known word; where σ does not depend on h.
    pub fn parse(text: &str, constants: &BTreeMap<String, f64>) -> Result<Self> {
        let name = text.trim();
        if let Some(activation) = Self::named(name) {
            return Ok(activation);
        }
        let start = text.find(name).unwrap_or(0);
        let refuse =
            |reason: String, remedy: String| Err(Error::Syntax { span: start..start + name.len(), reason, remedy });
        let word = name.starts_with(char::is_alphabetic)
            && name.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-')
            && !["h", "pi"].contains(&name);
        if word && !constants.contains_key(name) {
            let names: Vec<&str> = NamedActivation::WORDS.iter().map(|(word, _)| *word).collect();
            let forms =
                format!("write {}, he0 … he20, an expression in h, or {{ hermite = [c0, c1, …] }}", names.join(", "));
            let remedy = match Self::nearest_name(name) {
                Some(near) => format!("did you mean {near:?}?"),
                None => forms,
            };
            return refuse(format!("`{name}` is not an activation"), remedy);
        }
        let vocabulary = Vocabulary { variables: vec!["h".into()], indexed: None, constants: constants.clone() };
        let function = Function::parse(text, &vocabulary).map_err(|error| about_h(text, error))?;
        if function.is_constant() {
            return refuse(
                format!("`{name}` does not depend on h"),
                "write an expression in h, e.g. \"tanh(h)\"".into(),
            );
        }
        Ok(recognition::recognise(&function).unwrap_or(Self::Expression(function)))
    }

    /// The named activation that a function of h is, if it is one.
    pub(super) fn of_function(function: &Function) -> Option<Self> {
        recognition::recognise(function)
    }

    /// Σ_q c_q h_q, with the orthonormal Hermite polynomials `h_q = He_q/√q!`, c_0 first.
    pub fn series(coefficients: Vec<f64>) -> Self {
        Self::Series(HermiteSeries::new(coefficients))
    }

    /// The known name that `name` was probably meant to be.
    pub fn nearest_name(name: &str) -> Option<&'static str> {
        nearest(name, NamedActivation::WORDS.iter().map(|(word, _)| *word).chain(["he2"]))
    }

    /// As it is written in the experiment file.
    pub fn name(&self) -> String {
        match self {
            Self::Hermite(degree) => format!("he{degree}"),
            Self::Series(series) => format!("{{ hermite = {:?} }}", series.coefficients()),
            Self::Expression(function) => function.source().trim().into(),
            Self::Custom(custom) => custom.name().into(),
            named => named.word().map(|word| word.name().into()).unwrap_or_default(),
        }
    }

    /// Its formula, for people.
    pub fn formula(&self) -> String {
        match self {
            Self::Hermite(degree) => hermite_formula(*degree),
            Self::Series(series) => series.formula(),
            Self::Expression(function) => function.source().trim().into(),
            Self::Custom(custom) => format!("{}(h)", custom.name()),
            named => named.word().map(|word| word.meaning().into()).unwrap_or_default(),
        }
    }

    /// s_n of `σ = Σ_n s_n He_n`, with Hermite polynomials that are not normalised, where σ is a polynomial.
    pub fn polynomial(&self) -> Option<Vec<f64>> {
        let mut coefficients = match self {
            Self::Linear => vec![0.0, 1.0],
            Self::Square => vec![1.0, 0.0, 1.0],
            Self::Hermite(degree) => (0..=*degree).map(|n| f64::from(n == *degree)).collect(),
            Self::Series(series) => {
                let normalised = series.coefficients().iter().enumerate();
                normalised.map(|(n, c)| c / factorial(n).sqrt()).collect()
            }
            Self::Expression(function) => function.polynomial()?,
            Self::Relu | Self::Erf | Self::Tanh | Self::Softplus | Self::Sigmoid | Self::Gelu | Self::Custom(_) => {
                return None;
            }
        };
        let degree = coefficients.iter().rposition(|c| *c != 0.0).unwrap_or(0);
        coefficients.resize(degree + 1, 0.0);
        Some(coefficients)
    }

    /// Where σ or one of its derivatives may jump, rising; none where σ is smooth.
    pub fn kinks(&self) -> Vec<f64> {
        match self {
            Self::Relu => vec![0.0],
            Self::Expression(function) => function.kinks(RANGE),
            Self::Custom(custom) => custom.kinks(),
            _ => vec![],
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
            Self::Series(series) => series.values(h),
            Self::Expression(function) => function.values(h),
            Self::Custom(custom) => h.iter_mut().for_each(|h| *h = custom.both(*h).0),
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
            Self::Series(series) => series.values_and_derivatives(h, derivative),
            Self::Expression(function) => function.values_and_derivatives(h, derivative),
            Self::Custom(custom) => each(h, derivative, |h| custom.both(h)),
        }
    }
}

/// Says of a direction of the target that an activation does not know it.
fn about_h(text: &str, error: Error) -> Error {
    match error {
        Error::Syntax { span, .. }
            if text[span.clone()].strip_prefix('z').is_some_and(|index| index.bytes().all(|b| b.is_ascii_digit())) =>
        {
            let reason =
                format!("`{}` is a direction of the target, and an activation is a function of h", &text[span.clone()]);
            Error::Syntax { span, reason, remedy: "write h, the preactivation of the neuron".into() }
        }
        other => other,
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

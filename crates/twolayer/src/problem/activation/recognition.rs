//! Which named activation an expression is.

use super::{Activation, RANGE};
use crate::{
    expression::Function,
    problem::{NamedActivation, Word},
};

/// Points to a unit of h in [−8, 8], where networks live.
const DENSITY: usize = 24;

/// The named activation that is `function`, if there is one: the same values to 10⁻¹³ (of 1 + |σ|) at some hundred points,
/// at every kink of `function` and between any two.
///
/// `erf(h/sqrt(2))` and `max(h, 0)` so get the closed forms, and the rounding, of `erf` and `relu`. Where the formula as
/// written overflows, as `log(1 + exp(h))` at h = 710, it says nothing.
pub(super) fn recognise(function: &Function) -> Option<Activation> {
    let points = points(function);
    let mut written = points.clone();
    function.values(&mut written);
    let names = NamedActivation::ALL.iter().copied().map(Activation::from);
    names.chain((2..=20).map(Activation::Hermite)).find(|named| {
        let mut values = points.clone();
        named.values(&mut values);
        values.iter().zip(&written).zip(&points).all(|((named, written), h)| {
            let overflows = !written.is_finite() && h.abs() > 8.0;
            overflows || (named - written).abs() <= 1e-13 * (1.0 + named.abs())
        })
    })
}

fn points(function: &Function) -> Vec<f64> {
    // Off the round numbers, at which differences like to vanish.
    let near = (0..=16 * DENSITY).map(|i| (i as f64 + 0.31) / DENSITY as f64 - 8.0);
    let far = (1..60).flat_map(|octave| [-1.0, 1.0].map(|sign| sign * 7.3 * f64::from(octave).exp2()));
    let kinks = function.kinks(RANGE);
    let between = kinks.windows(2).map(|pair| 0.5 * (pair[0] + pair[1]));
    near.chain(far).chain(between).chain(kinks.iter().copied()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn expressions_are_known_by_their_values() {
        let constants: BTreeMap<String, f64> = [("c".to_string(), 0.5)].into();
        for (text, name) in [
            ("erf(h/sqrt(2))", "erf"),
            ("-erf(-h*sqrt(c))", "erf"),
            ("max(h, 0)", "relu"),
            ("(h + abs(h))/2", "relu"),
            ("relu(h)", "relu"),
            ("tanh(h)", "tanh"),
            ("2*sigmoid(2*h) - 1", "tanh"),
            ("h", "linear"),
            ("c*h + c*h", "linear"),
            ("h^2", "square"),
            ("abs(h)^2", "square"),
            ("log(1 + exp(h))", "softplus"),
            ("1/(1 + exp(-h))", "sigmoid"),
            ("h*(1 + erf(h/sqrt(2)))/2", "gelu"),
            ("h^3 - 3*h", "he3"),
            ("he7(h)", "he7"),
        ] {
            assert_eq!(Activation::parse(text, &constants).ok(), Activation::named(name), "{text}");
        }
        for text in [
            "erf(h)",
            "max(h, 0) + 1e-9*h",
            "max(h, 1e-6)",
            "min(max(h, 0), 30)",
            "min(h, 1e9)",
            "h + max(0, 1e-3 - abs(h - 0.77))",
            "h^2 - 1e-6",
            "tanh(h) + 1e-9*sin(h)",
            "2*h",
        ] {
            let activation = Activation::parse(text, &constants).unwrap();
            assert!(matches!(activation, Activation::Expression(_)), "{text} was taken for {activation:?}");
        }
    }
}

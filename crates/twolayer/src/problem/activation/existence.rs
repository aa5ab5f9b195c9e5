//! Whether an activation is a function of normal preactivations with which there are a risk and a gradient.

use super::Activation;
use crate::gaussian::line::{has_heavy_tail, places, pole};

/// Why an activation is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoFunction {
    /// What is wrong, with a preactivation where it is.
    pub reason: String,
    /// What to write instead.
    pub remedy: &'static str,
}

impl Activation {
    /// Why there is no risk or no gradient with preactivations `h = λ + b`, `λ ~ N(0, variance)`: σ is not a number somewhere
    /// within six standard deviations, `E σ(h)² = ∞` by a pole or by a tail as heavy as `e^{h²/(4 variance)}`, or
    /// `E |σ'(h)| = ∞` by a pole. Biases are within a few `spread`. `None` for every activation that has a name, and for what
    /// has none of these faults. Microseconds.
    pub fn no_function(&self, variance: f64, spread: f64) -> Option<NoFunction> {
        if !matches!(self, Self::Expression(_) | Self::Series(_)) {
            return None;
        }
        let width = (variance + spread * spread).sqrt();
        let value = |h: f64| self.value(h);
        if width == 0.0 {
            return (!value(0.0).is_finite()).then(|| not_a_number(value(0.0), 0.0));
        }
        let values = |t: &[f64]| {
            let mut h: Vec<f64> = t.iter().map(|t| width * t).collect();
            self.values(&mut h);
            h
        };
        let at = places();
        let y = values(&at);
        if let Some(i) = (0..y.len()).find(|&i| y[i].is_nan()) {
            return Some(not_a_number(y[i], width * at[i]));
        }
        let tail = |t: &[f64]| {
            let mut h: Vec<f64> = t.iter().map(|t| variance.sqrt() * t).collect();
            self.values(&mut h);
            h
        };
        if variance > 0.0 && has_heavy_tail(&tail) {
            let reason = format!(
                "E σ(h)² = ∞ where h has the variance {variance:.3}: σ grows as fast as e^{{h²/(4·{variance:.3})}}, or faster, \
                 and no risk exists"
            );
            return Some(NoFunction {
                reason,
                remedy: "write an activation that grows more slowly, or shorter weights",
            });
        }
        let slopes = |t: &[f64]| {
            let mut h: Vec<f64> = t.iter().map(|t| width * t).collect();
            let mut slopes = vec![0.0; h.len()];
            self.values_and_derivatives(&mut h, &mut slopes);
            slopes
        };
        let (what, t) = match (pole(&values, 2), pole(&slopes, 1)) {
            (Some(t), _) => ("E σ(h)² = ∞, and no risk exists", t),
            (None, Some(t)) => ("E |σ'(h)| = ∞, and no gradient exists", t),
            (None, None) => return None,
        };
        // Not −0.
        let h = (1e3 * width * t).round() / 1e3 + 0.0;
        let reason = format!("σ has a pole at h = {h}: {what}");
        Some(NoFunction { reason, remedy: "write one without a pole, e.g. h/(1 + h^2) or log(1 + h^2)" })
    }

    /// σ(h).
    fn value(&self, h: f64) -> f64 {
        let mut value = [h];
        self.values(&mut value);
        value[0]
    }
}

fn not_a_number(value: f64, h: f64) -> NoFunction {
    NoFunction {
        reason: format!("σ(h) is {value} at h = {h:.3}, and h is normal: it takes negative values and 0 as well"),
        remedy: "write an activation that is a number for every h, e.g. abs(h)^0.5 or log(1 + h^2)",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn told(text: &str, variance: f64, spread: f64) -> Option<String> {
        let activation = Activation::parse(text, &BTreeMap::new()).unwrap();
        activation.no_function(variance, spread).map(|why| why.reason)
    }

    #[test]
    fn what_is_no_function_of_a_normal_variable_is_told_and_nothing_else() {
        for (text, word) in [
            ("log(h)", "NaN at h = -"),
            ("h^0.5", "NaN at h = -"),
            ("sqrt(h + 5)", "NaN at h = -"),
            ("h*log(h)", "NaN at h = -"),
            ("1/h", "pole at h = 0: E σ(h)² = ∞"),
            ("1/(h - 0.3)", "pole at h = 0.3: E σ(h)² = ∞"),
            ("abs(h)^(-0.5)", "pole at h = 0: E σ(h)² = ∞"),
            ("log(abs(h))", "pole at h = 0: E |σ'(h)| = ∞"),
            ("abs(h)^(-0.2)", "pole at h = 0: E |σ'(h)| = ∞"),
            ("exp(h^2)", "E σ(h)² = ∞ where h has the variance 1.000"),
            ("h*exp(h^2/4)", "E σ(h)² = ∞"),
            ("exp(exp(h))", "E σ(h)² = ∞"),
        ] {
            let told = told(text, 1.0, 0.0);
            assert!(told.as_ref().is_some_and(|told| told.contains(word)), "{text}: {told:?}");
        }
        let all =
            ["abs(h)^0.5", "log(1+h^2)", "exp(h)", "sqrt(abs(h))", "exp(h^2/5)", "sin(h)/h", "tanh(50*h)", "sign(h)"];
        let more =
            ["exp(-1/h^2)", "1/(1+h^2)", "relu(h)^0.5", "abs(h)", "h^20", "exp(3*h)", "max(h,0.1*h)", "log(h+7)"];
        for text in all.into_iter().chain(more) {
            assert_eq!(told(text, 1.0, 0.0), None, "{text}");
        }
        assert_eq!(Activation::series(vec![0.0; 40].into_iter().chain([1.0]).collect()).no_function(1.0, 0.0), None);
    }

    /// `E e^{2 v h²}` exists for v < 1/4; biases widen the range of h, not its tails.
    #[test]
    fn it_is_judged_at_the_variance_of_the_preactivations() {
        assert_eq!(told("exp(h^2)", 0.24, 0.0), None);
        assert_eq!(told("exp(h^2)", 0.24, 1.0), None);
        assert!(told("exp(h^2)", 0.26, 0.0).is_some());
        assert_eq!(told("log(h + 3)", 0.16, 0.0), None);
        assert!(told("log(h + 3)", 0.16, 1.0).is_some() && told("log(h + 3)", 1.0, 0.0).is_some());
        // No weights, no bias: h = 0.
        assert!(told("1/h", 0.0, 0.0).is_some());
        assert_eq!(told("exp(h^2)", 0.0, 0.0), None);
    }
}

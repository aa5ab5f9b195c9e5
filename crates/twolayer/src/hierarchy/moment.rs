//! Whether a target is a number everywhere, and has a variance.

use super::function::Function;
use crate::{
    error::{Error, Result},
    gaussian::sobol,
    problem::{Rule, Target},
};

/// Points at which a target must be a number.
const POINTS: usize = 4096;

/// A target of more directions is looked at along these first.
const AXES: usize = 4;

/// Lines along each axis.
const LINES: usize = 2;

/// A line is looked at on [−REACH, REACH] in so many places.
const PLACES: usize = 601;
const REACH: f64 = 6.0;

/// A peak is followed where it is so many times the median of |g|.
const PEAK: f64 = 20.0;

/// Far out, where y² must fall faster than its weight rises.
const TAIL: [f64; 3] = [10.0, 20.0, 30.0];

/// Closer and closer to a peak.
const NEAR: [f64; 2] = [1e-6, 1e-10];

/// Whether g is finite at normal inputs, whatever P is.
///
/// # Errors
/// [`Error::Invalid`] with a point where it is not.
pub fn finite(target: &Target) -> Result<()> {
    let (single, key) = of_one_unit(target);
    match Function::of_target(&Target::new(single.rule))?.finite(POINTS) {
        Err(Error::Invalid(mut advice)) => {
            advice.key = key.into();
            Err(Error::Invalid(advice))
        }
        other => other.map(drop),
    }
}

/// Why `E y² = ∞`, where that can be seen along lines: a pole as strong as |z|^{−1/2}, or a tail as heavy as e^{z²/4}. A
/// target without it may still have none.
///
/// # Errors
/// [`Error::Numerical`] where P is not a covariance.
pub fn infinite_variance(target: &Target) -> Result<Option<String>> {
    let (single, _) = of_one_unit(target);
    let function = Function::of_target(&single)?;
    let m = function.dimension();
    let others = sobol::normals(LINES, m, 3);
    for axis in 0..m.min(AXES) {
        for line in 0..LINES {
            let g = |t: &[f64]| {
                let x: Vec<Vec<f64>> = (0..m)
                    .map(|i| if i == axis { t.to_vec() } else { vec![others[i * LINES + line]; t.len()] })
                    .collect();
                let mut y = vec![0.0; t.len()];
                function.evaluate(&x.iter().map(Vec::as_slice).collect::<Vec<_>>(), &mut y);
                y
            };
            if heavy_tail(&g) {
                return Ok(Some("E y² = ∞: the target grows as fast as e^{z²/4}, or faster".into()));
            }
            if let Some(t) = pole(&g) {
                let at: Vec<f64> = (0..m).map(|i| if i == axis { t } else { others[i * LINES + line] }).collect();
                let z: Vec<String> =
                    function.inputs(&at).iter().map(|z| format!("{:.3}", (1e3 * z).round() / 1e3 + 0.0)).collect();
                return Ok(Some(format!("E y² = ∞: the target has a pole at z = ({})", z.join(", "))));
            }
        }
    }
    Ok(None)
}

/// One unit stands for a committee of equal ones; and the key that describes the function.
fn of_one_unit(target: &Target) -> (Target, &'static str) {
    match &target.rule {
        Rule::Committee { activation, .. } => {
            (Target::new(Rule::single_index(activation.clone())), "target.committee.activation")
        }
        Rule::Expression(_) => (target.clone(), "target.expression"),
    }
}

/// Whether `ln (y² e^{−t²/2})` does not fall.
fn heavy_tail(g: &dyn Fn(&[f64]) -> Vec<f64>) -> bool {
    [-1.0, 1.0].iter().any(|sign| {
        let y = g(&TAIL.map(|t| sign * t));
        let weight: Vec<f64> = y.iter().zip(TAIL).map(|(y, t)| 2.0 * y.abs().ln() - 0.5 * t * t).collect();
        // Rounded: e^{z²/4} neither falls nor rises. A target that vanishes there, ln 0, has no tail at all.
        weight.windows(2).all(|pair| pair[1] > f64::NEG_INFINITY && pair[1] >= pair[0] - 1e-6)
    })
}

/// Where `∫ y²` diverges: at the top of a peak `ε y(ε)²` does not fall with the distance ε.
fn pole(g: &dyn Fn(&[f64]) -> Vec<f64>) -> Option<f64> {
    let places: Vec<f64> = (0..PLACES).map(|i| REACH * (2.0 * i as f64 / (PLACES - 1) as f64 - 1.0)).collect();
    let y: Vec<f64> = g(&places).iter().map(|y| y.abs()).collect();
    let mut sorted = y.clone();
    sorted.sort_by(f64::total_cmp);
    let high = PEAK * sorted[PLACES / 2];
    let peaks = (1..PLACES - 1).filter(|&i| y[i] > high && y[i] >= y[i - 1] && y[i] >= y[i + 1]);
    peaks.map(|i| top(g, places[i - 1], places[i + 1])).find(|&t| {
        [-1.0, 1.0].iter().any(|side| {
            let y = g(&NEAR.map(|near| t + side * near));
            let [far, near] = [0, 1].map(|i| NEAR[i] * y[i] * y[i]);
            near.is_finite() && near > 0.5 * far
        })
    })
}

/// The highest point of a single peak of |g| between `low` and `high`, by thirds.
fn top(g: &dyn Fn(&[f64]) -> Vec<f64>, mut low: f64, mut high: f64) -> f64 {
    for _ in 0..100 {
        let third = (high - low) / 3.0;
        let y = g(&[low + third, high - third]);
        if y[0].abs() < y[1].abs() { low += third } else { high -= third }
    }
    0.5 * (low + high)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::Activation;

    fn target(text: &str) -> Target {
        Target::try_from(text).unwrap()
    }

    #[test]
    fn a_target_that_is_no_number_is_told_with_a_point() {
        for text in ["sqrt(z1)", "log(z1)", "z1 + sqrt(z2 + 2)"] {
            let Err(Error::Invalid(advice)) = finite(&target(text)) else { panic!("{text}") };
            assert!(advice.key == "target.expression" && advice.reason.contains("NaN at z = ("), "{advice:?}");
        }
        for text in ["sqrt(abs(z1))", "1/z1", "exp(z1)", "z1", "3"] {
            assert!(finite(&target(text)).is_ok(), "{text}");
        }
        let activation = Activation::parse("log(h)", &Default::default()).unwrap();
        let committee = Target::new(Rule::committee(activation, 3, 1.0));
        let Err(Error::Invalid(advice)) = finite(&committee) else { panic!() };
        assert_eq!(advice.key, "target.committee.activation");
    }

    /// `∫ |z − c|^{−2s}` converges for s < 1/2, `E e^{2 a z²}` for a < 1/4.
    #[test]
    fn poles_and_tails_without_a_variance_are_seen_and_no_others() {
        for text in [
            "1/z1",
            "1/(z1 - 0.3)",
            "1/(z1 + 1.234)^2",
            "z1/z2",
            "z2 + 1/sqrt(abs(z1))",
            "exp(z1^2)",
            "z1*exp(z1^2/4)",
            "exp(z1^2/3)",
            "relu(z1)*exp(z1^2/4)",
            "z2*exp(z1^2/4)",
        ] {
            assert!(infinite_variance(&target(text)).unwrap().is_some(), "{text}");
        }
        for text in [
            "z1",
            "he4(z1)*z2",
            "sign(z1)",
            "tanh(30*z1)",
            "exp(3*z1)",
            "exp(z1^2/5)",
            "abs(z1)^(-0.4)",
            "log(abs(z1))",
            "1/(z1^2 + 0.0001)",
            "3",
            "he20(z1)",
            // These vanish on a half-line, or everywhere.
            "relu(z1)",
            "relu(z1)^2",
            "relu(z1)*z2",
            "max(z1, 0)",
            "relu(z1) + relu(z2)",
            "exp(-z1^2)*relu(z2)",
            "0*z1",
        ] {
            assert_eq!(infinite_variance(&target(text)).unwrap(), None, "{text}");
        }
        for activation in ["relu", "gelu", "softplus"] {
            let committee = Rule::committee(Activation::parse(activation, &Default::default()).unwrap(), 3, 1.0);
            assert_eq!(infinite_variance(&Target::new(committee)).unwrap(), None, "{activation}");
        }
        let told = infinite_variance(&target("1/(z1 - 0.3)")).unwrap().unwrap();
        assert!(told.ends_with("a pole at z = (0.300)"), "{told}");
        // Not −0.
        let told = infinite_variance(&target("1/z1")).unwrap().unwrap();
        assert!(told.ends_with("z = (0.000)"), "{told}");
    }
}

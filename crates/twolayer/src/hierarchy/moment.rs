//! Whether a target is a number everywhere, and has a variance.

use super::function::Function;
use crate::{
    error::{Error, Result},
    gaussian::{
        line::{has_heavy_tail, places, pole},
        sobol,
    },
    overlaps::symmetric_root,
    problem::{Rule, Target},
};

/// Points at which a target must be a number.
const POINTS: usize = 4096;

/// A target of more directions is looked at along these first.
const AXES: usize = 4;

/// Lines along each axis.
const LINES: usize = 2;

/// Whether g is a number at normal inputs of covariance P (of independent ones, where P is none): at points, and far out along
/// lines.
///
/// # Errors
/// [`Error::Invalid`] with a point where it is not.
pub fn finite(target: &Target) -> Result<()> {
    let (mut single, key) = of_one_unit(target);
    let arity = Target::new(single.rule.clone()).directions();
    let (rows, columns) = (single.overlaps.nrows(), single.overlaps.ncols());
    if rows != columns || rows < arity || symmetric_root(single.overlaps.as_ref()).is_err() {
        single = Target::new(single.rule);
    }
    let function = Function::of_target(&single)?;
    let found = function.finite(POINTS).and_then(|_| {
        lines(&function).try_for_each(|line| match line.along(&places()).iter().position(|y| y.is_nan()) {
            Some(at) => Err(function.no_number(f64::NAN, &line.point(places()[at]))),
            None => Ok(()),
        })
    });
    match found {
        Err(Error::Invalid(mut advice)) => {
            advice.key = key.into();
            Err(Error::Invalid(advice))
        }
        other => other,
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
    for line in lines(&function) {
        let g = |t: &[f64]| line.along(t);
        if has_heavy_tail(&g) {
            return Ok(Some("E y² = ∞: the target grows as fast as e^{z²/4}, or faster".into()));
        }
        if let Some(t) = pole(&g, 2) {
            let z = function.inputs(&line.point(t));
            let z: Vec<String> = z.iter().map(|z| format!("{:.3}", (1e3 * z).round() / 1e3 + 0.0)).collect();
            return Ok(Some(format!("E y² = ∞: the target has a pole at z = ({})", z.join(", "))));
        }
    }
    Ok(None)
}

/// A line through the inputs, along one of their axes.
struct Line<'a> {
    function: &'a Function<'a>,
    axis: usize,
    /// The other coordinates.
    others: Vec<f64>,
}

/// Some lines along the first axes.
fn lines<'a>(function: &'a Function<'a>) -> impl Iterator<Item = Line<'a>> {
    let m = function.dimension();
    let others = sobol::normals(LINES, m, 3);
    let of = move |axis, line| Line { function, axis, others: (0..m).map(|i| others[i * LINES + line]).collect() };
    (0..m.min(AXES)).flat_map(|axis| (0..LINES).map(move |line| (axis, line))).map(move |(axis, line)| of(axis, line))
}

impl Line<'_> {
    /// The point at t.
    fn point(&self, t: f64) -> Vec<f64> {
        let mut point = self.others.clone();
        point[self.axis] = t;
        point
    }

    /// g at these places.
    fn along(&self, t: &[f64]) -> Vec<f64> {
        let of = |i: usize| if i == self.axis { t.to_vec() } else { vec![self.others[i]; t.len()] };
        let x: Vec<Vec<f64>> = (0..self.others.len()).map(of).collect();
        let mut y = vec![0.0; t.len()];
        self.function.evaluate(&x.iter().map(Vec::as_slice).collect::<Vec<_>>(), &mut y);
        y
    }
}

/// The longest unit stands for a committee of equal ones; and the key that describes the function.
fn of_one_unit(target: &Target) -> (Target, &'static str) {
    match &target.rule {
        Rule::Committee { activation, .. } => {
            let mut unit = Target::new(Rule::single_index(activation.clone()));
            let (p, all) = (&target.overlaps, target.overlaps.nrows().min(target.overlaps.ncols()));
            unit.overlaps[(0, 0)] = (0..all).map(|r| p[(r, r)]).fold(0.0, f64::max);
            (unit, "target.committee.activation")
        }
        Rule::Expression(_) => (target.clone(), "target.expression"),
    }
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
        for text in ["sqrt(abs(z1))", "1/z1", "exp(z1)", "z1", "3", "sin(z1)/z1", "log(z1 + 7)"] {
            assert!(finite(&target(text)).is_ok(), "{text}");
        }
        // What a run of a million samples meets: five standard deviations out, or where P is larger than I.
        assert!(finite(&target("log(z1 + 5)")).is_err());
        let mut long = target("log(z1 + 7)");
        long.overlaps[(0, 0)] = 4.0;
        assert!(finite(&long).is_err());
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
        // A unit of length 2: E e^{2·4 z²/10} = ∞.
        let unit = Activation::parse("exp(h^2/10)", &Default::default()).unwrap();
        let mut committee = Target::new(Rule::committee(unit, 2, 1.0));
        assert_eq!(infinite_variance(&committee).unwrap(), None);
        committee.overlaps[(1, 1)] = 4.0;
        assert!(infinite_variance(&committee).unwrap().is_some());
        let told = infinite_variance(&target("1/(z1 - 0.3)")).unwrap().unwrap();
        assert!(told.ends_with("a pole at z = (0.300)"), "{told}");
        // Not −0.
        let told = infinite_variance(&target("1/z1")).unwrap().unwrap();
        assert!(told.ends_with("z = (0.000)"), "{told}");
    }
}

//! Derivatives against closed forms, and against central differences on random expressions.

use proptest::prelude::*;

use crate::expression::{Expression, Vocabulary};

fn parse(text: &str) -> Expression {
    Expression::parse(text, &Vocabulary { indexed: Some("z".into()), ..Vocabulary::default() }).unwrap()
}

#[test]
fn closed_forms() {
    for (text, derivative) in [
        ("3", "0"),
        ("z2", "0"),
        ("z1", "1"),
        ("2*z1 - z1/4", "1.75"),
        ("-z1*z2", "-z2"),
        ("z1/z2", "1/z2"),
        ("z2/z1", "-z2/z1^2"),
        ("(1 + z1)/(2 + z1^2)", "(2 - 2*z1 - z1^2)/(2 + z1^2)^2"),
        ("z1^5", "5*z1^4"),
        ("z1^-2", "-2*z1^-3"),
        ("z1^0", "0"),
        ("abs(z1)^1.5", "1.5*abs(z1)^0.5*sign(z1)"),
        ("2^z1", "log(2)*2^z1"),
        ("z1^z2", "z2*z1^(z2 - 1)"),
        ("z2^z1", "log(z2)*z2^z1"),
        ("abs(z1)^z1", "abs(z1)^z1*(log(abs(z1)) + 1)"),
        ("erf(z1)", "2/sqrt(pi)*exp(-z1^2)"),
        ("tanh(z1)", "1 - tanh(z1)^2"),
        ("sigmoid(3*z1)", "3*sigmoid(3*z1)*(1 - sigmoid(3*z1))"),
        ("relu(z1*z2)", "z2*max(0, sign(z1*z2))"),
        ("abs(z1 - z2)", "sign(z1 - z2)"),
        ("sign(z1)", "0"),
        ("exp(z1^2/2)", "z1*exp(z1^2/2)"),
        ("log(1 + z1^2)", "2*z1/(1 + z1^2)"),
        ("sqrt(2 + z1)", "0.5/sqrt(2 + z1)"),
        ("sin(z1)*cos(z1)", "cos(2*z1)"),
        ("he0(z1) + he1(z1) + he2(z1)", "1 + 2*z1"),
        ("he7(z1)", "7*he6(z1)"),
        ("he20(z1^2)", "40*z1*he19(z1^2)"),
        ("min(z1, z2^2)", "0.5 + 0.5*sign(z2^2 - z1)"),
        ("max(z1, 3*z1)", "2 + sign(z1)"),
        ("tanh(z1 + z2^3 - 3*z2)", "1 - tanh(z1 + z2^3 - 3*z2)^2"),
    ] {
        let (found, expected) = (parse(text).derivative(0), parse(derivative));
        for z in [[0.7, 0.4], [-1.3, 0.9], [1.1, 1.7], [-0.2, 2.5], [1.9, 0.3]] {
            let (found, expected) = (found.value(&z), expected.value(&z));
            let agree = (found - expected).abs() <= 1e-13 * expected.abs().max(1.0);
            assert!(agree || (found.is_nan() && expected.is_nan()), "({text})' = {found}, not {expected}, at {z:?}");
        }
    }
}

#[test]
fn at_a_kink_the_convention_holds() {
    for (text, expected) in [
        ("relu(z1)", 0.0),
        ("abs(z1)", 0.0),
        ("sign(z1)", 0.0),
        // Where both are equal, the value is the second's, and so is the derivative.
        ("max(2*z1, 3*z1)", 3.0),
        ("min(2*z1, 3*z1)", 3.0),
        ("z1^0", 0.0),
        ("z1^1", 1.0),
        ("z1^1.5", 0.0),
    ] {
        assert_eq!(parse(text).derivative(0).value(&[0.0]), expected, "{text}");
    }
    for text in ["sqrt(relu(z1))", "relu(z1)^0.7", "exp(-1/relu(z1))", "max(0, z1)^1.5/z1", "log(1 + min(0, -z1)^0.5)"]
    {
        assert_eq!(parse(text).derivative(0).value(&[-0.4]), 0.0, "{text} is flat there");
    }
    let both = parse("(1 + z1)^z1").derivative(0);
    assert_eq!(both.value(&[0.0]), 0.0);
    assert_eq!(parse("relu(z1)^(2 + z1)").derivative(0).value(&[-1.0]), 0.0, "0ᵇ is 0 around");
}

#[test]
fn partial_derivatives_know_their_variable() {
    let both = parse("z1*z2^2 + z3");
    assert_eq!((both.derivative(0).arity(), both.derivative(0).value(&[5.0, 3.0, 7.0])), (3, 9.0));
    assert_eq!((both.derivative(1).value(&[5.0, 3.0, 7.0]), both.derivative(2).value(&[5.0, 3.0, 7.0])), (30.0, 1.0));
    assert_eq!(both.derivative(3).value(&[5.0, 3.0, 7.0]), 0.0);
    assert!(!both.derivative(0).uses(0) && both.derivative(0).uses(1) && !both.derivative(2).uses(2));
    assert_eq!(both.derivative(0).source(), both.source());
}

/// Sharing and simplification keep derivatives of derivatives short.
#[test]
fn repeated_derivatives_do_not_explode() {
    let length = |mut expression: Expression, order: usize| {
        for _ in 0..order {
            expression = expression.derivative(0);
        }
        expression.program.size().0
    };
    assert_eq!(length(parse("z1^5"), 1), 2);
    assert_eq!(length(parse("z1^5"), 5), 0);
    assert_eq!(length(parse("he9(z1)"), 3), 2, "720·…·He_6: a factor and a polynomial");
    assert_eq!(length(parse("exp(-3*z1)"), 8), 3);
    assert_eq!(length(parse("2*(3*(4*z1))"), 1), 0);
    for text in ["tanh(z1)", "exp(z1^2)*sin(z1)", "1/(1 + z1^2)", "sigmoid(z1)*he3(z1)"] {
        let [fourth, eighth] = [4, 8].map(|order| length(parse(text), order));
        assert!(fourth <= 60 && eighth <= 400, "{text}: {fourth}, then {eighth}");
    }
    // tanh'''' = 8t(1 − t²)(2 − 3t²), with t = tanh.
    let (t, fourth) = (libm::tanh(0.3), parse("tanh(z1)"));
    let fourth = (0..4).fold(fourth, |f, _| f.derivative(0)).value(&[0.3]);
    assert!((fourth - 8.0 * t * (1.0 - t * t) * (2.0 - 3.0 * t * t)).abs() < 1e-13, "{fourth}");
    let sum = format!("z1{}", "+z1*z2".repeat(5_000));
    assert_eq!(parse(&sum).derivative(0).value(&[2.0, 3.0]), 15_001.0);
}

fn expressions() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![Just("z1"), Just("z2"), Just("0.7"), Just("2"), Just("z1")].prop_map(String::from);
    leaf.prop_recursive(4, 24, 2, |inner| {
        let unary = prop::sample::select(vec![
            "tanh(X)",
            "erf(X)",
            "sin(X)",
            "cos(X)",
            "relu(X)",
            "abs(X)",
            "sign(X)",
            "sigmoid(X)",
            "exp(sin(X))",
            "log(2 + sin(X))",
            "sqrt(1 + X^2)",
            "he2(X)",
            "he3(X)",
            "-(X)",
            "(X)^2",
            "(X)^3",
            "1/(1 + X^2)",
            "abs(X)^2.3",
        ]);
        let binary = prop::sample::select(vec![
            "(X) + (Y)",
            "(X) - (Y)",
            "(X)*(Y)",
            "(X)/(2 + sin(Y))",
            "min(X, Y)",
            "max(X, Y)",
            "(1 + X^2)^tanh(Y)",
        ]);
        prop_oneof![
            (unary, inner.clone()).prop_map(|(form, x)| form.replace('X', &format!("({x})"))),
            (binary, inner.clone(), inner)
                .prop_map(|(form, x, y)| form.replace('X', &format!("({x})")).replace('Y', &format!("({y})"))),
        ]
    })
}

/// A central difference, where two widths agree that there is one.
fn difference(f: impl Fn(f64) -> f64) -> Option<f64> {
    let [wide, narrow] = [1e-3, 5e-4].map(|step| (f(step) - f(-step)) / (2.0 * step));
    // Richardson: what is left is of order step⁴.
    let estimate = (4.0 * narrow - wide) / 3.0;
    ((wide - narrow).abs() <= 1e-5 * (1.0 + estimate.abs())).then_some(estimate)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn central_differences_agree(text in expressions(), z1 in -2.0..2.0_f64, z2 in -2.0..2.0_f64) {
        let expression = parse(&text);
        for variable in 0..2 {
            let (first, z) = (expression.derivative(variable), [z1, z2]);
            let moved = |step: f64| std::array::from_fn(|i| if i == variable { z[i] + step } else { z[i] });
            let value = |step: f64| -> f64 { let z: [f64; 2] = moved(step); expression.value(&z) };
            let slope = |step: f64| -> f64 { let z: [f64; 2] = moved(step); first.value(&z) };
            for (order, expected) in [difference(value), difference(slope)].into_iter().enumerate() {
                let Some(expected) = expected else { continue };
                let found = if order == 0 { first.value(&z) } else { first.derivative(variable).value(&z) };
                let scale = 1.0 + expected.abs() + value(0.0).abs() + slope(0.0).abs();
                prop_assert!((found - expected).abs() <= 1e-6 * scale, "{text}, {order}: {found} for {expected}");
            }
        }
    }
}

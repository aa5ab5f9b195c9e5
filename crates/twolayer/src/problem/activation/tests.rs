//! Every activation against scalar mathematics and against each other.

use super::*;

fn parse(text: &str) -> Activation {
    Activation::parse(text, &[("c".to_string(), 0.3)].into()).unwrap()
}

fn named() -> Vec<Activation> {
    let mut named: Vec<Activation> = NamedActivation::ALL.iter().copied().map(Activation::from).collect();
    named.extend((0..=20).map(Activation::Hermite));
    named
}

fn all() -> Vec<Activation> {
    let squash = Activation::from_fn("squash", |h| (h / (1.0 + h * h).sqrt(), (1.0 + h * h).powf(-1.5)));
    let others = [Activation::series(vec![0.3, -1.0, 0.0, 0.5, 0.2]), parse("h^3/6 - relu(h - c) + tanh(h)*h"), squash];
    named().into_iter().chain(others).collect()
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
        Activation::Series(series) => (series.coefficients().iter().enumerate())
            .map(|(q, c)| c * reference(&Activation::Hermite(q), h) / (1..=q).map(|i| i as f64).product::<f64>().sqrt())
            .sum(),
        Activation::Expression(_) => h * h * h / 6.0 - (h - 0.3).max(0.0) + libm::tanh(h) * h,
        Activation::Custom(_) => h / (1.0 + h * h).sqrt(),
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
        Activation::Series(_) | Activation::Expression(_) => 1.0 + h.abs().powi(4),
        _ => 1.0 + h.abs(),
    }
}

#[test]
fn names_lead_back() {
    for activation in named() {
        assert_eq!(Activation::named(&activation.name()), Some(activation));
    }
    assert_eq!((Activation::named("he21"), Activation::named("he02"), Activation::named("Relu")), (None, None, None));
    assert_eq!(Activation::nearest_name("reul"), Some("relu"));
    assert_eq!(Activation::nearest_name("softmax"), None);
    assert_eq!(Activation::Hermite(3).formula(), "He_3(h) = h³ − 3h");
    assert_eq!((parse(" relu "), parse("he4")), (Activation::Relu, Activation::Hermite(4)));
    assert_eq!((parse("tanh(c*h) ").name(), parse("tanh(c*h)").formula()), ("tanh(c*h)".into(), "tanh(c*h)".into()));
    assert_eq!(parse("c*h^2"), parse("0.3 * h^2"));
    assert_ne!(parse("c*h^2"), parse("0.31*h^2"));
    let series = Activation::series(vec![-0.5, 1.0, 0.0, -2.5]);
    assert_eq!(series.name(), "{ hermite = [-0.5, 1.0, 0.0, -2.5] }");
    assert_eq!(series.formula(), "−0.5 + h_1(h) − 2.5 h_3(h), h_q = He_q/√q!");
}

#[test]
fn what_is_not_an_activation_is_told_where_and_why() {
    let failure = |text: &str| match Activation::parse(text, &[("c".to_string(), 0.3)].into()) {
        Err(Error::Syntax { span, reason, remedy }) => (text[span].to_string(), reason, remedy),
        other => panic!("{text}: {other:?}"),
    };
    for (text, fault, reason, remedy) in [
        ("tanhh(h)", "tanhh", "there is no function `tanhh`", "did you mean `tanh`?"),
        (" rleu", "rleu", "`rleu` is not an activation", "did you mean \"relu\"?"),
        (
            "softmax",
            "softmax",
            "`softmax` is not an activation",
            "write relu, erf, tanh, linear, square, softplus, sigmoid, gelu, he0 … he20, an expression in h, or \
             { hermite = [c0, c1, …] }",
        ),
        (
            "tanh(x)",
            "x",
            "`x` is not known here",
            "known here: h, c, pi; functions: erf, tanh, relu, sign, abs, exp, log, sqrt, sin, cos, sigmoid, min, max, \
             he0 … he20",
        ),
        (
            "h + z1",
            "z1",
            "`z1` is a direction of the target, and an activation is a function of h",
            "write h, the preactivation of the neuron",
        ),
        ("c", "c", "`c` does not depend on h", "write an expression in h, e.g. \"tanh(h)\""),
        ("2*pi", "2*pi", "`2*pi` does not depend on h", "write an expression in h, e.g. \"tanh(h)\""),
        ("relu + h", "relu", "`relu` is a function and needs parentheses", "write relu(…)"),
    ] {
        assert_eq!(failure(text), (fault.into(), reason.into(), remedy.into()));
    }
}

fn both(activation: &Activation, h: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let (mut values, mut derivatives) = (h.to_vec(), vec![f64::NAN; h.len()]);
    activation.values_and_derivatives(&mut values, &mut derivatives);
    (values, derivatives)
}

/// Also in blocks longer than one, and of expressions whose value and derivative are one node, an input or a number.
#[test]
fn expressions_are_the_activations_that_they_say() {
    let as_written = |text: &str| {
        let vocabulary = Vocabulary { variables: vec!["h".into()], ..Vocabulary::default() };
        Activation::Expression(Function::parse(text, &vocabulary).unwrap())
    };
    let h: Vec<f64> = (0..1000).map(|i| -5.0 + 0.0101 * f64::from(i)).collect();
    for (text, name, tolerance) in [
        ("tanh(h)", "tanh", 1e-15),
        ("erf(h/sqrt(2))", "erf", 1e-15),
        ("max(h, 0)", "relu", 0.0),
        ("h", "linear", 0.0),
        ("h*h", "square", 0.0),
        ("log(1 + exp(h))", "softplus", 3e-15),
        ("1/(1 + exp(-h))", "sigmoid", 1e-15),
        ("h*(1 + erf(h/sqrt(2)))/2", "gelu", 1e-14),
        ("h^3 - 3*h", "he3", 1e-13),
    ] {
        let ((values, derivatives), named) = (both(&as_written(text), &h), both(&parse(name), &h));
        for i in 0..h.len() {
            let (value, derivative) = (values[i] - named.0[i], derivatives[i] - named.1[i]);
            assert!(value.abs().max(derivative.abs()) <= tolerance, "{text} at {}: {value:e}, {derivative:e}", h[i]);
        }
    }
    let exp = both(&parse("exp(h)"), &h);
    assert_eq!(exp.0, exp.1);
}

#[test]
fn series_are_sums_of_hermite_polynomials() {
    let h = points();
    assert_eq!(both(&Activation::series(vec![0.0, 1.0]), &h), both(&Activation::Linear, &h));
    assert_eq!(both(&Activation::series(vec![]), &h).0, vec![0.0; h.len()]);
    let mut coefficients = vec![0.0; 12];
    coefficients[11] = 39916800f64.sqrt();
    let (series, named) = (both(&Activation::series(coefficients), &h), both(&Activation::Hermite(11), &h));
    for i in 0..h.len() {
        // A dozen steps of a few roundings each.
        let sizes = [scale(&Activation::Hermite(11), h[i]), 11.0 * scale(&Activation::Hermite(10), h[i])];
        let errors = [series.0[i] - named.0[i], series.1[i] - named.1[i]];
        assert!(
            errors.iter().zip(sizes).all(|(e, size)| e.abs() <= 1e-14 * size),
            "{errors:?} of {sizes:?} at {}",
            h[i]
        );
    }
}

#[test]
fn kinks_are_where_a_slope_jumps() {
    let near = |activation: &Activation, expected: &[f64]| {
        let kinks = activation.kinks();
        let agree = kinks.len() == expected.len() && kinks.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12);
        assert!(agree, "{}: {kinks:?}", activation.name());
    };
    for activation in named() {
        near(&activation, if activation == Activation::Relu { &[0.0] } else { &[] });
    }
    near(&parse("tanh(h) + 0.1*he2(h) - sin(h)^2/(2 + h^2)"), &[]);
    near(&parse("relu(h - c) + abs(h)"), &[0.0, 0.3]);
    near(&parse("min(1, max(-1, h))"), &[-1.0, 1.0]);
    near(&parse("sign(h^2 - 2)*h"), &[-2f64.sqrt(), 2f64.sqrt()]);
    near(&parse("max(h, abs(h))"), &[0.0]);
    near(&parse("1/(h - 7)"), &[7.0]);
}

/// c_q of relu: `E[relu(G + b) He_q] = φ(b) He_{q−2}(−b)` for q ≥ 2; of erf: of its derivative, a Gaussian; of tanh: the
/// trapezoidal rule, which is exact to rounding for analytic functions.
#[test]
fn coefficients_of_degree_q() {
    let density = |x: f64| (-0.5 * x * x).exp() / std::f64::consts::TAU.sqrt();
    let polynomial = |q: usize, x: f64| reference(&Activation::Hermite(q), x);
    let factorial = |q: u32| (1..=q).map(f64::from).product::<f64>();
    let check = |activation: &Activation, q: u32, scale: f64, bias: f64, expected: f64| {
        let Average { value, error } = activation.hermite_coefficient(q, scale, bias);
        let name = activation.name();
        assert!(
            (value - expected).abs() <= error,
            "{name}, c_{q}({scale}, {bias}): {value} ± {error:e}, not {expected}"
        );
        assert!(error <= 1e-12 * factorial(q).sqrt() * (1.0 + expected.abs()), "{name}, c_{q}: {error:e}");
    };
    for relu in [Activation::Relu, parse("relu(h)"), parse("(h + abs(h))/2"), parse("(h + sqrt(h^2))/2")] {
        check(&relu, 0, 1.0, 0.0, density(0.0));
        check(&relu, 1, 1.0, 0.0, 0.5);
        for q in 2..=20 {
            check(&relu, q, 1.0, 0.0, density(0.0) * polynomial(q as usize - 2, 0.0));
            check(&relu, q, 0.5, -0.4, 0.5 * density(0.8) * polynomial(q as usize - 2, 0.8));
        }
    }
    for (q, expected) in [(1, 1.0), (3, -0.5), (5, 0.75), (7, -1.875), (2, 0.0), (4, 0.0)] {
        // E[He_{q−1}(G) e^{−G²/2}] = (q − 2)!! (−1/2)^{(q−1)/2} /√2.
        check(&Activation::Erf, q, 1.0, 0.0, expected / std::f64::consts::PI.sqrt());
    }
    for q in 0..=9 {
        let step = 1.0 / 64.0;
        let term = |x: f64| step * density(x) * polynomial(q, x) * libm::tanh(0.7 * x + 0.2);
        check(&Activation::Tanh, q as u32, 0.7, 0.2, (-1280..=1280).map(|i| term(f64::from(i) * step)).sum());
    }
    check(&Activation::Tanh, 1, 1.0, 0.0, 0.605_705_509_602_159);
    let series = Activation::series(vec![0.3, -1.0, 0.0, 0.5, 0.2]);
    for (q, c) in [0.3, -1.0, 0.0, 0.5, 0.2, 0.0].into_iter().enumerate() {
        check(&series, q as u32, 1.0, 0.0, c * factorial(q as u32).sqrt());
    }
    check(&parse("sign(h)"), 1, 1.0, 0.0, 2.0 * density(0.0));
    for none in ["exp(h^2)", "log(h)"] {
        assert!(parse(none).hermite_coefficient(0, 1.0, 0.0).value.is_nan(), "{none} has no average");
    }
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
    for activation in [Activation::Relu, Activation::Erf, Activation::Tanh, Activation::Gelu, Activation::Softplus] {
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

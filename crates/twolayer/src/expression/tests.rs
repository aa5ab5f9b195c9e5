//! The language: values, program, and every message.

use proptest::prelude::*;

use super::*;
use crate::error::Error;

fn vocabulary() -> Vocabulary {
    let constants = [("epsilon".to_string(), 1e-4), ("rho".to_string(), 0.5)].into();
    Vocabulary { variables: vec![], indexed: Some("z".into()), constants }
}

fn sizes() -> Vocabulary {
    let variables = ["d", "p", "k", "n", "n_b"].map(String::from).to_vec();
    Vocabulary { variables, ..Vocabulary::default() }
}

fn value(text: &str, z: &[f64]) -> f64 {
    Expression::parse(text, &vocabulary()).unwrap().value(z)
}

/// Text at fault, reason, remedy.
fn failure(text: &str) -> (String, String, String) {
    match Expression::parse(text, &vocabulary()) {
        Err(Error::Syntax { span, reason, remedy }) => (text[span].to_string(), reason, remedy),
        other => panic!("{text}: {other:?}"),
    }
}

#[track_caller]
fn assert_fails(text: &str, fault: &str, reason: &str, remedy: &str) {
    assert_eq!(failure(text), (fault.to_string(), reason.to_string(), remedy.to_string()));
}

#[test]
fn arithmetic() {
    let z = [2.0, 3.0, -0.5];
    for (text, expected) in [
        ("1 + 2*3 - 4/8", 6.5),
        ("2 - 3 - 4", -5.0),
        ("16 / 4 / 2", 2.0),
        ("2^3^2", 512.0),
        ("-z1^2", -4.0),
        ("(-z1)^2", 4.0),
        ("2^-2", 0.25),
        ("2*-z1", -4.0),
        ("--z1", 2.0),
        ("+z1", 2.0),
        ("z1^-2", 0.25),
        ("z1^0", 1.0),
        ("z1^0.5", 2f64.sqrt()),
        ("z1^z2", 8.0),
        ("z3^3", -0.125),
        ("z2^13", 1594323.0),
        ("1e-3 + .5 + 2. + 1E2", 102.501),
        ("2*epsilon*z1", 4e-4),
        ("rho^2", 0.25),
        ("cos(pi)", -1.0),
        ("min(z1, z2) + 10*max(z1, z2)", 32.0),
        ("relu(z3) + relu(z1)", 2.0),
        ("sign(z3) + 10*sign(0*z1) + 100*sign(z2)", 99.0),
        ("abs(z3)", 0.5),
        ("sqrt(z1)", 2f64.sqrt()),
        ("log(exp(z2))", 3.0),
        ("sin(z1)", 2f64.sin()),
        ("cos(z1)", 2f64.cos()),
        ("tanh(z3)", libm::tanh(-0.5)),
        ("erf(z3)", libm::erf(-0.5)),
        ("sigmoid(z1)", 1.0 / (1.0 + (-2f64).exp())),
        ("he0(z1)", 1.0),
        ("he1(z1)", 2.0),
        ("he2(z1)", 3.0),
        ("he3(z2)", 18.0),
        ("he4(z1)", -5.0),
        ("he20(0*z1)", 654729075.0),
        ("tanh(z1 + z2^3 - 3*z2)", 1.0),
    ] {
        let actual = value(text, &z);
        assert!((actual - expected).abs() <= 1e-15 * expected.abs().max(1.0), "{text} = {actual}, not {expected}");
    }
    assert!(value("min(z1, log(-1))", &z).is_nan() && value("min(log(z3), z1)", &z).is_nan());
    assert!(value("max(z1, log(-1))", &z).is_nan() && value("max(log(-1), z1)", &z).is_nan());
    assert!(value("relu(log(z3))", &z).is_nan() && value("sign(log(z3))", &z).is_nan());
}

#[test]
fn variables() {
    let parse = |text| Expression::parse(text, &vocabulary()).unwrap();
    assert_eq!((parse("z3").arity(), parse("1 + 1").arity(), parse("z2*z1").arity()), (3, 0, 2));
    assert_eq!((parse("z3").uses(0), parse("z3").uses(2), parse("z3").uses(7)), (false, true, false));
    assert!(parse("0*z1").uses(0));
    assert_eq!(parse(" z1 ").source(), " z1 ");
    let size = Expression::parse("0.5/d + n_b", &sizes()).unwrap();
    assert_eq!((size.arity(), size.uses(0), size.uses(1), size.uses(4)), (5, true, false, true));
    assert_eq!(size.value(&[10.0, f64::NAN, f64::NAN, f64::NAN, 3.0]), 3.05);
    // Variables first, then the indexed ones.
    let both = Vocabulary { variables: vec!["h".into()], ..vocabulary() };
    assert_eq!(Expression::parse("h - z2", &both).unwrap().value(&[5.0, f64::NAN, 2.0]), 3.0);
}

#[test]
fn blocks_agree_with_single_points() {
    let mut scratch = Scratch::default();
    for text in [
        "tanh(z1 + z2^3 - 3*z2)",
        "z1",
        "2.5",
        "z1*z1 + z1*z1",
        "he4(z1) + sign(z1*z2) * erf(z2 - 1/2) / (1 + z1^2)",
        "(z1 + 1)*((z2 + 2)*((z1 + 3)*((z2 + 4)*(z1 - z2))))",
        "exp(-z1^2)/z2 + min(z1, 0.3) - max(0.1, z2) + 2^z1 + z2^7 + sigmoid(z1)",
        "relu(z1)^3 - abs(z2)^0.3 + sqrt(abs(z1)) + log(1 + z2^2) + cos(z1)*sin(z2)",
    ] {
        let expression = Expression::parse(text, &vocabulary()).unwrap();
        for count in [0, 1, 3, 8, 255, 256, 257, 700] {
            let z1: Vec<f64> = (0..count).map(|i| (i as f64 * 0.37).sin() * 2.0).collect();
            let z2: Vec<f64> = (0..count).map(|i| (i as f64 * 0.73).cos() * 3.0).collect();
            let mut out = vec![f64::NAN; count];
            expression.evaluate(&[&z1, &z2], &mut out, &mut scratch);
            for i in 0..count {
                assert_eq!(out[i].to_bits(), expression.value(&[z1[i], z2[i]]).to_bits(), "{text}, sample {i}");
            }
        }
    }
}

/// A folded constant has the bits that the evaluation would give.
#[test]
fn folding_changes_nothing() {
    for body in ["tanh(X) + erf(X)^3", "exp(X) - he5(X)/sigmoid(X)", "X^0.3 * sin(X) + min(X, 2) - log(X)"] {
        let folded = value(&body.replace('X', "0.7"), &[]);
        assert_eq!(folded.to_bits(), value(&body.replace('X', "z1"), &[0.7]).to_bits(), "{body}");
    }
}

#[test]
fn a_program_is_short() {
    let program = |text| {
        let (graph, root) = parser::parse(text, &vocabulary()).unwrap();
        Program::compile(&graph, &[root])
    };
    assert_eq!(program("tanh(z1 + z2^3 - 3*z2)").size(), (5, 3));
    // Common subexpressions once; constants not at all; a long sum in two registers.
    assert_eq!(program("he3(z1) + he3(z1)*he3(z1)").size().0, 3);
    assert_eq!(program("2*3 + 4").size(), (0, 0));
    let sum = (1..1000).map(|i| format!("z1^{i}")).collect::<Vec<_>>().join("+");
    assert!(program(&sum).size().1 <= 3);
}

#[test]
fn messages_about_names() {
    assert_fails("tnah(z1)", "tnah", "there is no function `tnah`", "did you mean `tanh`?");
    assert_fails("z1 + Tanh(z1)", "Tanh", "there is no function `Tanh`", "did you mean `tanh`?");
    assert_fails(
        "gamma(z1)",
        "gamma",
        "there is no function `gamma`",
        "functions: erf, tanh, relu, sign, abs, exp, log, sqrt, sin, cos, sigmoid, min, max, he0 … he20",
    );
    assert_fails("2*epsilo", "epsilo", "`epsilo` is not known here", "did you mean `epsilon`?");
    assert_fails("1 + z", "z", "`z` is not known here", "did you mean `z1`?");
    assert_fails(
        "1 + quark",
        "quark",
        "`quark` is not known here",
        "known here: epsilon, rho, z1, z2, …, pi; functions: erf, tanh, relu, sign, abs, exp, log, sqrt, sin, cos, \
         sigmoid, min, max, he0 … he20",
    );
    assert_fails(
        "z0 + z1",
        "z0",
        "there is no `z0`: directions are numbered from 1: z1, z2, …",
        "write z1 for the first direction",
    );
    for huge in ["z999999999999", "z4097", "z99999999999999999999999"] {
        let reason = format!("`{huge}` is out of range: the last direction is z4096");
        assert_fails(huge, huge, &reason, "use fewer directions");
    }
    assert_fails("tanh + 1", "tanh", "`tanh` is a function and needs parentheses", "write tanh(…)");
    assert_fails(
        "he21(z1)",
        "he21",
        "there is no `he21`: Hermite polynomials go up to degree 20",
        "write one of he0(…) … he20(…)",
    );
    assert_fails("z1(z2)", "z1", "`z1` is not a function", "write z1*(…) for a product");
    assert_fails("rho(z2)", "rho", "`rho` is not a function", "write rho*(…) for a product");
    assert_fails("zß + 1", "zß", "`zß` is not known here", "did you mean `z1`?");
}

#[test]
fn messages_about_form() {
    let belongs = "write what belongs there, or remove the symbol";
    assert_fails("", "", "the expression is empty", "write a number or a formula");
    assert_fails("  ", "  ", "the expression is empty", "write a number or a formula");
    assert_fails("z1 +", "+", "nothing follows `+`", belongs);
    assert_fails("z1^", "^", "nothing follows `^`", belongs);
    assert_fails("(z1 -", "-", "nothing follows `-`", belongs);
    assert_fails("tanh(", "(", "nothing follows `(`", belongs);
    assert_fails("* z1", "*", "a number, a name or `(` is missing before `*`", belongs);
    assert_fails("z1 + / z2", "/", "a number, a name or `(` is missing before `/`", belongs);
    assert_fails("()", ")", "a number, a name or `(` is missing before `)`", belongs);
    assert_fails("z1**2", "**", "`**` is not an operator", "write ^ for a power, as in z1^2");
    assert_fails("(z1 + (z2)", "(", "`(` is never closed", "write the missing `)`");
    assert_fails("tanh(z1", "(", "`(` is never closed", "write the missing `)`");
    assert_fails("z1)", ")", "`)` closes nothing", "remove it, or write the missing `(`");
    assert_fails("2z1", "2z1", "an operator is missing between `2` and `z1`", "write 2*z1 for a product");
    assert_fails("2 (z1)", "2 (", "an operator is missing between `2` and `(`", "write 2*( for a product");
    assert_fails("(z1) z2", ") z2", "an operator is missing between `)` and `z2`", "write )*z2 for a product");
    assert_fails("tanh(z1 z2)", "z1 z2", "an operator is missing between `z1` and `z2`", "write z1*z2 for a product");
    assert_fails(
        "0,5*z1",
        ",",
        "`,` separates the arguments of min and max, and nothing else",
        "write decimals with a point, as in 0.5",
    );
    assert_fails("min(z1)", "min(z1)", "`min` takes 2 arguments, not 1", "write min(…, …)");
    assert_fails("1 + tanh(z1, 2)", "tanh(z1, 2)", "`tanh` takes 1 argument, not 2", "write tanh(…)");
    assert_fails("he2()", "he2()", "`he2` takes 1 argument, not 0", "write he2(…)");
    assert_fails("1.2.3", "1.2.3", "`1.2.3` is not a number", "write it like 0.5 or 1e-3");
    assert_fails("1e999", "1e999", "`1e999` is larger than the largest number, 1.8e308", "write a smaller number");
    assert_fails("z1 × 2", "×", "`×` has no meaning in an expression", "the operators are + - * / ^ and ( )");
    assert_fails("z1²", "²", "`²` has no meaning in an expression", "the operators are + - * / ^ and ( )");
}

/// Nothing that can be written overflows the stack.
#[test]
fn size_has_limits() {
    let deep = |open: &str, close: &str, n| format!("{}z1{}", open.repeat(n), close.repeat(n));
    assert!(Expression::parse(&deep("(", ")", 100), &vocabulary()).is_ok());
    for (open, close) in [("(", ")"), ("tanh(", ")"), ("z1^", ""), ("2^-", ""), ("min(1,", ")")] {
        let (_, reason, remedy) = failure(&deep(open, close, 100_000));
        assert_eq!(reason, "nested more than 100 deep");
        assert_eq!(remedy, "write it with fewer parentheses and powers");
    }
    assert_eq!(value(&deep("-", "", 100_000), &[3.0]), 3.0);
    assert_eq!(value(&deep("-", "", 100_001), &[3.0]), -3.0);
    assert_eq!(value(&format!("0{}", "+1".repeat(100_000)), &[]), 100_000.0);
    assert_eq!(value(&format!("0{}", "+z1".repeat(9_000)), &[2.0]), 18_000.0);
    let (_, reason, _) = failure(&format!("0{}", "+z1".repeat(100_000)));
    assert_eq!(reason, "more than 10000 different operations");
    let names = (0..20_000).map(|i| format!("sin({i}*z1)")).collect::<Vec<_>>().join("*");
    assert_eq!(failure(&names).1, "more than 10000 different operations");
}

fn check_any(text: &str) {
    match Expression::parse(text, &vocabulary()) {
        Ok(expression) => {
            expression.value(&vec![0.5; expression.arity()]);
        }
        Err(Error::Syntax { span, reason, remedy }) => {
            assert!(text.get(span.clone()).is_some(), "{span:?} of {text:?}");
            assert!(!reason.is_empty() && !remedy.is_empty());
        }
        Err(other) => panic!("{other:?}"),
    }
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in ".*") {
        check_any(&text);
    }

    #[test]
    fn any_text_of_the_alphabet_is_read_or_refused(
        words in prop::collection::vec(prop::sample::select(vec![
            "z1", "z2", "z0", "z4096", "rho", "pi", "h", "2", "0.5", "1e-3", "1e", ".", "+", "-", "*", "/", "^", "(",
            ")", "(", ")", ",", " ", "tanh(", "he3(", "he99(", "min(", "tanh", "é", "²", "\t",
        ]), 0..24)
    ) {
        check_any(&words.concat());
    }
}

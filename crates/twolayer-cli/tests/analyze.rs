//! `twolayer analyze` as a user meets it.

#![allow(clippy::unwrap_used)] // A test that cannot go on fails there.

mod desk;

use std::process::Output;

use desk::{program, words};
use serde_json::Value;

fn analyze(arguments: &[&str]) -> Output {
    program().arg("analyze").args(arguments).output().unwrap()
}

fn json(arguments: &[&str]) -> Value {
    let output = analyze(&[arguments, &["--json"]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", words(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn json_keeps_its_contract() {
    let value = json(&["tanh(z1 + he3(z2))", "--activation", "relu"]);
    assert_eq!((value["target"].as_str(), value["k"].as_u64()), (Some("tanh(z1 + he3(z2))"), Some(2)));
    for key in ["information_exponent", "leap_complexity", "generative_exponent", "generative_leap_complexity"] {
        assert_eq!(value[key].as_u64(), Some(1), "{key}");
    }
    for list in ["fresh", "reused", "visible"] {
        for stair in value[list].as_array().unwrap() {
            assert!(stair["leap"].is_u64() && stair["size"].is_f64() && stair["error"].is_f64(), "{list}: {stair}");
            for direction in stair["directions"].as_array().unwrap() {
                let components = direction.as_array().unwrap().iter().map(|x| x.as_f64().unwrap());
                assert!((components.map(|x| x * x).sum::<f64>() - 1.0).abs() < 1e-9, "{list}: {direction}");
            }
        }
    }
    assert_eq!(value["reused"][0]["directions"].as_array().unwrap().len(), 2);
    assert_eq!(value["visible"].as_array().unwrap().len(), 1);
    assert_eq!(value["undecided"], Value::Array(vec![]));
    let warning = value["warnings"][0].as_str().unwrap();
    assert!(warning.starts_with("relu has no Hermite component of degree 3: "), "{warning}");
}

#[test]
fn exponents_of_what_is_never_found_are_null() {
    let value = json(&["he9(z1)"]);
    assert!(value["information_exponent"].is_null() && value["leap_complexity"].is_null());
    assert_eq!(value["fresh"], Value::Array(vec![]));
    assert_eq!(value["generative_exponent"].as_u64(), Some(1));
    assert!(value["visible"].is_null(), "no activation was named");
    assert_eq!(value["sought_up_to"].as_u64(), Some(8));
    let text = words(&analyze(&["he9(z1)"]).stdout);
    assert!(text.contains("information exponent > 8, leap complexity > 8"), "{text}");
    assert!(!text.contains("exponent none"), "{text}");
}

/// The exponents that paper A checks by hand, as far as expressions go: odd degrees 1, even degrees 2.
#[test]
fn generative_exponents_of_hermite_polynomials() {
    for degree in 3..=20 {
        let value = json(&[&format!("he{degree}(z1)")]);
        let expected = if degree % 2 == 1 { 1 } else { 2 };
        assert_eq!(value["generative_exponent"].as_u64(), Some(expected), "he{degree}");
        let information = (degree <= 8).then_some(degree);
        assert_eq!(value["information_exponent"].as_u64(), information, "he{degree}");
    }
}

#[test]
fn targets_of_any_scale() {
    for (text, size) in [("1e153*z1", 1e153), ("1e-170*z1", 1e-170), ("z1", 1.0)] {
        let value = json(&[text]);
        for key in ["information_exponent", "generative_exponent", "leap_complexity", "generative_leap_complexity"] {
            assert_eq!(value[key].as_u64(), Some(1), "{text}: {key}");
        }
        let found = value["fresh"][0]["size"].as_f64().unwrap();
        assert!((found / size - 1.0).abs() < 1e-9, "{text}: {found}");
    }
    let value = json(&["1e160*z1*z2"]);
    assert_eq!(value["information_exponent"].as_u64(), Some(2));
    // The noise is that of the label, whatever its scale.
    let value = json(&["1e-170*he3(z1)", "--noise", "1"]);
    assert_eq!(value["information_exponent"].as_u64(), Some(3));
}

/// Found by samples, with an error: printed as what it is within that.
#[test]
fn a_direction_that_is_an_axis_within_its_error_is_the_axis() {
    let value = json(&["abs(z1)*z2"]);
    assert_eq!(value["fresh"][0]["directions"], serde_json::json!([[0.0, 1.0]]));
    assert_eq!(value["fresh"][1]["directions"], serde_json::json!([[1.0, 0.0]]));
    let value = json(&["relu(z1) + relu(z2) + 0.3*z1*z2"]);
    for stair in value["fresh"].as_array().unwrap() {
        for direction in stair["directions"].as_array().unwrap() {
            let norm = direction.as_array().unwrap().iter().map(|x| x.as_f64().unwrap().powi(2)).sum::<f64>();
            assert!((norm - 1.0).abs() < 1e-9, "{direction}");
        }
    }
}

#[test]
fn hard_directions_and_noise() {
    let value = json(&["z1*z2*z3 + he3(z4)", "--noise", "0.2"]);
    assert_eq!(value["hard_directions"].as_array().unwrap().len(), 3);
    assert_eq!(value["noise"].as_f64(), Some(0.2));
    assert_eq!(value["generative_leap_complexity"].as_u64(), Some(2));
}

#[test]
fn wrong_targets_are_refused_with_the_place_and_a_remedy() {
    let cases: [(&[&str], &str); 10] = [
        (&["tanh(z1"], "`(` is never closed"),
        (&["tahn(z1)"], "did you mean `tanh`?"),
        (&["2 + 3"], "no input"),
        (&["z1 - z1"], "nothing to learn"),
        (&["log(z1)"], "g is NaN at z = ("),
        (&["1/(0*z1)"], "g is inf"),
        (&["z1 + z7"], "k = 7"),
        (&["z1", "--noise", "-1"], "--noise"),
        (&["z1", "--noise", "inf"], "--noise"),
        (&["z1", "--activation", "reul"], "did you mean \"relu\"?"),
    ];
    for (arguments, said) in cases {
        let output = analyze(arguments);
        let error = words(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {error}");
        assert!(error.contains(said), "{arguments:?}: {error}");
        assert!(output.stdout.is_empty());
    }
}

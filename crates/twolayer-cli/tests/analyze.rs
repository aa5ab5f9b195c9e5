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

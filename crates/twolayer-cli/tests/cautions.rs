//! What is refused because it is no number, and what a run warns of: activations, rates, fixed points, displacements.

#![allow(clippy::unwrap_used)] // A test that cannot go on fails there.

mod desk;

use std::fs;

use desk::{Desk, words};
use serde_json::Value;

/// An experiment of one pass, with `changes` as `(from, to)`.
fn experiment(changes: &[(&str, &str)]) -> String {
    let text = r#"title = "Cautions"
[target]
expression = "z1"
[network]
width = 1
activation = "relu"
[training]
dimension = 100
learning_rate = "0.1/d"
time = 1
[record]
points = 20
"#;
    changes.iter().fold(text.to_string(), |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replace(from, to)
    })
}

/// The manifest of a run, which ends with `code`, and what it told.
fn manifest(text: &str, code: i32) -> (Value, String) {
    let desk = Desk::new(text);
    let output = desk.call(&["run", "experiment.toml", "--out", "out"]);
    let told = words(&output.stdout) + &words(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{told}");
    (serde_json::from_slice(&fs::read(desk.path("out/manifest.json")).unwrap()).unwrap(), told)
}

/// The text of the warning `id` of each view, in the order of the file.
fn texts(manifest: &Value, id: &str) -> Vec<Option<String>> {
    let of_view = |view: &Value| {
        let warning = view["warnings"].as_array().unwrap().iter().find(|warning| warning["id"] == id)?;
        Some(warning["text"].as_str().unwrap().to_string())
    };
    manifest["views"].as_array().unwrap().iter().map(of_view).collect()
}

fn verdicts(manifest: &Value) -> Vec<&str> {
    manifest["agreement"].as_array().unwrap().iter().map(|pair| pair["verdict"].as_str().unwrap()).collect()
}

/// Refused by both commands, with the line and a remedy, and nothing is written.
#[test]
fn activations_that_are_no_functions_are_refused() {
    for (activation, word) in [
        ("\"log(h)\"", "σ(h) is NaN at h = -"),
        ("\"h^0.5\"", "σ(h) is NaN at h = -"),
        ("\"1/h\"", "σ has a pole at h = 0: E σ(h)² = ∞"),
        ("\"exp(h^2)\"", "E σ(h)² = ∞ where h has the variance 1.000"),
    ] {
        let desk = Desk::new(&experiment(&[("\"relu\"", activation)]));
        for arguments in [&["check", "experiment.toml"][..], &["run", "experiment.toml", "--out", "out"]] {
            let output = desk.call(arguments);
            let told = words(&output.stderr);
            assert_eq!(output.status.code(), Some(2), "{activation}: {told}");
            assert!(told.contains(word) && told.contains("experiment.toml:6") && told.contains("help: "), "{told}");
        }
        assert!(!desk.path("out/manifest.json").exists());
    }
    for (activation, scale) in [
        ("\"abs(h)^0.5\"", "1"),
        ("\"log(1+h^2)\"", "1"),
        ("\"exp(h)\"", "1"),
        ("{ hermite = [0, 0.5, 0.2] }", "1"),
        // E e^{2·v h²} exists for v < 1/4.
        ("\"exp(h^2)\"", "0.4"),
    ] {
        let start = format!("{activation}\nfirst_layer = {{ kind = \"sphere\", scale = {scale} }}");
        let desk = Desk::new(&experiment(&[("\"relu\"", &start)]));
        let output = desk.call(&["check", "experiment.toml"]);
        assert_eq!(output.status.code(), Some(0), "{activation}: {}", words(&output.stderr));
    }
    let committee = experiment(&[("expression = \"z1\"", "committee = { units = 2, activation = \"1/h\" }")]);
    let output = Desk::new(&committee).call(&["check", "experiment.toml"]);
    let told = words(&output.stderr);
    assert!(output.status.code() == Some(2) && told.contains("experiment.toml:3") && told.contains("pole"), "{told}");
}

/// The flow is stable and the noise of single samples is not, from about 6/d on.
#[test]
fn a_rate_that_is_too_large_is_told_and_gets_no_verdict() {
    let text = experiment(&[
        ("\"z1\"", "\"z1 + z1*z2\""),
        ("width = 1", "width = 4"),
        ("0.1/d", "20/d"),
        ("time = 1", "time = 4"),
    ]);
    let text = text.replace("dimension = 100", "dimension = 300")
        + "[[view]]\nengine = \"limit\"\n[[view]]\nengine = \"reduced\"\nreplicates = 4\n";
    let (manifest, told) = manifest(&text, 0);
    for text in texts(&manifest, "rate too large") {
        let text = text.unwrap();
        assert!(
            text.starts_with("the learning rate is too large: the risk starts at 1.") && text.contains("ends at"),
            "{text}"
        );
        let bound: f64 = text.split_once(" = ").unwrap().1.split_once("/d").unwrap().0.parse().unwrap();
        assert!((3.0..9.0).contains(&bound), "{text}");
    }
    assert_eq!(verdicts(&manifest), ["not assessed"]);
    assert!(told.contains("warning: view `limit`: rate too large: the learning rate is too large"), "{told}");
    let note = manifest["agreement"][0]["note"].as_str().unwrap();
    assert!(note.starts_with("the learning rate of limit is too large"), "{note}");
}

#[test]
fn a_rate_that_is_not_too_large_is_not_told() {
    let (manifest, _) = manifest(&experiment(&[("time = 1", "time = 20")]), 0);
    assert_eq!(texts(&manifest, "rate too large"), [None, None, None]);
    assert_eq!(texts(&manifest, "fixed point"), [None, None, None]);
}

/// M = 0 with an even target: M grows like e^{4t} from 1/√d.
#[test]
fn a_limit_that_starts_on_a_fixed_point_says_so() {
    let text = experiment(&[
        ("\"z1\"", "\"z1^2\""),
        ("\"relu\"", "\"square\"\nfirst_layer = \"orthonormal\""),
        ("dimension = 100", "dimension = 3000\ngeometry = \"spherical\""),
        ("time = 1", "time = 10"),
    ]) + "[[view]]\nengine = \"limit\"\n";
    let desk = Desk::new(&text);
    let checked = words(&desk.call(&["check", "experiment.toml"]).stdout);
    assert!(checked.contains("fixed point: the limit does not move: M = 0 is a fixed point"), "{checked}");
    let (manifest, _) = manifest(&text, 0);
    let told = texts(&manifest, "fixed point")[0].clone().unwrap();
    assert!(
        told.starts_with("the limit does not move: it starts on a fixed point, M = 0; finite runs leave"),
        "{told}"
    );
    let t: f64 = told.split_once("t ≈ ").unwrap().1.split_once(' ').unwrap().0.parse().unwrap();
    assert!((0.2..3.0).contains(&t), "{told}");
}

/// Two equal neurons: nothing tells them apart in the limit; finite runs split.
#[test]
fn a_limit_on_an_exchangeable_saddle_says_so() {
    let text = r#"
[target]
committee = { units = 2, activation = "erf" }
noise = 0.01
[network]
width = 2
activation = "erf"
first_layer = { overlaps = { M = [[0, 0], [0, 0]], Q = [[1, 0.00305318], [0.00305318, 1]] } }
[training]
dimension = 10000
batch = "d^0.5"
learning_rate = "20*0.4*d^(-1/2)"
steps = 10000
geometry = "normalised"
[[view]]
engine = "limit"
"#;
    let (manifest, _) = manifest(text, 0);
    let told = texts(&manifest, "fixed point")[0].clone().unwrap();
    assert!(
        told.starts_with("the limit does not move: it stays at the symmetric point (cosine 0.50), because"),
        "{told}"
    );
    assert!(told.contains("neurons 1 and 2 are equal and nothing tells them apart"), "{told}");
    // Exact runs at this d leave between t = 240 and 400.
    let t: f64 = told.split_once("1/√d at t ≈ ").unwrap().1.split_once(' ').unwrap().0.parse().unwrap();
    assert!((100.0..400.0).contains(&t), "{told}");
    // Equal neurons that see one direction only have nothing to split along.
    let one = text.replace("units = 2", "units = 1").replace("[[0, 0], [0, 0]]", "[[0], [0]]");
    let (manifest, _) = self::manifest(&one, 0);
    assert_eq!(texts(&manifest, "fixed point"), [None]);
}

/// Both protocols are told by name; limits have neither.
#[test]
fn check_says_whose_gradient_displaces() {
    let text = experiment(&[("learning_rate", "batch = 8\ndisplacement = \"0.5/d\"\nlearning_rate")]);
    let check = |text: &str| words(&Desk::new(text).call(&["check", "experiment.toml"]).stdout);
    let batch = check(&text);
    assert!(batch.contains("the gradient at W − ρ∇ of the whole batch, ρ = 0.5/d = 0.005"), "{batch}");
    let sample = check(&text.replace("displacement =", "displacement_of = \"sample\"\ndisplacement ="));
    assert!(sample.contains("each sample's gradient at W − ρ∇ of that sample, ρ = 0.5/d = 0.005"), "{sample}");
    let reused = text.replace(
        "displacement =",
        "displacement_of = \"sample\"\ndata = \"reused\"\nsamples = 64\nreuse_order = \"cyclic\"\ndisplacement =",
    ) + "[[view]]\nengine = \"reduced\"\n";
    let output = Desk::new(&reused).call(&["check", "experiment.toml"]);
    let told = words(&output.stderr);
    assert!(output.status.code() == Some(2) && told.contains("needs the length of each stored sample"), "{told}");
    assert!(told.contains("use the direct view"), "{told}");
}

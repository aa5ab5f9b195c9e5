//! What leaves the program, compared with literals: names, shapes, codes and numbers of arrays, read without its own reader.

#![allow(clippy::unwrap_used)] // A test that cannot go on fails there.

mod desk;

use std::{fs, io::Read, path::Path};

use desk::{Desk, words};

/// Shape and numbers of one array.
type Array = (Vec<usize>, Vec<f64>);

/// Every array of a result file, in its order.
fn arrays(path: &Path) -> Vec<(String, Array)> {
    let mut archive = zip::ZipArchive::new(fs::File::open(path).unwrap()).unwrap();
    let mut found = Vec::new();
    for i in 0..archive.len() {
        let mut entry = archive.by_index(i).unwrap();
        let name = entry.name().unwrap().trim_end_matches(".npy").to_string();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        let start = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
        let text = String::from_utf8_lossy(&bytes[10..start]).replace(' ', "");
        let shape = text.split_once("'shape':(").unwrap().1.split_once(')').unwrap().0;
        let shape = shape.split(',').filter(|n| !n.is_empty()).map(|n| n.parse().unwrap()).collect();
        let numbers = bytes[start..].chunks(8).map(|x| f64::from_le_bytes(x.try_into().unwrap())).collect();
        found.push((name, (shape, numbers)));
    }
    found
}

/// The numbers of one array of a view.
fn numbers(desk: &Desk, view: &str, name: &str) -> Vec<f64> {
    let all = arrays(&desk.path(&format!("out/{view}.npz")));
    all.into_iter().find(|(found, _)| found == name).unwrap_or_else(|| panic!("no {name} of {view}")).1.1
}

fn run(text: &str, code: i32) -> Desk {
    let desk = Desk::new(text);
    let output = desk.call(&["run", "experiment.toml", "--out", "out", "--quiet"]);
    assert_eq!(output.status.code(), Some(code), "{}", words(&output.stderr));
    desk
}

const EXPERIMENT: &str = r#"title = "Outputs"
[target]
committee = { units = 2, activation = "erf" }
[network]
width = 4
activation = "erf"
second_layer = { init = "alternating", scale = 1.5 }
[training]
dimension = 40
batch = 3
learning_rate = 0.2
steps = 5
[record]
gradients = true
crossings = [{ quantity = "risk", level = 0.0001 }]
[[view]]
engine = "reduced"
replicates = 3
[[view]]
engine = "direct"
replicates = 1
"#;

#[test]
fn a_simulation_leaves_these_arrays() {
    let desk = run(EXPERIMENT, 0);
    let mut found: Vec<(String, Vec<usize>)> =
        arrays(&desk.path("out/reduced.npz")).into_iter().map(|(name, (shape, _))| (name, shape)).collect();
    let expected: [(&str, &[usize]); 16] = [
        ("step", &[6]),
        ("time", &[6]),
        ("samples", &[6]),
        ("gradients", &[6]),
        ("risk", &[3, 6]),
        ("risk_error", &[3, 6]),
        ("M", &[3, 6, 4, 2]),
        ("Q", &[3, 6, 4, 4]),
        ("Q_diag", &[3, 6, 4]),
        ("a", &[3, 6, 4]),
        ("bias", &[3, 6, 4]),
        ("gradient_M", &[3, 5, 4, 2]),
        ("gradient_norm", &[3, 5, 4]),
        ("crossing_step", &[3, 1]),
        ("status", &[3]),
        ("valid", &[3]),
    ];
    // More arrays may come.
    let all = found.len();
    found.retain(|(name, _)| expected.iter().any(|(known, _)| known == name));
    assert_eq!(found, expected.map(|(name, shape)| (name.to_string(), shape.to_vec())));
    for view in ["reduced", "direct"] {
        let of = |name: &str| numbers(&desk, view, name);
        assert_eq!(of("a")[..24], [1.5, -1.5, 1.5, -1.5].repeat(6));
        assert_eq!(of("bias")[..24], [0.0; 24]);
        assert_eq!(of("step"), [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
        assert_eq!(of("samples"), [0.0, 3.0, 6.0, 9.0, 12.0, 15.0]);
        assert_eq!(of("gradients"), [0.0, 3.0, 6.0, 9.0, 12.0, 15.0]);
        assert!((of("time")[5] - 5.0 * 0.2 / 4.0).abs() < 1e-12, "t = νηs, s = 1/p");
        assert!(of("crossing_step")[0].is_nan() && of("status")[0] == 0.0 && of("valid")[0] == 6.0);
        let (q, squares) = (of("Q"), of("Q_diag"));
        assert!((0..24).all(|i| squares[i] == q[i * 4 + i % 4]));
    }
    let manifest = fs::read_to_string(desk.path("out/manifest.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
    let axes = &manifest["views"][0]["arrays"];
    assert_eq!(axes["Q"], serde_json::json!(["replicate", "time", "neuron", "neuron2"]));
    assert_eq!(axes["gradient_M"], serde_json::json!(["replicate", "interval", "neuron", "direction"]));
    assert_eq!((&axes["step"], &axes["status"]), (&serde_json::json!(["time"]), &serde_json::json!(["replicate"])));
    assert_eq!(axes.as_object().unwrap().len(), all);
    let codes = serde_json::json!({
        "done": 0, "interrupted": 1, "diverged": 2, "stiff": 3, "failed": 4, "out of tolerance": 5
    });
    assert_eq!(manifest["status_codes"], codes);
}

#[test]
fn a_limit_states_its_errors() {
    let text = EXPERIMENT.split("[record]").next().unwrap().replace("learning_rate = 0.2", "learning_rate = \"0.2/d\"");
    let desk = run(&(text + "[[view]]\nengine = \"limit\"\n"), 0);
    let found = arrays(&desk.path("out/limit.npz"));
    let of = |name: &str| found.iter().find(|(found, _)| found == name).map(|(_, array)| array).unwrap();
    for (name, shape) in [("risk_error", vec![1, 6]), ("M_error", vec![1, 6, 4, 2]), ("Q_diag_error", vec![1, 6, 4])] {
        assert_eq!(of(name).0, shape, "{name}");
        assert!(of(name).1.iter().all(|error| (0.0..1e-3).contains(error)), "{name}");
        assert!(of(name).1.iter().any(|error| *error > 0.0), "{name}");
    }
}

/// a(1) − a(0) is η_a times what the first batch says, and that does not depend on η_a.
#[test]
fn a_second_layer_moves_as_fast_as_its_ratio_says() {
    let moved = |ratio: &str| {
        let train = format!("scale = 1.5, train = true, rate_ratio = {ratio} }}");
        let desk = run(&EXPERIMENT.replace("scale = 1.5 }", &train), 0);
        ["reduced", "direct"].map(|view| {
            let a = numbers(&desk, view, "a");
            (0..4).map(|j| a[4 + j] - a[j]).collect::<Vec<f64>>()
        })
    };
    for (one, three) in moved("1").iter().zip(&moved("3")) {
        for (one, three) in one.iter().zip(three) {
            assert!(one.abs() > 1e-6 && (three / one - 3.0).abs() < 1e-9, "{one} {three}");
        }
    }
}

/// A displaced gradient looks at its batch twice, at the same samples.
#[test]
fn a_displacement_costs_a_second_gradient() {
    let desk = run(&EXPERIMENT.replace("steps = 5", "steps = 5\ndisplacement = 0.1"), 0);
    for view in ["reduced", "direct"] {
        assert_eq!(numbers(&desk, view, "samples"), [0.0, 3.0, 6.0, 9.0, 12.0, 15.0]);
        assert_eq!(numbers(&desk, view, "gradients"), [0.0, 6.0, 12.0, 18.0, 24.0, 30.0]);
    }
}

/// Label noise makes the one neuron forget z2, of which it knows 0.9; of z1 it knows nothing before and after.
#[test]
fn a_cosine_is_that_with_the_direction_named() {
    let text = EXPERIMENT
        .replace("activation = \"erf\" }", "activation = \"erf\" }\nnoise = 400")
        .replace("width = 4", "width = 1\nfirst_layer = { overlaps = { M = [[0, 0.9]], Q = [[1]] } }")
        .replace("dimension = 40", "dimension = 4000")
        .replace(
            "{ quantity = \"risk\", level = 0.0001 }",
            "{ quantity = \"cosine:1\", level = 0.45 }, { quantity = \"cosine:2\", level = 0.45 }",
        );
    let desk = run(&text, 0);
    for view in ["reduced", "direct"] {
        let steps = numbers(&desk, view, "crossing_step");
        assert!(steps[0].is_nan() && steps[1] > 0.0 && steps[1] <= 5.0, "{view}: {steps:?}");
    }
}

/// A rate that is far too large: code 2, exit code 1, and NaN from `valid` on.
#[test]
fn a_run_that_diverges_says_so() {
    let text = EXPERIMENT
        .replace("activation = \"erf\"\nsecond", "activation = \"relu\"\nsecond")
        .replace("learning_rate = 0.2", "learning_rate = 1e9");
    let desk = run(&text, 1);
    for view in ["reduced", "direct"] {
        let (status, valid) = (numbers(&desk, view, "status"), numbers(&desk, view, "valid"));
        let risk = numbers(&desk, view, "risk");
        assert_eq!(status[0], 2.0, "{view}");
        for (t, risk) in risk[..6].iter().enumerate() {
            assert_eq!(risk.is_nan(), t as f64 >= valid[0], "{view}: {risk} at {t} of {valid:?}");
        }
    }
}

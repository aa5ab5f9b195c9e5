//! The rows of `gallery/giant-step/`: paper B. The limit at p = 512, agreement at p = 64, so that they take seconds.

use twolayer::trajectory::Trajectory;

use super::{Row, Shown};

/// Mean |cosine| over neurons of the gradient of the step after entry t with z1 and z2.
fn gradient_cosines(run: &Trajectory, t: usize) -> [f64; 2] {
    let (p, k) = (run.width, run.directions);
    let m = run.gradient_teacher.as_deref().unwrap_or(&[]);
    let norm = run.gradient_norm.as_deref().unwrap_or(&[]);
    [0, 1].map(|r| (0..p).map(|j| (m[(t * p + j) * k + r] / norm[t * p + j]).abs()).sum::<f64>() / p as f64)
}

/// Slope of the gradients of the step after entry t in the target's plane, over the neurons whose a has this sign.
fn slope(run: &Trajectory, t: usize, sign: f64) -> f64 {
    let (p, k) = (run.width, run.directions);
    let m = run.gradient_teacher.as_deref().unwrap_or(&[]);
    let of_sign = (0..p).filter(|j| run.second_layer[*j] * sign > 0.0);
    let (mut product, mut square) = (0.0, 0.0);
    for j in of_sign {
        let [x, y] = [0, 1].map(|r| m[(t * p + j) * k + r]);
        product += x * y;
        square += x * x;
    }
    product / square
}

fn cosines(name: &'static str, asserted: &'static str, required: [f64; 2], tolerance: f64, got: [f64; 2]) -> Row {
    Row {
        name,
        asserted,
        required: format!("±({}, {}) ± {tolerance}", required[0], required[1]),
        got: format!("({:.4}, {:.4})", got[0], got[1]),
        met: required.iter().zip(&got).all(|(required, got)| (required - got).abs() <= tolerance),
        reason: "",
    }
}

fn escape() -> Vec<Row> {
    let name = "giant-step/escape";
    let limit = Shown::with(name, &["network.width=512", "training.steps=2"], &["limit"]);
    let run = &limit.runs("limit")[0];
    let slopes = [1.0, -1.0].map(|sign| slope(run, 1, sign));
    let small = Shown::with(name, &["network.width=64", "training.steps=4", "view.reduced.replicates=8"], &[]);
    vec![
        cosines(name, "first gradient's cosines (limit)", [0.267, 0.267], 0.003, gradient_cosines(run, 0)),
        Row {
            name,
            asserted: "second gradients on two lines, one for each sign of a: slopes (limit, p = 512)",
            required: "0.1414 and 7.073, ± 3 %".into(),
            got: format!("{:.4} and {:.3}", slopes[0], slopes[1]),
            met: (slopes[0] / 0.1414 - 1.0).abs() < 0.03 && (slopes[1] / 7.073 - 1.0).abs() < 0.03,
            reason: "",
        },
        small.agreement(name),
    ]
}

fn spike() -> Vec<Row> {
    let name = "giant-step/spike";
    let limit = Shown::with(name, &["network.width=512", "training.steps=1"], &["limit"]);
    let small = Shown::with(
        name,
        &["network.width=64", "training.steps=1", "view.reduced.replicates=8"],
        &["limit", "reduced"],
    );
    let runs = small.runs("reduced");
    let each: Vec<[f64; 2]> = runs.iter().map(|run| gradient_cosines(run, 0)).collect();
    let mean = [0, 1].map(|r| each.iter().map(|cosines| cosines[r]).sum::<f64>() / each.len() as f64);
    vec![
        cosines(
            name,
            "first gradient's cosines (limit)",
            [0.527, 0.132],
            0.003,
            gradient_cosines(&limit.runs("limit")[0], 0),
        ),
        cosines(name, "the same in exact runs at d = 4096, p = 64", [0.527, 0.132], 0.015, mean),
        small.agreement(name),
    ]
}

/// All rows.
pub fn rows() -> Vec<Row> {
    let mut rows = escape();
    rows.extend(spike());
    rows
}

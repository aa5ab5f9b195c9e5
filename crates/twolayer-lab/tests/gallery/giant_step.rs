//! The rows of `gallery/giant-step/`: paper B. The limit at p = 512, agreement at p = 64, so that they take seconds.

use twolayer::record::Trajectory;

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

/// How far the mean risk of exact runs at steps 4 to 6 is above the limit, and its standard error.
fn above_the_limit(width: usize, dimension: usize, replicates: usize) -> (f64, f64) {
    let settings = [
        format!("network.width={width}"),
        format!("training.dimension={dimension}"),
        format!("view.reduced.replicates={replicates}"),
        "record.gradients=false".into(),
    ];
    let shown = Shown::with("giant-step/escape", &settings.each_ref().map(String::as_str), &["limit", "reduced"]);
    let late = |run: &Trajectory| run.risk[4..=6].iter().sum::<f64>() / 3.0;
    let limit = late(&shown.runs("limit")[0]);
    let each: Vec<f64> = shown.runs("reduced").iter().map(|run| late(run) - limit).collect();
    let count = each.len() as f64;
    let mean = each.iter().sum::<f64>() / count;
    let spread = each.iter().map(|x| (x - mean).powi(2)).sum::<f64>();
    (mean, (spread / (count * (count - 1.0))).sqrt())
}

/// What is left at a finite d falls with d, whatever p/d.
fn distance() -> Vec<Row> {
    let name = "giant-step/escape";
    let cells = [(16, 64, 256), (16, 128, 192), (64, 128, 128), (64, 256, 96)];
    let got = cells.map(|(width, dimension, replicates)| above_the_limit(width, dimension, replicates));
    let text = |cells: &[usize]| {
        let each = cells.iter().map(|&i| format!("{:.4} ± {:.4}", got[i].0, got[i].1));
        each.collect::<Vec<_>>().join(", ")
    };
    let apart = |i: usize, l: usize| (got[i].0 - got[l].0, got[i].1.hypot(got[l].1));
    let ((fall, fall_error), (other, other_error)) = (apart(0, 3), apart(1, 2));
    vec![
        Row {
            name,
            asserted: "risk of exact runs above the limit, steps 4 to 6, at p/d = ¼: d = 64 and 256",
            required: "falls, by more than 3 standard errors".into(),
            got: text(&[0, 3]),
            met: fall > 3.0 * fall_error,
            reason: "",
        },
        Row {
            name,
            asserted: "the same at d = 128, p/d = ⅛ and ½",
            required: "equal within 3 standard errors".into(),
            got: text(&[1, 2]),
            met: other.abs() < 3.0 * other_error,
            reason: "",
        },
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
    rows.extend(distance());
    rows.extend(spike());
    rows
}

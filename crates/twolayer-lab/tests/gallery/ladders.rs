//! The rows of `gallery/giant-step/` on what one step needs to be learnt: batches as powers of d, degrees that an activation
//! sees, lines in the target's plane.

use std::f64::consts::FRAC_1_SQRT_2;

use twolayer::{
    hierarchy::Stairs,
    record::{
        Trajectory,
        observable::{GRADIENT_NORM, GRADIENT_TEACHER, STUDENT_SQUARES, STUDENT_TEACHER},
    },
};

use super::{Row, Shown};

/// Mean over runs and neurons of the squared cosine of the first gradient with each direction.
fn squared_cosines(runs: &[Trajectory]) -> Vec<f64> {
    let (p, k) = (runs[0].width, runs[0].directions);
    let of = |run: &Trajectory, j: usize, r: usize| {
        (run.of(&GRADIENT_TEACHER)[j * k + r] / run.of(&GRADIENT_NORM)[j]).powi(2)
    };
    let mean = |r: usize| {
        let all = runs.iter().flat_map(|run| (0..p).map(move |j| of(run, j, r)));
        all.sum::<f64>() / (p * runs.len()) as f64
    };
    (0..k).map(mean).collect()
}

/// E[y² z_r²]/E[y²] of `z1 + z1*z2` (4, 2) and of `he2(z1) - he2(z2)` (5, 5).
const FLOORS: [[f64; 2]; 2] = [[4.0, 2.0], [5.0, 5.0]];
const TARGETS: [&str; 2] = ["z1 + z1*z2", "he2(z1) - he2(z2)"];

/// Squared cosines less their floor, at n = x d^ℓ.
fn rung(target: usize, dimension: u64, x: f64, power: u32) -> Vec<f64> {
    let settings = [
        format!("target.expression={}", TARGETS[target]),
        format!("training.dimension={dimension}"),
        format!("training.batch={x}*d^{power}"),
        "view.reduced.replicates=4".into(),
    ];
    let shown = Shown::with("giant-step/batch-ladder", &settings.each_ref().map(String::as_str), &[]);
    let got = squared_cosines(shown.runs("reduced"));
    got.iter().zip(FLOORS[target]).map(|(cosine, floor)| cosine - floor / dimension as f64).collect()
}

fn words(rows: &[Vec<f64>]) -> String {
    let row = |row: &Vec<f64>| row.iter().map(|x| format!("{x:.3}")).collect::<Vec<_>>().join(" ");
    rows.iter().map(row).collect::<Vec<_>>().join("; ")
}

fn batch_ladder() -> Vec<Row> {
    let name = "giant-step/batch-ladder";
    let mut rows = Vec::new();
    let sizes = [128, 256, 512];
    for (target, power, direction, asserted) in [
        (0, 1, 0, "`z1 + z1*z2`: squared cosine with z1 at n = d/4, d, 4d, d = 128, 256, 512, floor subtracted"),
        (1, 2, 1, "`he2(z1) - he2(z2)`: the same with z2 at n = d²/4, d², 4d²"),
    ] {
        let curves: Vec<Vec<f64>> = [0.25, 1.0, 4.0]
            .map(|x| sizes.map(|dimension| rung(target, dimension, x, power)[direction]).to_vec())
            .to_vec();
        let spread = |at: &Vec<f64>| {
            at.iter().copied().fold(f64::NEG_INFINITY, f64::max) - at.iter().copied().fold(f64::INFINITY, f64::min)
        };
        let widest = curves.iter().map(spread).fold(0.0, f64::max);
        let learns = curves[2].iter().all(|cosine| *cosine > 0.2);
        rows.push(Row {
            name,
            asserted,
            required: "one curve within 0.05; above 0.2 at the last".into(),
            got: words(&curves),
            met: widest <= 0.05 && learns,
            reason: "",
        });
    }
    let (one, two) = (rung(0, 256, 4.0, 1), rung(1, 256, 4.0, 1));
    let stairs = TARGETS.map(|target| {
        let target = Shown::with("giant-step/batch-ladder", &[&format!("target.expression={target}")], &[]);
        Stairs::fresh(&target.experiment.views[0].problem.target).expect("a polynomial has stairs")
    });
    // What is found first, and at which leap.
    let agrees = stairs[0].stairs[0].leap == 1
        && stairs[0].stairs[0].directions.len() == 1
        && stairs[1].stairs[0].leap == 2
        && stairs[1].stairs[0].directions.len() == 2;
    rows.push(Row {
        name,
        asserted: "at n = 4d, d = 256: the first stair of `analyze` and no more (leap 1: z1; leap 2: nothing)",
        required: "z1 above 0.2, the others within 0.03".into(),
        got: words(&[one.clone(), two.clone()]),
        met: agrees && one[0] > 0.2 && one[1].abs() < 0.03 && two.iter().all(|cosine| cosine.abs() < 0.03),
        reason: "",
    });
    rows
}

fn one_direction() -> Vec<Row> {
    let name = "giant-step/one-direction";
    let points = [0.01, 0.1, 1.0].map(|alpha| {
        let shown = Shown::with(name, &[&format!("constants.alpha={alpha}"), "view.reduced.replicates=8"], &[]);
        squared_cosines(shown.runs("reduced"))[0]
    });
    let required = [0.0025, 0.0244, 0.2];
    let ratio = |dimension: u64| {
        let dimension = format!("training.dimension={dimension}");
        let settings = ["constants.alpha=1".to_string(), dimension, "view.reduced.replicates=8".into()];
        let shown = Shown::with(name, &settings.each_ref().map(String::as_str), &[]);
        let runs = shown.runs("reduced");
        runs.iter().map(second_to_first).sum::<f64>() / runs.len() as f64
    };
    let [low, high] = [1024, 16384].map(ratio);
    let slope = (high / low).ln() / 16_f64.ln();
    vec![
        Row {
            name,
            asserted: "squared cosine of gradients with z1 at α = .01, .1, 1, d = 16384: α/(α + 4)",
            required: ".0025 .0244 .2000, ± 10 %".into(),
            got: words(&[points.to_vec()]),
            met: points.iter().zip(required).all(|(got, required)| (got / required - 1.0).abs() < 0.1),
            reason: "",
        },
        Row {
            name,
            asserted: "second to first singular value of what M moves by, d = 1024 and 16384, α = 1",
            required: "slope −0.5 ± 0.1 (.0659 and .0148)".into(),
            got: format!("{low:.4}, {high:.4}: {slope:.2}"),
            met: (slope + 0.5).abs() < 0.1,
            reason: "",
        },
    ]
}

/// Of the p×2 matrix by which M has moved, from its 2×2 Gram matrix.
fn second_to_first(run: &Trajectory) -> f64 {
    let (p, m) = (run.width, run.of(&STUDENT_TEACHER));
    let moved = |j: usize, r: usize| m[(p + j) * 2 + r] - m[j * 2 + r];
    let gram = |r: usize, s: usize| (0..p).map(|j| moved(j, r) * moved(j, s)).sum::<f64>();
    let (trace, determinant) = (gram(0, 0) + gram(1, 1), gram(0, 0) * gram(1, 1) - gram(0, 1).powi(2));
    let root = (0.25 * trace * trace - determinant).max(0.0).sqrt();
    ((0.5 * trace - root).max(0.0) / (0.5 * trace + root)).sqrt()
}

fn three_stairs() -> Vec<Row> {
    let name = "giant-step/three-stairs";
    let small = [
        "network.width=32",
        "training.steps=3",
        "view.biased.tolerance=0.01",
        "view.unbiased.tolerance=0.01",
        "view.leap.tolerance=0.01",
    ];
    let shown = Shown::with(name, &small, &[]);
    let cosines = |view: &str, t: usize| -> Vec<f64> {
        let run = &shown.runs(view)[0];
        let (p, k) = (run.width, run.directions);
        let square = |j: usize, r: usize| {
            run.of(&STUDENT_TEACHER)[(t * p + j) * k + r].powi(2) / run.of(&STUDENT_SQUARES)[t * p + j]
        };
        (0..k).map(|r| ((0..p).map(|j| square(j, r)).sum::<f64>() / p as f64).sqrt()).collect()
    };
    let required = [(1, [0.402, 0.0, 0.0]), (2, [0.544, 0.086, 0.0]), (3, [0.615, 0.175, 0.0033])];
    let got: Vec<Vec<f64>> = required.iter().map(|(t, _)| cosines("biased", *t)).collect();
    let near = |got: &Vec<f64>, required: &[f64; 3]| {
        got.iter().zip(required).all(|(got, required)| (got - required).abs() < 0.02_f64.max(0.1 * required))
    };
    let (unbiased, leap) = (cosines("unbiased", 3), cosines("leap", 3));
    let precise = |row: &[f64]| row.iter().map(|x| format!("{x:.4}")).collect::<Vec<_>>().join(" ");
    vec![
        Row {
            name,
            asserted: "rms cosines with z1, z2, z3 after steps 1, 2, 3, with biases, p = 32",
            required: ".402 0 0; .544 .086 0; .615 .175 .0033 (± 10 %, one draw of biases); z3 opens at step 3".into(),
            got: got.iter().map(|row| precise(row)).collect::<Vec<_>>().join("; "),
            met: required.iter().zip(&got).all(|((_, required), got)| near(got, required))
                && got[1][2] < 5e-4
                && got[2][2] > 1e-3,
            reason: "",
        },
        Row {
            name,
            asserted: "z3 without biases after step 3; z2 and z3 of `z1 + z1*z2*z3`",
            required: "≤ 10⁻³ (one part in √d at the start)".into(),
            got: format!("{:.1e}; {:.1e}, {:.1e}", unbiased[2], leap[1], leap[2]),
            met: unbiased[2] < 1e-3 && leap[1] < 1e-3 && leap[2] < 1e-3 && unbiased[1] > 0.1,
            reason: "",
        },
    ]
}

/// Slope of the principal axis of the gradients of the step after entry t in the plane, and by how much a cosine within the
/// plane is off it at most.
fn axis(run: &Trajectory, t: usize) -> (f64, f64) {
    let (p, k) = (run.width, run.directions);
    let m = run.of(&GRADIENT_TEACHER);
    let at = |j: usize, r: usize| m[(t * p + j) * k + r];
    let sum = |r: usize, s: usize| (0..p).map(|j| at(j, r) * at(j, s)).sum::<f64>();
    let (x, y, xy) = (sum(0, 0), sum(1, 1), sum(0, 1));
    let slope = (y - x + ((y - x).powi(2) + 4.0 * xy * xy).sqrt()) / (2.0 * xy);
    let off = |j: usize| {
        let (x, y) = (at(j, 0), at(j, 1));
        (y - slope * x).abs() / ((1.0 + slope * slope) * (x * x + y * y)).sqrt()
    };
    (slope, (0..p).map(off).fold(0.0, f64::max) * FRAC_1_SQRT_2)
}

fn spike_left() -> Vec<Row> {
    let name = "giant-step/spike-left";
    let shown = Shown::with(name, &[], &["limit"]);
    let run = &shown.runs("limit")[0];
    let got = [0, 1, 2].map(|t| axis(run, t));
    let (slopes, spreads) = ([0.995, 0.999, 1.002], [0.02, 0.02, 0.06]);
    vec![Row {
        name,
        asserted: "gradients 1 to 3 on the diagonal of the target's plane (limit, p = 64): slope, spread",
        required: "slope .995, .999, 1.002 ± .02; spread ≤ .02, .02, .06".into(),
        got: got.map(|(slope, spread)| format!("{slope:.3}, {spread:.3}")).join("; "),
        met: (0..3).all(|t| (got[t].0 - slopes[t]).abs() < 0.02 && got[t].1 <= spreads[t] + 0.005),
        reason: "",
    }]
}

/// All rows.
pub fn rows() -> Vec<Row> {
    let mut rows = batch_ladder();
    rows.extend(one_direction());
    rows.extend(three_stairs());
    rows.extend(spike_left());
    rows
}

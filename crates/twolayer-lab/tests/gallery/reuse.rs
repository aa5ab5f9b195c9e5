//! The rows of `gallery/reuse/`: paper A, and the displaced and repeated steps of Repetita Iuvant.

use twolayer::trajectory::Trajectory;

use super::{Row, Shown};

/// Unit vectors of the plane of `tanh(z1 + he3(z2))`: along C_1, and across.
const ALONG: [f64; 2] = [0.767832, -0.640651];
const ACROSS: [f64; 2] = [0.640651, 0.767832];

/// `⟨M_j, u⟩` at entry t.
fn overlap(run: &Trajectory, t: usize, j: usize, u: &[f64]) -> f64 {
    let row = &run.student_teacher[(t * run.width + j) * run.directions..][..run.directions];
    row.iter().zip(u).map(|(m, u)| m * u).sum()
}

/// The unit vector along direction r of k.
fn axis(r: usize, k: usize) -> Vec<f64> {
    (0..k).map(|i| f64::from(u8::from(i == r))).collect()
}

/// Mean over runs and its standard error.
fn mean_and_error(runs: &[Trajectory], value: impl Fn(&Trajectory) -> f64) -> (f64, f64) {
    let values: Vec<f64> = runs.iter().map(value).collect();
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    (mean, (values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (count * (count - 1.0))).sqrt())
}

/// What the neurons have in common with direction r where they differ in the sign of a: `Σ_j sign(a_j) M_jr / p`.
fn signed(run: &Trajectory, t: usize, u: &[f64]) -> f64 {
    let p = run.width;
    (0..p).map(|j| run.second_layer[j].signum() * overlap(run, t, j, u)).sum::<f64>() / p as f64
}

fn numbers(values: &[f64]) -> String {
    values.iter().map(|value| format!("{value:.4}")).collect::<Vec<_>>().join(" ")
}

/// Values at the steps `1..`, all within `tolerance` of those required.
fn on(name: &'static str, asserted: &'static str, required: &[f64], tolerance: f64, got: &[f64]) -> Row {
    Row {
        name,
        asserted,
        required: format!("{} (±{tolerance})", numbers(required)),
        got: numbers(got),
        met: required.iter().zip(got).all(|(required, got)| (required - got).abs() <= tolerance),
        reason: "",
    }
}

/// A mean over runs that is zero within 4 of its standard errors, or is not.
fn zero(name: &'static str, asserted: &'static str, (mean, error): (f64, f64), expected: bool) -> Row {
    let is_zero = mean.abs() <= 4.0 * error;
    Row {
        name,
        asserted,
        required: if expected { "within 4 standard errors of 0" } else { "more than 4 standard errors from 0" }.into(),
        got: format!("{mean:.4} ± {error:.4}"),
        met: is_zero == expected,
        reason: "",
    }
}

/// M of the reduced view against the limit: the root mean square of z over entries and steps.
fn agrees(name: &'static str, shown: &Shown, limit: &str, reduced: &str) -> Row {
    let (limit, runs) = (&shown.runs(limit)[0], shown.runs(reduced));
    let entries = limit.width * limit.directions;
    let errors = limit.student_teacher_error.as_deref().unwrap_or(&[]);
    let (mut square, mut count, mut distance) = (0.0, 0.0, 0.0f64);
    for i in entries..limit.student_teacher.len() {
        let (mean, error) = mean_and_error(runs, |run| run.student_teacher[i]);
        let difference = mean - limit.student_teacher[i];
        distance = distance.max(difference.abs());
        square += difference.powi(2) / (error * error + errors[i] * errors[i]);
        count += 1.0;
    }
    let z = f64::sqrt(square / count);
    Row {
        name,
        asserted: "mean-field theory and exact runs agree in M at every step",
        required: "z of root mean square < 2.5".into(),
        got: format!("{z:.2}, farthest {distance:.4}"),
        met: z < 2.5,
        reason: "",
    }
}

fn single(name: &'static str, required: &[f64; 6], tolerance: f64, fresh_learns: bool) -> Vec<Row> {
    let shown = Shown::new(name);
    let limit = &shown.runs("limit")[0];
    let got: Vec<f64> = (1..=6).map(|t| overlap(limit, t, 0, &[1.0])).collect();
    let fresh = mean_and_error(shown.runs("reduced-fresh"), |run| overlap(run, 6, 0, &[1.0]));
    vec![
        on(name, "reused, overlap with z1 at steps 1 to 6 (limit)", required, tolerance, &got),
        zero(name, "fresh batches, the same at step 6", fresh, !fresh_learns),
        agrees(name, &shown, "limit", "reduced"),
    ]
}

fn multi_staircase() -> Vec<Row> {
    let name = "reuse/multi-staircase";
    let shown = Shown::new(name);
    let limit = &shown.runs("limit")[0];
    let got = [overlap(limit, 6, 0, &[1.0, 0.0]), overlap(limit, 6, 0, &[0.0, 1.0])];
    let second = |t: usize| {
        mean_and_error(shown.runs("reduced-fresh"), move |run| {
            (0..run.width).map(|j| overlap(run, t, j, &[0.0, 1.0])).sum::<f64>() / run.width as f64
        })
    };
    vec![
        on(name, "reused, first neuron along z1 and z2 at step 6 (limit)", &[0.218, 0.0336], 0.002, &got),
        zero(name, "fresh batches, mean overlap with z2 at step 1", second(1), true),
        zero(name, "fresh batches, mean overlap with z2 at step 2", second(2), false),
        agrees(name, &shown, "limit", "reduced"),
    ]
}

fn multi_hidden() -> Vec<Row> {
    let name = "reuse/multi-hidden";
    let shown = Shown::new(name);
    let mut rows = Vec::new();
    for (limit, reduced, fresh) in
        [("limit", "reduced", "reduced-fresh"), ("limit-fast", "reduced-fast", "reduced-fast-fresh")]
    {
        let run = &shown.runs(limit)[0];
        let across: Vec<f64> = (1..=6).map(|t| overlap(run, t, 0, &ACROSS)).collect();
        let other = overlap(run, 6, 1, &ACROSS);
        let error = run.student_teacher_error.iter().flatten().copied().fold(0.0, f64::max);
        rows.push(Row {
            name,
            asserted: if limit == "limit" { "reused, η = 0.3, across C_1" } else { "reused, η = 0.6, across C_1" },
            required: "0 at step 1, then not, with opposite signs on the two neurons; known to 1e-4".into(),
            got: format!("{}; second neuron {other:.4}; ± {error:.1e}", numbers(&across)),
            met: across[0].abs() < 1e-4 && across[5].abs() > 5.0 * error && across[5] * other < 0.0 && error <= 1e-4,
            reason: "",
        });
        let along = overlap(run, 6, 0, &ALONG);
        let fresh_along = mean_and_error(shown.runs(fresh), |run| overlap(run, 6, 0, &ALONG)).0;
        rows.push(Row {
            name,
            asserted: "both protocols learn C_1: overlap of the first neuron at step 6, reused and fresh",
            required: "> 0.1".into(),
            got: format!("{along:.4}, {fresh_along:.4}"),
            met: along > 0.1 && fresh_along > 0.1,
            reason: "",
        });
        let fresh = mean_and_error(shown.runs(fresh), |run| signed(run, 6, &ACROSS));
        rows.push(zero(name, "fresh batches, across C_1 at step 6", (fresh.0, fresh.1.max(2e-4)), true));
        rows.push(agrees(name, &shown, limit, reduced));
    }
    rows
}

fn multi_committee() -> Vec<Row> {
    let name = "reuse/multi-committee";
    let shown = Shown::new(name);
    let half = std::f64::consts::FRAC_1_SQRT_2;
    let limit = &shown.runs("limit")[0];
    let reused: Vec<f64> = (1..=6).map(|t| overlap(limit, t, 0, &[half, half])).collect();
    let fresh = |t| mean_and_error(shown.runs("reduced-fresh"), |run| overlap(run, t, 0, &[half, half])).0;
    let fresh: Vec<f64> = (1..=6).map(fresh).collect();
    let across = overlap(limit, 6, 0, &[half, -half]);
    vec![
        on(name, "reused, along (1,1)/√2 (limit)", &[0.0908, 0.1645, 0.2248, 0.2754, 0.3189, 0.3571], 0.001, &reused),
        on(name, "fresh, along (1,1)/√2", &[0.0909, 0.1733, 0.2484, 0.3164, 0.3779, 0.4341], 0.001, &fresh),
        on(name, "reused, across at step 6 (limit)", &[0.0], 2e-4, &[across]),
        agrees(name, &shown, "limit", "reduced"),
    ]
}

/// z4 is learnt, with the sign of −a, and z1, z2, z3 are not, by the runs of a view at its last entry.
fn only_the_last(name: &'static str, runs: &[Trajectory]) -> Vec<Row> {
    let last = runs[0].len() - 1;
    let along = |r: usize| mean_and_error(runs, move |run| signed(run, last, &axis(r, 4)));
    let mut rows = vec![zero(name, "reused, overlap with z4 at the end", along(3), false)];
    for (r, asserted) in
        ["reused, overlap with z1 at the end", "the same with z2", "the same with z3"].into_iter().enumerate()
    {
        rows.push(zero(name, asserted, along(r), true));
    }
    rows
}

fn hard_symmetric() -> Vec<Row> {
    let name = "reuse/hard-symmetric";
    let shown = Shown::new(name);
    let limit = &shown.runs("limit")[0];
    let got: Vec<f64> = (2..=6).map(|t| -signed(limit, t, &axis(3, 4))).collect();
    let mut rows = vec![on(
        name,
        "reused, ±overlap with z4 at steps 2 to 6 (limit)",
        &[0.0357, 0.0466, 0.0564, 0.0599, 0.0612],
        0.003,
        &got,
    )];
    rows.extend(only_the_last(name, shown.runs("reduced")));
    rows.push(agrees(name, &shown, "limit", "reduced"));
    rows
}

/// `first` is the last step at which z4 is still unknown.
fn minibatch(name: &'static str, first: usize) -> Vec<Row> {
    let shown = Shown::new(name);
    let runs = shown.runs("reduced");
    let at = |t: usize| mean_and_error(runs, move |run| signed(run, t, &axis(3, 4)));
    let mut rows = vec![
        zero(name, "z4 as long as every sample is new", at(first), true),
        zero(name, "z4 ten steps later", at(first + 10), false),
        zero(
            name,
            "z4 after as many fresh batches",
            mean_and_error(shown.runs("reduced-fresh"), |run| signed(run, 30, &axis(3, 4))),
            true,
        ),
    ];
    rows.extend(only_the_last(name, runs));
    rows.push(agrees(name, &shown, "limit", "reduced"));
    rows
}

fn minibatch_one() -> Vec<Row> {
    let name = "reuse/minibatch-one";
    let shown = Shown::new(name);
    let end = |view: &str| mean_and_error(shown.runs(view), |run| signed(run, run.len() - 1, &axis(3, 4)));
    vec![
        zero(name, "z4 after six epochs of batch 1", end("direct"), false),
        zero(name, "z4 after one pass of the same length", end("direct-fresh"), true),
    ]
}

fn displaced() -> Vec<Row> {
    let name = "reuse/displaced";
    let shown = Shown::new(name);
    let end = |view: &str| mean_and_error(shown.runs(view), |run| overlap(run, run.len() - 1, 0, &[1.0]));
    let mut rows = Vec::new();
    let mut ends = Vec::new();
    for (displaced, plain) in
        [("displaced-2048", "plain-2048"), ("displaced-4096", "plain-4096"), ("displaced-8192", "plain-8192")]
    {
        rows.push(zero(name, "overlap after 50d displaced steps", end(displaced), false));
        rows.push(zero(name, "overlap after 50d plain steps", end(plain), true));
        ends.push(end(displaced).0);
    }
    let (low, high) = (ends.iter().copied().fold(f64::MAX, f64::min), ends.iter().copied().fold(f64::MIN, f64::max));
    rows.push(Row {
        name,
        asserted: "O(d) steps: the same overlap after 50d of them at d = 2048, 4096, 8192",
        required: "within 20 %".into(),
        got: numbers(&ends),
        met: (high - low).abs() <= 0.2 * low.abs().max(high.abs()),
        reason: "",
    });
    rows
}

fn repeated() -> Vec<Row> {
    let name = "reuse/repeated";
    let shown = Shown::new(name);
    let end = |view: &str| mean_and_error(shown.runs(view), |run| overlap(run, run.len() - 1, 0, &[1.0]));
    vec![
        zero(name, "overlap where each batch is used twice", end("twice"), false),
        zero(name, "overlap where each batch is used once", end("once"), true),
    ]
}

/// All rows.
pub fn rows() -> Vec<Row> {
    let tanh = [0.0908, 0.1563, 0.2042, 0.2402, 0.2683, 0.2912];
    let he3 = [0.0, -0.0283, -0.0456, -0.0578, -0.0670, -0.0743];
    let mut rows = single("reuse/single-tanh", &tanh, 0.0005, true);
    rows.extend(single("reuse/single-he3", &he3, 0.0010, false));
    rows.extend(single("reuse/single-he4", &[0.0; 6], 0.0025, false));
    rows.extend(multi_staircase());
    rows.extend(multi_hidden());
    rows.extend(multi_committee());
    rows.extend(hard_symmetric());
    rows.extend(minibatch("reuse/minibatch-cyclic", 5));
    rows.extend(minibatch("reuse/minibatch-replacement", 1));
    rows.extend(minibatch_one());
    rows.extend(displaced());
    rows.extend(repeated());
    rows
}

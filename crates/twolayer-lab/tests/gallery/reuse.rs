//! The rows of `gallery/reuse/`: paper A, and the displaced and repeated steps of Repetita Iuvant.

use twolayer::record::{
    Trajectory,
    observable::{RISK, STUDENT_STUDENT, STUDENT_TEACHER, STUDENT_TEACHER_ERROR, TRAINING_RISK},
};

use super::{
    Row, Shown, distance,
    overlaps::{
        axis, mean_and_error, measured, nothing, numbers, on, overlap, rounded, seeds, signed, stated, stated_signed,
        zero, zeros,
    },
    published,
};

/// Unit vectors of the plane of `tanh(z1 + he3(z2))`: along C_1, and across.
pub const ALONG: [f64; 2] = [0.767832, -0.640651];
pub const ACROSS: [f64; 2] = [0.640651, 0.767832];

/// One neuron: its overlaps where batches are reused, within `tolerance`, or zero within the stated errors; and what fresh
/// batches learn.
fn single(name: &'static str, required: Option<(&[f64; 6], f64)>, fresh_learns: bool) -> Vec<Row> {
    let shown = Shown::new(name);
    let limit = &shown.runs("limit")[0];
    let mut rows = Vec::new();
    match required {
        Some((required, tolerance)) => {
            let got: Vec<f64> = (1..=6).map(|t| overlap(limit, t, 0, &[1.0])).collect();
            rows.push(on(name, "reused, overlap with z1 at steps 1 to 6 (limit)", required, tolerance, &got));
        }
        None => {
            let got: Vec<_> = (1..=6).map(|t| stated(limit, t, 0, &[1.0])).collect();
            rows.push(zeros(name, "reused, overlap with z1 at each of steps 1 to 6 (limit)", &got));
            let runs: Vec<_> =
                (1..=6).map(|t| mean_and_error(shown.runs("reduced"), |run| overlap(run, t, 0, &[1.0]))).collect();
            rows.push(zeros(name, "the same in exact runs", &runs));
        }
    }
    let fresh = mean_and_error(shown.runs("reduced-fresh"), |run| overlap(run, 6, 0, &[1.0]));
    rows.push(zero(name, "fresh batches, the same at step 6", fresh, !fresh_learns));
    if !fresh_learns {
        let limit = &shown.runs("limit-fresh")[0];
        let each: Vec<_> = (1..=6).map(|t| stated(limit, t, 0, &[1.0])).collect();
        rows.push(nothing(name, "fresh batches, at each of steps 1 to 6 (limit)", &each));
    }
    rows.push(shown.agreement(name));
    rows
}

fn multi_staircase() -> Vec<Row> {
    let name = "reuse/multi-staircase";
    let shown = Shown::new(name);
    let limit = &shown.runs("limit")[0];
    let got = [overlap(limit, 6, 0, &[1.0, 0.0]), overlap(limit, 6, 0, &[0.0, 1.0])];
    let second = |view: &str, t: usize| {
        mean_and_error(shown.runs(view), move |run| {
            (0..run.width).map(|j| overlap(run, t, j, &[0.0, 1.0])).sum::<f64>() / run.width as f64
        })
    };
    vec![
        on(name, "reused, first neuron along z1 and z2 at step 6 (limit)", &[0.218, 0.0336], 0.002, &got),
        zero(name, "reused, mean overlap with z2 at step 1", second("reduced", 1), true),
        zero(name, "reused, mean overlap with z2 at step 2", second("reduced", 2), false),
        zero(name, "fresh batches, mean overlap with z2 at step 1", second("reduced-fresh", 1), true),
        zero(name, "fresh batches, mean overlap with z2 at step 2", second("reduced-fresh", 2), false),
        shown.agreement(name),
    ]
}

fn multi_hidden() -> Vec<Row> {
    let name = "reuse/multi-hidden";
    let shown = Shown::new(name);
    let mut rows = Vec::new();
    for (limit, limit_fresh, fresh) in
        [("limit", "limit-fresh", "reduced-fresh"), ("limit-fast", "limit-fast-fresh", "reduced-fast-fresh")]
    {
        let run = &shown.runs(limit)[0];
        let across: Vec<f64> = (1..=6).map(|t| overlap(run, t, 0, &ACROSS)).collect();
        let other = overlap(run, 6, 1, &ACROSS);
        let error = run.of(&STUDENT_TEACHER_ERROR).iter().copied().fold(0.0, f64::max);
        rows.push(Row {
            name,
            asserted: if limit == "limit" { "reused, η = 0.3, across C_1" } else { "reused, η = 0.6, across C_1" },
            required: "0 at step 1, then not, with opposite signs on the two neurons; known to 1e-4".into(),
            got: format!("{}; second neuron {}; ± {error:.1e}", numbers(&across), rounded(other, 4)),
            met: across[0].abs() < 1e-4 && across[5].abs() > 5.0 * error && across[5] * other < 0.0 && error <= 1e-4,
            reason: "",
        });
        let fresh_run = &shown.runs(limit_fresh)[0];
        let [along, fresh_along] = [run, fresh_run].map(|run| overlap(run, 6, 0, &ALONG));
        rows.push(Row {
            name,
            asserted: "both protocols learn C_1: overlap of the first neuron at step 6, reused and fresh (limit)",
            required: "> 0.1".into(),
            got: format!("{along:.4}, {fresh_along:.4}"),
            met: along > 0.1 && fresh_along > 0.1,
            reason: "",
        });
        let each: Vec<_> = (1..=6).flat_map(|t| [0, 1].map(|j| stated(fresh_run, t, j, &ACROSS))).collect();
        rows.push(nothing(name, "fresh batches, across C_1 at each step, either neuron (limit)", &each));
        let fresh = mean_and_error(shown.runs(fresh), |run| signed(run, 6, &ACROSS));
        rows.push(zero(name, "fresh batches, across C_1 at step 6", fresh, true));
    }
    rows.extend(hidden_at_a_million(name, &shown));
    rows.push(shown.agreement(name));
    rows
}

/// Mean-field theory against exact runs at d = 10⁴, 10⁵, 10⁶, η = 0.6.
fn hidden_at_a_million(name: &'static str, shown: &Shown) -> Vec<Row> {
    let runs = shown.runs("reduced-fast");
    let smaller = |d: usize, replicates: usize| {
        let dimension = format!("view.reduced-fast.dimension={d}");
        let replicates = format!("view.reduced-fast.replicates={replicates}");
        Shown::with(name, &[&dimension, &replicates], &["reduced-fast"])
    };
    let smaller = [smaller(10_000, 32), smaller(100_000, 16)];
    let limit = &shown.runs("limit-fast")[0];
    let far = [smaller[0].runs("reduced-fast"), smaller[1].runs("reduced-fast"), runs]
        .map(|runs| distance(runs, limit, f64::INFINITY));
    // Least squares over three equally spaced decades: the middle one does not matter.
    let exponent = (far[2] / far[0]).log10() / 2.0;
    let limits = seeds(name, "limit-fast", &[], 4);
    let theory = mean_and_error(&limits, |run| signed(run, 6, &ACROSS));
    let exact = mean_and_error(runs, |run| signed(run, 6, &ACROSS));
    let apart = (theory.0 - exact.0).abs() / theory.1.hypot(exact.1);
    let (farthest, where_) = farthest(&limits, runs);
    vec![
        Row {
            name,
            asserted: "η = 0.6: distance of M to the limit at d = 10⁴, 10⁵, 10⁶",
            required: "slope −0.5 ± 0.1".into(),
            got: format!("{exponent:.3} (rms of M: {:.1e}, {:.1e}, {:.1e})", far[0], far[1], far[2]),
            met: (exponent + 0.5).abs() <= 0.1,
            reason: "",
        },
        Row {
            name,
            asserted: "η = 0.6, d = 10⁶: across C_1 at step 6, half the difference of the neurons, by exact runs and by \
                       mean-field theory",
            required: "both known to 1e-4, within 3 of their errors together".into(),
            got: format!(
                "{} ({} runs), {} ({} seeds): {apart:.1} errors",
                measured(exact),
                runs.len(),
                measured(theory),
                limits.len()
            ),
            met: exact.1 <= 1e-4 && theory.1 <= 1e-4 && apart <= 3.0,
            reason: "",
        },
        Row {
            name,
            asserted: "the same in M, Q, risk and training risk, at every step",
            required: "within 5 errors (p > 0.001 for all entries together)".into(),
            got: format!("farthest {farthest:.1} errors, {where_}"),
            met: farthest <= 5.0,
            reason: "",
        },
    ]
}

/// The largest difference of the means of two sets of runs in any entry after the start, in standard errors, and of what.
fn farthest(left: &[Trajectory], right: &[Trajectory]) -> (f64, &'static str) {
    type Part = fn(&Trajectory) -> &[f64];
    let parts: [(&'static str, Part); 4] = [
        ("in M", |run| run.of(&STUDENT_TEACHER)),
        ("in Q", |run| run.of(&STUDENT_STUDENT)),
        ("in the risk", |run| run.of(&RISK)),
        ("in the training risk", |run| run.get(&TRAINING_RISK).expect("the data are reused")),
    ];
    let mut farthest = (0.0, "");
    for (what, part) in parts {
        let start = part(&left[0]).len() / left[0].len();
        for i in start..part(&left[0]).len() {
            let [(x, a), (y, b)] = [left, right].map(|runs| mean_and_error(runs, |run| part(run)[i]));
            let z = (x - y).abs() / a.hypot(b);
            if z > farthest.0 || z.is_nan() {
                farthest = (z, what);
            }
        }
    }
    farthest
}

fn multi_committee() -> Vec<Row> {
    let name = "reuse/multi-committee";
    let shown = Shown::new(name);
    let half = std::f64::consts::FRAC_1_SQRT_2;
    let [limit, fresh] = ["limit", "limit-fresh"].map(|view| &shown.runs(view)[0]);
    let [reused, once] =
        [limit, fresh].map(|run| (1..=6).map(|t| overlap(run, t, 0, &[half, half])).collect::<Vec<_>>());
    let across = |run, t| [0, 1].map(|j| stated(run, t, j, &[half, -half]));
    let [reused_across, once_across] =
        [limit, fresh].map(|run| (1..=6).flat_map(|t| across(run, t)).collect::<Vec<_>>());
    vec![
        on(name, "reused, along (1,1)/√2 (limit)", &published::RIGHT, 0.001, &reused),
        on(name, "fresh, along (1,1)/√2 (limit)", &published::RIGHT_FRESH, 0.001, &once),
        zeros(name, "reused, across at each step, either neuron (limit)", &reused_across),
        nothing(name, "fresh, across at each step, either neuron (limit)", &once_across),
        shown.agreement(name),
    ]
}

/// z4 is learnt, with the sign of −a, and z1, z2, z3 are not: by exact runs at their end, and in the limit at every entry.
fn only_the_last(name: &'static str, shown: &Shown) -> Vec<Row> {
    let (runs, limit) = (shown.runs("reduced"), &shown.runs("limit")[0]);
    let last = runs[0].len() - 1;
    let along = |r: usize| mean_and_error(runs, move |run| signed(run, last, &axis(r, 4)));
    let others: Vec<_> =
        (1..limit.len()).flat_map(|t| [0, 1, 2].map(|r| stated_signed(limit, t, &axis(r, 4)))).collect();
    vec![
        zero(name, "reused, overlap with z4 at the end", along(3), false),
        zeros(name, "reused, overlaps with z1, z2, z3 at the end", &[0, 1, 2].map(along)),
        zeros(name, "the same at every step (limit)", &others),
    ]
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
    rows.extend(only_the_last(name, &shown));
    rows.push(shown.agreement(name));
    rows
}

/// What is told of mini-batches until the first step that meets a row again.
struct Early {
    /// That step.
    first: usize,
    /// It, and those before, in words.
    words: [&'static str; 2],
    /// Larger and more runs than of all steps.
    dimension: usize,
    runs: usize,
    /// Of M, in the limit at each seed.
    tolerance: f64,
}

fn minibatch(name: &'static str, early: &Early) -> Vec<Row> {
    let Early { first, words: [before, at], dimension, runs, tolerance } = early;
    let [steps, dimension, runs, tolerance] = [
        format!("training.steps={first}"),
        format!("view.reduced.dimension={dimension}"),
        format!("view.reduced.replicates={runs}"),
        format!("view.limit.tolerance={tolerance}"),
    ];
    let exact = Shown::with(name, &[&steps, &dimension, &runs], &["reduced"]);
    let limits = seeds(name, "limit", &[&steps, &tolerance], 8);
    let z4 = |runs: &[Trajectory], t: usize| mean_and_error(runs, move |run| signed(run, t, &axis(3, 4)));
    let each = |runs: &[Trajectory]| (1..*first).map(|t| z4(runs, t)).collect::<Vec<_>>();
    let mut rows = vec![
        zeros(name, before, &each(exact.runs("reduced"))),
        zeros(name, "the same (limit, 8 seeds)", &each(&limits)),
        zero(name, at, z4(exact.runs("reduced"), *first), false),
        zero(name, "the same (limit, 8 seeds)", z4(&limits, *first), false),
    ];
    let shown = Shown::new(name);
    let fresh = mean_and_error(shown.runs("reduced-fresh"), |run| signed(run, 30, &axis(3, 4)));
    rows.push(zero(name, "z4 after as many fresh batches", fresh, true));
    let fresh = &shown.runs("limit-fresh")[0];
    let each: Vec<_> = (1..=30).flat_map(|t| [0, 1, 2, 3].map(|j| stated(fresh, t, j, &axis(3, 4)))).collect();
    rows.push(nothing(name, "z4 at each step on fresh batches (limit)", &each));
    rows.extend(only_the_last(name, &shown));
    rows.push(shown.agreement(name));
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
    for (displaced, plain, asserted) in [
        ("displaced-2048", "plain-2048", ["d = 2048: overlap after 50d displaced steps", "after 50d plain steps"]),
        ("displaced-4096", "plain-4096", ["d = 4096: overlap after 50d displaced steps", "after 50d plain steps"]),
        ("displaced-8192", "plain-8192", ["d = 8192: overlap after 50d displaced steps", "after 50d plain steps"]),
    ] {
        rows.push(zero(name, asserted[0], end(displaced), false));
        rows.push(zero(name, asserted[1], end(plain), true));
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
    let mut rows = single("reuse/single-tanh", Some((&tanh, 0.0005)), true);
    rows.extend(single("reuse/single-he3", Some((&he3, 0.0010)), false));
    rows.extend(single("reuse/single-he4", None, false));
    rows.extend(multi_staircase());
    rows.extend(multi_hidden());
    rows.extend(multi_committee());
    rows.extend(hard_symmetric());
    let words = ["z4 at each step of the first epoch, 1 to 5", "z4 at step 6, the first of the second epoch"];
    let early = Early { first: 6, words, dimension: 30_000, runs: 16, tolerance: 5e-3 };
    rows.extend(minibatch("reuse/minibatch-cyclic", &early));
    let words =
        ["z4 at step 1, whose rows are new", "z4 at step 2, the first that meets rows again, a fifth of its own"];
    let early = Early { first: 2, words, dimension: 100_000, runs: 48, tolerance: 5e-4 };
    rows.extend(minibatch("reuse/minibatch-replacement", &early));
    rows.extend(minibatch_one());
    rows.extend(displaced());
    rows.extend(repeated());
    rows
}

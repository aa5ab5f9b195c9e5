//! Rows of `gallery/reuse/` that paper A draws or claims: its figures with the parameters they were drawn with, its theorems as
//! experiments.

use twolayer::{
    hierarchy::{Analysis, HIGHEST},
    record::{
        Trajectory,
        observable::{CROSSING_STEP, SECOND_LAYER, STUDENT_TEACHER, STUDENT_TEACHER_ERROR},
    },
};
use twolayer_lab::analysis::Analysed;

use super::{
    Row, Shown,
    overlaps::{
        axis, mean_and_error, measured, nothing, numbers, on, overlap, rounded, signed, stated, stated_signed, zero,
        zeros,
    },
    published,
    reuse::{ACROSS, ALONG},
};

/// The overlap of the first neuron along `direction` at steps 1 to 6.
fn course(run: &Trajectory, direction: &[f64]) -> Vec<f64> {
    (1..=6).map(|t| overlap(run, t, 0, direction)).collect()
}

fn sizes(values: &[f64]) -> Vec<f64> {
    values.iter().map(|value| value.abs()).collect()
}

fn figure_1() -> Vec<Row> {
    let name = "reuse/figure-1-as-drawn";
    // The file's own sizes take a minute.
    let small: Vec<String> = ["erf", "he3", "he4"]
        .iter()
        .flat_map(|target| {
            [format!("view.direct-{target}.dimension=1000"), format!("view.direct-{target}.replicates=16")]
        })
        .collect();
    let shown = Shown::with(name, &small.iter().map(String::as_str).collect::<Vec<_>>(), &[]);
    let limit = |view: &str| &shown.runs(view)[0];
    let he4: Vec<_> = (1..=6).map(|t| stated(limit("limit-he4"), t, 0, &[1.0])).collect();
    let got = sizes(&course(limit("limit-he3"), &[1.0]));
    vec![
        on(name, "erf, reused, published dots (limit)", &published::ERF, 0.003, &course(limit("limit-erf"), &[1.0])),
        on(
            name,
            "erf, fresh, published dots (limit)",
            &published::ERF_FRESH,
            0.003,
            &course(limit("limit-erf-fresh"), &[1.0]),
        ),
        on(
            name,
            "he3, reused, published dots at steps 2 to 6, in size (limit)",
            &published::HE3[1..],
            0.006,
            &got[1..],
        ),
        zeros(name, "he4, reused, at each of steps 1 to 6 (limit)", &he4),
        shown.agreement(name),
    ]
}

fn figure_2() -> Vec<Row> {
    let name = "reuse/figure-2-as-drawn";
    let small = [
        "view.direct-centre.dimension=1000",
        "view.direct-centre.replicates=16",
        "view.reduced-left.dimension=20000",
        "view.reduced-left.replicates=8",
    ];
    let shown = Shown::with(name, &small, &[]);
    let limit = |view: &str| &shown.runs(view)[0];
    let (first, second) = (axis(0, 2), axis(1, 2));
    let ratios = |got: &[f64], dots: &[f64]| got.iter().zip(dots).map(|(got, dot)| got / dot).collect::<Vec<_>>();
    let left = ratios(&course(limit("limit-left"), &first), &published::LEFT);
    let left_once = ratios(&course(limit("limit-left-fresh"), &first), &published::LEFT_FRESH);
    let hidden = ratios(&course(limit("limit-left"), &second)[1..], &published::LEFT_SECOND[1..]);
    // Of the two neurons, half the difference.
    let apart: Vec<f64> = (2..=6).map(|t| signed(limit("limit-centre"), t, &ACROSS).abs()).collect();
    vec![
        on(
            name,
            "centre, along C_1, reused, published dots (limit)",
            &published::CENTRE,
            0.001,
            &course(limit("limit-centre"), &ALONG),
        ),
        on(
            name,
            "centre, along C_1, fresh, published dots (limit)",
            &published::CENTRE_FRESH,
            0.001,
            &course(limit("limit-centre-fresh"), &ALONG),
        ),
        on(
            name,
            "centre, across C_1, reused, published dots at steps 2 to 6 (limit)",
            &published::CENTRE_ACROSS[1..],
            0.0004,
            &apart,
        ),
        on(name, "left, z1, reused, over the published dots (limit)", &[1.0; 6], 0.013, &left),
        on(name, "left, z1, fresh, over the published dots (limit)", &[1.0; 6], 0.013, &left_once),
        on(name, "left, z2, reused, over the published dots at steps 2 to 6 (limit)", &[1.0; 5], 0.075, &hidden),
        shown.agreement(name),
    ]
}

fn public_hidden() -> Vec<Row> {
    let name = "reuse/public-hidden";
    let shown = Shown::with(name, &["view.direct.dimension=2000", "view.direct.replicates=16"], &[]);
    let limit = &shown.runs("limit")[0];
    let got: Vec<f64> = (1..=6).map(|t| signed(limit, t, &ACROSS)).collect();
    let stored = [0.00031, 0.00102, 0.00201, 0.00308, 0.00410, 0.00503];
    // Their standard errors, which grow from .0003 to .0009.
    let errors = [0.0003, 0.0004, 0.0006, 0.0007, 0.0008, 0.0009];
    let farthest = (0..6).map(|i| ((got[i].abs() - stored[i]) / errors[i]).abs()).fold(0.0, f64::max);
    let outside = (0.0069 - got[5].abs()) / stated_signed(limit, 6, &ACROSS).1;
    vec![
        on(
            name,
            "across C_1, half the difference of the neurons (limit)",
            &[0.0, 0.0004, 0.0012, 0.0021, 0.0031, 0.0039],
            0.0002,
            &sizes(&got),
        ),
        Row {
            name,
            asserted: "the repository's 32 stored runs, .00031 .00102 .00201 .00308 .00410 .00503, from the limit",
            required: "within 2 of their standard errors".into(),
            got: format!("at most {farthest:.1}"),
            met: farthest <= 2.0,
            reason: "",
        },
        Row {
            name,
            asserted: "the end of the repository's own mean-field curve, .0069, from the limit at step 6",
            required: "outside: more than 10 of the limit's errors".into(),
            got: format!("{outside:.0}"),
            met: outside > 10.0,
            reason: "",
        },
        shown.agreement(name),
    ]
}

fn two_steps() -> Vec<Row> {
    let name = "reuse/two-steps-any-alpha";
    let points = Shown::points(name);
    let got: Vec<f64> = points.iter().map(|point| overlap(&point.runs("limit")[0], 2, 0, &[1.0])).collect();
    let seen: Vec<_> = points.iter().map(|point| stated(&point.runs("limit")[0], 2, 0, &[1.0])).collect();
    let sure = seen.iter().map(|(value, error)| value.abs() / error).fold(f64::INFINITY, f64::min);
    let per_alpha: Vec<f64> = got.iter().zip([0.25, 0.5, 1.0]).map(|(value, alpha)| value / alpha).collect();
    let spread = per_alpha.iter().map(|value| (value / per_alpha[0] - 1.0).abs()).fold(0.0, f64::max);
    vec![
        on(
            name,
            "overlap at step 2, α = ¼, ½, 1, 2, 3 (limit)",
            &[-0.0026, -0.0052, -0.0105, -0.0202, -0.0283],
            0.0007,
            &got,
        ),
        Row {
            name,
            asserted: "no threshold: the overlap is not 0 at any α (limit)",
            required: "more than 10 errors from 0".into(),
            got: format!("at least {sure:.0}"),
            met: sure > 10.0,
            reason: "",
        },
        Row {
            name,
            asserted: "overlap over α, at α = ¼, ½, 1 (limit)",
            required: "one number within 8 %".into(),
            got: numbers(&per_alpha),
            met: spread <= 0.08,
            reason: "",
        },
        Shown::agreement_of(&points, name),
    ]
}

fn activations() -> Vec<Row> {
    let name = "reuse/two-steps-activations";
    let shown = Shown::new(name);
    let mut rows = Vec::new();
    for (view, asserted, required) in [
        ("limit-tanh", "tanh, overlap at steps 2 and 6 (limit)", [-0.0517, -0.2404]),
        ("limit-gelu", "gelu, the same (limit)", [-0.0217, -0.0477]),
        ("limit-relu", "ReLU, the same (limit)", [-0.0283, -0.0743]),
        ("limit-softplus", "softplus, the same: it changes its sign (limit)", [-0.0029, 0.0153]),
        ("limit-decay", "ReLU with weight decay ½, the same (limit)", [-0.0278, -0.0457]),
    ] {
        let run = &shown.runs(view)[0];
        rows.push(on(name, asserted, &required, 0.0004, &[2, 6].map(|t| overlap(run, t, 0, &[1.0]))));
    }
    let softplus = &shown.runs("limit-softplus")[0];
    let turn: Vec<_> = (2..=4).map(|t| stated(softplus, t, 0, &[1.0])).collect();
    rows.push(Row {
        name,
        asserted: "softplus, steps 2, 3, 4 (limit)",
        required: "negative, then positive by step 4, each beyond its error".into(),
        got: turn.iter().map(|value| measured(*value)).collect::<Vec<_>>().join(", "),
        met: turn[0].0 < -4.0 * turn[0].1 && turn[2].0 > 4.0 * turn[2].1,
        reason: "",
    });
    rows.push(shown.agreement(name));
    rows
}

/// The second singular value of M at step t.
fn second_singular(run: &Trajectory, t: usize) -> f64 {
    let rows = &run.of(&STUDENT_TEACHER)[t * run.width * 2..][..run.width * 2];
    let dot = |r: usize, q: usize| rows.chunks_exact(2).map(|row| row[r] * row[q]).sum::<f64>();
    let (trace, determinant) = (dot(0, 0) + dot(1, 1), dot(0, 0) * dot(1, 1) - dot(0, 1).powi(2));
    let larger = 0.5 * (trace + (trace * trace - 4.0 * determinant).max(0.0).sqrt());
    (determinant.max(0.0) / larger).sqrt()
}

fn gaussian_second_layer() -> Vec<Row> {
    let name = "reuse/gaussian-second-layer";
    let small = ["view.reduced.dimension=20000", "view.reduced.replicates=8"];
    let shown = Shown::with(name, &small, &[]);
    let mut rows = Vec::new();
    for (view, asserted) in [
        ("limit", "a ~ N(0, 1/p): second singular value of M at steps 0, 1, 2, 6 (limit)"),
        ("limit-signs", "a = ±1/√p: the same (limit)"),
    ] {
        let run = &shown.runs(view)[0];
        let error = run.of(&STUDENT_TEACHER_ERROR).iter().copied().fold(0.0, f64::max);
        let values = [0, 1, 2, 6].map(|t| second_singular(run, t));
        rows.push(Row {
            name,
            asserted,
            required: "≤ 10⁻⁵ up to step 1; ≥ 10⁻⁵ at step 2; ≥ 10⁻⁴ at step 6".into(),
            got: format!("{:.1e} {:.1e} {:.1e} {:.1e}; M ± {error:.0e}", values[0], values[1], values[2], values[3]),
            met: values[1] <= 1e-5 && values[2] >= 1e-5 && values[3] >= 1e-4,
            reason: "",
        });
    }
    let (run, fresh) = (&shown.runs("limit")[0], &shown.runs("limit-fresh")[0]);
    let each: Vec<_> = (1..=6).flat_map(|t| (0..8).map(move |j| stated(fresh, t, j, &ACROSS))).collect();
    rows.push(nothing(name, "fresh batches, across C_1 at each step, every neuron (limit)", &each));
    let a = &run.of(&SECOND_LAYER)[..run.width];
    let largest = (0..run.width).map(|j| overlap(run, 6, j, &ALONG).abs()).fold(0.0, f64::max);
    let idle = (0..run.width).filter(|&j| a[j].abs() < 0.1 / (run.width as f64).sqrt());
    let moved: Vec<f64> = idle.map(|j| overlap(run, 6, j, &ALONG).abs() / largest).collect();
    rows.push(Row {
        name,
        asserted: "neurons with |a| < .1/√p hardly move: their overlap along C_1 over the largest (limit)",
        required: "≤ 0.2, and there are some".into(),
        got: moved.iter().map(|value| rounded(*value, 3)).collect::<Vec<_>>().join(" "),
        met: !moved.is_empty() && moved.iter().all(|value| *value <= 0.2),
        reason: "",
    });
    rows.push(shown.agreement(name));
    rows
}

fn hard_family() -> Vec<Row> {
    let name = "reuse/hard-family";
    let small = ["product", "difference"].map(|view| format!("view.reduced-{view}.dimension=20000"));
    let shown = Shown::with(name, &small.each_ref().map(String::as_str), &[]);
    let every = |view: &str| -> Vec<(f64, f64)> {
        let run = &shown.runs(view)[0];
        (1..=4).flat_map(|t| (0..4).flat_map(move |j| (0..3).map(move |r| stated(run, t, j, &axis(r, 3))))).collect()
    };
    vec![
        zeros(name, "z1*z2*z3: every overlap at steps 1 to 4 (limit)", &every("limit-product")),
        zeros(name, "(z3 - z2)*tanh(z1): the same (limit)", &every("limit-difference")),
        shown.agreement(name),
    ]
}

fn weak_to_strong() -> Vec<Row> {
    let name = "reuse/weak-to-strong";
    let shown = Shown::new(name);
    let steps = |view: &str, d: f64| {
        mean_and_error(shown.runs(view), move |run| run.get(&CROSSING_STEP).expect("a crossing is recorded")[0] / d)
    };
    let (small, large) = (steps("reduced-250", 250.0), steps("reduced-1000", 1000.0));
    let row = |asserted, (mean, error): (f64, f64), required: f64, own: f64| Row {
        name,
        asserted,
        required: format!("{required} ± {own}"),
        got: format!("{mean:.0} ± {error:.0}"),
        met: (mean - required).abs() <= 3.0 * error.hypot(own),
        reason: "",
    };
    let fast = shown.runs("fast-250").iter().filter(|run| run.get(&CROSSING_STEP).is_some_and(|at| at[0].is_nan()));
    let (never, all) = (fast.count(), shown.runs("fast-250").len());
    vec![
        row("cosine .95 from M = .1, steps over d at d = 250", small, 3900.0, 300.0),
        row("the same at d = 1000", large, 3834.0, 30.0),
        Row {
            name,
            asserted: "twenty times the rate: runs that do not arrive in 1500 d steps",
            required: "all".into(),
            got: format!("{never} of {all}"),
            met: never == all,
            reason: "",
        },
    ]
}

fn one_with_replacement() -> Vec<Row> {
    let name = "reuse/minibatch-one-replacement";
    let shown = Shown::new(name);
    let runs = shown.runs("direct");
    let epochs = (runs[0].len() - 1) / 6;
    let z4 = |epoch: usize| mean_and_error(runs, move |run| signed(run, epoch * epochs, &axis(3, 4)));
    let got: Vec<_> = (1..=6).map(z4).collect();
    let required = [-0.013, -0.042, -0.058, -0.073, -0.083, -0.089];
    let theirs = [0.006, 0.008, 0.011, 0.012, 0.012, 0.016];
    let apart = (0..6).map(|i| (got[i].0 - required[i]).abs() / got[i].1.hypot(theirs[i])).fold(0.0, f64::max);
    let others: Vec<_> =
        (0..3).map(|r| mean_and_error(runs, move |run| signed(run, run.len() - 1, &axis(r, 4)))).collect();
    vec![
        Row {
            name,
            asserted: "z4 at the end of epochs 1 to 6",
            required: format!("{} (± .006 to .016)", numbers(&required)),
            got: got.iter().map(|value| measured(*value)).collect::<Vec<_>>().join(", "),
            met: apart <= 3.0,
            reason: "",
        },
        zero(name, "z4 at the end of the second epoch", got[1], false),
        zeros(name, "z1, z2, z3 at the end", &others),
    ]
}

/// What the program says of a target.
fn analysis(target: &str) -> Analysis {
    Analysed::of_expression(target, 0.0, None).expect("a target that can be analysed").analysis
}

/// Of he_q: information exponents where they are sought, and generative exponents that do not depend on it.
fn odd_hermites() -> Vec<Row> {
    let name = "reuse/odd-hermites";
    let of = |degrees: &[usize]| -> Vec<(Option<usize>, Option<usize>)> {
        let exponents = |q: &usize| {
            let analysis = analysis(&format!("he{q}(z1)"));
            (analysis.fresh.exponent(), analysis.label_aware.exponent())
        };
        degrees.iter().map(exponents).collect()
    };
    let row = |asserted, degrees: &[usize], generative| {
        let got = of(degrees);
        let right = |(q, got): (&usize, &(Option<usize>, Option<usize>))| {
            *got == ((*q <= HIGHEST).then_some(*q), Some(generative))
        };
        Row {
            name,
            asserted,
            required: format!("information exponent q, > {HIGHEST} beyond; generative exponent {generative}"),
            got: got.iter().map(|(_, g)| g.map_or("none".into(), |g| g.to_string())).collect::<Vec<_>>().join(" "),
            met: degrees.iter().zip(&got).all(right),
            reason: "",
        }
    };
    vec![
        row("`analyze he_q(z1)`, q = 3, 5, … 19", &[3, 5, 7, 9, 11, 13, 15, 17, 19], 1),
        row("`analyze he_q(z1)`, q = 4, 6, … 20", &[4, 6, 8, 10, 12, 14, 16, 18, 20], 2),
    ]
}

fn hard_directions() -> Row {
    let got = ["z1*z2*z3", "(z3 - z2)*tanh(z1)"].map(|target| {
        let analysis = analysis(target);
        (analysis.hard.len(), analysis.label_aware.exponent())
    });
    Row {
        name: "reuse/hard-family",
        asserted: "`analyze`: hard directions and generative exponent of the two",
        required: "3 and 2; 2 and 2".into(),
        got: got
            .map(|(hard, exponent)| {
                format!("{hard} and {}", exponent.map_or("none".into(), |exponent| exponent.to_string()))
            })
            .join("; "),
        met: got == [(3, Some(2)), (2, Some(2))],
        reason: "",
    }
}

/// All rows.
pub fn rows() -> Vec<Row> {
    let mut rows = figure_1();
    rows.extend(figure_2());
    rows.extend(public_hidden());
    rows.extend(two_steps());
    rows.extend(activations());
    rows.extend(gaussian_second_layer());
    rows.extend(hard_family());
    rows.push(hard_directions());
    rows.extend(odd_hermites());
    rows.extend(weak_to_strong());
    rows.extend(one_with_replacement());
    rows
}

//! The rows of `gallery/time-scales/`: paper C. The widest points are left to the full run.

use twolayer::gaussian::quadrature::Quadrature;
use twolayer::record::{
    Trajectory,
    observable::{HALF_TIME, RISK, SECOND_LAYER, STUDENT_TEACHER},
};
use twolayer_lab::{
    phases::{PhaseRecord, phases},
    scaling::{TimesAt, in_lines, scalings},
};

use super::{Row, Shown};

/// The gallery's activation and target.
const SIGMA: [f64; 4] = [0.7, 0.8, 0.6, 0.5];
const PHI: [f64; 4] = [0.5, 0.9, 0.7, 0.6];

fn row(name: &'static str, asserted: &'static str, required: impl Into<String>, got: String, met: bool) -> Row {
    Row { name, asserted, required: required.into(), got, met, reason: "" }
}

fn half_times(run: &Trajectory) -> &[f64] {
    run.of(&HALF_TIME)
}

/// `e_k = φ_k − σ_k ⟨a s^k⟩` at entry t, of neurons that count `weights`.
fn residual(run: &Trajectory, t: usize, k: usize, (sigma, phi): (f64, f64), weights: &[f64]) -> f64 {
    let (a, s) = (run.row(&SECOND_LAYER, t), run.row(&STUDENT_TEACHER, t));
    let terms = a.iter().zip(s).zip(weights).map(|((a, s), weight)| weight * a * s.powi(k as i32));
    phi - sigma * terms.sum::<f64>()
}

fn numbers(values: &[f64]) -> String {
    values.iter().map(|value| format!("{value:.4}")).collect::<Vec<_>>().join(" ")
}

fn powers(values: &[f64]) -> String {
    values.iter().map(|value| format!("{value:.3e}")).collect::<Vec<_>>().join(" ")
}

fn within(got: &[f64], required: &[f64], relative: f64) -> bool {
    got.len() == required.len()
        && got.iter().zip(required).all(|(got, required)| (got / required - 1.0).abs() <= relative)
}

fn canonical_order() -> Vec<Row> {
    let name = "time-scales/canonical-order";
    let points = Shown::points(name);
    let required = [
        [0.01411, 0.2775, 0.3590, 0.4141],
        [1.4146e-4, 0.04875, 0.1182, 0.1476],
        [1.4146e-6, 6.586e-3, 0.04123, 0.04379],
    ];
    let got: Vec<&[f64]> = points.iter().map(|point| half_times(&point.runs("limit")[0])).collect();
    let met = got.iter().zip(&required).all(|(got, required)| within(got, required, 5e-3));
    let times = got.iter().map(|times| powers(times)).collect::<Vec<_>>().join("; ");
    let expected = points[2].outcomes[0].expected.clone();
    let found = PhaseRecord::of(points[2].runs("limit"), &expected);
    let levels: Vec<f64> =
        std::iter::once(found.transitions[0].from).chain(found.transitions.iter().map(|t| t.to.max(0.0))).collect();
    let own = phases(points[2].runs("limit"), &[]);
    let seen: Vec<f64> = own.plateaus.iter().map(|plateau| plateau.level).collect();
    vec![
        row(
            name,
            "half-times of degrees 0 … 3 at ε = 10⁻², 10⁻⁴, 10⁻⁶ (located as events)",
            required.iter().map(|times| powers(times)).collect::<Vec<_>>().join("; ") + ", ± 0.5 %",
            times,
            met,
        ),
        row(
            name,
            "plateaus: as theory lists them and the curve at ε = 10⁻⁶ passes them",
            "0.955 0.83 0.425 0.18 0",
            numbers(&levels),
            levels.len() == 5 && levels.iter().zip([0.955, 0.83, 0.425, 0.18, 0.0]).all(|(a, b)| (a - b).abs() < 1e-9),
        ),
        row(
            name,
            "plateaus that the finder sees in the curve at ε = 10⁻⁶ without knowing any",
            "0.83, 0.425 among them, ± 3 % (0.955 is where a decay begins at once: no plateau)",
            numbers(&seen),
            [0.83, 0.425].iter().all(|level| seen.iter().any(|seen| (seen / level - 1.0).abs() < 0.03)),
        ),
    ]
}

fn learning_times() -> Vec<Row> {
    let name = "time-scales/learning-times";
    // ε = 10⁻² … 10⁻⁶; 10⁻⁷ with 3000 neurons is the full run's.
    let settings = [(1e-4, 240), (1e-5, 480), (1e-6, 1200)];
    let runs: Vec<Shown> = settings
        .iter()
        .map(|(epsilon, width)| {
            let all =
                [format!("constants.epsilon={epsilon:e}"), format!("network.width={width}"), "record.points=20".into()];
            Shown::at(name, &all, &[])
        })
        .collect();
    let of = |view: &str| -> Vec<Vec<f64>> { runs.iter().map(|run| half_times(&run.runs(view)[0]).to_vec()).collect() };
    let (whole, cut) = (of("limit"), of("degree-one"));
    let first = |epsilon: f64| {
        let (kappa, root): (f64, f64) = (SIGMA[1] * PHI[1], epsilon.sqrt());
        root / (4.0 * kappa) * (1.0 / epsilon).ln() + root / (2.0 * kappa) * (4.0 * PHI[1] * 3.0 / SIGMA[1]).ln()
    };
    let below: Vec<f64> = settings.iter().zip(&whole).map(|((e, _), times)| 1.0 - times[1] / first(*e)).collect();
    let apart: Vec<f64> = settings.iter().zip(&cut).map(|((e, _), times)| (times[1] / first(*e) - 1.0).abs()).collect();
    let slopes: Vec<f64> = (0..4).map(|k| (whole[1][k] / whole[2][k]).log10()).collect();
    let percent = |values: &[f64]| values.iter().map(|x| format!("{:.2} %", 100.0 * x)).collect::<Vec<_>>().join(", ");
    let points: Vec<Vec<TimesAt>> = runs.iter().map(|run| TimesAt::of(&run.experiment, &run.outcomes)).collect();
    let told = in_lines(&scalings(&points)).remove(0);
    vec![
        row(
            name,
            "degree 0: local slope of the half-time",
            "1.00",
            format!("{:.3}", slopes[0]),
            (slopes[0] - 1.0).abs() < 5e-3,
        ),
        row(
            name,
            "degree 1: half-time under t_1 at ε = 10⁻⁴, 10⁻⁵, 10⁻⁶",
            "at most 3 %, 1 %, 0.3 %",
            percent(&below),
            below.iter().zip([0.03, 0.01, 0.003]).all(|(below, most)| *below <= most && *below > -1e-3),
        ),
        row(
            name,
            "degree 1 of a target cut at degree 1: distance to t_1",
            "within 0.3 % at all three",
            percent(&apart),
            apart.iter().all(|apart| *apart <= 3e-3),
        ),
        row(
            name,
            "degree 2: local slope at the small end",
            "¼ ± 0.03",
            format!("{:.3}", slopes[2]),
            (slopes[2] - 0.25).abs() <= 0.03,
        ),
        row(
            name,
            "degree 3: local slope against ⅙, said",
            "a number, and whether it is asymptotic",
            format!("{:.3}; told: {told}", slopes[3]),
            (slopes[3] - 1.0 / 6.0).abs() > 0.03 && told.ends_with("(not asymptotic yet: 3)"),
        ),
    ]
}

/// The largest distance of two risks at the same times.
fn gap(shown: &Shown, one: &str, other: &str) -> f64 {
    let (one, other) = (&shown.runs(one)[0], &shown.runs(other)[0]);
    one.of(&RISK).iter().zip(other.of(&RISK)).map(|(one, other)| (one - other).abs()).fold(0.0, f64::max)
}

fn finite_network() -> Vec<Row> {
    let name = "time-scales/finite-network";
    let widths = [8, 16, 32, 64, 128];
    let at = |width: &usize| {
        // The widest is not late enough to be worth its minutes.
        let only: &[&str] = if *width > 64 { &["finite", "many"] } else { &[] };
        Shown::at(name, &[format!("network.width={width}")], only)
    };
    let runs: Vec<Shown> = widths.iter().map(at).collect();
    // A second witness knows neither power series nor that there is one direction.
    let general =
        Shown::at(name, &["view.separated-finite.method=ode".into()], &["separated-finite", "separated-many"]);
    let witness = gap(&general, "separated-finite", "separated-many");
    let gaps: Vec<f64> = runs.iter().map(|run| gap(run, "finite", "many")).collect();
    let slope = (gaps[4] / gaps[1]).ln() / 8f64.ln();
    let late: Vec<f64> = runs[..4].iter().map(|run| gap(run, "separated-finite", "separated-many")).collect();
    vec![
        row(
            name,
            "ε = 1, t ≤ 3: slope of max|R_m − R_∞| against m = 16 … 128",
            "−1 ± 0.1",
            format!("{slope:.3} ({})", powers(&gaps)),
            (slope + 1.0).abs() <= 0.1,
        ),
        row(
            name,
            "ε = 10⁻²: max|R_m − R_∞| at m = 8, 16, 32, 64, and by the general ODE at m = 8",
            ".658 .485 .283 ± 2 % (SciPy; theory.md's .647 .419 .275 .149 are of a coarser set of times), and twice the same",
            format!("{}; {witness:.4}", numbers(&late)),
            within(&late[..3], &[0.6583, 0.4846, 0.2830], 0.02) && (witness / late[0] - 1.0).abs() < 1e-3,
        ),
    ]
}

/// Root mean square over runs and times of the distance of the risk to a limit's.
fn distance(shown: &Shown, view: &str, limit: &str) -> f64 {
    let limit = shown.runs(limit)[0].of(&RISK);
    let runs = shown.runs(view);
    let squares =
        runs.iter().flat_map(|run| run.of(&RISK).iter().zip(limit).skip(1).map(|(one, other)| (one - other).powi(2)));
    (squares.sum::<f64>() / (runs.len() * (limit.len() - 1)) as f64).sqrt()
}

fn sgd() -> Vec<Row> {
    let name = "time-scales/sgd";
    let at = |rate: f64, dimension: usize, only: &[&str]| {
        let settings = [
            format!("constants.rate={rate}"),
            format!("training.dimension={dimension}"),
            "view.reduced.replicates=16".into(),
            "view.direct.replicates=8".into(),
        ];
        Shown::at(name, &settings, only)
    };
    let (coarse, fine) = (at(0.04, 100, &[]), at(0.0025, 100, &[]));
    let slopes = |limit: &str| {
        ["reduced", "direct"]
            .map(|view| (distance(&coarse, view, limit) / distance(&fine, view, limit)).ln() / 16f64.ln())
    };
    let (to_flow, to_ode) = (slopes("flow"), slopes("ode"));
    let bias = (distance(&coarse, "ode", "flow") / distance(&fine, "ode", "flow")).ln() / 16f64.ln();
    let ends = |limit: &str| {
        format!("{:.2e} → {:.2e}", distance(&coarse, "reduced", limit), distance(&fine, "reduced", limit))
    };
    let reduced = ["flow", "reduced"];
    let of = |dimension: usize| distance(&at(0.02, dimension, &reduced), "reduced", "flow");
    let ratio = of(1000) / of(100);
    vec![
        Row {
            reason: "√(ηd) is paper C's bound, and not tight for the risk: what the flow lacks is the term of dQ/dt that is \
                     linear in ηd, and beside that bias there are fluctuations ∝ √η: their sum has a slope between (the \
                     next rows)",
            ..row(
                name,
                "rms distance of the risk to the flow against ηd, over a factor 16, d = 100: reduced, direct",
                "slope 0.5 ± 0.1",
                format!("{:.3}, {:.3} (reduced: {})", to_flow[0], to_flow[1], ends("flow")),
                to_flow.iter().all(|slope| (slope - 0.5).abs() <= 0.1),
            )
        },
        row(
            name,
            "the bias alone: from the flow to the ODE that has the term",
            "slope 1 ± 0.1",
            format!("{bias:.3}"),
            (bias - 1.0).abs() <= 0.1,
        ),
        row(
            name,
            "the same to the ODE that has the term: fluctuations, reduced, direct",
            "slope 0.5 ± 0.2",
            format!("{:.3}, {:.3} (reduced: {})", to_ode[0], to_ode[1], ends("ode")),
            to_ode.iter().all(|slope| (slope - 0.5).abs() <= 0.2),
        ),
        row(
            name,
            "the distance to the flow at d = 1000 over that at d = 100, at equal ηd",
            "1 ± 0.35",
            format!("{ratio:.3}"),
            (ratio - 1.0).abs() <= 0.35,
        ),
    ]
}

/// The text of a warning of view number `view`; empty without it.
fn warning(shown: &Shown, view: usize, id: &str) -> String {
    let found = shown.outcomes[view].warnings.iter().find(|warning| warning.id == id);
    found.map_or(String::new(), |warning| warning.text.clone())
}

fn ids(shown: &Shown, view: usize) -> String {
    shown.outcomes[view].warnings.iter().map(|warning| warning.id.as_str()).collect::<Vec<_>>().join(", ")
}

fn last(run: &Trajectory) -> f64 {
    run.of(&RISK)[run.len() - 1]
}

fn broken() -> Vec<Row> {
    let zero = Shown::new("time-scales/broken-zero");
    let first = Shown::new("time-scales/broken-first");
    let separation = Shown::new("time-scales/broken-separation");
    let risks = [last(&zero.runs("limit")[0]), last(&first.runs("limit")[0])];
    let plateaus = |view: &str| phases(separation.runs(view), &[]).plateaus.len();
    vec![
        row(
            "time-scales/broken-zero",
            "ReLU has no degree 3: named, and the risk stops at ½φ_3² (t = 50)",
            "sigma_3 = 0; 0.18 ± 1 %",
            format!("{}; {:.4}", ids(&zero, 0), risks[0]),
            ids(&zero, 0).contains("sigma_3 = 0") && (risks[0] / 0.18 - 1.0).abs() < 0.01,
        ),
        row(
            "time-scales/broken-first",
            "φ_1 = 0 at d = ∞: named, and the risk stops at ½(φ_2² + φ_3²)",
            "phi_1 = 0; 0.425",
            format!("{}; {:.6}", ids(&first, 0), risks[1]),
            ids(&first, 0).contains("phi_1 = 0") && (risks[1] - 0.425).abs() < 1e-6,
        ),
        row(
            "time-scales/broken-separation",
            "ε = 1: named, and fewer plateaus than at ε = 10⁻⁴",
            "no separation of time scales",
            format!("{}; {} plateaus against {}", ids(&separation, 0), plateaus("limit"), plateaus("separated")),
            ids(&separation, 0).contains("no separation") && plateaus("limit") < plateaus("separated"),
        ),
    ]
}

fn broken_gap() -> Vec<Row> {
    let name = "time-scales/broken-gap";
    let points = Shown::points(name);
    let of = |view: &str| -> Vec<f64> { points.iter().map(|point| half_times(&point.runs(view)[0])[3]).collect() };
    let (late, plain) = (of("limit"), of("without-gap"));
    let ends: Vec<f64> = points.iter().map(|point| last(&point.runs("limit")[0])).collect();
    // e_2 of a target without degree 2: what the network has of it.
    let spurious = |point: &Shown| -> [f64; 2] {
        let run = &point.runs("limit")[0];
        let weights = Quadrature::clustered(run.width).weights;
        let all: Vec<f64> = (0..run.len()).map(|t| residual(run, t, 2, (SIGMA[2], 0.0), &weights).abs()).collect();
        [all.iter().copied().fold(0.0, f64::max), all[all.len() - 1]]
    };
    let spurious: Vec<[f64; 2]> = points.iter().map(spurious).collect();
    let highest: Vec<f64> = spurious.iter().map(|[highest, _]| *highest).collect();
    let left: Vec<f64> = spurious.iter().map(|[_, left]| *left).collect();
    let said: Vec<String> = points.iter().map(|point| warning(point, 0, "phi_2 = 0")).collect();
    vec![
        row(
            name,
            "named, with the delay",
            "phi_2 = 0: at t = 1.01, 0.659, 0.459",
            said[2].clone(),
            said.iter().zip(["at t = 1.0", "at t = 0.65", "at t = 0.45"]).all(|(said, time)| said.contains(time)),
        ),
        row(
            name,
            "e_2 rises from 0 and returns",
            ".24 .11 .042 ± 5 %; below 0.02 at t = 20",
            format!("{}; {}", numbers(&highest), powers(&left)),
            within(&highest, &[0.24, 0.11, 0.042], 0.05) && left.iter().all(|left| *left < 0.02),
        ),
        row(
            name,
            "half-times of degree 3 with φ_2 = 0, ε = 10⁻², 10⁻³, 10⁻⁴; with φ_2",
            "1.01 .659 .459; .414 .257 .148, ± 1 %",
            format!("{}; {}", numbers(&late), numbers(&plain)),
            within(&late, &[1.01, 0.659, 0.459], 0.01) && within(&plain, &[0.414, 0.257, 0.148], 0.01),
        ),
        row(name, "R → 0", "below 2·10⁻³ at t = 20", powers(&ends), ends.iter().all(|risk| *risk < 2e-3)),
    ]
}

fn initial_law() -> Vec<Row> {
    let name = "time-scales/initial-law";
    let shown = Shown::new(name);
    let views = ["both-signs", "one-sign", "all-one", "all-zero"];
    let required = [[0.278, 0.359, 0.414], [0.349, 0.423, 0.479], [0.632, 0.963, 1.255], [0.659, 0.989, 1.283]];
    let got: Vec<&[f64]> = views.iter().map(|view| &half_times(&shown.runs(view)[0])[1..]).collect();
    let ends = [2, 3].map(|view| last(&shown.runs(views[view])[0]));
    let run = &shown.runs("all-zero")[0];
    let residuals: Vec<f64> = (0..4)
        .map(|k| residual(run, run.len() - 1, k, (SIGMA[k], PHI[k]), &vec![1.0 / run.width as f64; run.width]))
        .collect();
    vec![
        row(
            name,
            "half-times of degrees 1, 2, 3 from a(0) on [−1, 1], [0, 1], all 1, all 0",
            required.iter().map(|times| numbers(times)).collect::<Vec<_>>().join("; ") + ", ± 0.5 %",
            got.iter().map(|times| numbers(times)).collect::<Vec<_>>().join("; "),
            got.iter().zip(&required).all(|(got, required)| within(got, required, 5e-3)),
        ),
        row(
            name,
            "Var a(0) = 0: named, and R stops at that of the best single neuron",
            "all neurons alike; .03428, e = (−.220 .077 .083 .086)",
            format!("{}; {}; e = ({})", ids(&shown, 3), numbers(&ends), numbers(&residuals)),
            ids(&shown, 2).contains("all neurons alike")
                && ends.iter().all(|risk| (risk - 0.03428).abs() < 2e-5)
                && residuals.iter().zip([-0.220, 0.077, 0.083, 0.086]).all(|(e, required)| (e - required).abs() < 1e-3),
        ),
    ]
}

fn single_degree() -> Vec<Row> {
    let name = "time-scales/single-degree";
    let shown = Shown::with(name, &["view.degree-1.tolerance=1e-3", "view.degree-2.tolerance=1e-3"], &[]);
    let drift = |view: &str, degree: f64| {
        let run = &shown.runs(view)[0];
        let p = run.width;
        let of = |t: usize, j: usize| {
            let (a, s) = (run.of(&SECOND_LAYER)[t * p + j], run.of(&STUDENT_TEACHER)[t * p + j]);
            1e-2 * degree * a * a + (1.0 - s * s).ln()
        };
        let all = (0..run.len()).flat_map(|t| (0..p).map(move |j| (t, j)));
        all.map(|(t, j)| (of(t, j) - of(0, j)).abs()).fold(0.0, f64::max)
    };
    let drifts = [drift("degree-1", 1.0), drift("degree-2", 2.0)];
    let ends = ["degree-1", "degree-2"].map(|view| last(&shown.runs(view)[0]));
    vec![row(
        name,
        "drift of εℓa² + ln(1 − s²), ℓ = 1 and 2, at rtol 10⁻⁷; the risk at the end",
        "10⁻⁶ and 10⁻⁴ at most; below 10⁻⁶",
        format!("{}; {}", powers(&drifts), powers(&ends)),
        drifts[0] <= 1e-6 && drifts[1] <= 1e-4 && ends.iter().all(|risk| *risk < 1e-6),
    )]
}

fn finite_d_start() -> Vec<Row> {
    let name = "time-scales/finite-d-start";
    let points = Shown::points(name);
    let gaps: Vec<f64> = points.iter().map(|point| gap(point, "finite", "infinite")).collect();
    let slope = (gaps[4] / gaps[0]).log10() / 4.0;
    let waits: Vec<f64> = points.iter().map(|point| half_times(&point.runs("no-linear-part")[0])[2]).collect();
    let steps: Vec<f64> = waits.windows(2).map(|pair| pair[1] - pair[0]).collect();
    vec![
        row(
            name,
            "max|R_d − R_∞| from starts at d = 10² … 10⁶",
            "falls at every step",
            format!("{} (slope {slope:.2})", powers(&gaps)),
            gaps.is_sorted_by(|one, next| one > next),
        ),
        row(
            name,
            "φ_1 = 0: half-time of degree 2 per decade of d",
            "∝ log d: equal steps ± 20 % from d = 10³ on",
            format!("{} (steps {})", numbers(&waits), numbers(&steps)),
            steps[1..].iter().all(|step| (step / steps[3] - 1.0).abs() < 0.2),
        ),
    ]
}

pub fn rows() -> Vec<Row> {
    let mut rows = canonical_order();
    rows.extend(learning_times());
    rows.extend(finite_network());
    rows.extend(sgd());
    rows.extend(broken());
    rows.extend(broken_gap());
    rows.extend(initial_law());
    rows.extend(single_degree());
    rows.extend(finite_d_start());
    rows
}

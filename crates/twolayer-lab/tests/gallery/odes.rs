//! The rows of `gallery/odes/` that go from classical to mean-field: paper D and its neighbours.

use twolayer::{
    problem::Phase,
    record::{
        Trajectory,
        observable::{CROSSING_STEP, RISK, STUDENT_SQUARES, STUDENT_TEACHER, TIME},
    },
};

use super::{
    Row, Shown, distance, off_curve,
    overlaps::{mean_and_error, measured, numbers},
    slope,
};

/// R at time t, between the moments recorded.
fn risk_at(run: &Trajectory, t: f64) -> f64 {
    let after = run.of(&TIME).iter().position(|time| *time >= t).expect("a time that was recorded");
    if after == 0 || run.of(&TIME)[after] == t {
        return run.of(&RISK)[after];
    }
    let (t0, t1) = (run.of(&TIME)[after - 1], run.of(&TIME)[after]);
    let share = (t - t0) / (t1 - t0);
    run.of(&RISK)[after - 1] * (1.0 - share) + run.of(&RISK)[after] * share
}

fn row(name: &'static str, asserted: &'static str, required: String, got: String, met: bool) -> Row {
    Row { name, asserted, required, got, met, reason: "" }
}

/// R at some times, within a share of each number.
fn risks(name: &'static str, asserted: &'static str, run: &Trajectory, at: &[(f64, f64)], within: f64) -> Row {
    let got: Vec<f64> = at.iter().map(|(t, _)| risk_at(run, *t)).collect();
    let text = |values: &[f64]| values.iter().map(|x| format!("{x:.3e}")).collect::<Vec<_>>().join(" ");
    let required: Vec<f64> = at.iter().map(|(_, risk)| *risk).collect();
    let met = got.iter().zip(&required).all(|(got, required)| (got / required - 1.0).abs() <= within);
    row(name, asserted, format!("{} ± {:.0} %", text(&required), 100.0 * within), text(&got), met)
}

fn mean_field_low_d() -> Vec<Row> {
    let name = "odes/mean-field-low-d";
    let points = Shown::points(name);
    let widest = points.last().expect("a sweep has points");
    let limit = &widest.runs("limit")[0];
    let late = slope(limit, 20.0, 100.0);
    let off: Vec<f64> =
        points.iter().map(|point| off_curve(point.runs("direct"), &point.runs("limit")[0], 0.1)).collect();
    vec![
        row(
            name,
            "R at late times, p = 2000: local slope, 20 ≤ t ≤ 100",
            "−2 ± 0.1".into(),
            format!("{late:.3}"),
            (late + 2.0).abs() <= 0.1,
        ),
        row(
            name,
            "p = 2000 on the simulation, 0.1 ≤ t ≤ 10, and the fewer the neurons the farther (p = 100, 500, 2000)",
            "mean R within 10 %; falls".into(),
            off.iter().map(|off| format!("{:.1} %", 100.0 * off)).collect::<Vec<_>>().join(", "),
            off[2] <= 0.1 && off[2] < off[0],
        ),
    ]
}

fn mean_field_high_d() -> Vec<Row> {
    let name = "odes/mean-field-high-d";
    let shown = Shown::with(name, &[], &["limit"]);
    let limit = &shown.runs("limit")[0];
    let small = Shown::with(name, &["training.dimension=100", "network.width=300"], &[]);
    let off = off_curve(small.runs("direct"), &small.runs("limit")[0], 0.03);
    vec![
        risks(name, "plateau at t = 0.3, and R at t = 100", limit, &[(0.3, 0.2), (100.0, 1.6e-5)], 0.1),
        row(
            name,
            "the simulation's R at d = 100, p = 300, 0.03 ≤ t ≤ 3",
            "within 25 %".into(),
            format!("{:.1} %", 100.0 * off),
            off <= 0.25,
        ),
    ]
}

fn mean_field_histogram() -> Vec<Row> {
    let name = "odes/mean-field-histogram";
    let shown = Shown::new(name);
    let limit = &shown.runs("limit")[0];
    let cosines = |t: f64| -> Vec<f64> {
        let at = limit.of(&TIME).iter().position(|time| *time >= t).expect("a time that was recorded");
        let p = limit.width;
        (0..p).map(|j| limit.of(&STUDENT_TEACHER)[at * p + j] / limit.of(&STUDENT_SQUARES)[at * p + j].sqrt()).collect()
    };
    let outside =
        |cosines: &[f64], bound: f64| cosines.iter().filter(|c| c.abs() > bound).count() as f64 / cosines.len() as f64;
    let (start, middle, end) = (cosines(0.0), cosines(1.0), cosines(100.0));
    let shares = [outside(&start, 0.5), outside(&middle, 0.9), outside(&end, 0.99)];
    vec![
        risks(name, "R at t = 0.66 and 66", limit, &[(0.66, 0.032), (66.0, 4.6e-6)], 0.1),
        row(
            name,
            "neurons with |cosine| > 0.5 at the start (½ of a uniform law), > 0.9 at t = 1 (U-shaped), > 0.99 at the end",
            "0.5 ± 0.03; > 0.2; > 0.9".into(),
            numbers(&shares),
            (shares[0] - 0.5).abs() < 0.03 && shares[1] > 0.2 && shares[2] > 0.9,
        ),
    ]
}

fn mean_field_erf() -> Vec<Row> {
    let name = "odes/mean-field-erf";
    let points = Shown::points(name);
    let widest = points.last().expect("a sweep has points");
    let limit = &widest.runs("mean-field")[0];
    let published = [(0.0, 0.0817), (1.1, 0.0425), (9.4, 0.00304), (19.0, 0.00193), (39.0, 0.00129), (79.0, 0.00054)];
    let without = &widest.runs("without-orientations")[0];
    let off: Vec<f64> =
        points.iter().map(|point| off_curve(point.runs("direct"), &point.runs("mean-field")[0], 0.1)).collect();
    vec![
        risks(
            name,
            "R at t = 0, 1.1, 9.4, 19, 39, 79, p = 1000 (mean field; the numbers are direct runs of another start)",
            limit,
            &published,
            0.15,
        ),
        row(
            name,
            "the simulation on the mean field, 0.1 ≤ t ≤ 20, p = 100, 300, 1000",
            "within 10 % at p = 1000; falls".into(),
            off.iter().map(|off| format!("{:.1} %", 100.0 * off)).collect::<Vec<_>>().join(", "),
            off[2] <= 0.1 && off[2] < off[0],
        ),
        row(
            name,
            "what orientations add to R(0), p = 1000",
            "> 0".into(),
            format!("{:.4}", limit.of(&RISK)[0] - without.of(&RISK)[0]),
            limit.of(&RISK)[0] > without.of(&RISK)[0],
        ),
    ]
}

fn mean_field_diagonal() -> Vec<Row> {
    let name = "odes/mean-field-diagonal";
    let shown = Shown::new(name);
    let start = |shown: &Shown, view: &str| mean_and_error(shown.runs(view), |run| run.of(&RISK)[0]).0;
    let with = start(&shown, "mean-field");
    let without = start(&shown, "without-orientations");
    let direct = start(&shown, "direct");
    // τ²/(d − k), τ the mean of q.
    let factor = |dimension: &str| {
        let settings = [format!("training.dimension={dimension}"), format!("network.start_dimension={dimension}")];
        let settings: Vec<&str> = settings.iter().map(String::as_str).collect();
        let shown = Shown::with(name, &settings, &["mean-field", "without-orientations"]);
        let run = &shown.runs("mean-field")[0];
        let (p, k) = (run.width, run.directions);
        let norm = |j: usize| (0..k).map(|r| run.of(&STUDENT_TEACHER)[j * k + r].powi(2)).sum::<f64>();
        let tau = (0..p).map(|j| run.of(&STUDENT_SQUARES)[j] - norm(j)).sum::<f64>() / p as f64;
        (run.of(&RISK)[0] - shown.runs("without-orientations")[0].of(&RISK)[0]) / (tau * tau)
    };
    let factors = [factor("5"), factor("8")];
    vec![
        row(
            name,
            "R(0) with the average, without it, and of direct runs, p = 2000",
            "0.30, 0.18, 0.30, ± 0.015".into(),
            format!("{with:.3}, {without:.3}, {direct:.3}"),
            (with - 0.30).abs() < 0.015 && (without - 0.18).abs() < 0.015 && (direct - 0.30).abs() < 0.015,
        ),
        row(
            name,
            "the correction over the square of the mean q, d = 5 and 8",
            "1/(d − k): 0.3333, 0.1667, to 10⁻⁹".into(),
            numbers(&factors),
            (factors[0] - 1.0 / 3.0).abs() < 1e-9 && (factors[1] - 1.0 / 6.0).abs() < 1e-9,
        ),
    ]
}

fn mean_field_fixed_point() -> Vec<Row> {
    let name = "odes/mean-field-fixed-point";
    let shown = Shown::new(name);
    let (flow, averaged) = (&shown.runs("limit")[0], &shown.runs("mean-field")[0]);
    let (p, k) = (flow.width, flow.directions);
    let outside = |run: &Trajectory, t: usize, j: usize| {
        let at = t * p + j;
        run.of(&STUDENT_SQUARES)[at] - (0..k).map(|r| run.of(&STUDENT_TEACHER)[at * k + r].powi(2)).sum::<f64>()
    };
    let most = |run: &Trajectory| {
        (0..run.len())
            .flat_map(|t| (0..p).map(move |j| (t, j)))
            .map(|(t, j)| outside(run, t, j).abs())
            .fold(0.0, f64::max)
    };
    let apart = flow.of(&RISK).iter().zip(averaged.of(&RISK)).map(|(a, b)| (a / b - 1.0).abs()).fold(0.0, f64::max);
    let direct = most(&shown.runs("direct")[0]);
    vec![
        row(
            name,
            "largest |Q⊥_jj| of the flow; of SGD",
            "≤ 10⁻⁹; 10⁻⁶ to 10⁻²".into(),
            format!("{:.1e}; {direct:.1e}", most(flow)),
            most(flow) <= 1e-9 && (1e-6..1e-2).contains(&direct),
        ),
        row(
            name,
            "M alone suffices: R of the mean field beside the flow's",
            "equal to 10⁻⁴".into(),
            format!("{apart:.1e}"),
            apart <= 1e-4,
        ),
        risks(
            name,
            "R at t = 0, 0.9, 9.4 (the numbers are those of another start)",
            flow,
            &[(0.0, 0.0945), (0.9, 0.0449), (9.4, 0.00178)],
            0.3,
        ),
    ]
}

fn mean_field_width() -> Vec<Row> {
    let name = "odes/mean-field-width";
    let mut sums = [0.0_f64; 5];
    for seed in 0..3 {
        let seed = format!("network.start_seed={seed}");
        for (width, sum) in [20, 40, 80, 160, 320].into_iter().zip(&mut sums) {
            let width = format!("network.width={width}");
            let shown = Shown::with(name, &[&seed, &width], &[]);
            let (flow, averaged) = (&shown.runs("limit")[0], &shown.runs("mean-field")[0]);
            let pairs = flow.of(&RISK).iter().zip(averaged.of(&RISK));
            *sum += pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max) / 3.0;
        }
    }
    let exponent = (sums[4] / sums[0]).ln() / 16f64.ln();
    vec![row(
        name,
        "largest |R − R_mf| over t ≤ 50 against p = 20 … 320, mean of three starts",
        "slope −1 ± 0.25".into(),
        format!("{exponent:.2} ({})", sums.iter().map(|x| format!("{x:.1e}")).collect::<Vec<_>>().join(", ")),
        (exponent + 1.0).abs() <= 0.25,
    )]
}

fn soft_committee() -> Vec<Row> {
    let name = "odes/soft-committee";
    let shown = Shown::new(name);
    let settings =
        ["network.second_layer={ init = \"ones\" }", "training.learning_rate=\"0.01/d\"", "training.time=3e4"];
    let floor = Shown::with(name, &settings, &["limit"]);
    let limit = &floor.runs("limit")[0];
    let (p, k) = (4.0, 2.0);
    let expected = 0.01 * 0.01 / std::f64::consts::TAU * ((p - k) + k / 3f64.sqrt());
    let got = limit.of(&RISK)[limit.len() - 1];
    vec![
        shown.agreement(name),
        row(
            name,
            "first layer only, a = 1, ηd = 0.01: floor of R over (ηd)Δ/(2π)·((p−k) + k/√3)",
            "1 ± 2 %".into(),
            format!("{:.4}", got / expected),
            (got / expected - 1.0).abs() <= 0.02,
        ),
    ]
}

fn phase_diagram() -> Vec<Row> {
    let name = "odes/phase-diagram";
    let points = Shown::points(name);
    let phases: Vec<&str> =
        points.iter().map(|point| point.experiment.views[0].problem.phase().map_or("none", Phase::name)).collect();
    // δ = ½, 0, −¼, each at d = 1000 and 4000.
    let last: Vec<(f64, f64)> =
        points.iter().map(|point| mean_and_error(point.runs("reduced"), |run| run.of(&RISK)[run.len() - 1])).collect();
    let change = |i: usize| (last[i + 1].0 / last[i].0).ln() / 4f64.ln();
    let changes = [change(0), change(2), change(4)];
    vec![
        row(
            name,
            "regimes at δ = ½, 0, −¼ (κ = 0)",
            "perfect learning, plateau, bad learning".into(),
            [phases[0], phases[2], phases[4]].join(", "),
            phases == ["perfect learning", "perfect learning", "plateau", "plateau", "bad learning", "bad learning"],
        ),
        row(
            name,
            "exponent of R(t = 100) in d, from d = 1000 to 4000: falls, stays, rises",
            "< −0.1; within ± 0.1; > 0.1".into(),
            numbers(&changes),
            changes[0] < -0.1 && changes[1].abs() < 0.1 && changes[2] > 0.1,
        ),
    ]
}

/// `E_{μ0~χ²₁} ln[Td/(κμ0) + 1 − T]/(2A)`, Δ = 0. (theory.md §9)
fn exit_time(gamma: f64, d: f64, lost: f64, corrected: bool) -> f64 {
    let a = 4.0 * (1.0 - 6.0 * gamma);
    let kappa = if corrected { 1.0 + 48.0 * gamma / (2.0 * a) } else { 1.0 };
    let steps = 200_000;
    let width = 10.0 / f64::from(steps);
    let mean: f64 = (0..steps)
        .map(|i| {
            let x = width * (f64::from(i) + 0.5);
            let density = 2.0 * (-0.5 * x * x).exp() / std::f64::consts::TAU.sqrt();
            width * density * (lost * d / (kappa * x * x) + 1.0 - lost).ln()
        })
        .sum();
    mean / (2.0 * a)
}

fn mediocrity() -> Vec<Row> {
    let name = "odes/mediocrity";
    ["1000", "10000"]
        .into_iter()
        .map(|dimension| {
            let setting = format!("training.dimension={dimension}");
            let shown = Shown::with(name, &[&setting], &[]);
            let d: f64 = dimension.parse().expect("a number");
            let rate = shown.experiment.views[0].problem.learning_rate();
            let (mean, error) = mean_and_error(shown.runs("reduced"), |run| rate * run.of(&CROSSING_STEP)[0]);
            let (corrected, published) = (exit_time(0.1, d, 0.1, true), exit_time(0.1, d, 0.1, false));
            row(
                name,
                if dimension == "1000" { "mean exit time, d = 1000" } else { "mean exit time, d = 10⁴" },
                format!("κ-corrected {corrected:.3} ± 3 % ± 3 standard errors (published {published:.3})"),
                measured((mean, error)),
                (mean - corrected).abs() <= 0.03 * corrected + 3.0 * error,
            )
        })
        .collect()
}

pub fn rate_bound() -> Vec<Row> {
    let name = "odes/rate-bound";
    let points = Shown::points(name);
    let factors: Vec<f64> = points
        .iter()
        .map(|point| {
            let problem = &point.experiment.views[0].problem;
            let (d, p) = (problem.sizes().d, problem.width() as f64);
            let gamma = problem.learning_rate() * d;
            distance(point.runs("reduced"), &point.runs("limit")[0], 5.0) / (gamma / (p * d)).sqrt()
        })
        .collect();
    // Of 96 runs: 2.5 % is one standard error of a factor.
    vec![row(
        name,
        "rms|M − ODE| over √(γ/(pd)): γ = 1, ¼, 1/16 at d = 200; γ = ¼ at d = 800, 3200",
        "0.24 ± 7.5 %, which is 3 standard errors".into(),
        numbers(&factors),
        factors.len() == 5 && factors.iter().all(|factor| (factor / 0.24 - 1.0).abs() <= 0.075),
    )]
}

/// Every row of this file.
pub fn rows() -> Vec<Row> {
    let experiments: [fn() -> Vec<Row>; 10] = [
        mean_field_low_d,
        mean_field_high_d,
        mean_field_histogram,
        mean_field_erf,
        mean_field_diagonal,
        mean_field_fixed_point,
        mean_field_width,
        soft_committee,
        phase_diagram,
        mediocrity,
    ];
    experiments.into_iter().flat_map(|rows| rows()).collect()
}

//! Starts that a limit does not leave: fixed points, and saddles that exchangeable neurons do not see.

use faer::{Mat, Scale};

use super::{
    super::{
        Plan, Warning,
        contract::{Job, start_in_overlaps},
        limit::is_fixed,
    },
    short,
};
use crate::{
    average::{self, State, Want},
    error::Result,
    observer::Observer,
    overlaps::symmetric_root,
    problem::{BiasInit, Engine, FirstLayer, Formula, Grid, Init, KeepQ, Placement, Problem, Record, StartMode, View},
    random::{Purpose, Streams, normal},
    record::{
        Status, Trajectory,
        observable::{STEP, STUDENT_SQUARES, STUDENT_TEACHER, STUDENT_TEACHER_ERROR, TIME},
    },
};

/// The id of the warning.
pub const FIXED_POINT: &str = "fixed point";

/// Methods whose state is M, and what else moves with it.
const OF_OVERLAPS: [&str; 4] = ["ode", "giant-step", "dmft", "mean-field"];

/// Seconds that a plan may take for one drift.
const SOON: f64 = 0.05;

/// Widest network whose neurons are compared.
const WIDEST: usize = 256;

/// Differences of overlaps that are rounding, or the tolerance of an integration.
const SAME: f64 = 1e-9;
const STILL: f64 = 1e-7;

/// A perturbed limit has left where a cosine is so far from that of the limit, and so many times as far as at its start.
const LEFT: f64 = 0.1;
const MULTIPLE: f64 = 3.0;

/// d of the perturbation where there is none.
const LARGE: f64 = 1e6;

/// Why a limit stays.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Why {
    /// M does not move.
    Still,
    /// These neurons (from 0) are equal and stay so.
    Equal(usize, usize),
}

/// Before a run: what the start tells. Nothing is said of starts that are drawn.
pub(super) fn expected(problem: &Problem, view: &View, plan: &Plan) -> Option<Warning> {
    let drawn = matches!(problem.network.first_layer.placement, Placement::Gaussian | Placement::Sphere);
    let spreads = problem.dimension().is_some() && problem.network.start == StartMode::Shared;
    if !concerns(view, plan) || (drawn && spreads) || problem.width() > WIDEST {
        return None;
    }
    let state = start_in_overlaps(problem, view, 0).ok()?;
    let quick = ["ode", "giant-step"].contains(&plan.id()) && average::seconds(problem, Want::DRIFT) < SOON;
    let still = || {
        let kernel = average::for_problem(problem, view.tolerance).ok()?;
        is_fixed(problem, &state, kernel.as_ref()).ok()
    };
    let why = if quick && still() == Some(true) { Why::Still } else { equal(&state)? };
    let place = match why {
        Why::Still => format!("{} is a fixed point", in_words(&state)),
        Why::Equal(i, j) => format!("neurons {} and {} start equal and nothing tells them apart", i + 1, j + 1),
    };
    let text = format!(
        "the limit does not move: {place}; where it is unstable, finite runs leave by fluctuations of order 1/√d"
    );
    Some(Warning { id: FIXED_POINT.into(), text })
}

/// After a run: where M never moved, or equal neurons stayed equal, and a start that is off by 1/√d leaves.
pub(super) fn seen(
    problem: &Problem,
    view: &View,
    plan: &Plan,
    runs: &[Trajectory],
    observer: &dyn Observer,
) -> Option<Warning> {
    let run = runs.first().filter(|run| run.valid > 1 && concerns(view, plan))?;
    let state = start_in_overlaps(problem, view, 0).ok()?;
    let why = if stays_still(run) { Why::Still } else { equal(&state).filter(|why| stay_equal(run, *why))? };
    let when = match departure(problem, view, plan, run, observer) {
        // Nothing leaves: simulations stay there as well.
        Ok(Departure::None) => return None,
        Ok(Departure::At(time)) => match problem.dimension() {
            Some(d) => format!(" at t ≈ {} for d = {d}", short(time)),
            None => String::new(),
        },
        Ok(Departure::Unknown) | Err(_) => String::new(),
    };
    let place = match why {
        Why::Still => format!("it starts on a fixed point, {}", in_words(&state)),
        Why::Equal(i, j) => format!(
            "it stays at the symmetric point (cosine {:.2}), because neurons {} and {} are equal and nothing tells them apart",
            largest_cosine(problem, run, run.valid - 1),
            i + 1,
            j + 1
        ),
    };
    let text = format!("the limit does not move: {place}; finite runs leave by fluctuations of order 1/√d{when}");
    Some(Warning { id: FIXED_POINT.into(), text })
}

fn concerns(view: &View, plan: &Plan) -> bool {
    view.engine == Engine::Limit && OF_OVERLAPS.contains(&plan.id())
}

/// `M = 0`, or `M`.
fn in_words(state: &State) -> &'static str {
    if state.overlaps.student_teacher.norm_max() == 0.0 { "M = 0" } else { "the M of the start" }
}

/// Two neurons that no limit tells apart, and that are not the same vector, which nothing tells apart.
fn equal(state: &State) -> Option<Why> {
    let (m, q) = (&state.overlaps.student_teacher, &state.overlaps.student_student);
    let p = q.nrows();
    if p > WIDEST {
        return None;
    }
    let close = |x: f64, y: f64| (x - y).abs() <= SAME * (1.0 + x.abs());
    let pair = |i: usize, j: usize| {
        close(q[(i, i)], q[(j, j)])
            && close(state.second_layer[i], state.second_layer[j])
            && close(state.bias[i], state.bias[j])
            && (0..m.ncols()).all(|r| close(m[(i, r)], m[(j, r)]))
            && q[(i, i)] + q[(j, j)] - 2.0 * q[(i, j)] > SAME * q[(i, i)]
            && (0..p).filter(|l| ![i, j].contains(l)).all(|l| close(q[(i, l)], q[(j, l)]))
    };
    (0..p).find_map(|i| (i + 1..p).find(|&j| pair(i, j)).map(|j| Why::Equal(i, j)))
}

/// What an entry of M may be off by.
fn slack(run: &Trajectory, at: usize) -> f64 {
    let error = run.of(&STUDENT_TEACHER_ERROR).get(at).copied().filter(|error| error.is_finite());
    STILL + error.unwrap_or(0.0)
}

fn stays_still(run: &Trajectory) -> bool {
    let (m, size) = (run.of(&STUDENT_TEACHER), run.width * run.directions);
    (0..run.valid * size).all(|at| (m[at] - m[at % size]).abs() <= slack(run, at))
}

fn stay_equal(run: &Trajectory, why: Why) -> bool {
    let Why::Equal(i, j) = why else { return false };
    let (m, k) = (run.of(&STUDENT_TEACHER), run.directions);
    let at = |t: usize, neuron: usize, r: usize| (t * run.width + neuron) * k + r;
    (0..run.valid).all(|t| {
        (0..k).all(|r| (m[at(t, i, r)] - m[at(t, j, r)]).abs() <= slack(run, at(t, i, r)) + slack(run, at(t, j, r)))
    })
}

/// max_jr |M_jr|/√(Q_jj P_rr) at entry t.
fn largest_cosine(problem: &Problem, run: &Trajectory, t: usize) -> f64 {
    cosines(problem, run, t).into_iter().fold(0.0, |largest: f64, cosine| largest.max(cosine.abs()))
}

/// M_jr/√(Q_jj P_rr) at entry t, p×k; M itself where Q is not recorded.
fn cosines(problem: &Problem, run: &Trajectory, t: usize) -> Vec<f64> {
    let (p, k) = (run.width, run.directions);
    let square = |j: usize| run.of(&STUDENT_SQUARES).get(t * p + j).copied().unwrap_or(1.0);
    let scale = |j: usize, r: usize| (square(j) * problem.target.overlaps[(r, r)]).sqrt().max(f64::MIN_POSITIVE);
    let m = run.of(&STUDENT_TEACHER);
    (0..p * k).map(|at| m[t * p * k + at] / scale(at / k, at % k)).collect()
}

/// When a limit whose start is off by 1/√d leaves.
enum Departure {
    /// By the end it has not.
    None,
    /// At this time.
    At(f64),
    /// It was stopped before, or cannot be computed.
    Unknown,
}

fn departure(
    problem: &Problem,
    view: &View,
    plan: &Plan,
    run: &Trajectory,
    observer: &dyn Observer,
) -> Result<Departure> {
    let Some(off) = perturbed(problem, view)? else { return Ok(Departure::Unknown) };
    let grid = if problem.counts_steps() {
        Grid::Steps(run.of(&STEP).iter().map(|step| *step as u64).collect())
    } else {
        Grid::Times(run.of(&TIME).to_vec())
    };
    let record = Record { keep_q: Some(KeepQ::Diagonal), ..Record::default() };
    let job = Job { problem: &off, view, replicate: 0, grid: &grid, record: &record, threads: plan.threads };
    let other = plan.method.run(&job, observer)?.trajectory;
    let apart = |t: usize| {
        let (own, other) = (cosines(problem, run, t), cosines(problem, &other, t));
        own.iter().zip(other).map(|(own, other)| (own - other).abs()).fold(0.0, f64::max)
    };
    let most = LEFT.max(MULTIPLE * apart(0));
    match (0..run.valid.min(other.valid)).find(|&t| apart(t) > most) {
        Some(t) => Ok(Departure::At(run.of(&TIME)[t])),
        None if other.status == Status::Done => Ok(Departure::None),
        None => Ok(Departure::Unknown),
    }
}

/// The problem with a start whose rows are turned by 1/√d at random, at their length: rows that are the same stay so. `None`
/// where biases are drawn, which cannot be given.
fn perturbed(problem: &Problem, view: &View) -> Result<Option<Problem>> {
    if problem.network.bias.is_some_and(|bias| bias.init != BiasInit::Zero) {
        return Ok(None);
    }
    let job_start = match problem.network.start {
        StartMode::Shared => problem.start(Streams { seed: view.seed, replicate: 0 })?,
        StartMode::Independent => problem.mean_start()?,
    };
    let (mut c, mut l) = (job_start.teacher, job_start.complement);
    let mut stream = Streams { seed: 1, replicate: 0 }.stream(Purpose::Start);
    let size = problem.dimension().map_or(LARGE, |d| d as f64).sqrt().recip();
    let turn = Mat::from_fn(l.ncols(), c.ncols(), |_, _| size * normal(&mut stream));
    let added = &l * turn;
    for j in 0..c.nrows() {
        let square = |c: &Mat<f64>| c.row(j).squared_norm_l2() + l.row(j).squared_norm_l2();
        let old = square(&c);
        (0..c.ncols()).for_each(|r| c[(j, r)] += added[(j, r)]);
        let factor = if old > 0.0 { (old / square(&c)).sqrt() } else { 1.0 };
        (0..c.ncols()).for_each(|r| c[(j, r)] *= factor);
        (0..l.ncols()).for_each(|i| l[(j, i)] *= factor);
    }
    let student_teacher = &c * symmetric_root(problem.target.overlaps.as_ref())?;
    let student_student = &c * c.transpose() + &l * l.transpose();
    let symmetric = (&student_student + student_student.transpose()) * Scale(0.5);
    let off = problem.with(|parts| {
        let placement = Placement::Overlaps { student_teacher, student_student: symmetric };
        parts.network.first_layer = FirstLayer { placement, scale: Formula::number(1.0), symmetric: false };
        parts.network.second_layer.init = Init::Values(job_start.second_layer);
        parts.network.second_layer.scale = Formula::number(1.0);
        parts.network.start = StartMode::Shared;
    })?;
    Ok(Some(off))
}

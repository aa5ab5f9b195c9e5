//! One giant step on a batch of n_b ~ d^ℓ samples, ℓ ≥ 2: what a target whose first Hermite tensor has degree ℓ gives to a
//! network that starts at f ≡ 0. (theory.md §5.2)

use faer::Mat;

use super::{
    contract::{Cost, Entry, Fit, Job, Method, Question, Run},
    limit::{When, check_moves, check_start},
    memory,
};
use crate::{
    average::{self, Averages, Explained, Linear, State, Want},
    citation,
    error::{Error, Result},
    hierarchy::{self, hermite_series, unexplained},
    observer::Observer,
    probe::{Known, Population, Probe, Recorder, Verdict},
    problem::{Average, Duration, Engine, Geometry, Loss, Placement, Preprocess, Problem, Record, scaling::Regime},
    record::{
        Status, Trajectory,
        observable::{GRADIENT_NORM, GRADIENT_TEACHER, STUDENT_SQUARES_ERROR, STUDENT_TEACHER_ERROR},
    },
    signal::Head,
};

/// Sizes below this fraction of the label's count as zero.
const ZERO: f64 = 1e-9;

/// Its line in the registry.
pub const ENTRY: Entry = Entry {
    id: "leap-step",
    title: "leap step",
    engine: Engine::Limit,
    word: super::giant_step::ENTRY.word,
    citations: &[citation::DANDI_2023],
    accepts,
};

/// The one step of a view.
#[derive(Debug)]
struct LeapStep {
    /// ℓ.
    degree: u32,
    reason: String,
    advice: Option<String>,
}

/// One step on n_b ~ d^ℓ fresh samples, ℓ ≥ 2.
fn accepts(question: &Question<'_>) -> Fit {
    let Ok(reading) = question.scaling else { return Fit::Other };
    let Regime::LeapStep { degree } = reading.regime else { return Fit::Other };
    let chosen = || {
        check_start(question.problem)?;
        conditions(question.problem, degree)?;
        Ok(LeapStep { degree, reason: reading.reason.clone(), advice: reading.advice.clone() })
    };
    chosen().into()
}

impl Method for LeapStep {
    fn reason(&self) -> String {
        self.reason.clone()
    }

    fn advice(&self) -> Vec<String> {
        self.advice.iter().cloned().collect()
    }

    fn cost(&self, question: &Question<'_>, _: usize) -> Cost {
        let Question { problem, view, .. } = *question;
        let bytes = average::bytes(problem, view.tolerance, Want::ALL) + 1.5 * memory::of_risk(problem.width());
        Cost { seconds: 2.0 * average::seconds(problem, Want::ALL) + 0.1, bytes }
    }

    fn records(&self, observable: &str) -> Result<(), &'static str> {
        let why = "the theory of a leap step gives the weights after it, and no gradient";
        if matches!(observable, "gradient_M" | "gradient_norm") { Err(why) } else { Ok(()) }
    }

    fn check(&self, question: &Question<'_>) -> Result<()> {
        check_moves(question.problem, question.view, When::Planned)
    }

    fn run(&self, job: &Job<'_>, _: &dyn Observer) -> Result<Run> {
        let (state, steps) = (job.state()?, job.steps());
        let (trajectory, kernel) = run(job.problem, &state, self.degree, &steps, job.view.tolerance, job.record)?;
        Ok(Run { trajectory, kernel })
    }
}

/// Says no, with the remedy, to every problem for which the formula of [`run`] does not hold at leap `degree`.
///
/// # Errors
/// [`Error::Refused`], naming the key.
pub fn conditions(problem: &Problem, degree: u32) -> Result<()> {
    let refused = |key: &str, reason: String, remedy: &str| Err(Error::refused(key, reason, remedy));
    let said = format!("one step on n_b ~ d^{degree} samples has a limit");
    let (network, training) = (&problem.network, &problem.training);
    if problem.dimension().is_none() {
        let reason = format!("{said} that starts from overlaps of order 1/√d, which d = ∞ does not have");
        return refused("training.dimension", reason, "write a number, e.g. dimension = 2000");
    }
    if !matches!(training.duration, Duration::Steps(_)) || problem.steps() != 1 {
        return refused("training.steps", format!("{said} for the first step only"), "write steps = 1");
    }
    let drawn = matches!(network.first_layer.placement, Placement::Gaussian | Placement::Sphere);
    if !drawn || network.first_layer.scale.value(problem.sizes()) != 1.0 {
        let reason = format!("{said} for unit rows in random directions");
        return refused("network.first_layer", reason, "write first_layer = \"sphere\" or \"gaussian\"");
    }
    if training.loss != Loss::Correlation && !network.first_layer.symmetric {
        let reason = format!("{said} where f = 0 at the start, or for the correlation loss");
        let remedy = "write loss = \"correlation\", or first_layer = { kind = \"sphere\", symmetric = true }";
        return refused("network.first_layer", reason, remedy);
    }
    if problem.target.overlaps != Mat::<f64>::identity(problem.directions(), problem.directions()) {
        return refused("target.overlaps", format!("{said} for orthonormal target directions"), "remove the line");
    }
    if network.second_layer.train || network.bias.is_some() || training.geometry != Geometry::Free {
        let reason = format!("{said} for a fixed second layer, no biases and free geometry");
        return refused("network", reason, "use the reduced view");
    }
    lower_degrees(problem, degree)
}

/// Every component of lower degree that the activation sees is √d times louder or more, and would hide degree ℓ.
fn lower_degrees(problem: &Problem, degree: u32) -> Result<()> {
    let series = hermite_series(&problem.target, degree as usize)?;
    let norm = |q: usize| {
        let terms = series.iter().filter(|(index, _)| index.iter().map(|i| *i as usize).sum::<usize>() == q);
        terms.map(|(_, a)| a * a).sum::<f64>().sqrt()
    };
    let sees = |q: u32| {
        let c = problem.network.activation.hermite_coefficient(q, 1.0, 0.0);
        c.value.abs() > ZERO + 10.0 * c.error
    };
    let remedy = "use the reduced view, a target without it, or preprocess = \"linear\" where it is a mean or linear";
    let said =
        format!("a step on n_b ~ d^{degree} samples learns degree {degree} where nothing of lower degree hides it");
    let preprocess = problem.training.preprocess;
    let Average { value: mean, error } = hierarchy::mean(&problem.target)?;
    if preprocess == Preprocess::None && mean.abs() > ZERO + 10.0 * error && sees(2) {
        let reason = format!("{said}; here E[y] = {mean:.4}, which pushes every neuron along itself");
        return Err(Error::refused("target", reason, remedy));
    }
    let first = if preprocess.is_linear() { 2 } else { 1 };
    for q in first..degree {
        if norm(q as usize) > 0.0 && sees(q) {
            let reason = format!("{said}; here the component of degree {q} has norm {:.4}", norm(q as usize));
            return Err(Error::refused("target", reason, remedy));
        }
    }
    if norm(degree as usize) == 0.0 || !sees(degree) {
        let name = problem.network.activation.name();
        let reason = format!("{said}; here the target has no component of degree {degree}, or {name} does not see it");
        return Err(Error::refused("target", reason, remedy));
    }
    Ok(())
}

/// The step, from `start`, with c_ℓ = E[σ He_ℓ] and the Hermite tensor C_ℓ = E[∇^ℓ g]:
///
/// ```text
/// m_j = η s a_j (c_ℓ/(ℓ−1)!) C_ℓ (M_j)^{⊗(ℓ−1)},   κ_j = η s a_j (c_{ℓ+2}/ℓ!) C_ℓ (M_j)^{⊗ℓ}
/// M' = M + m,   Q'_jl = (1 + κ_j + κ_l) Q_jl + (M mᵀ + m Mᵀ + m mᵀ)_jl + η² (d/n_b) N_jl
/// ```
///
/// where N = s² a_j a_l E[y²] E[σ'_jσ'_l], for M of order 1/√d: to leading order in d, with what is 1/√d smaller in Q (κ is
/// the step along w_j itself).
///
/// # Errors
/// [`Error::Numerical`] where the averages fail.
pub fn run(
    problem: &Problem,
    start: &State,
    degree: u32,
    moments: &[u64],
    tolerance: f64,
    record: &Record,
) -> Result<(Trajectory, String)> {
    let kernel = average::for_problem(problem, tolerance)?;
    let mut population = Population::new(problem, kernel.as_ref());
    let mut recorder = Recorder::new(problem, record, moments);
    let mut trajectory = Trajectory::of_run(problem, record, Engine::Direct);
    let head = Head { second_layer: start.second_layer.clone(), bias: Vec::new() };
    let mut state = start.clone();
    let (p, k) = (problem.width(), problem.directions());
    let (mut errors, mut norm_errors) = (Vec::new(), Vec::new());
    for &step in moments {
        if step == 1 {
            let error = advance(problem, degree, tolerance, &mut state)?;
            errors.extend(
                (0..p)
                    .flat_map(|j| (0..k).map(move |r| (j, r)))
                    .map(|at| error * (state.overlaps.student_teacher[at] - start.overlaps.student_teacher[at]).abs()),
            );
            let norm = |of: &State, j: usize| of.overlaps.student_student[(j, j)];
            norm_errors.extend((0..p).map(|j| error * (norm(&state, j) - norm(start, j)).abs()));
        } else {
            errors.extend(vec![0.0; p * k]);
            norm_errors.extend(vec![0.0; p]);
        }
        population.state.overlaps.clone_from(&state.overlaps);
        population.linear = if step == 0 { None } else { subtracted(problem, &state)? };
        let samples = step as f64 * problem.batch() as f64;
        let mut at = Known { population: &mut population, head: &head, step, samples };
        if recorder.look(&mut at, &mut trajectory)? == Verdict::Diverged {
            trajectory.status = Status::Diverged { at: step as f64 };
            break;
        }
    }
    errors.truncate(trajectory.valid * p * k);
    trajectory.set(&STUDENT_TEACHER_ERROR, errors);
    norm_errors.truncate(trajectory.valid * p);
    trajectory.set(&STUDENT_SQUARES_ERROR, norm_errors);
    trajectory.remove(&GRADIENT_TEACHER);
    trajectory.remove(&GRADIENT_NORM);
    let rest = &moments[trajectory.valid..];
    trajectory.pad(rest.iter().map(|&step| (step as f64, step as f64 * problem.step_time())));
    Ok((trajectory, format!("Hermite tensor of degree {degree}; {}", kernel.describe())))
}

/// What was subtracted from the labels, known exactly as d → ∞.
fn subtracted(problem: &Problem, state: &State) -> Result<Option<Linear>> {
    let preprocess = problem.training.preprocess;
    if preprocess == Preprocess::None {
        return Ok(None);
    }
    let explained = Explained::new(problem)?;
    let (mean, slope) = explained.label();
    let (p, k) = (problem.width(), problem.directions());
    let mut linear = Linear::constant(mean, p, k);
    if preprocess.is_linear() {
        // P = I.
        let m = &state.overlaps.student_teacher;
        linear.with_students = (0..p).map(|j| (0..k).map(|r| m[(j, r)] * slope[r]).sum()).collect();
        linear.square = slope.iter().map(|c| c * c).sum();
        linear.with_target = slope.to_vec();
    }
    Ok(Some(linear))
}

/// What the noise of a step becomes where the labels have lost their mean, or their linear part. With
/// N = s² a_j a_l E\[y²\] E\[σ'_jσ'_l\] and y_r what is left of the label:
///
/// ```text
/// mean            s² a_j a_l E[(y − ȳ)²] E[σ'_jσ'_l]
/// least squares   s² a_j a_l E[y_r²] Cov(σ'_j, σ'_l)
/// linear          the same, and s² a_j a_l E[σ'_j] E[σ'_l] ‖C_1‖², shared by all neurons: β̂ knows XᵀX/n_b as the identity
/// ```
///
/// (theory.md §8)
fn left_over(problem: &Problem, state: &State, noise: Mat<f64>) -> Result<Mat<f64>> {
    let preprocess = problem.training.preprocess;
    if preprocess == Preprocess::None {
        return Ok(noise);
    }
    let target = &problem.target;
    let mean = hierarchy::mean(target)?.value;
    // ½ of the variance of g, and of what is left of it.
    let [variance, rest] =
        [unexplained(target, &[], 0)?.value, unexplained(target, &[], 1)?.value].map(|half| 2.0 * half);
    let (variance, rest) = (variance + target.noise, rest + target.noise);
    let whole = variance + mean * mean;
    if !preprocess.is_linear() {
        return Ok(noise * faer::Scale(variance / whole));
    }
    let slope: Vec<f64> = (0..problem.width())
        .map(|j| {
            let norm = state.overlaps.student_student[(j, j)].max(1e-300).sqrt();
            let c = problem.network.activation.hermite_coefficient(1, norm, 0.0).value / norm;
            problem.output_scale() * state.second_layer[j] * c
        })
        .collect();
    let shared = if preprocess == Preprocess::Linear { variance - rest } else { 0.0 };
    Ok(Mat::from_fn(noise.nrows(), noise.ncols(), |j, l| {
        rest * (noise[(j, l)] / whole - slope[j] * slope[l]) + shared * slope[j] * slope[l]
    }))
}

/// Takes the step; returns the relative error of the movement.
fn advance(problem: &Problem, degree: u32, tolerance: f64, state: &mut State) -> Result<f64> {
    let (p, k) = (problem.width(), problem.directions());
    let seen = problem.network.activation.hermite_coefficient(degree, 1.0, 0.0);
    let series = hermite_series(&problem.target, degree as usize)?;
    let rate = problem.learning_rate();
    let m = &state.overlaps.student_teacher;
    let mut moved = Mat::<f64>::zeros(p, k);
    let mut along = vec![0.0; p];
    let bent = problem.network.activation.hermite_coefficient(degree + 2, 1.0, 0.0);
    for (index, coefficient) in &series {
        if index.iter().map(|i| u32::from(*i)).sum::<u32>() != degree {
            continue;
        }
        // C_ℓ v^{⊗(ℓ−1)}/(ℓ−1)! is the gradient of Σ_m α_m v^m/√(m!), α the orthonormal coefficients.
        let unit: f64 = index.iter().map(|&i| (1..=i).map(f64::from).product::<f64>().sqrt()).product();
        for j in 0..p {
            let share = rate * problem.output_scale() * state.second_layer[j] * coefficient / unit;
            let weight = share * seen.value;
            let whole: f64 = (0..k).map(|i| m[(j, i)].powi(i32::from(index[i]))).product();
            along[j] += share * bent.value * whole;
            for r in 0..k {
                let power = |i: usize| i32::from(index[i]) - i32::from(u8::from(i == r));
                if index[r] > 0 {
                    let product: f64 = (0..k).map(|i| m[(j, i)].powi(power(i))).product();
                    moved[(j, r)] += weight * f64::from(index[r]) * product;
                }
            }
        }
    }
    // With M = 0 the label knows nothing of the fields: N is s² a_j a_l E[y²] E[σ'_jσ'_l].
    let blind = problem.with(|parts| parts.training.loss = Loss::Correlation)?;
    let mut apart = state.clone();
    apart.overlaps.student_teacher = Mat::zeros(p, k);
    let mut noise = Averages::zeros(p, k);
    let want = Want { risk: false, drift: false, noise: true, ..Want::ALL };
    average::for_problem(&blind, tolerance)?.averages(&apart, want, &mut noise)?;
    let noise = left_over(problem, state, noise.noise)?;
    let share = problem.dimension().map_or(f64::NAN, |d| d as f64) / problem.batch() as f64;
    let cross = m * moved.transpose();
    let q = Mat::from_fn(p, p, |j, l| (1.0 + along[j] + along[l]) * state.overlaps.student_student[(j, l)])
        + &cross
        + cross.transpose()
        + &moved * moved.transpose()
        + noise * faer::Scale(rate * rate * share);
    state.overlaps.student_teacher += moved;
    state.overlaps.student_student = q;
    Ok(seen.error / seen.value.abs() + 1e-12)
}

//! What is left of a step on n_b = 2d² samples once the linear part of the labels is subtracted: the means of squared
//! displacements outside the target, and of products of neurons there. (theory.md §8)

use std::{collections::BTreeMap, error::Error};

use twolayer::{
    expression::{Expression, Vocabulary},
    method::{Machine, plan, run},
    observer::Silent,
    problem::{
        Activation, Duration, Engine, FirstLayer, Formula, Grid, Init, Loss, Network, Placement, Preprocess, Problem,
        Record, Rule, SecondLayer, StartMode, Target, Training, View,
    },
    record::{
        KeepQ, Trajectory,
        observable::{RISK, STUDENT_SQUARES, STUDENT_STUDENT, STUDENT_TEACHER},
    },
};

const D: u64 = 64;
const WIDTH: usize = 4;

/// `2 z1 + (he2(z1) − he2(z2))/2`, correlation loss, η = p √d, s = 1/√p, a = ±1/√p.
fn problem(preprocess: Preprocess, start: StartMode) -> Result<Problem, Box<dyn Error>> {
    let vocabulary = Vocabulary { indexed: Some("z".into()), ..Vocabulary::default() };
    let rule = Rule::Expression(Expression::parse("2*z1 + (he2(z1) - he2(z2))/2", &vocabulary)?);
    let formula = |text: &str| Formula::parse(text, &BTreeMap::new());
    let mut network = Network::new(WIDTH, Activation::Relu);
    network.output_scale = formula("1/sqrt(p)")?;
    network.first_layer = FirstLayer { placement: Placement::Sphere, scale: Formula::number(1.0), symmetric: false };
    network.second_layer =
        SecondLayer { init: Init::Alternating, scale: formula("1/sqrt(p)")?, ..network.second_layer };
    network.start = start;
    let mut training = Training::new(D, formula("p*sqrt(d)")?, Duration::Steps(Formula::number(1.0)));
    training.batch = formula("2*d^2")?;
    training.loss = Loss::Correlation;
    training.preprocess = preprocess;
    Ok(Problem::new(Target::new(rule), network, training)?)
}

fn trajectory(problem: &Problem, engine: Engine, replicate: u64) -> Result<Trajectory, Box<dyn Error>> {
    let record = Record { keep_q: Some(KeepQ::Full), ..Record::default() };
    let view = View { seed: 3, ..View::new(engine) };
    let plan = plan(problem, &view, &record, 2, &Machine { memory: 4e9, cores: 1 })?;
    Ok(run(problem, &view, &plan, replicate, &Grid::Steps(vec![0, 1]), &record, &Silent)?.trajectory)
}

/// Mean and standard error over runs of the displacement Δ outside the target, its square and the product of two neurons
/// with a of one sign, in units of (η s a)²/d. Overlaps alone are at hand, `Q' − Q = ⟨w,Δ⟩ + ⟨Δ,w⟩ + ⟨Δ,Δ⟩`: over independent
/// starts ⟨w, Δ⟩ averages to nothing.
fn displacement(problem: &Problem, engine: Engine, runs: u64) -> Result<[(f64, f64); 2], Box<dyn Error>> {
    let (p, k) = (WIDTH, 2);
    let mut samples = [Vec::new(), Vec::new()];
    for replicate in 0..runs {
        let run = trajectory(problem, engine, replicate)?;
        let q = |t: usize, j: usize, l: usize| {
            let m = |j: usize, r: usize| run.of(&STUDENT_TEACHER)[(t * p + j) * k + r];
            run.of(&STUDENT_STUDENT)[(t * p + j) * p + l] - (0..k).map(|r| m(j, r) * m(l, r)).sum::<f64>()
        };
        let moved = |j: usize, l: usize| q(1, j, l) - q(0, j, l);
        samples[0].push((0..p).map(|j| moved(j, j)).sum::<f64>() / p as f64);
        samples[1].push(0.5 * (moved(0, 2) + moved(1, 3)));
    }
    let unit = (problem.learning_rate() * problem.output_scale()).powi(2) / WIDTH as f64 / D as f64;
    Ok(samples.map(|values| {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let spread = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>();
        (mean / unit, (spread / (n * (n - 1.0))).sqrt() / unit)
    }))
}

#[test]
fn each_estimator_leaves_its_own_noise() -> Result<(), Box<dyn Error>> {
    // (E[y_r²] Var σ' + c_1²‖C_1‖²)/α · 62/64 and its shared part, and without that part.
    let cases = [
        (Preprocess::Linear, Engine::Reduced, 0.605, 0.484),
        (Preprocess::Linear, Engine::Direct, 0.605, 0.484),
        (Preprocess::LeastSquares, Engine::Direct, 0.121, 0.0),
    ];
    for (preprocess, engine, square, product) in cases {
        let problem = problem(preprocess, StartMode::Independent)?;
        let [got_square, got_product] = displacement(&problem, engine, 160)?;
        println!("{preprocess:?} {engine:?}: {got_square:.4?} for {square}, {got_product:.4?} for {product}");
        // Finite d: the formula's next order is 1/d of it.
        for ((got, error), expected) in [(got_square, square), (got_product, product)] {
            let allowed = 3.0 * error + 0.02 * expected;
            assert!((got - expected).abs() < allowed, "{preprocess:?} {engine:?}: {got} ± {error} for {expected}");
        }
    }
    Ok(())
}

/// With the linear part subtracted the directions of degree 2 are learnt; without, C_1's spike hides them.
#[test]
fn a_leap_is_learnt_where_its_linear_part_is_subtracted() -> Result<(), Box<dyn Error>> {
    let along = |preprocess| -> Result<f64, Box<dyn Error>> {
        let problem = problem(preprocess, StartMode::Independent)?;
        let mut share = 0.0;
        for replicate in 0..20 {
            let run = trajectory(&problem, Engine::Reduced, replicate)?;
            for j in 0..WIDTH {
                // The part of the displacement in the target's plane that is along z2, which has no linear part.
                let moved =
                    |r: usize| run.of(&STUDENT_TEACHER)[(WIDTH + j) * 2 + r] - run.of(&STUDENT_TEACHER)[j * 2 + r];
                share += moved(1).powi(2) / (moved(0).powi(2) + moved(1).powi(2)) / (20 * WIDTH) as f64;
            }
        }
        Ok(share)
    };
    let (with, without) = (along(Preprocess::Linear)?, along(Preprocess::None)?);
    assert!(with > 0.3 && without < 0.05, "{with} {without}");
    Ok(())
}

/// The limit of the step agrees with exact runs: M as drawn at the start, Q with the noise of each estimator.
#[test]
fn the_limit_of_the_step_knows_what_is_left() -> Result<(), Box<dyn Error>> {
    for preprocess in [Preprocess::Linear, Preprocess::LeastSquares] {
        let problem = problem(preprocess, StartMode::Shared)?;
        let limit = trajectory(&problem, Engine::Limit, 0)?;
        let (p, k, runs) = (WIDTH, 2, 120);
        let (mut square, mut overlap) = (vec![0.0; p], vec![0.0; p * k]);
        for replicate in 0..runs {
            let run = trajectory(&problem, Engine::Direct, replicate)?;
            (0..p).for_each(|j| square[j] += run.of(&STUDENT_SQUARES)[p + j] / runs as f64);
            (0..p * k).for_each(|i| overlap[i] += run.of(&STUDENT_TEACHER)[p * k + i] / runs as f64);
        }
        for j in 0..p {
            let (got, expected) = (square[j], limit.of(&STUDENT_SQUARES)[p + j]);
            // What is d^{−1/2} = ⅛ smaller is left out; without the part that β̂ makes all neurons share, ¼ is missing.
            assert!((got - expected).abs() < 0.125 * expected, "{preprocess:?}, neuron {j}: {got} {expected}");
            for r in 0..k {
                let (got, expected) = (overlap[j * k + r], limit.of(&STUDENT_TEACHER)[(p + j) * k + r]);
                assert!((got - expected).abs() < 0.12, "{preprocess:?}, neuron {j}, {r}: {got} {expected}");
            }
        }
        assert!(
            (limit.of(&RISK)[1] - limit.of(&RISK)[0]).abs() > 0.1
                && limit.of(&RISK).iter().all(|risk| risk.is_finite())
        );
    }
    Ok(())
}

//! The limit of giant steps: against closed forms, and against reduced runs at more than one size.

use std::{collections::BTreeMap, error::Error};

use twolayer::{
    expression::{Expression, Vocabulary},
    method::{Machine, plan, run},
    observer::Silent,
    problem::{
        Activation, Crossing, CrossingOf, Duration, Engine, FirstLayer, Formula, Geometry, Grid, Init, Loss, Network,
        Placement, Problem, Record, Rule, Target, Training, View,
    },
    random::Streams,
    record::Trajectory,
};

const STREAMS: Streams = Streams { seed: 0, replicate: 0 };

type Outcome<T> = Result<T, Box<dyn Error>>;

fn formula(text: &str) -> Outcome<Formula> {
    Ok(Formula::parse(text, &BTreeMap::new())?)
}

fn target(text: &str) -> Outcome<Target> {
    let vocabulary = Vocabulary { variables: vec!["z1".into(), "z2".into()], ..Vocabulary::default() };
    Ok(Target::new(Rule::Expression(Expression::parse(text, &vocabulary)?)))
}

fn observe(problem: &Problem, engine: Engine, replicate: u64, tolerance: f64, record: &Record) -> Outcome<Trajectory> {
    let view = View { tolerance, ..View::new(engine) };
    let plan = plan(problem, &view, &Record::default(), 11, &Machine { memory: 4e9, cores: 1 })?;
    let steps = Grid::Steps((0..=problem.steps()).collect());
    Ok(run(problem, &view, &plan, replicate, &steps, record, &Silent)?.trajectory)
}

/// From f ≡ 0, the squared cosine of a neuron's first gradient with the target's span is
/// `c_1²‖C_1‖² / (c_1²‖C_1‖² + c_2² E[y]² + E[y²] E[σ'²]/α)`; for ReLU c_1² = ¼, c_2² = 1/(2π), E[σ'²] = ½.
#[test]
fn the_first_gradient_of_both_notebook_targets_has_its_closed_form() -> Outcome<()> {
    // y = (z1 + z1² + z2 − z2²)/2: C_1 = (½, ½), E y = 0, E y² = 3/2. And (4 z1 + z1² + z2)/2: C_1 = (2, ½), E y = ½,
    // E y² = (16 + 3 + 1)/4.
    let cases =
        [("((z1 + z1^2) + (z2 - z2^2))/2", [0.5, 0.5], 0.0, 1.5), ("((4*z1 + z1^2) + z2)/2", [2.0, 0.5], 0.5, 5.0)];
    for (text, linear, mean, square) in cases {
        let mut network = Network::new(4, Activation::Relu);
        network.output_scale = formula("1/sqrt(p)")?;
        network.first_layer =
            FirstLayer { placement: Placement::Orthonormal, scale: Formula::number(1.0), symmetric: true };
        network.second_layer.init = Init::Signs;
        let mut training = Training::new(4096, formula("2*p")?, Duration::Steps(Formula::number(1.0)));
        training.batch = formula("d")?;
        let problem = Problem::new(target(text)?, network, training)?;
        let record = Record { gradients: true, ..Record::default() };
        let limit = observe(&problem, Engine::Limit, 0, 1e-4, &record)?;
        let (m, norm) = (limit.gradient_teacher.unwrap_or_default(), limit.gradient_norm.unwrap_or_default());
        let signal: f64 = linear.iter().map(|c| c * c).sum::<f64>() / 4.0;
        let rest = mean * mean / (2.0 * std::f64::consts::PI) + square / 2.0;
        for j in 0..4 {
            let cosines = [m[2 * j] / norm[j], m[2 * j + 1] / norm[j]];
            let squared = cosines[0].powi(2) + cosines[1].powi(2);
            let expected = signal / (signal + rest);
            assert!((squared / expected - 1.0).abs() < 0.02, "{text}, neuron {j}: {squared} for {expected}");
            assert!((cosines[0] / cosines[1] - linear[0] / linear[1]).abs() < 0.05, "{text}: {cosines:?}");
        }
    }
    Ok(())
}

/// All but the closed form: both layers, weight decay, noise, P = I, n_b = 2d.
fn everything(d: u64, geometry: Geometry) -> Outcome<Problem> {
    let mut target = target("z1 + tanh(z1*z2)")?;
    target.noise = 0.1;
    let mut network = Network::new(3, Activation::Tanh);
    network.output_scale = Formula::number(0.6);
    network.first_layer =
        FirstLayer { placement: Placement::Orthonormal, scale: Formula::number(1.1), symmetric: false };
    network.second_layer.init = Init::Values(vec![1.0, -0.7, 0.8]);
    network.second_layer.train = true;
    network.start_dimension = Some(4000);
    let mut training = Training::new(d, Formula::number(0.9), Duration::Steps(Formula::number(4.0)));
    training.batch = formula("2*d")?;
    training.weight_decay = 0.1;
    training.geometry = geometry;
    Ok(Problem::new(target, network, training)?)
}

/// The means of reduced runs are on the limit at two sizes, and single runs come closer as d grows.
#[test]
fn reduced_runs_come_to_the_limit() -> Outcome<()> {
    for geometry in [Geometry::Free, Geometry::Spherical, Geometry::Normalised] {
        let mut spreads = Vec::new();
        for (d, runs) in [(1_000, 40), (16_000, 8)] {
            let problem = everything(d, geometry)?;
            let limit = observe(&problem, Engine::Limit, 0, 1e-4, &Record::default())?;
            let errors = limit.student_teacher_error.clone().unwrap_or_default();
            let rows: Vec<Vec<f64>> = (0..runs)
                .map(|replicate| {
                    let run = observe(&problem, Engine::Reduced, replicate, 1e-3, &Record::default())?;
                    let last = run.student_teacher.len() - 6;
                    let mut row = run.student_teacher[last..].to_vec();
                    row.extend(&run.student_squares[run.student_squares.len() - 3..]);
                    row.extend(&run.second_layer[run.second_layer.len() - 3..]);
                    Ok(row)
                })
                .collect::<Outcome<_>>()?;
            let mut expected = limit.student_teacher[limit.student_teacher.len() - 6..].to_vec();
            expected.extend(&limit.student_squares[limit.student_squares.len() - 3..]);
            expected.extend(&limit.second_layer[limit.second_layer.len() - 3..]);
            let mut spread = 0.0;
            for (i, expected) in expected.iter().enumerate() {
                let n = runs as f64;
                let mean = rows.iter().map(|row| row[i]).sum::<f64>() / n;
                let variance = rows.iter().map(|row| (row[i] - mean).powi(2)).sum::<f64>() / (n - 1.0);
                let error = (variance / n).sqrt() + errors[errors.len() - 6..].iter().fold(0.0, |x: f64, y| x.max(*y));
                // A bias of order 1/d beside the standard error.
                let allowed = 5.0 * error + 10.0 / d as f64;
                assert!(
                    (mean - expected).abs() < allowed,
                    "{geometry:?}, d = {d}, entry {i}: {mean} for {expected} ± {error}"
                );
                spread += rows.iter().map(|row| (row[i] - expected).powi(2)).sum::<f64>() / n;
            }
            spreads.push(spread.sqrt());
        }
        let slope = (spreads[1] / spreads[0]).ln() / 16f64.ln();
        assert!((slope + 0.5).abs() < 0.12, "{geometry:?}: distances {spreads:?}, slope {slope}");
    }
    Ok(())
}

/// One step on n_b = d² samples at η = p √d.
fn leap_two(d: u64, text: &str, width: usize) -> Outcome<Problem> {
    let mut network = Network::new(width, Activation::Relu);
    network.output_scale = formula("1/sqrt(p)")?;
    network.second_layer.init = Init::Alternating;
    network.second_layer.scale = formula("1/sqrt(p)")?;
    let mut training = Training::new(d, formula("p*sqrt(d)")?, Duration::Steps(Formula::number(1.0)));
    training.batch = formula("d^2")?;
    training.loss = Loss::Correlation;
    Ok(Problem::new(target(text)?, network, training)?)
}

/// The leap-2 step is the mean of reduced runs at d = 2000 within 2 %. One neuron, started where its overlap is large, or
/// the noise of a batch would take hundreds of runs to average out.
#[test]
fn one_step_on_a_square_of_samples_learns_degree_two() -> Outcome<()> {
    let mut best = leap_two(2000, "he2(z1)", 1)?;
    let mut largest = 0.0;
    for seed in 0..40 {
        let mut problem = best.clone();
        problem.network.start_seed = seed;
        let m = problem.start(STREAMS)?.teacher[(0, 0)].abs();
        if m > largest {
            (best, largest) = (problem, m);
        }
    }
    let limit = observe(&best, Engine::Limit, 0, 1e-4, &Record::default())?;
    let runs = 60;
    let (mut moves, mut norms) = (Vec::new(), Vec::new());
    for replicate in 0..runs {
        let run = observe(&best, Engine::Reduced, replicate, 1e-2, &Record::default())?;
        let moved = |run: &Trajectory| run.student_teacher[2] - run.student_teacher[0];
        moves.push(moved(&run) / moved(&limit));
        norms.push(run.student_squares[1] / limit.student_squares[1]);
    }
    for (what, ratios) in [("movement along z1", moves), ("Q", norms)] {
        let mean = ratios.iter().sum::<f64>() / runs as f64;
        let variance = ratios.iter().map(|ratio| (ratio - mean).powi(2)).sum::<f64>() / (runs as f64 - 1.0);
        let error = (variance / runs as f64).sqrt();
        println!("{what}: reduced over limit {mean} ± {error}");
        assert!((mean - 1.0).abs() < 0.02 && error < 0.01, "{what}: reduced over limit {mean} ± {error}");
    }
    Ok(())
}

#[test]
fn a_leap_is_refused_where_a_lower_degree_hides_it() -> Outcome<()> {
    let cases =
        [("z1 + he2(z2)", "component of degree 1"), ("z1^2", "E[y] = 1"), ("he3(z1)", "no component of degree 2")];
    for (text, words) in cases {
        let error =
            observe(&leap_two(1000, text, 6)?, Engine::Limit, 0, 1e-3, &Record::default()).unwrap_err().to_string();
        assert!(error.contains(words), "{text}: {error}");
    }
    let mut problem = leap_two(1000, "he2(z1)", 6)?;
    problem.training.loss = Loss::Squared;
    let error = observe(&problem, Engine::Limit, 0, 1e-3, &Record::default()).unwrap_err().to_string();
    assert!(error.contains("f = 0 at the start"), "{error}");
    Ok(())
}

#[test]
fn second_looks_are_refused_in_words() -> Outcome<()> {
    let mut problem = everything(4000, Geometry::Free)?;
    problem.training.repeats = 2;
    let error = observe(&problem, Engine::Limit, 0, 1e-3, &Record::default()).unwrap_err().to_string();
    assert!(error.contains("looked at twice"), "{error}");
    Ok(())
}

/// A limit's crossings lie where its own curve crosses, and it ends where it is told to.
#[test]
fn a_limit_finds_crossings_and_stops() -> Outcome<()> {
    let problem = everything(4000, Geometry::Free)?;
    let whole = observe(&problem, Engine::Limit, 0, 1e-3, &Record::default())?;
    let level = 0.5 * (whole.risk[1] + whole.risk[2]);
    let crossings = vec![Crossing { of: CrossingOf::Risk, level, stop: true }];
    let stopped = observe(&problem, Engine::Limit, 0, 1e-3, &Record { crossings, ..Record::default() })?;
    assert!((stopped.crossing_step[0] - 1.5).abs() < 1e-9, "{:?}", stopped.crossing_step);
    assert_eq!(stopped.valid, 3);
    assert!(stopped.risk[3].is_nan() && stopped.risk[2] == whole.risk[2]);
    Ok(())
}

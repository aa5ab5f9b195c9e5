//! A readout in reduced coordinates has the law of one on real inputs; mutants of it have not.

use crate::{
    expression::{Expression, Vocabulary},
    method::{Machine, plan, run},
    observer::Silent,
    problem::{
        Activation, Data, Duration, Engine, FirstLayer, Formula, Grid, Network, Placement, Preprocess, Problem,
        Readout, ReadoutData, ReadoutMoments, Record, Rule, Target, Training, View,
    },
    record::{
        Trajectory,
        observable::{READOUT_SAMPLES, READOUT_STEP, RISK, STUDENT_SQUARES, STUDENT_TEACHER, TEST_ERROR, TRAIN_ERROR},
    },
    testing::laws::{FAMILY, family_wise},
};

/// Runs of each engine.
const RUNS: u64 = 2000;
const STEPS: u64 = 2;

/// d = 30, p = 12, two steps that move the weights by as much as they are long; risks in closed form, which cost nothing.
fn problem(dimension: u64, preprocess: Preprocess, data: Data) -> Problem {
    let rule = Rule::Committee { activation: Activation::Erf, weights: vec![1.0, 1.5] };
    of_rule(rule, Activation::Erf, dimension, preprocess, data)
}

fn of_rule(rule: Rule, activation: Activation, dimension: u64, preprocess: Preprocess, data: Data) -> Problem {
    let mut target = Target::new(rule);
    target.noise = 0.1;
    let formula = |text: &str| Formula::parse(text, &Default::default()).unwrap();
    let mut network = Network::new(12, activation);
    network.first_layer = FirstLayer { placement: Placement::Gaussian, scale: Formula::number(1.0), symmetric: false };
    network.output_scale = formula("1/sqrt(p)");
    network.start_dimension = Some(30);
    let mut training = Training::new(dimension, formula("2*p"), Duration::Steps(Formula::number(STEPS as f64)));
    training.batch = Formula::number(20.0);
    training.preprocess = preprocess;
    if data == Data::Reused {
        training.data = data;
        training.samples = Some(Formula::number(20.0));
    }
    Problem::new(target, network, training).unwrap()
}

fn fresh(samples: &[f64], ridge: f64) -> Readout {
    Readout {
        data: ReadoutData::Fresh(samples.iter().map(|n| Formula::number(*n)).collect()),
        ridge: vec![ridge, 10.0 * ridge],
        at: ReadoutMoments::EveryStep,
        test_samples: 60,
        bounds: false,
    }
}

fn trajectories(problem: &Problem, engine: Engine, readout: &Readout, runs: u64) -> Vec<Trajectory> {
    let record = Record { readout: Some(readout.clone()), ..Record::default() };
    let view = View { replicates: runs as usize, seed: 5, ..View::new(engine) };
    let plan = plan(problem, &view, &record, 3, &Machine { memory: 1e9, cores: 1 }).unwrap();
    let grid = Grid::Steps(vec![0, STEPS]);
    (0..runs)
        .map(|replicate| run(problem, &view, &plan, replicate, &grid, &record, &Silent).unwrap().trajectory)
        .collect()
}

/// Errors of all steps, sizes and ridges, of each run: `of` chooses the steps.
fn errors(trajectories: &[Trajectory], steps: std::ops::Range<usize>) -> Vec<Vec<f64>> {
    let row = |run: &Trajectory| {
        assert_eq!(run.of(&READOUT_STEP), [0.0, 1.0, 2.0]);
        let (train, test) = (run.of(&TRAIN_ERROR), run.of(&TEST_ERROR));
        let each = train.len() / 3;
        let range = steps.start * each..steps.end * each;
        [&train[range.clone()], &test[range]].concat()
    };
    trajectories.iter().map(row).collect()
}

#[test]
fn reduced_has_the_law_of_direct_below_and_above_p() {
    let problem = problem(30, Preprocess::None, Data::Fresh);
    let readout = fresh(&[8.0, 40.0], 0.02);
    let direct = errors(&trajectories(&problem, Engine::Direct, &readout, RUNS), 0..3);
    let reduced = errors(&trajectories(&problem, Engine::Reduced, &readout, RUNS), 0..3);
    let p = family_wise(&reduced, &direct);
    assert!(p > FAMILY, "p = {p:.1e}");
    // The ridge of a mean, not of a sum.
    let scaled = errors(&trajectories(&problem, Engine::Reduced, &fresh(&[8.0, 40.0], 0.02 * 40.0), RUNS), 0..3);
    assert!(family_wise(&scaled, &direct) < FAMILY);
    // Features of the step before.
    let late = errors(&trajectories(&problem, Engine::Direct, &readout, RUNS), 2..3);
    let early = errors(&trajectories(&problem, Engine::Reduced, &readout, RUNS), 1..2);
    assert!(family_wise(&early, &late) < FAMILY);
}

/// One degree of freedom more outside the span: what it adds to the noise of a step is seen by more runs.
#[test]
fn one_degree_too_many_is_seen() {
    let readout = fresh(&[40.0], 0.02);
    let runs = 5 * RUNS;
    let of = |dimension| {
        let problem = problem(dimension, Preprocess::None, Data::Fresh);
        errors(&trajectories(&problem, Engine::Reduced, &readout, runs), 1..3)
    };
    let (right, wrong) = (of(30), of(31));
    let direct = problem(30, Preprocess::None, Data::Fresh);
    let direct = errors(&trajectories(&direct, Engine::Direct, &readout, runs), 1..3);
    let (right, wrong) = (family_wise(&right, &direct), family_wise(&wrong, &direct));
    assert!(right > FAMILY && wrong < FAMILY, "right p = {right:.1e}, wrong p = {wrong:.1e}");
}

#[test]
fn the_batch_of_the_step_and_reused_data_too() {
    for data in [Data::Fresh, Data::Reused] {
        let dimension = if data == Data::Reused { 90 } else { 30 };
        let problem = problem(dimension, Preprocess::None, data);
        let readout = Readout { data: ReadoutData::Same, ..fresh(&[], 0.02) };
        let [direct, reduced] =
            [Engine::Direct, Engine::Reduced].map(|engine| trajectories(&problem, engine, &readout, RUNS));
        let first = &direct[0];
        assert!(first.of(&TRAIN_ERROR)[..2].iter().all(|error| error.is_nan()));
        assert_eq!(first.of(&READOUT_SAMPLES), [20.0]);
        let p = family_wise(&errors(&reduced, 1..3), &errors(&direct, 1..3));
        assert!(p > FAMILY, "{data:?}: p = {p:.1e}");
    }
}

/// Labels without their mean, and without their linear part: β̂ is a row of the frame, so that the readout, the risk of the
/// whole prediction and the weights have one law.
#[test]
fn labels_without_their_linear_part_have_one_law() {
    for preprocess in [Preprocess::Mean, Preprocess::Linear] {
        let problem = problem(30, preprocess, Data::Fresh);
        let readout = fresh(&[40.0], 0.02);
        let all = |engine| -> Vec<Vec<f64>> {
            let runs = trajectories(&problem, engine, &readout, RUNS / 2);
            let mut rows = errors(&runs, 0..3);
            for (row, run) in rows.iter_mut().zip(&runs) {
                row.extend_from_slice(&run.of(&RISK)[1..]);
                row.extend_from_slice(&run.of(&STUDENT_TEACHER)[24..48]);
                row.extend_from_slice(&run.of(&STUDENT_SQUARES)[12..24]);
            }
            rows
        };
        let (direct, reduced) = (all(Engine::Direct), all(Engine::Reduced));
        let p = family_wise(&reduced, &direct);
        assert!(p > FAMILY, "{preprocess:?}: p = {p:.1e}");
    }
}

/// The risk of the whole prediction is half its mean square error on fresh labels, less the noise: what a readout measures
/// where its ridge forbids any second layer but 0 is that of the linear part alone.
#[test]
fn the_linear_part_is_added_back() {
    for preprocess in [Preprocess::Mean, Preprocess::Linear, Preprocess::LeastSquares] {
        let vocabulary = Vocabulary { indexed: Some("z".into()), ..Vocabulary::default() };
        let rule = Rule::Expression(Expression::parse("z1 + z1*z2 + 0.3", &vocabulary).unwrap());
        let problem = of_rule(rule, Activation::Erf, 30, preprocess, Data::Fresh);
        let problem = problem.with(|parts| {
            parts.training.batch = Formula::number(200.0);
            parts.training.learning_rate = Some(Formula::number(1e-9));
            parts.network.second_layer.scale = Formula::number(1e-9);
        });
        let problem = problem.unwrap();
        let readout = Readout { test_samples: 400, ..fresh(&[40.0], 1e12) };
        let runs = trajectories(&problem, Engine::Direct, &readout, 100);
        let differences: Vec<f64> =
            runs.iter().map(|run| run.of(&TEST_ERROR)[4] - run.of(&RISK)[1] - 0.5 * problem.target.noise).collect();
        let n = differences.len() as f64;
        let mean = differences.iter().sum::<f64>() / n;
        let error = (differences.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n * (n - 1.0))).sqrt();
        assert!(mean.abs() < 4.0 * error && error < 0.03, "{preprocess:?}: {mean:.4} ± {error:.4}");
        // y = .3 + z1 + z1 z2: what is left is z1 z2, and z1 where only the mean is subtracted.
        let left = if preprocess == Preprocess::Mean { 1.0 } else { 0.5 };
        let risk = runs.iter().map(|run| run.of(&RISK)[1]).sum::<f64>() / n;
        assert!(risk > left && risk < 1.35 * left, "{preprocess:?}: {risk}");
    }
}

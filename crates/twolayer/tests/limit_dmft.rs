//! The mean-field theory of reused batches against exact runs of finite size.

#![allow(clippy::unwrap_used)] // A test that cannot go on fails there.

use std::{collections::BTreeMap, thread};

use twolayer::{
    method::{Machine, plan, run},
    observer::Silent,
    problem::{Engine, Formula, Grid, Init, Placement, Problem, Record, ReuseOrder, View},
    record::{
        Trajectory,
        observable::{
            GRADIENT_TEACHER, LOSS_CORRELATION, LOSS_RESPONSE, RISK, RISK_ERROR, STUDENT_STUDENT, STUDENT_TEACHER,
            STUDENT_TEACHER_ERROR, TRAINING_RISK,
        },
    },
};

const STEPS: u64 = 6;
const MACHINE: Machine = Machine { memory: 2e9, cores: 1 };

fn formula(text: &str) -> Formula {
    Formula::parse(text, &BTreeMap::new()).unwrap()
}

/// Paper A's network on `expression`: ReLU, s = 1, second layer alternating/√p, orthonormal first layer.
fn problem(expression: &str, width: usize, dimension: u64, rate: f64) -> Problem {
    let network = Problem::builder().target(expression).network(width, "relu").output_scale(1).with(|parts| {
        parts.network.first_layer.placement = Placement::Orthonormal;
        parts.network.second_layer.init = Init::Alternating;
        parts.network.second_layer.scale = formula("1/sqrt(p)");
    });
    network.dimension(dimension).learning_rate(rate).reused("3*d").batch("n").steps(STEPS as i32).build().unwrap()
}

fn view(problem: &Problem, engine: Engine, replicates: usize) -> Vec<Trajectory> {
    let view = View { replicates, tolerance: 2e-4, ..View::new(engine) };
    let plan = plan(problem, &view, &Record::default(), STEPS as usize + 1, &MACHINE).unwrap();
    let grid = Grid::Steps((0..=problem.steps()).collect());
    let one = |replicate| run(problem, &view, &plan, replicate as u64, &grid, &Record::default(), &Silent).unwrap();
    // Two at a time: at d = 10⁶ a run takes .9 GB.
    thread::scope(|scope| {
        let of = |odd: usize| (odd..replicates).step_by(2).map(|i| one(i).trajectory).collect::<Vec<_>>();
        let threads = [0, 1].map(|odd| scope.spawn(move || of(odd)));
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    })
}

/// Mean and standard error over runs.
fn mean_and_error(values: &[f64]) -> (f64, f64) {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    (mean, (values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (count * (count - 1.0))).sqrt())
}

/// The largest |difference| of M, Q, risk and training risk, in standard errors.
fn largest_z(limit: &Trajectory, runs: &[Trajectory]) -> f64 {
    type Part = fn(&Trajectory) -> &[f64];
    let parts: [Part; 4] = [
        |run| run.of(&STUDENT_TEACHER),
        |run| run.of(&STUDENT_STUDENT),
        |run| run.of(&RISK),
        |run| run.of(&TRAINING_RISK),
    ];
    let own = limit.get(&STUDENT_TEACHER_ERROR).unwrap().iter().copied().fold(0.0, f64::max);
    let risk = limit.get(&RISK_ERROR).unwrap().iter().copied().fold(0.0, f64::max);
    let mut largest: f64 = 0.0;
    for part in parts {
        for (i, expected) in part(limit).iter().enumerate() {
            let values: Vec<f64> = runs.iter().map(|run| part(run)[i]).collect();
            let (mean, error) = mean_and_error(&values);
            largest = largest.max((mean - expected).abs() / (error * error + 2.0 * own * own + risk * risk).sqrt());
        }
    }
    largest
}

#[test]
fn exact_runs_come_to_the_limit_as_the_root_of_the_dimension() {
    let target = "tanh(z1 + he3(z2))";
    let limit = &view(&problem(target, 2, 1_000, 0.6), Engine::Limit, 1)[0];
    let distances = [(10_000, 24), (100_000, 8), (1_000_000, 4)].map(|(d, replicates)| {
        let runs = view(&problem(target, 2, d, 0.6), Engine::Reduced, replicates);
        let pairs = || runs.iter().flat_map(|run| run.of(&STUDENT_TEACHER).iter().zip(limit.of(&STUDENT_TEACHER)));
        let square: f64 = pairs().map(|(x, y)| (x - y).powi(2)).sum();
        if d == 1_000_000 {
            let z = largest_z(limit, &runs);
            assert!(z < 6.0, "at d = {d}: {z} standard errors");
        }
        (square / pairs().count() as f64).sqrt()
    });
    let exponent = (distances[2] / distances[0]).log10() / 2.0;
    assert!((exponent + 0.5).abs() < 0.1, "rms of M {distances:?}: exponent {exponent}");
    // What only reuse sees: a part of the first layer orthogonal to C_1, of opposite sign on the two neurons.
    let orthogonal = |j: usize| {
        let m = &limit.of(&STUDENT_TEACHER)[(STEPS as usize * 2 + j) * 2..][..2];
        0.640651 * m[0] + 0.767832 * m[1]
    };
    let error = limit.get(&STUDENT_TEACHER_ERROR).unwrap().iter().copied().fold(0.0, f64::max);
    assert!(error < 2e-4, "M known to {error:.1e}");
    assert!(orthogonal(0) * orthogonal(1) < 0.0 && orthogonal(0).abs() > 1e-3, "{} {}", orthogonal(0), orthogonal(1));
}

#[test]
fn batches_of_a_cycle_and_with_replacement_have_limits() {
    for order in [ReuseOrder::Cyclic, ReuseOrder::WithReplacement] {
        let mut problem = problem("tanh(z1) + 0.5*he3(z2)", 2, 10_000, 0.5);
        problem = problem.with(|parts| parts.training.reuse_order = order).unwrap();
        problem = problem.with(|parts| parts.training.batch = formula("n/3")).unwrap();
        problem = problem.with(|parts| parts.training.weight_decay = 0.1).unwrap();
        problem = problem.with(|parts| parts.target.noise = 0.2).unwrap();
        problem = problem.with(|parts| parts.network.second_layer.train = true).unwrap();
        let limit = &view(&problem, Engine::Limit, 1)[0];
        let runs = view(&problem, Engine::Reduced, 12);
        let z = largest_z(limit, &runs);
        assert!(z < 6.0, "{order:?}: {z} standard errors");
    }
}

/// Recorded gradients take steps of their own, which the memory of the loss does not see.
#[test]
fn recorded_gradients_leave_correlation_and_response_as_they_are() {
    let problem = problem("tanh(z1)", 1, 10_000, 0.3);
    let view = View { tolerance: 1e-2, ..View::new(Engine::Limit) };
    let plan = plan(&problem, &view, &Record::default(), STEPS as usize + 1, &MACHINE).unwrap();
    let grid = Grid::Steps((0..=STEPS).collect());
    let of = |gradients: bool| {
        let record = Record { gradients, ..Record::default() };
        run(&problem, &view, &plan, 0, &grid, &record, &Silent).unwrap().trajectory
    };
    let (plain, recorded) = (of(false), of(true));
    assert!(
        plain.get(&LOSS_CORRELATION).is_some()
            && plain.get(&LOSS_RESPONSE).is_some()
            && recorded.get(&GRADIENT_TEACHER).is_some()
    );
    assert_eq!(plain.of(&LOSS_CORRELATION), recorded.of(&LOSS_CORRELATION));
    assert_eq!(plain.of(&LOSS_RESPONSE), recorded.of(&LOSS_RESPONSE));
    assert_eq!(plain.of(&STUDENT_TEACHER), recorded.of(&STUDENT_TEACHER));
}

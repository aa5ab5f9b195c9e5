//! The flow of every kernel lowers its risk by the squared drift; the exact step is the mean of a step.

#![allow(clippy::unwrap_used)] // A test that cannot go on has failed.

use faer::Mat;
use twolayer::{
    average::{Averages, Kernel, State, Want, for_problem},
    method::{
        Machine,
        ode::{self, OnlineFlow},
        plan, run,
    },
    observer::Silent,
    overlaps::{Overlaps, clipped_power},
    problem::{
        Activation, Bias, BiasInit, Duration, Engine, FirstLayer, Formula, Geometry, Grid, Init, Network, Placement,
        Problem, Record, Rule, StartMode, Target, Terms, Training, View,
    },
    record::{
        KeepQ, Status,
        observable::{RISK, RISK_ERROR, STUDENT_SQUARES, STUDENT_STUDENT, STUDENT_TEACHER},
    },
    solve::VectorField,
};

fn expression(text: &str) -> Rule {
    Rule::try_from(text).unwrap()
}

fn committee(activation: Activation, units: usize) -> Rule {
    Rule::committee(activation, units, 0.5)
}

fn problem(activation: &str, rule: Rule, p: usize) -> Problem {
    let problem = Problem::builder().target(rule).network(p, activation);
    problem.dimension(1000).learning_rate(1e-3).time(1).build().unwrap()
}

/// Overlaps of rows that a sine made, with the first k axes as the target's directions.
fn state(problem: &Problem, size: f64) -> State {
    let (p, k) = (problem.width(), problem.directions());
    let d = p + k;
    let w = Mat::from_fn(p, d, |j, i| size * ((7 * j + 3 * i + 1) as f64).sin());
    let overlaps = Overlaps {
        student_teacher: w.subcols(0, k).to_owned(),
        student_student: &w * w.transpose(),
        teacher_teacher: Mat::identity(k, k),
    };
    let bias =
        if problem.network.bias.is_some() { (0..p).map(|j| 0.3 - 0.2 * j as f64).collect() } else { vec![0.0; p] };
    State { overlaps, second_layer: (0..p).map(|j| 1.0 - 0.4 * j as f64).collect(), bias }
}

/// `tr D Ω⁺ Dᵀ`, the squared norm of E\[g x\] over all neurons.
fn squared_drift(state: &State, averages: &Averages) -> f64 {
    let (p, k) = (state.overlaps.width(), state.overlaps.directions());
    let drift =
        Mat::from_fn(
            p,
            p + k,
            |j, q| {
                if q < p { averages.drift_student[(j, q)] } else { averages.drift_teacher[(j, q - p)] }
            },
        );
    (drift * clipped_power(state.overlaps.omega().as_ref(), 1e-9, -0.5).unwrap()).norm_l2().powi(2)
}

fn risk(kernel: &dyn Kernel, state: &State) -> (f64, f64) {
    let mut averages = Averages::zeros(state.overlaps.width(), state.overlaps.directions());
    kernel.averages(state, Want::RISK, &mut averages).unwrap();
    (averages.risk, averages.risk_error)
}

#[test]
fn the_risk_falls_by_the_squared_drift() {
    let setups = [
        ("erf", committee(Activation::Erf, 2), 1e-8),
        ("relu", committee(Activation::Relu, 2), 1e-8),
        ("relu", committee(Activation::Tanh, 2), 1e-8),
        ("relu", expression("z1 + z1*z2"), 1e-8),
        ("relu", expression("sign(z1 + z2) + tanh(z1)"), 1e-2),
        ("tanh", committee(Activation::Tanh, 2), 1e-7),
        ("tanh", expression("z1 + abs(z1*z2)"), 1e-7),
        ("softplus", expression("tanh(z1 + z2)"), 1e-8),
        ("sigmoid", committee(Activation::Relu, 2), 1e-8),
        ("gelu", expression("z1*z2*z3"), 1e-8),
        ("linear", expression("z1 + z2^3"), 1e-8),
        ("square", committee(Activation::Square, 2), 1e-8),
        ("he3", expression("he3(z1) - z1*z2"), 1e-8),
        ("tanh", expression("z1*z2 + z3*z4 + z5"), 2e-2),
    ];
    for (activation, rule, allowed) in setups {
        for biased in [false, true] {
            let mut problem = problem(activation, rule.clone(), 3);
            problem = problem
                .with(|parts| parts.network.bias = biased.then_some(Bias { init: BiasInit::Zero, train: true }))
                .unwrap();
            let kernel = for_problem(&problem, 1e-4).unwrap();
            let start = state(&problem, 0.5);
            let field = OnlineFlow::new(&problem, &start, 0.0, Terms::Flow, kernel.as_ref()).unwrap();
            let y = field.pack(&start);
            let mut dy = vec![0.0; field.dim()];
            field.drift(0.0, &y, &mut dy).unwrap();
            let along = |h: f64| {
                let mut moved = start.clone();
                field.unpack(&y.iter().zip(&dy).map(|(y, dy)| y + h * dy).collect::<Vec<f64>>(), &mut moved);
                risk(kernel.as_ref(), &moved).0
            };
            // Five points: the third derivative is gone.
            let h = 2e-3;
            let slope = (8.0 * (along(h) - along(-h)) - (along(2.0 * h) - along(-2.0 * h))) / (12.0 * h);
            let mut averages = Averages::zeros(problem.width(), problem.directions());
            kernel.averages(&start, Want::DRIFT, &mut averages).unwrap();
            let bias: f64 = if biased { averages.bias.iter().map(|b| b * b).sum() } else { 0.0 };
            let squared = (squared_drift(&start, &averages) + bias) / problem.output_scale();
            assert!(squared > 1e-3, "{activation}: nothing moves, {squared}");
            assert!(
                (slope + squared).abs() < allowed * squared.max(1.0) + 1e-9,
                "{activation}, {}, bias {biased}: dR/dt = {slope}, −squared drift = {}; {}",
                problem.target.formula(),
                -squared,
                kernel.describe()
            );
        }
    }
}

#[test]
fn the_risk_never_rises_along_the_flow() {
    for (activation, rule) in [
        ("relu", committee(Activation::Relu, 2)),
        ("relu", expression("tanh(z1) + z1*z2")),
        ("tanh", committee(Activation::Tanh, 2)),
        ("gelu", expression("z1*z2")),
        ("he2", committee(Activation::Hermite(2), 2)),
    ] {
        let problem = problem(activation, rule, 3);
        let times: Vec<f64> = (0..=40).map(|i| 0.5 * f64::from(i)).collect();
        let start = state(&problem, 0.4);
        let (got, report) = ode::run(&problem, &start, 0.0, Terms::Flow, &times, 1e-4, KeepQ::Full, &Silent).unwrap();
        assert_eq!(got.status, Status::Done, "{activation}");
        let errors = got.get(&RISK_ERROR).unwrap();
        for i in 0..40 {
            let (before, after) = (got.of(&RISK)[i], got.of(&RISK)[i + 1]);
            assert!(after <= before + errors[i] + errors[i + 1], "{activation}: {before:e} {after:e}; {report:?}");
        }
        assert!(got.of(&RISK)[40] < 0.8 * got.of(&RISK)[0], "{activation}: {} {}", got.of(&RISK)[0], got.of(&RISK)[40]);
    }
}

/// E[M'] and E[Q'] of 20 000 single steps of the reduced engine at d = 8, batches of 1 and 3.
#[test]
fn the_exact_step_is_the_mean_of_a_step() {
    for (activation, batch) in [(Activation::Erf, 3), (Activation::Relu, 1)] {
        let mut target = Target::new(committee(activation.clone(), 1));
        target.noise = 0.1;
        let mut network = Network::new(2, activation);
        network.output_scale = Formula::number(0.8);
        let placement = Placement::Overlaps {
            student_teacher: Mat::from_fn(2, 1, |j, _| [0.6, -0.3][j]),
            student_student: Mat::from_fn(2, 2, |j, l| if j == l { 1.0 } else { 0.2 }),
        };
        network.first_layer = FirstLayer { placement, scale: Formula::number(1.0), symmetric: false };
        let mut training = Training::new(8, Formula::number(0.9), Duration::Steps(Formula::number(1.0)));
        training.batch = Formula::number(f64::from(batch));
        training.weight_decay = 0.1;
        let problem = Problem::new(target, network, training).unwrap();
        let view = View::new(Engine::Reduced);
        let plan = plan(&problem, &view, &Record::default(), 2, &Machine { memory: 1e9, cores: 1 }).unwrap();
        let grid = Grid::Steps(vec![0, 1]);
        let runs = 20_000;
        let (mut mean, mut square) = ([0.0; 5], [0.0; 5]);
        let mut first = [0.0; 5];
        for replicate in 0..runs {
            let got = run(&problem, &view, &plan, replicate, &grid, &Record::default(), &Silent).unwrap().trajectory;
            let q = got.of(&STUDENT_STUDENT);
            let at = |i: usize| {
                [
                    got.of(&STUDENT_TEACHER)[2 * i],
                    got.of(&STUDENT_TEACHER)[2 * i + 1],
                    q[4 * i],
                    q[4 * i + 2],
                    q[4 * i + 3],
                ]
            };
            first = at(0);
            for (i, x) in at(1).into_iter().enumerate() {
                mean[i] += (x - first[i]) / runs as f64;
                square[i] += (x - first[i]).powi(2) / runs as f64;
            }
        }
        let start = problem.start(twolayer::random::Streams { seed: 0, replicate: 0 }).unwrap();
        let state = State {
            overlaps: start.overlaps(&problem.target.overlaps).unwrap(),
            second_layer: start.second_layer,
            bias: vec![0.0; 2],
        };
        let kernel = for_problem(&problem, 1e-4).unwrap();
        let drift = |terms: Terms| {
            let field =
                OnlineFlow::new(&problem, &state, 8.0 * 0.72 / f64::from(batch), terms, kernel.as_ref()).unwrap();
            let mut dy = vec![0.0; field.dim()];
            field.drift(0.0, &field.pack(&state), &mut dy).unwrap();
            dy
        };
        let (exact, ode) = (drift(Terms::ExactStep), drift(Terms::All));
        let mut ode_differs = 0.0_f64;
        for i in 0..5 {
            let error = ((square[i] - mean[i] * mean[i]) / runs as f64).sqrt();
            let wanted = exact[i] * problem.step_time();
            assert!(
                (mean[i] - wanted).abs() < 4.5 * error + 1e-3 * wanted.abs(),
                "{i}: {} ± {error} {wanted}",
                mean[i]
            );
            ode_differs = ode_differs.max((mean[i] - ode[i] * problem.step_time()).abs() / error);
        }
        assert!(ode_differs > 8.0, "the test cannot tell the exact step from the ODE: {ode_differs}");
        assert!(first[0] == 0.6);
    }
}

/// On the sphere no norm moves, and the risk falls still.
#[test]
fn rows_on_the_sphere_keep_their_norms() {
    let mut problem = problem("relu", committee(Activation::Relu, 2), 3);
    problem = problem.with(|parts| parts.training.geometry = Geometry::Spherical).unwrap();
    let start = state(&problem, 0.5);
    let (got, _) = ode::run(&problem, &start, 0.3, Terms::All, &[0.0, 1.0, 5.0], 1e-3, KeepQ::Full, &Silent).unwrap();
    for i in 0..3 {
        for j in 0..3 {
            let norm = start.overlaps.student_student[(j, j)];
            assert!((got.of(&STUDENT_SQUARES)[3 * i + j] / norm - 1.0).abs() < 1e-4, "{:?}", got.of(&STUDENT_SQUARES));
        }
    }
    assert!(got.of(&RISK)[2] < 0.8 * got.of(&RISK)[0], "{:?}", got.of(&RISK));
}

/// The limit of independent starts: from M = 0, Q = I where that moves, and refused where it does not.
#[test]
fn independent_starts_have_one_limit() {
    let machine = Machine { memory: 1e9, cores: 1 };
    let view = View::new(Engine::Limit);
    let plan_of = |activation: &str, rule: Rule, init: Option<Init>| {
        let mut problem = problem(activation, rule, 2);
        problem = problem.with(|parts| parts.network.start = StartMode::Independent).unwrap();
        problem = problem.with(|parts| parts.network.second_layer.init = init.unwrap_or(Init::Ones)).unwrap();
        let planned = plan(&problem, &view, &Record::default(), 3, &machine);
        (problem, planned)
    };
    let (problem, planned) = plan_of("tanh", committee(Activation::Tanh, 1), None);
    let grid = Grid::Times(vec![0.0, 1.0]);
    let got = run(&problem, &view, &planned.unwrap(), 0, &grid, &Record::default(), &Silent).unwrap().trajectory;
    assert_eq!((&got.of(&STUDENT_TEACHER)[..2], &got.of(&STUDENT_SQUARES)[..2]), (&[0.0; 2][..], &[1.0; 2][..]));
    assert!(got.of(&STUDENT_TEACHER)[2] > 0.05, "{:?}", got.of(&STUDENT_TEACHER));
    for (activation, rule, init, reason) in [
        ("tanh", expression("z1*z2"), None, "M does not move"),
        ("relu", expression("z1^2"), None, "M does not move"),
        ("tanh", committee(Activation::Tanh, 1), Some(Init::Gaussian), "a second layer drawn is zero"),
    ] {
        let error = plan_of(activation, rule, init).1.unwrap_err().to_string();
        assert!(error.contains(reason), "{error}");
    }
}

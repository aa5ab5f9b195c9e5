//! The single-index flows as views: which problems get them, and that they are the limits that other engines compute.

#![allow(clippy::unwrap_used)] // A test that cannot go on has failed.

use twolayer::{
    Error,
    method::{Machine, Plan, Run, plan, run},
    observer::Silent,
    problem::{
        Activation, Algorithm, Dimension, Duration, Engine, FirstLayer, Formula, Geometry, Init, Network, Placement,
        Problem, Record, Rule, SecondLayer, Spacing, Target, Training, View,
    },
    record::{
        Status,
        observable::{RISK, RISK_ERROR, SECOND_LAYER, STUDENT_STUDENT, STUDENT_TEACHER, STUDENT_TEACHER_ERROR, TIME},
    },
};

const MACHINE: Machine = Machine { memory: 4e9, cores: 1 };

/// Spherical gradient flow of both layers on a target of one index.
fn problem(p: usize, activation: Activation, target: Activation, epsilon: f64, time: f64) -> Problem {
    let target = Target::new(Rule::single_index(target));
    let mut network = Network::new(p, activation);
    network.first_layer = FirstLayer { placement: Placement::Sphere, scale: Formula::number(1.0), symmetric: false };
    network.second_layer = SecondLayer {
        init: Init::Grid,
        scale: Formula::number(1.0),
        train: true,
        rate_ratio: Formula::number(1.0 / epsilon),
    };
    let mut training = Training::new(30, Formula::number(1.0), Duration::Time(Formula::number(time)));
    training.algorithm = Algorithm::GradientFlow;
    training.learning_rate = None;
    training.geometry = Geometry::Spherical;
    Problem::new(target, network, training).unwrap()
}

fn changed(problem: &Problem, change: impl FnOnce(&mut Target, &mut Network, &mut Training)) -> Problem {
    problem.with(|parts| change(&mut parts.target, &mut parts.network, &mut parts.training)).unwrap()
}

fn reference(p: usize, epsilon: f64, time: f64) -> Problem {
    let series = |c: [f64; 4]| Activation::series(c.to_vec());
    problem(p, series([0.7, 0.8, 0.6, 0.5]), series([0.5, 0.9, 0.7, 0.6]), epsilon, time)
}

fn view(method: Option<&'static str>) -> View {
    View { method, tolerance: 1e-6, ..View::new(Engine::Limit) }
}

fn planned(problem: &Problem, method: Option<&'static str>) -> Result<Plan, Error> {
    plan(problem, &view(method), &Record::default(), 30, &MACHINE)
}

fn ran(problem: &Problem, method: Option<&'static str>, points: usize) -> Run {
    let record = Record { points, spacing: Spacing::Linear, ..Record::default() };
    let view = view(method);
    let plan = plan(problem, &view, &record, points + 1, &MACHINE).unwrap();
    let grid = record.grid(problem, false);
    run(problem, &view, &plan, 0, &grid, &record, &Silent).unwrap()
}

/// The general ODE knows neither power series nor that there is one direction.
#[test]
fn the_finite_flow_is_the_general_ode() {
    let problem = reference(8, 0.05, 3.0);
    let general = ran(&problem, Some("ode"), 30).trajectory;
    let finite = ran(&problem, None, 30);
    let plan = planned(&problem, None).unwrap();
    assert_eq!(plan.id(), "single-index-finite");
    assert_eq!((&general.status, &finite.trajectory.status), (&Status::Done, &Status::Done));
    assert_eq!(general.of(&TIME), finite.trajectory.of(&TIME));
    let compared = [
        ("risk", general.of(&RISK), finite.trajectory.of(&RISK)),
        ("M", general.of(&STUDENT_TEACHER), finite.trajectory.of(&STUDENT_TEACHER)),
        ("Q", general.of(&STUDENT_STUDENT), finite.trajectory.of(&STUDENT_STUDENT)),
        ("a", general.of(&SECOND_LAYER), finite.trajectory.of(&SECOND_LAYER)),
    ];
    for (name, one, other) in compared {
        assert_eq!(one.len(), other.len());
        for (one, other) in one.iter().zip(other) {
            assert!((one - other).abs() < 1e-8 * (1.0 + other.abs()), "{name}: {one} {other}");
        }
    }
    assert!(finite.trajectory.of(&RISK)[30] < 0.2 * finite.trajectory.of(&RISK)[0], "it learns");
    let errors = finite.trajectory.of(&STUDENT_TEACHER_ERROR);
    assert!(errors.iter().all(|error| error.is_finite() && *error < 1e-6));
}

/// ReLU on an expression: both are expanded, and what is left out is stated.
#[test]
fn expressions_are_expanded() {
    let cubic = Activation::parse("h + 0.3*h^2 - 0.2", &Default::default()).unwrap();
    let problem = problem(6, Activation::Relu, cubic, 0.5, 2.0);
    assert_eq!(planned(&problem, None).unwrap().id(), "ode", "a series that is cut is not taken unasked");
    let general = ran(&problem, Some("ode"), 20).trajectory;
    let finite = ran(&problem, Some("single-index-finite"), 20);
    assert!(finite.kernel.contains("degree 30") && finite.kernel.contains("σ beyond"), "{}", finite.kernel);
    for (t, (one, other)) in general.of(&RISK).iter().zip(finite.trajectory.of(&RISK)).enumerate() {
        // The stated error is the distance to two thirds of the degrees.
        let stated = finite.trajectory.of(&RISK_ERROR)[t];
        assert!((one - other).abs() < 2.0 * stated + 1e-4, "t = {t}: {one} {other} ± {stated}");
        assert!((one - other).abs() < 2e-3, "t = {t}: {one} {other}");
    }
    let advice = planned(&problem, Some("single-index-finite")).unwrap().advice.join(" ");
    assert!(advice.contains("cut at degree 30"), "{advice}");
}

/// A target of variance P ≠ 1 along its direction, and another output scale.
#[test]
fn scales_of_target_and_output() {
    let problem = changed(&reference(5, 0.3, 1.0), |target, network, _| {
        target.overlaps[(0, 0)] = 2.25;
        target.rule = Rule::committee(Activation::series(vec![0.1, 0.4]), 1, 1.5);
        network.output_scale = Formula::number(0.4);
    });
    let general = ran(&problem, Some("ode"), 10).trajectory;
    let finite = ran(&problem, Some("single-index-finite"), 10).trajectory;
    for (one, other) in general.of(&RISK).iter().zip(finite.of(&RISK)) {
        assert!((one - other).abs() < 1e-7, "{one} {other}");
    }
    for (one, other) in general.of(&STUDENT_TEACHER).iter().zip(finite.of(&STUDENT_TEACHER)) {
        assert!((one - other).abs() < 1e-7, "{one} {other}");
    }
}

#[test]
fn nodes_stand_for_many_and_only_there() {
    let nodes = changed(&reference(60, 1e-2, 1.0), |_, network, training| {
        network.second_layer.init = Init::Nodes;
        network.first_layer.placement = Placement::Orthonormal;
        training.dimension = Dimension::Infinite;
    });
    assert_eq!(planned(&nodes, None).unwrap().id(), "single-index");
    for method in ["ode", "single-index-finite"] {
        let error = planned(&nodes, Some(method)).unwrap_err();
        assert!(matches!(&error, Error::Refused(advice) if advice.key == "network.second_layer"), "{method}: {error}");
    }
    let run = ran(&nodes, None, 20);
    assert!(run.kernel.contains("Rodas5P") && run.kernel.contains("dR/dt"), "{}", run.kernel);
    // s_i s_j off the diagonal of Q.
    let (trajectory, p, t) = (&run.trajectory, 60, 20);
    let (m, q) = (&trajectory.of(&STUDENT_TEACHER)[t * p..], &trajectory.of(&STUDENT_STUDENT)[t * p * p..]);
    assert!((q[3 * p + 7] - m[3] * m[7]).abs() < 1e-15 && q[3 * p + 3] == 1.0);
}

#[test]
fn problems_without_a_flow_are_refused_with_the_key() {
    let good = reference(8, 0.1, 1.0);
    type Change = fn(&mut Target, &mut Network, &mut Training);
    let cases: [(&str, Change); 5] = [
        ("training.geometry", |_, _, training| training.geometry = Geometry::Free),
        ("network.second_layer", |_, network, _| network.second_layer.train = false),
        ("target", |target, _, _| {
            *target = Target::new(Rule::committee(Activation::Tanh, 2, 1.0));
        }),
        ("network.first_layer", |_, network, _| network.first_layer.scale = Formula::number(2.0)),
        ("training.algorithm", |_, _, training| {
            training.algorithm = Algorithm::Sgd;
            training.learning_rate = Some(Formula::parse("0.5/d", &Default::default()).unwrap());
        }),
    ];
    for (key, change) in cases {
        let problem = changed(&good, change);
        for method in ["single-index", "single-index-finite"] {
            let error = planned(&problem, Some(method)).unwrap_err();
            assert!(matches!(&error, Error::Refused(advice) if advice.key == key), "{key}, {method}: {error}");
        }
        // Unasked, it is another method's.
        assert_eq!(planned(&problem, None).unwrap().id(), "ode", "{key}");
    }
}

#[test]
fn warnings_come_with_the_plan_and_with_the_run() {
    let ids = |warnings: Vec<twolayer::method::Warning>| warnings.into_iter().map(|w| w.id).collect::<Vec<_>>();
    let blind = changed(&reference(8, 0.01, 1.0), |target, network, training| {
        target.rule = Rule::single_index(Activation::series(vec![0.5, 0.0, 0.7]));
        network.first_layer.placement = Placement::Orthonormal;
        training.dimension = Dimension::Infinite;
    });
    let plan = planned(&blind, None).unwrap();
    assert_eq!(ids(plan.method.warnings(None)), ["phi_1 = 0", "too few neurons"]);
    assert_eq!(plan.method.expected().len(), 1, "the mean alone is learnt");
    // Three neurons at ε = 10⁻³: one of them carries the output.
    let few = reference(3, 1e-3, 10.0);
    let plan = planned(&few, None).unwrap();
    let trajectory = ran(&few, None, 50).trajectory;
    assert!(!ids(plan.method.warnings(None)).contains(&"dominated by one neuron".to_string()));
    let warnings = plan.method.warnings(Some(&trajectory));
    assert!(warnings.iter().any(|w| w.id == "dominated by one neuron" && w.text.contains("max |a|/m")), "{warnings:?}");
}

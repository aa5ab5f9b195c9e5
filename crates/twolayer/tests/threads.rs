//! Large batches are cut into lanes that threads share: neither the threads nor the cuts may show.

#![allow(clippy::unwrap_used)] // A test that cannot go on has failed.

use twolayer::{
    method::{Machine, plan, run},
    observer::Silent,
    problem::{
        Activation, Bias, BiasInit, Data, Duration, Engine, Formula, Geometry, Init, Network, Problem, Record,
        ReuseOrder, Rule, Target, Training, View,
    },
    record::Trajectory,
};

const MACHINE: Machine = Machine { memory: 2e9, cores: 1 };

/// A committee of two learned by p neurons, everything trained, on batches of `batch` of which there are several lanes.
fn problem(p: usize, d: u64, batch: usize, samples: Option<usize>, steps: u64) -> Problem {
    let mut target = Target::new(Rule::committee(Activation::Tanh, 2, 0.5));
    target.noise = 0.1;
    let mut network = Network::new(p, Activation::Tanh);
    network.output_scale = Formula::number(1.0 / p as f64);
    network.second_layer.init = Init::Alternating;
    network.second_layer.train = true;
    network.bias = Some(Bias { init: BiasInit::Gaussian, train: true });
    let steps = Duration::Steps(Formula::number(steps as f64));
    let mut training = Training::new(d, Formula::number(0.5 * p as f64), steps);
    training.batch = Formula::number(batch as f64);
    if let Some(samples) = samples {
        training.data = Data::Reused;
        training.samples = Some(Formula::number(samples as f64));
        training.reuse_order = if samples == batch { ReuseOrder::Full } else { ReuseOrder::WithReplacement };
    } else {
        training.geometry = Geometry::Spherical;
    }
    Problem::new(target, network, training).unwrap()
}

fn trajectory(problem: &Problem, engine: Engine, replicate: u64, threads: usize) -> Trajectory {
    let view = View::new(engine);
    let mut plan = plan(problem, &view, &Record::default(), 5, &MACHINE).unwrap();
    plan.threads = threads;
    let grid = Record::default().grid(problem, true);
    run(problem, &view, &plan, replicate, &grid, &Record::default(), &Silent).unwrap().trajectory
}

#[test]
fn threads_do_not_show() {
    let cases = [
        (problem(20, 300, 4_000, None, 2), Engine::Direct),
        (problem(20, 300, 30_000, None, 2), Engine::Reduced),
        (problem(2, 60, 60_000, Some(60_000), 2), Engine::Direct),
        (problem(2, 60, 40_000, Some(60_000), 2), Engine::Direct),
        (problem(2, 100_000, 200_000, Some(200_000), 2), Engine::Reduced),
        (problem(2, 100_000, 50_000, Some(200_000), 2), Engine::Reduced),
    ];
    for (problem, engine) in &cases {
        let alone = trajectory(problem, *engine, 0, 1);
        assert!(alone.valid == alone.len() && alone.risk.iter().all(|risk| risk.is_finite()));
        for threads in [2, 3, 16] {
            assert_eq!(trajectory(problem, *engine, 0, threads), alone, "{engine:?}, {threads} threads");
        }
    }
}

/// The law of runs in many lanes is that of runs in one: reduced and direct cut at other places.
#[test]
fn lanes_do_not_show() {
    const RUNS: u64 = 48;
    let cases = [
        // Two lanes of much data, and four lanes of so little that what lies outside the target is felt.
        problem(2, 60, 60_000, Some(60_000), 3),
        problem(2, 1_000, 4_500, Some(4_500), 3),
        problem(2, 1_000, 4_500, None, 3),
    ];
    for problem in cases {
        let ends = |engine| -> Vec<Vec<f64>> {
            let end = |replicate| {
                let run = trajectory(&problem, engine, replicate, 2);
                let at = run.student_teacher.len() - 4;
                let last = |array: &[f64], count: usize| array[array.len() - count..].to_vec();
                [
                    run.student_teacher[at..].to_vec(),
                    last(&run.student_student, 4),
                    last(&run.bias, 2),
                    last(&run.risk, 1),
                ]
                .concat()
            };
            (0..RUNS).map(end).collect()
        };
        let (direct, reduced) = (ends(Engine::Direct), ends(Engine::Reduced));
        let moments = |runs: &[Vec<f64>], i: usize| {
            let mean = runs.iter().map(|run| run[i]).sum::<f64>() / RUNS as f64;
            let variance = runs.iter().map(|run| (run[i] - mean).powi(2)).sum::<f64>() / (RUNS - 1) as f64;
            (mean, variance)
        };
        for i in 0..direct[0].len() {
            let ((left, spread), (right, other)) = (moments(&direct, i), moments(&reduced, i));
            if spread + other < 1e-20 {
                // Rows keep their norms on the sphere.
                continue;
            }
            let z = (left - right) / ((spread + other) / RUNS as f64).sqrt();
            // F of 47 and 47 degrees of freedom is beyond 3.2 once in 10⁴.
            assert!(z.abs() < 4.5 && (0.31..3.2).contains(&(spread / other)), "{i}: {left} {right}, z = {z:.2}");
        }
    }
}

//! What a reused run costs, predicted and measured, and which ones are refused.

#![allow(clippy::unwrap_used)] // A test that cannot go on fails there.

use std::fs;

use twolayer::{
    Error,
    method::{Machine, Plan, plan, run},
    observer::Silent,
    problem::{Activation, Engine, Grid, Problem, Record, ReuseOrder, Rule, View},
};

const MACHINE: Machine = Machine { memory: 2e9, cores: 1 };

fn problem(dimension: u64, batch: &str, steps: &str) -> Problem {
    let order = if batch == "n" { ReuseOrder::Full } else { ReuseOrder::Cyclic };
    let committee = Problem::builder().target(Rule::committee(Activation::Erf, 2, 1.0)).network(2, "erf");
    let reused = committee.dimension(dimension).learning_rate(0.5).reused("3*d").batch(batch).steps(steps);
    reused.with(move |parts| parts.training.reuse_order = order).build().unwrap()
}

fn planned(problem: &Problem, engine: Engine, machine: &Machine) -> Result<Plan, Error> {
    plan(problem, &View { replicates: 1, ..View::new(engine) }, &Record::default(), 7, machine)
}

/// Bytes of this process: at their peak, or now.
fn resident(what: &str) -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with(what))?;
    Some(1024.0 * line.split_whitespace().nth(1)?.parse::<f64>().ok()?)
}

#[test]
fn memory_is_predicted_within_a_fifth() {
    for (engine, dimension) in [(Engine::Reduced, 100_000), (Engine::Direct, 3_000)] {
        let problem = problem(dimension, "n", "6");
        let plan = planned(&problem, engine, &MACHINE).unwrap();
        let Some(before) = resident("VmRSS") else { return };
        let view = View { replicates: 1, ..View::new(engine) };
        let grid = Grid::Steps((0..=6).collect());
        run(&problem, &view, &plan, 0, &grid, &Record::default(), &Silent).unwrap();
        // Where the system tells the peak at all.
        let Some(peak) = resident("VmHWM") else { return };
        let ratio = (peak - before) / plan.cost.bytes;
        assert!((ratio - 1.0).abs() < 0.2, "{engine:?}: {ratio} of {} bytes", plan.cost.bytes);
    }
}

#[test]
fn what_does_not_pay_or_fit_is_refused_with_numbers() {
    let refused = |problem: &Problem, machine: &Machine| match planned(problem, Engine::Reduced, machine) {
        Err(Error::Refused(why)) => format!("{}: {} → {}", why.key, why.reason, why.remedy),
        other => panic!("{other:?}"),
    };
    // Batch 1: 2 + 2 + 2·2·18000 directions.
    let text = refused(&problem(1_000, "1", "6*n"), &MACHINE);
    assert!(text.contains("72004") && text.contains("d = 1000") && text.contains("direct"), "{text}");
    let small = Machine { memory: 5e8, cores: 1 };
    let text = refused(&problem(1_000_000, "n", "6"), &small);
    assert!(text.contains("training.samples") && text.contains("706.5 MB") && text.contains("500.0 MB"), "{text}");
}

#[test]
fn the_scaling_chooses_the_method() {
    let plan_of = |problem: &Problem, engine| planned(problem, engine, &MACHINE).unwrap();
    let full = problem(10_000, "n", "6");
    assert_eq!(plan_of(&full, Engine::Reduced).id(), "reduced-reused");
    let limit = plan_of(&full, Engine::Limit);
    assert_eq!((limit.id(), limit.title().as_str()), ("dmft", "dynamical mean-field theory"));
    assert!(limit.reason.contains("n ~ d^1.000"), "{}", limit.reason);
    // One sample at a time is no fraction of n.
    let error = planned(&problem(10_000, "1", "6"), Engine::Limit, &MACHINE).unwrap_err().to_string();
    assert!(error.contains("fraction of n"), "{error}");
}

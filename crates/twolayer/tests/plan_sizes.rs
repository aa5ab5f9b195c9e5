//! What does not fit is refused with its size, before anything of that size is formed.

#![allow(clippy::unwrap_used)] // A test that cannot go on fails there.

use std::{collections::BTreeMap, fs};

use twolayer::{
    Error,
    method::{Machine, plan},
    problem::{
        Activation, Duration, Engine, Formula, Network, Problem, Record, Rule, StartMode, Target, Training, View,
    },
    record::KeepQ,
};

const MACHINE: Machine = Machine { memory: 8e9, cores: 2 };

fn formula(text: &str) -> Formula {
    Formula::parse(text, &BTreeMap::new()).unwrap()
}

fn problem(width: usize, dimension: u64, change: impl FnOnce(&mut Network, &mut Training)) -> Problem {
    let target = Target::new(Rule::committee(Activation::Erf, 2, 1.0));
    let mut network = Network::new(width, Activation::Tanh);
    let mut training = Training::new(dimension, formula("1/d"), Duration::Steps(formula("1000000")));
    change(&mut network, &mut training);
    Problem::new(target, network, training).unwrap()
}

/// Bytes of this process: at their peak.
fn peak() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.map_or(0.0, |line| 1024.0 * line.split_whitespace().next().unwrap().parse::<f64>().unwrap())
}

fn refused(problem: &Problem, engine: Engine, record: &Record) -> String {
    let in_steps = problem.counts_steps();
    let entries = record.entries(problem, in_steps, engine != Engine::Limit);
    match plan(problem, &View { replicates: 16, ..View::new(engine) }, record, entries, &MACHINE) {
        Err(Error::Refused(why)) => format!("{}: {} → {}", why.key, why.reason, why.remedy),
        other => panic!("{other:?}"),
    }
}

/// Width 10⁵, d = 4·10⁵: 80 GB for each p×p, 320 GB for p×d.
#[test]
fn nothing_is_formed_before_memory_is_known() {
    let before = peak();
    let online = problem(100_000, 400_000, |_, _| {});
    let giant = problem(100_000, 400_000, |_, training| {
        training.learning_rate = Some(formula("1"));
        training.batch = formula("d");
        training.duration = Duration::Steps(formula("2"));
    });
    let independent = problem(100_000, 400_000, |network, _| network.start = StartMode::Independent);
    for problem in [&online, &giant, &independent] {
        for engine in [Engine::Direct, Engine::Reduced, Engine::Limit] {
            let why = refused(problem, engine, &Record::default());
            assert!(why.contains(" TB, 8.0 GB may be used"), "{engine:?}: {why}");
        }
    }
    let narrow = problem(2, 1000, |_, training| training.duration = Duration::Steps(formula("1e13")));
    let record = Record { points: 4_000_000_000, ..Record::default() };
    let why = refused(&narrow, Engine::Reduced, &record);
    assert!(why.contains("TB, 8.0 GB") && why.contains("record fewer points"), "{why}");
    assert!(peak() - before < 5e7, "{} MB were taken", (peak() - before) / 1e6);
}

/// p = 1024 with all of Q: 176·p²·8 = 1.5 GB for each of 16 replicates, which are there together at the end, and one as bytes.
#[test]
fn what_is_recorded_counts() {
    let wide = problem(1024, 2048, |_, _| {});
    let record = Record { keep_q: Some(KeepQ::Full), ..Record::default() };
    let why = refused(&wide, Engine::Reduced, &record);
    assert!(why.contains("the reduced view needs 25.3 GB"), "{why}");
    // Batches that are used twice keep two triangles of n_b².
    let twice = problem(8, 2_000_000, |_, training| {
        training.batch = formula("40000");
        training.repeats = 2;
    });
    let why = refused(&twice, Engine::Reduced, &Record::default());
    assert!(why.starts_with("training.batch: the reduced view needs 41"), "{why}");
    // Gradients follow from what a single look has drawn.
    let batches = problem(8, 2_000_000, |_, training| training.batch = formula("40000"));
    let record = Record { gradients: true, ..Record::default() };
    let entries = 201;
    let view = View { replicates: 16, ..View::new(Engine::Reduced) };
    let plan = plan(&batches, &view, &record, entries, &MACHINE).unwrap();
    assert!(plan.cost.bytes < 1e8, "{:?}", plan.cost);
}

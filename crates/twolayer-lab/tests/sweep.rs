//! Sweeps, settings and quick runs: which points there are, what each is, and which tasks.

#![allow(clippy::unwrap_used, clippy::expect_used)] // A test that cannot go on fails there.

use std::{
    collections::BTreeSet,
    path::Path,
    sync::{Arc, Mutex},
    thread::sleep,
    time::{Duration, Instant},
};

use twolayer::{
    Error,
    method::{Cost, Job, Machine, Method, Question, Run},
    observer::{Observer, Progress},
    problem::{Crossing, CrossingOf},
    record::Status,
};
use twolayer_file::{Request, Study, experiment::Experiment};
use twolayer_lab::{
    plan,
    run::{self, Monitor, Unwatched},
    store::Part,
    task::{Task, Tasks, once, share},
};

const FILE: &str = r#"
title = "Swept"
[constants]
rate = 0.5
[target]
committee = { units = 2, activation = "erf" }
[network]
width = 3
activation = "erf"
[training]
dimension = 50
learning_rate = "rate/d"
time = 2
[[view]]
engine = "limit"
[[view]]
engine = "reduced"
replicates = 4
[sweep]
"training.dimension" = [20, 40]
[[sweep.together]]
target.noise = [0.1, 0.2, 1e-3]
"constants.rate" = [0.5, 0.4, 1]
"#;

const MACHINE: Machine = Machine { memory: 1e9, cores: 2 };

fn study_of(text: &str, settings: &[&str]) -> Study {
    let settings = settings.iter().map(ToString::to_string).collect();
    let request = Request { settings, ..Request::default() };
    Study::parse(text, Path::new("swept.toml"), &request).unwrap_or_else(|faults| panic!("{}", faults[0]))
}

fn tasks(text: &str, settings: &[&str]) -> Tasks {
    Tasks::new(&study_of(text, settings), &MACHINE).unwrap()
}

fn quick(text: &str) -> Experiment {
    let request = Request { quick: true, ..Request::default() };
    Study::parse(text, Path::new("swept.toml"), &request).unwrap().experiment(0).unwrap()
}

#[test]
fn a_sweep_is_all_combinations_with_the_last_key_fastest() {
    let study = study_of(FILE, &[]);
    let names: Vec<&str> = study.points().iter().map(|point| point.directory.as_str()).collect();
    assert_eq!(
        names,
        [
            "dimension=20,noise=0.1,rate=0.5",
            "dimension=20,noise=0.2,rate=0.4",
            "dimension=20,noise=1e-3,rate=1",
            "dimension=40,noise=0.1,rate=0.5",
            "dimension=40,noise=0.2,rate=0.4",
            "dimension=40,noise=1e-3,rate=1",
        ]
    );
    assert_eq!(study.keys(), ["training.dimension", "target.noise", "constants.rate"]);
    let last = study.experiment(5).unwrap();
    let problem = &last.views[1].problem;
    assert_eq!((problem.dimension(), problem.target.noise, problem.learning_rate()), (Some(40), 1e-3, 1.0 / 40.0));
    assert_eq!(last.point_in_words().unwrap(), "dimension=40, noise=1e-3, rate=1");
}

#[test]
fn a_file_without_a_sweep_has_one_point() {
    let study = study_of(&FILE[..FILE.find("[sweep]").unwrap()], &[]);
    assert_eq!((study.points().len(), study.is_sweep()), (1, false));
    assert_eq!(study.experiment(0).unwrap().point, []);
}

#[test]
fn settings_take_the_place_of_what_is_written() {
    let set =
        ["training.batch=2", "training.steps=7", "view.replicates=3", "view.limit.tolerance=1e-6", "network.width=2*k"];
    let experiment = study_of(FILE, &set).experiment(0).unwrap();
    let [limit, reduced] = &experiment.views[..] else { panic!("two views") };
    assert_eq!(
        (limit.view.replicates, reduced.view.replicates),
        (1, 3),
        "a limit has one replicate unless it is named"
    );
    assert_eq!((limit.view.tolerance, reduced.view.tolerance), (1e-6, 1e-4));
    assert_eq!((reduced.problem.batch(), reduced.problem.steps(), reduced.problem.width()), (2, 7, 4));
    // A key that is set is not swept; a list that is set is.
    assert_eq!(study_of(FILE, &["training.dimension=30"]).points().len(), 3);
    assert_eq!(study_of(FILE, &["sweep.training.dimension=[5, 6, 7]"]).points().len(), 9);
    let plain = &FILE[..FILE.find("[[view]]").unwrap()];
    assert_eq!(
        study_of(plain, &["view.direct.seed=5"]).experiment(0).unwrap().views[2].view.seed,
        5,
        "views not written"
    );
}

#[test]
fn a_quick_run_is_a_tenth_and_says_so() {
    let large = FILE.replace("dimension = 50", "dimension = 5000").replace("replicates = 4", "replicates = 40");
    let large = &large[..large.find("[sweep]").unwrap()];
    let experiment = quick(large);
    let view = &experiment.views[1];
    assert_eq!((view.problem.dimension(), view.view.replicates), (Some(500), 4));
    assert_eq!((view.problem.width(), view.problem.directions(), view.problem.time()), (3, 2, 2.0));
    assert_eq!(view.problem.network.start_dimension, Some(500));
    assert!(experiment.quick && experiment.title.contains("quick"), "{}", experiment.title);
    assert_eq!(experiment.resolved.json["views"][1]["training"]["dimension"], 500.0);
    // d does not fall below p + k; the time is cut where d is not.
    let small = quick(&large.replace("5000", "5"));
    assert_eq!((small.views[1].problem.dimension(), small.views[1].problem.time()), (Some(5), 0.2));
    let steps = quick(&large.replace("time = 2", "steps = 6\nbatch = 2000"));
    assert_eq!((steps.views[1].problem.steps(), steps.views[1].problem.batch()), (6, 200));
}

#[test]
fn the_name_of_a_task_knows_what_its_result_depends_on() {
    let names = |tasks: &Tasks| tasks.all.iter().map(|task| task.name.clone()).collect::<Vec<_>>();
    let all = tasks(FILE, &[]);
    assert_eq!(all.all.len(), 6 * 5);
    assert_eq!(names(&all).iter().collect::<BTreeSet<_>>().len(), 30);
    for same in ["title=Another", "note=x", "figure.y=overlap"] {
        assert_eq!(names(&tasks(FILE, &[same])), names(&all), "{same}");
    }
    let more = tasks(FILE, &["view.replicates=5"]);
    assert_eq!(names(&more)[..5], names(&all)[..5], "a fifth replicate leaves four as they are");
    assert_ne!(more.identity, all.identity);
    for other in ["view.seed=1", "network.start_seed=1", "training.time=3", "record.points=20", "view.tolerance=1e-5"] {
        let other_names = names(&tasks(FILE, &[other]));
        assert!(names(&all).iter().all(|name| !other_names.contains(name)), "{other}");
    }
    // A view that overrides what is swept is the same at both points.
    let text = FILE
        .replace("replicates = 4", "replicates = 4\ndimension = 60\noverride = { \"network.start_dimension\" = 9 }");
    let shared = tasks(&text, &[]);
    assert_eq!((shared.all.len(), once(&shared.all).len()), (30, 6 + 12));
}

#[test]
fn shares_are_the_whole_list_and_none_overlap() {
    let all = once(&tasks(FILE, &[]).all);
    let mut together: Vec<String> = (1..=4).flat_map(|job| share(all.clone(), job, 4)).map(|task| task.name).collect();
    let mut expected: Vec<String> = all.iter().map(|task| task.name.clone()).collect();
    assert_eq!(share(all, 1, 40).len(), 1);
    together.sort();
    expected.sort();
    assert_eq!(together, expected);
}

#[test]
fn crossings_are_read() {
    let record = "[record]\ngradients = true\ncrossings = [{ quantity = \"risk\", level = 0.1, stop = true }, \
                  { quantity = \"cosine\", level = 0.5 }, { quantity = \"cosine:2\", level = 0.25 }]\n[[view]]";
    let study = study_of(&FILE.replacen("[[view]]", record, 1), &[]);
    let record = &study.experiment(0).unwrap().views[0].record;
    assert!(record.gradients);
    let crossing = |of, level, stop| Crossing { of, level, stop };
    assert_eq!(
        record.crossings,
        [
            crossing(CrossingOf::Risk, 0.1, true),
            crossing(CrossingOf::Cosine, 0.5, false),
            crossing(CrossingOf::CosineWith(1), 0.25, false)
        ]
    );
}

/// Ends every task with a pause, and notes the order.
struct Slow(Mutex<Vec<bool>>);

impl Monitor for Slow {
    fn progress(&self, _: &Task, _: &Progress) {}
    fn finished(&self, task: &Task, _: &Part) {
        self.0.lock().unwrap().push(task.simulation);
        sleep(Duration::from_millis(50));
    }
    fn interrupted(&self) -> bool {
        false
    }
}

/// 64 tasks of one length on two threads take 32 lengths, and no more than 40; the limit is first.
#[test]
fn two_threads_share_the_tasks() {
    let mut experiment = study_of(FILE, &["view.replicates=63"]).experiment(0).unwrap();
    let (plans, _) = plan::plan(&mut experiment, &MACHINE).unwrap();
    let monitor = Slow(Mutex::default());
    let clock = Instant::now();
    run::run(&experiment, &plans, 2, &monitor).unwrap();
    let lengths = clock.elapsed().as_secs_f64() / 0.05;
    let order = monitor.0.into_inner().unwrap();
    assert_eq!(order.len(), 64);
    assert!(order[..2].contains(&false), "limits first");
    assert!((32.0..40.0).contains(&lengths), "{lengths}");
}

/// A method that finds out too late.
#[derive(Debug)]
struct Broken;

impl Method for Broken {
    fn reason(&self) -> String {
        "for a test".into()
    }

    fn cost(&self, _: &Question<'_>, _: usize) -> Cost {
        Cost { seconds: 0.0, bytes: 0.0 }
    }

    fn run(&self, _: &Job<'_>, _: &dyn Observer) -> Result<Run, Error> {
        Err(Error::Numerical("no covariance at step 1".into()))
    }
}

/// What one engine cannot do is told of its view, and the others run.
#[test]
fn an_engine_that_fails_does_not_end_the_run() {
    let mut experiment = study_of(FILE, &[]).experiment(0).unwrap();
    let (mut plans, _) = plan::plan(&mut experiment, &MACHINE).unwrap();
    plans[1].method = Arc::new(Broken);
    let outcomes = run::run(&experiment, &plans, 2, &Unwatched).unwrap();
    assert_eq!(outcomes[0].trajectories[0].status, Status::Done);
    assert_eq!(outcomes[1].trajectories.len(), 4);
    for run in &outcomes[1].trajectories {
        assert!(
            matches!(&run.status, Status::Failed { reason } if reason == "no covariance at step 1"),
            "{:?}",
            run.status
        );
        assert_eq!((run.valid, run.len()), (0, outcomes[1].trajectories[0].len()));
    }
}

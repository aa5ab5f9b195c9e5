//! The command as a user meets it: what it writes, what it refuses and how, and with which exit code.

#![allow(clippy::unwrap_used, clippy::expect_used)] // A test that cannot go on fails there.

mod desk;

use std::{
    fs,
    process::{Command, Stdio},
    thread::sleep,
    time::Duration,
};

use desk::{Desk, arrays, words};
use twolayer::record::{Status, observable::STUDENT_TEACHER};
use twolayer_lab::store::{self, Manifest};

const GOOD: &str = r#"title = "A small one"
[target]
committee = { units = 2, activation = "erf" }
noise = 0.1
[network]
width = 3
activation = "erf"
[training]
dimension = 50
learning_rate = "0.5/d"
time = 2
[record]
points = 12
[[view]]
engine = "limit"
[[view]]
engine = "reduced"
replicates = 5
[[view]]
engine = "direct"
replicates = 4
"#;

#[test]
fn a_run_writes_its_results_and_answers() {
    let desk = Desk::new(GOOD);
    let output = desk.call(&["run", "experiment.toml"]);
    assert_eq!(output.status.code(), Some(0), "{}", words(&output.stderr));
    let answer = words(&output.stdout);
    assert!(answer.contains("limit") && answer.contains("agree") && answer.contains("figure"), "{answer}");
    for name in [
        "limit.npz",
        "reduced.npz",
        "direct.npz",
        "manifest.json",
        "figure.svg",
        "figure.png",
        "figure.pdf",
        "report.html",
    ] {
        assert!(desk.path("results/experiment").join(name).exists(), "{name}");
    }
    // The same experiment again is the same; another one is refused.
    assert_eq!(desk.call(&["run", "experiment.toml", "--quiet"]).status.code(), Some(0));
    fs::write(desk.path("experiment.toml"), GOOD.replace("noise = 0.1", "noise = 0.2")).unwrap();
    let refused = desk.call(&["run", "experiment.toml"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(words(&refused.stderr).contains("--overwrite"), "{}", words(&refused.stderr));
    assert_eq!(desk.call(&["run", "experiment.toml", "--overwrite"]).status.code(), Some(0));
}

#[test]
fn results_do_not_depend_on_the_number_of_threads() {
    let desk = Desk::new(GOOD);
    let results: Vec<_> = ["1", "2", "3"]
        .iter()
        .map(|threads| {
            let output = desk.call(&["run", "experiment.toml", "--threads", threads, "--out", threads]);
            assert_eq!(output.status.code(), Some(0), "{}", words(&output.stderr));
            arrays(&desk.path(threads))
        })
        .collect();
    assert_eq!(results[0].len(), 3);
    assert!(results[0] == results[1] && results[0] == results[2], "bit for bit");
}

#[test]
fn another_seed_is_another_run_of_the_same_start() {
    let desk = Desk::new(GOOD);
    assert_eq!(desk.call(&["run", "experiment.toml", "--out", "a"]).status.code(), Some(0));
    assert_eq!(desk.call(&["run", "experiment.toml", "--out", "b", "--seed", "7"]).status.code(), Some(0));
    let load = |name: &str| store::load(&desk.path(name)).unwrap();
    let ((first, a), (second, b)) = (load("a"), load("b"));
    assert_eq!(a[0].trajectories, b[0].trajectories, "the limit has no seed");
    assert_ne!(a[1].trajectories, b[1].trajectories);
    assert_ne!(first.experiment_hash, second.experiment_hash);
    assert!(second.command.contains("--seed 7"));
}

/// Expressions and Hermite coefficients are activations like any other, and direct and reduced agree on them.
#[test]
fn activations_that_have_no_name_run() {
    let without_limit = GOOD.replace("[[view]]\nengine = \"limit\"\n", "");
    let with = |activation: &str| {
        let text =
            without_limit.replace("width = 3\nactivation = \"erf\"", &format!("width = 3\nactivation = {activation}"));
        let desk = Desk::new(&text);
        let output = desk.call(&["run", "experiment.toml", "--out", "out"]);
        assert_eq!(output.status.code(), Some(0), "{}", words(&output.stderr));
        let answer = words(&output.stdout);
        assert!(answer.contains("direct agree"), "{activation}: {answer}");
        let check = words(&desk.call(&["check", "experiment.toml"]).stdout);
        (store::load(&desk.path("out")).unwrap().1, check)
    };
    let (mixed, check) = with("\"tanh(h) + 0.1*he2(h)\"");
    assert!(check.contains("σ(h) = tanh(h) + 0.1*he2(h)"), "{check}");
    let (series, check) = with("{ hermite = [0, 1, 0.25] }");
    assert!(check.contains("σ(h) = h_1(h) + 0.25 h_2(h), h_q = He_q/√q!"), "{check}");
    assert_ne!(mixed[0].trajectories, series[0].trajectories);
    let ((expression, _), (named, _)) = (with("\"tanh(h)\""), with("\"tanh\""));
    for (one, other) in expression.iter().zip(&named).flat_map(|(a, b)| a.trajectories.iter().zip(&b.trajectories)) {
        for (one, other) in one.of(&STUDENT_TEACHER).iter().zip(other.of(&STUDENT_TEACHER)) {
            assert!((one - other).abs() < 1e-12, "{one} and {other}");
        }
    }
}

#[test]
fn divergence_is_a_recorded_status() {
    let text = GOOD
        .replace("activation = \"erf\"\n[training]", "activation = \"square\"\n[training]")
        .replace("learning_rate = \"0.5/d\"\ntime = 2", "learning_rate = \"5\"\nsteps = 60")
        .replace("[[view]]\nengine = \"limit\"\n", "");
    let desk = Desk::new(&text);
    let output = desk.call(&["run", "experiment.toml", "--out", "out"]);
    assert_eq!(output.status.code(), Some(1), "{}", words(&output.stderr));
    let manifest = fs::read_to_string(desk.path("out/manifest.json")).unwrap();
    assert!(manifest.contains("diverged"), "{manifest}");
    assert!(words(&output.stdout).contains("diverged"), "{}", words(&output.stdout));
    assert!(desk.path("out/figure.svg").exists());
}

#[cfg(unix)]
#[test]
fn control_c_keeps_what_is_done() {
    let text =
        GOOD.replace("time = 2", "time = 1e5").replace("engine = \"direct\"", "engine = \"direct\"\ntolerance = 1e-3");
    let desk = Desk::new(&text);
    let mut child = desk
        .command(&["run", "experiment.toml", "--out", "out", "--only", "limit", "--only", "reduced"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    sleep(Duration::from_millis(1500));
    let pressed = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(pressed.success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let manifest = fs::read_to_string(desk.path("out/manifest.json")).unwrap();
    assert!(manifest.contains("interrupted"), "{manifest}");
    assert!(desk.path("out/reduced.npz").exists() && desk.path("out/limit.npz").exists());
}

#[test]
fn engines_with_one_seed_are_independent() {
    // M after the first step from a shared start is −η g zᵀ: equal only if both drew the same sample.
    let text = GOOD.replace("time = 2", "steps = 1").replace("replicates = 5", "replicates = 4");
    let desk = Desk::new(&text);
    assert_eq!(desk.call(&["run", "experiment.toml", "--out", "out"]).status.code(), Some(0));
    let (_, outcomes) = store::load(&desk.path("out")).unwrap();
    for (reduced, direct) in outcomes[1].trajectories.iter().zip(&outcomes[2].trajectories) {
        assert_eq!(reduced.of(&STUDENT_TEACHER)[..6], direct.of(&STUDENT_TEACHER)[..6], "the start is shared");
        assert_ne!(reduced.of(&STUDENT_TEACHER)[6..], direct.of(&STUDENT_TEACHER)[6..], "the samples are not");
    }
}

#[test]
fn an_unwritable_place_is_refused_before_the_work() {
    let desk = Desk::new(&GOOD.replace("time = 2", "time = 1e7"));
    fs::write(desk.path("in-the-way"), "a file").unwrap();
    let output = desk.call(&["run", "experiment.toml", "--out", "in-the-way/results"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(words(&output.stderr).contains("in-the-way"), "{}", words(&output.stderr));
}

#[test]
fn a_file_without_views_runs_without_a_limit_that_there_is_not() {
    let views = GOOD.find("[[view]]").unwrap();
    // ηs·d/n_b grows without bound: no theory at d = ∞.
    let text = GOOD[..views].replace("0.5/d", "0.5/sqrt(d)");
    let desk = Desk::new(&text.replace("time = 2", "steps = 20"));
    let output = desk.call(&["run", "experiment.toml", "--out", "out"]);
    assert_eq!(output.status.code(), Some(0), "{}", words(&output.stderr));
    assert!(words(&output.stderr).contains("the limit view is left out"), "{}", words(&output.stderr));
    assert!(desk.path("out/reduced.npz").exists() && !desk.path("out/limit.npz").exists());
}

/// What is wrong, how the good file is spoilt, and words that the message must have.
const BAD: [(&str, &str, &str, &[&str]); 11] = [
    ("unknown key", "noise = 0.1", "nois = 0.1", &[":4:", "nois", "noise"]),
    ("batch 0", "time = 2", "time = 2\nbatch = 0", &[":12:", "batch", "help"]),
    ("negative noise", "noise = 0.1", "noise = -0.1", &[":4:", "-0.1", "help"]),
    (
        "unknown function",
        "committee = { units = 2, activation = \"erf\" }",
        "expression = \"tnah(z1)\"",
        &[":3:", "tnah", "tanh"],
    ),
    ("z0", "committee = { units = 2, activation = \"erf\" }", "expression = \"z0 + z1\"", &[":3:", "z0", "z1"]),
    (
        "overlaps not positive semi-definite",
        "noise = 0.1",
        "noise = 0.1\noverlaps = [[1, 2], [2, 1]]",
        &[":5:", "positive semi-definite", "help"],
    ),
    ("d < p + k", "dimension = 50", "dimension = 4", &[":9:", "p + k = 5", "direct"]),
    ("no limit", "\"0.5/d\"", "\"0.5/sqrt(d)\"", &[":10:", "no limit", "c/d"]),
    ("no power of d", "\"0.5/d\"", "\"0.5/log(d)\"", &[":10:", "not a power of d", "help"]),
    ("both steps and time", "time = 2", "time = 2\nsteps = 10", &["steps", "time", "help"]),
    ("memory", "engine = \"direct\"", "engine = \"direct\"\ndimension = 1000000000000", &["TB", "reduced"]),
];

#[test]
fn bad_input_names_file_line_reason_and_remedy_and_writes_nothing() {
    for (what, good, bad, needed) in BAD {
        assert!(GOOD.contains(good), "{what}");
        let desk = Desk::new(&GOOD.replacen(good, bad, 1));
        let output = desk.call(&["run", "experiment.toml", "--out", "out"]);
        let message = words(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{what}: {message}");
        assert!(message.contains("experiment.toml:"), "{what}: {message}");
        assert!(message.contains("help:"), "{what}: {message}");
        for word in needed {
            assert!(message.contains(word), "{what}: `{word}` is not in: {message}");
        }
        assert!(!desk.path("out").exists(), "{what}: something was written");
        let check = desk.call(&["check", "experiment.toml"]);
        assert_eq!(check.status.code(), Some(2), "{what}: check agrees with run");
    }
}

#[test]
fn a_plain_number_is_advice_and_not_refusal() {
    let desk = Desk::new(&GOOD.replace("\"0.5/d\"", "0.01"));
    let output = desk.call(&["run", "experiment.toml", "--only", "limit"]);
    assert_eq!(output.status.code(), Some(0), "{}", words(&output.stderr));
    let advice = words(&output.stderr);
    assert!(advice.contains("at d = 50") && advice.contains("0.5/d"), "{advice}");
}

#[test]
fn check_tells_method_reason_and_cost() {
    let desk = Desk::new(GOOD);
    let output = desk.call(&["check", "experiment.toml", "--json"]);
    assert_eq!(output.status.code(), Some(0));
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let view = &json["views"][0];
    assert_eq!(view["method"], "ode, all terms");
    assert!(view["seconds"].as_f64().unwrap() >= 0.0 && view["bytes"].as_f64().unwrap() > 0.0);
    // κ = ηs·d = 0.5/3.
    assert!(view["reason"].as_str().unwrap().contains("0.1667"), "{view}");
}

/// A tolerance that is written and not reached is no success; unwritten, it is told.
#[test]
fn a_limit_out_of_tolerance_has_not_finished() {
    // Sampled averages: their error is a few 10⁻⁴.
    let text = r#"[target]
expression = "z1 + z1*z2"
[network]
width = 2
activation = "tanh"
[training]
dimension = 100
learning_rate = "0.5/d"
time = 0.5
weight_decay = 0.2
[record]
points = 3
[[view]]
engine = "limit"
terms = "all"
"#;
    let desk = Desk::new(text);
    let run = |settings: &[&str]| {
        let output = desk.call(&[&["run", "experiment.toml", "--out", "out", "--overwrite"], settings].concat());
        let manifest = Manifest::read(&desk.path("out")).unwrap();
        (output.status.code(), words(&output.stderr), words(&output.stdout), manifest.views[0].clone())
    };
    let (code, told, answer, view) = run(&["--set", "view.tolerance=1e-9"]);
    assert_eq!((code, view.status.as_str()), (Some(1), "out of tolerance"), "{told}");
    let error = view.replicate_status[0].error.unwrap();
    assert!(error > 1e-9 && view.max_risk_error.unwrap().max(view.max_overlap_error.unwrap()) >= error);
    assert!(answer.contains("out of tolerance: error") && told.contains("tolerance = 1e-9"), "{answer}{told}");
    let (_, outcomes) = store::load(&desk.path("out")).unwrap();
    let run_of = &outcomes[0].trajectories[0];
    assert_eq!((run_of.valid, run_of.status.clone()), (4, Status::OutOfTolerance { error }));
    // Again, read from what is there.
    let output = desk.call(&["run", "experiment.toml", "--out", "out", "--resume", "--set", "view.tolerance=1e-9"]);
    assert_eq!(output.status.code(), Some(1));
    let (code, told, _, view) = run(&["--set", "view.tolerance=0.1"]);
    assert_eq!((code, view.status.as_str(), view.advice.len()), (Some(0), "done", 0), "{told}");
    let (code, _, _, view) = run(&[]);
    assert_eq!((code, view.status.as_str()), (Some(0), "done"));
}

/// A reader that went away, as `| head` does, ends no command with a panic.
#[test]
fn a_closed_pipe_is_no_panic() {
    let desk = Desk::new(&GOOD.replace("time = 2", "time = 2\nrepeats = 2"));
    for (arguments, code) in
        [(["check", "experiment.toml"], 2), (["run", "experiment.toml"], 2), (["list", "engines"], 0)]
    {
        let mut child = desk.command(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop((child.stdout.take(), child.stderr.take()));
        assert_eq!(child.wait().unwrap().code(), Some(code), "{arguments:?}");
    }
}

#[test]
fn views_that_are_left_out_need_not_make_sense() {
    let desk = Desk::new(GOOD);
    let check = |arguments: &[&str]| {
        let output = desk.call(&[&["check", "experiment.toml"], arguments].concat());
        (output.status.code(), words(&output.stderr) + &words(&output.stdout))
    };
    let infinite = ["--set", "training.dimension=infinite"];
    assert_eq!(check(&infinite).0, Some(2));
    assert_eq!(check(&[&infinite[..], &["--only", "limit"]].concat()).0, Some(0));
    assert_eq!(check(&["--only", "limt"]).0, Some(2));
}

/// Nobody asked for the reduced view.
#[test]
fn views_of_the_program_are_left_out_where_they_cannot_be() {
    let desk = Desk::new(&GOOD[..GOOD.find("[[view]]").unwrap()]);
    let small = ["--set", "training.dimension=4"];
    let output = desk.call(&[&["check", "experiment.toml"], &small[..]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", words(&output.stderr));
    assert!(words(&output.stderr).contains("the reduced view is left out"), "{}", words(&output.stderr));
    assert!(words(&output.stdout).contains("view `direct`") && !words(&output.stdout).contains("view `reduced`"));
    let asked = Desk::new(GOOD).call(&[&["check", "experiment.toml"], &small[..]].concat());
    assert_eq!(asked.status.code(), Some(2), "a view that is written is asked for");
}

#[test]
fn what_is_asked_for_in_vain_is_said() {
    let desk = Desk::new(GOOD);
    let told = |settings: &[&str], code: i32| {
        let settings = settings.iter().flat_map(|setting| ["--set", setting]);
        let arguments: Vec<&str> = ["check", "experiment.toml"].into_iter().chain(settings).collect();
        let output = desk.call(&arguments);
        assert_eq!(output.status.code(), Some(code), "{}", words(&output.stderr));
        words(&output.stderr) + &words(&output.stdout)
    };
    let needs = |text: String, needed: &[&str]| needed.iter().for_each(|word| assert!(text.contains(word), "{text}"));
    needs(told(&["training.samples=50"], 0), &["training.samples = 50 is not used", "data = \"reused\""]);
    assert!(!told(&["training.samples=50", "training.batch=n"], 0).contains("not used"));
    needs(told(&["record.gradients=true"], 0), &["an ODE takes no steps"]);
    needs(told(&["record.first=3"], 2), &["record.first is the time 3", "ends at time 2", "between 0 and 2"]);
    assert!(!told(&["record.first=0.5"], 0).contains("record.first"));
    needs(told(&["training.learning_rate=0"], 2), &["`training.learning_rate` is 0"]);
    needs(told(&["target.expression=sqrt(z1)"], 2), &["g is NaN at z = (-", "finite for every input"]);
    needs(told(&["target.expression=1/z1"], 0), &["E y² = ∞: the target has a pole at z = (0.000)"]);
    needs(told(&["view.limit.override.training.batch=2"], 0), &["override training.batch = 2", "batch 1"]);
}

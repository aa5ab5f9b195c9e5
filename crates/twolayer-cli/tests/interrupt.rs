//! Ctrl-C ends a run of any method within a second, wherever it is, with 130, and what is left can be resumed.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used)] // A test that cannot go on fails there.

mod desk;

use std::{
    process::{Command, Output, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use desk::{Desk, words};

/// A second, and what a machine that does other things takes to notice.
const SOON: Duration = Duration::from_millis(2500);

const FLOW: &str = "algorithm = \"gradient-flow\"\ndimension = \"infinite\"\ntime = 10000";
const ONLINE: &str = "dimension = 20000\nlearning_rate = \"0.5/d\"\ntime = 1000";
const SERIES: &str = "activation = { hermite = [0, 1, 0.5, 0.2] }\nfirst_layer = \"orthonormal\"\n\
                      second_layer = { init = \"grid\", train = true, rate_ratio = 1e3 }";
const REUSED: &str = "data = \"reused\"\nsamples = \"2*d\"\nbatch = \"n\"\nlearning_rate = \"0.5*p\"\nsteps = 40";

/// Name, target, network, training, view: each is in the middle of a step, an average or a product for a second or more.
fn experiments() -> Vec<(&'static str, String)> {
    let experiment = |target: &str, network: &str, training: &str, view: &str| {
        format!("[target]\n{target}\n[network]\n{network}\n[training]\n{training}\n[[view]]\n{view}\n")
    };
    let erf = "committee = { units = 2, activation = \"erf\" }";
    let tanh = "expression = \"tanh(z1 + z2)\"";
    let hermite = "hermite = [0, 1, 0.5, 0.2]";
    let sphere = format!("{FLOW}\ngeometry = \"spherical\"");
    let reused = |dimension: usize| format!("dimension = {dimension}\n{REUSED}");
    let giant = "dimension = 4000\nbatch = \"2*d\"\nlearning_rate = \"p\"\nsteps = 50";
    let batches = "dimension = 20000\nbatch = 2000\nlearning_rate = \"100/d\"\nsteps = 5000";
    let network = |width: usize, activation: &str| format!("width = {width}\nactivation = \"{activation}\"");
    let series = |width: usize| format!("width = {width}\n{SERIES}");
    vec![
        ("ode", experiment(tanh, &network(200, "tanh"), ONLINE, "engine = \"limit\"")),
        ("mean field", experiment(erf, &network(1500, "erf"), FLOW, "engine = \"limit\"\nmethod = \"mean-field\"")),
        ("single index", experiment(hermite, &series(4000), &sphere, "engine = \"limit\"\nmethod = \"single-index\"")),
        (
            "single index, finite",
            experiment(hermite, &series(500), &sphere, "engine = \"limit\"\nmethod = \"single-index-finite\""),
        ),
        ("dmft", experiment(tanh, &network(16, "tanh"), &reused(4000), "engine = \"limit\"\ntolerance = 1e-7")),
        ("giant steps", experiment(tanh, &network(1500, "softplus"), giant, "engine = \"limit\"")),
        ("direct", experiment(tanh, &network(1000, "relu"), batches, "engine = \"direct\"\nreplicates = 2")),
        (
            "direct, reused",
            experiment(tanh, &network(100, "relu"), &reused(8000), "engine = \"direct\"\nreplicates = 1"),
        ),
        ("reduced", experiment(tanh, &network(1500, "relu"), ONLINE, "engine = \"reduced\"\nreplicates = 2")),
        (
            "reduced, reused",
            experiment(tanh, &network(20, "relu"), &reused(20000), "engine = \"reduced\"\nreplicates = 1"),
        ),
    ]
}

/// Starts it, and presses Ctrl-C after some time; how long it took from there.
fn interrupted(desk: &Desk, flags: &[&str], after: Duration) -> (Output, Duration) {
    let mut command = desk.command(&[&["run", "experiment.toml", "--out", "out", "--threads", "2"], flags].concat());
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    sleep(after);
    let clock = Instant::now();
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    (child.wait_with_output().unwrap(), clock.elapsed())
}

#[test]
fn every_method_ends_within_a_second() {
    for (name, text) in experiments() {
        let desk = Desk::new(&text);
        for (flags, after) in [(&[][..], 1500), (&["--resume"], 700)] {
            let (output, took) = interrupted(&desk, flags, Duration::from_millis(after));
            let told = words(&output.stderr);
            assert_eq!(output.status.code(), Some(130), "{name} {flags:?}: {told}");
            println!("{name} {flags:?}: {:.2} s", took.as_secs_f64());
            assert!(took < SOON, "{name} {flags:?}: {took:?}");
        }
    }
}

/// Not even while it is planned is the program deaf, and it says what it does.
#[test]
fn a_long_plan_is_told_and_ended() {
    let desk = Desk::new("");
    let mut child = desk
        .command(&["check", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let open = child.stdin.take();
    sleep(Duration::from_millis(2500));
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    drop(open);
    assert_eq!(output.status.code(), Some(130));
    assert!(words(&output.stderr).contains("reading the experiment …"), "{}", words(&output.stderr));
}

//! What the command promises about files, as a user meets it: foreign files, races, damage, exit codes.

#![allow(clippy::unwrap_used, clippy::expect_used)] // A test that cannot go on fails there.

mod desk;

use std::{
    fs,
    process::Stdio,
    thread::sleep,
    time::{Duration, Instant},
};

use desk::{Desk, arrays, words};
use twolayer_lab::results::Results;

const SMALL: &str = r#"title = "Small"
[target]
committee = { units = 2, activation = "erf" }
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
replicates = 3
"#;

fn call(desk: &Desk, code: i32, arguments: &[&str]) -> String {
    let output = desk.call(arguments);
    let told = format!("{}{}", words(&output.stdout), words(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {told}");
    words(&output.stderr)
}

#[test]
fn foreign_files_are_refused_where_they_collide_and_left_elsewhere() {
    let desk = Desk::new(SMALL);
    fs::create_dir(desk.path("out")).unwrap();
    fs::write(desk.path("out/other.npz"), "mine").unwrap();
    for name in ["limit.npz", "report.html", "figure.svg", "manifest.json", "parts"] {
        fs::write(desk.path("out").join(name), "mine").unwrap();
        for flags in [&[][..], &["--overwrite"], &["--resume"], &["--task", "1/2"]] {
            let told = call(&desk, 2, &[&["run", "experiment.toml", "--out", "out"], flags].concat());
            let needed = ["out holds what no run of this program has written", name, "--out"];
            assert!(needed.iter().all(|needed| told.contains(needed)), "{told}");
            assert_eq!(fs::read(desk.path("out").join(name)).unwrap(), b"mine");
            assert_eq!(fs::read_dir(desk.path("out")).unwrap().count(), 2, "nothing else is written");
        }
        fs::remove_file(desk.path("out").join(name)).unwrap();
    }
    call(&desk, 0, &["run", "experiment.toml", "--out", "out"]);
    call(&desk, 0, &["run", "experiment.toml", "--out", "."]);
    call(&desk, 0, &["run", "experiment.toml", "--out", ".", "--overwrite"]);
    assert_eq!(fs::read(desk.path("out/other.npz")).unwrap(), b"mine");
    assert_eq!(fs::read_to_string(desk.path("experiment.toml")).unwrap(), SMALL);
    for place in ["/", "/usr/.."] {
        let told = call(&desk, 2, &["run", "experiment.toml", "--out", place, "--overwrite"]);
        assert!(told.contains("root of a file system"), "{told}");
    }
}

/// Pairs of runs into one directory at once: the results are those of one of them, and the other has said why not.
#[test]
fn two_runs_at_once_are_one_run() {
    let desk = Desk::new(&SMALL.replace("time = 2", "time = 200").replace("[[view]]\nengine = \"limit\"\n", ""));
    let mut losers = 0;
    for pair in 0..25 {
        let out = format!("out-{pair}");
        let start = |seed: &str, wait: u64| {
            sleep(Duration::from_millis(wait));
            let mut command = desk.command(&["run", "experiment.toml", "--out", &out, "--seed", seed, "--overwrite"]);
            command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
        };
        let runs = [start("1", 0), start("2", pair % 5 * 7)];
        let ended = runs.map(|child| child.wait_with_output().unwrap());
        let codes = [0, 1].map(|i: usize| ended[i].status.code().unwrap());
        for (i, code) in codes.iter().enumerate().filter(|(_, code)| **code != 0) {
            let told = words(&ended[i].stderr);
            assert!(*code == 2 && told.contains("is in use by another run: process "), "{told}");
            assert!(told.contains("twolayer run experiment.toml") && told.contains("since 20"), "{told}");
            losers += 1;
        }
        assert!(codes.contains(&0), "{codes:?}");
        // The last that ended with 0 has written everything.
        let results = Results::open(&desk.path(&out)).unwrap();
        let seed = results.manifest.views[0].seed;
        let alone = format!("alone-{seed}");
        if !desk.path(&alone).exists() {
            call(&desk, 0, &["run", "experiment.toml", "--out", &alone, "--seed", &seed.to_string()]);
        }
        assert!(arrays(&desk.path(&out)) == arrays(&desk.path(&alone)));
        assert!(!desk.path(&out).join(".twolayer.lock").exists());
    }
    println!("{losers} of 25 pairs met");
    assert!(losers > 0, "none of the pairs met: the test says nothing");
}

/// The loser does not wait; a kill frees the lock; jobs share it.
#[test]
fn a_lock_lives_as_long_as_its_run() {
    let long = SMALL.replace("time = 2", "time = 1e5").replace("[[view]]\nengine = \"limit\"\n", "");
    let desk = Desk::new(&long);
    let start = |flags: &[&str]| {
        let mut command = desk.command(&[&["run", "experiment.toml", "--out", "out"], flags].concat());
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let until = Instant::now() + Duration::from_secs(20);
        while !desk.path("out/parts/experiment.json").exists() && Instant::now() < until {
            sleep(Duration::from_millis(5));
        }
        child
    };
    let mut first = start(&[]);
    let clock = Instant::now();
    for flags in [&[][..], &["--resume"], &["--overwrite"], &["--task", "1/2"]] {
        let told = call(&desk, 2, &[&["run", "experiment.toml", "--out", "out"], flags].concat());
        assert!(told.contains(&format!("process {} on ", first.id())), "{told}");
    }
    assert!(clock.elapsed().as_secs_f64() < 10.0);
    first.kill().unwrap();
    first.wait().unwrap();
    fs::remove_dir_all(desk.path("out/parts")).unwrap();
    let mut jobs = [start(&["--task", "1/3"]), start(&["--task", "2/3"])];
    sleep(Duration::from_millis(300));
    assert!(jobs.iter_mut().all(|job| job.try_wait().unwrap().is_none()), "jobs run side by side");
    let told = call(&desk, 2, &["run", "experiment.toml", "--out", "out", "--resume"]);
    assert!(told.contains("is in use by another run") && told.contains("; process "), "{told}");
    jobs.iter_mut().for_each(|job| job.kill().unwrap());
    jobs.iter_mut().for_each(|job| assert!(!job.wait().unwrap().success()));
}

#[test]
fn damaged_results_end_with_1_and_a_resume_makes_them_again() {
    let desk = Desk::new(SMALL);
    call(&desk, 0, &["run", "experiment.toml", "--out", "out"]);
    call(&desk, 0, &["run", "experiment.toml", "--out", "other", "--seed", "2"]);
    let whole = arrays(&desk.path("out"));
    for name in ["limit.npz", "reduced.npz", "manifest.json"] {
        let path = desk.path("out").join(name);
        let mut bytes = fs::read(&path).unwrap();
        let at = bytes.len() * 2 / 3;
        bytes[at] ^= 4;
        fs::write(&path, &bytes).unwrap();
        for command in [&["report", "out"][..], &["cite", "out"], &["compare", "out", "other"]] {
            let told = call(&desk, 1, command);
            assert!(told.contains(&format!("out/{name}")), "{told}");
            assert!(told.contains("twolayer run ") && told.contains("--out out --resume"), "{told}");
        }
        let told = call(&desk, 0, &["run", "experiment.toml", "--out", "out", "--resume"]);
        assert!(told.contains(name), "{told}");
        assert!(arrays(&desk.path("out")) == whole);
        call(&desk, 0, &["report", "out"]);
        call(&desk, 0, &["compare", "out", "other"]);
    }
    call(&desk, 2, &["report", "nowhere"]);
    assert!(!desk.path("nowhere").exists());
}

//! Foretold memory beside the peak of the process; `bench/memory.py` measures twenty kinds of runs.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used)] // A test that cannot go on fails there.

mod desk;

use std::{fs, process::Stdio, thread::sleep, time::Duration};

use desk::{Desk, words};
use twolayer_lab::store::Manifest;

const FACTOR: f64 = 1.5;
const SLACK: f64 = 5e7;

/// Four recorded replicates of all of Q, 151 entries of 192²; the factor of a batch of 3600 that is used twice, for each of two;
/// two stored data sets of 8000 samples in 2000 dimensions.
const RUNS: [&str; 3] = [
    "width = 192\n[training]\ndimension = 1000\nlearning_rate = \"0.5/d\"\nsteps = 150\n[record]\nQ = \"full\"\nspacing = \
     \"linear\"\npoints = 150\n[[view]]\nengine = \"reduced\"\nreplicates = 4\n",
    "width = 8\n[training]\ndimension = 100000\nlearning_rate = \"1000/d\"\nbatch = 3600\nrepeats = 2\nsteps = \
     2\n[[view]]\nengine = \"reduced\"\nreplicates = 2\n",
    "width = 4\n[training]\ndimension = 2000\ndata = \"reused\"\nsamples = \"4*d\"\nbatch = \"n\"\nlearning_rate = 0.1\nsteps = \
     3\n[[view]]\nengine = \"direct\"\nreplicates = 2\n",
];

/// Bytes of a run of `text` at the peak.
fn peak(desk: &Desk) -> f64 {
    let mut command = desk.command(&["run", "experiment.toml", "--out", "out", "--threads", "2", "--quiet"]);
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    let mut peak: f64 = 0.0;
    while child.try_wait().unwrap().is_none() {
        let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kibibytes = line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse::<f64>().ok());
        peak = peak.max(1024.0 * kibibytes.unwrap_or(0.0));
        sleep(Duration::from_millis(5));
    }
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", words(&output.stderr));
    peak
}

#[test]
fn memory_is_foretold() {
    for text in RUNS {
        let desk = Desk::new(&format!(
            "[target]\ncommittee = {{ units = 2, activation = \"erf\" }}\n[network]\nactivation = \"erf\"\n{text}"
        ));
        let peak = peak(&desk);
        let foretold = Manifest::read(&desk.path("out")).unwrap().views[0].bytes;
        println!("{:.0} MB foretold, {:.0} MB at the peak", foretold / 1e6, peak / 1e6);
        let good = peak <= FACTOR * foretold + SLACK && foretold <= FACTOR * peak + SLACK;
        assert!(good, "{foretold} bytes foretold, {peak} at the peak of {text}");
        // Else nothing is shown but that both are small.
        assert!(peak > 1.5e8, "{peak}");
    }
}

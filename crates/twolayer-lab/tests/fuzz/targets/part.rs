//! Parts of a run that was ended early: bytes that are damaged, and parts whose checksum fits and whose words do not.

use std::fs;

use twolayer_file::hash;
use twolayer_lab::{
    outcome::Outcome,
    store::{Commit, Parts},
};

use super::Target;
use crate::{
    bench::{Bench, split},
    dice::Dice,
    mutate,
};

pub const TARGET: Target = Target { name: "part", share: 35_000, short: 500, seconds: 2.0, input, check };

fn input(dice: &mut Dice, bench: &Bench) -> Vec<u8> {
    let mut parts = split(&bench.part);
    if dice.one_in(3) {
        let mut bytes = bench.part.clone();
        mutate::bytes(dice, &mut bytes);
        return bytes;
    }
    let at = dice.below(parts.len());
    if dice.one_in(3) {
        mutate::bytes(dice, &mut parts[at].numbers);
    } else {
        mutate::json(dice, &mut parts[at].header);
    }
    parts.iter_mut().flat_map(|part| part.bytes()).collect()
}

fn check(input: &[u8], bench: &Bench) -> Result<(), String> {
    let directory = bench.directory.path().join("parts");
    fs::create_dir_all(&directory).unwrap();
    fs::write(directory.join("a.part"), input).unwrap();
    let parts = Parts::new(&directory);
    parts.find(&bench.wanted(), &mut |_| {}).map_err(|error| error.to_string())?;
    let whole = bench.part == input;
    for task in &bench.tasks {
        match parts.read(task) {
            Ok(Some(part)) => assemble(bench, part)?,
            Ok(None) if whole => return Err(format!("{task} is lost")),
            _ => {}
        }
    }
    // Its name is that of no task: it is left alone.
    let left = fs::read(directory.join("a.part")).map_err(|error| error.to_string())?;
    if hash::checksum(&left) == hash::checksum(input) { Ok(()) } else { Err("it was changed".into()) }
}

/// What was read is put into a file of arrays, or refused.
fn assemble(bench: &Bench, part: twolayer_lab::store::Part) -> Result<(), String> {
    let directory = bench.directory.path().join("assembled");
    let outcome = Outcome {
        method_id: String::new(),
        method: String::new(),
        reason: String::new(),
        kernel: part.kernel,
        trajectories: vec![part.trajectory],
        seconds: part.seconds,
        core_seconds: part.seconds,
        bytes: 0.0,
        advice: Vec::new(),
        warnings: Vec::new(),
        expected: Vec::new(),
    };
    let mut commit = Commit::new(&directory).map_err(|error| error.to_string())?;
    let _ = commit.view("a", &outcome);
    Ok(())
}

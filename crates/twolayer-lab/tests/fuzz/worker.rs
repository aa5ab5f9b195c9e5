//! The process in which cases run: what ends it, or keeps it, is told from outside.

use std::{
    fs::{self, File},
    io::{Seek, SeekFrom, Write},
    panic::{self, AssertUnwindSafe},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use super::{bench::Bench, dice::Dice, targets::Target};

/// Bytes that the process may have held at its peak.
const MOST_BYTES: f64 = 768e6;
/// Failures after which a worker gives up.
const MOST_FAILURES: u64 = 5;
/// Tries to make an input shorter that still fails in the same way.
const REDUCTIONS: usize = 400;

/// What was last said by a panic.
static SAID: Mutex<String> = Mutex::new(String::new());

fn said() -> String {
    SAID.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// Panics are caught, and told once, with their input.
pub fn listen() {
    panic::set_hook(Box::new(|panic| {
        *SAID.lock().unwrap_or_else(PoisonError::into_inner) = panic.to_string().replace('\n', " ");
    }));
}

/// Runs the cases of `seeds`; which one it is at stands in the file `cursor`. The number of failures.
pub fn work(target: &Target, seeds: std::ops::Range<u64>, cursor: &Path) -> u64 {
    listen();
    let bench = Bench::new();
    let mut cursor = File::options().write(true).create(true).truncate(false).open(cursor).unwrap();
    let mut failures = 0;
    for seed in seeds {
        let input = (target.input)(&mut Dice::new(target.name, seed), &bench);
        // The seed is what the others look at: it comes last.
        let place = [&(input.len() as u64).to_le_bytes()[..], &input].concat();
        cursor.seek(SeekFrom::Start(8)).and_then(|_| cursor.write_all(&place)).unwrap();
        cursor.rewind().and_then(|()| cursor.write_all(&(seed + 1).to_le_bytes())).unwrap();
        if let Err(reason) = one(target, &input, &bench) {
            let same = |input: &[u8]| one(target, input, &bench).is_err_and(|other| kind(&other) == kind(&reason));
            report(target, seed, &reason, &reduced(input, &same));
            failures += 1;
        }
        if peak() > MOST_BYTES {
            report(target, seed, &format!("{:.0} MB at the peak", peak() / 1e6), b"");
            return failures + 1;
        }
        if failures == MOST_FAILURES {
            break;
        }
    }
    failures
}

/// One case: the promise that was broken, or the panic.
pub fn one(target: &Target, input: &[u8], bench: &Bench) -> Result<(), String> {
    panic::catch_unwind(AssertUnwindSafe(|| (target.check)(input, bench))).unwrap_or_else(|_| Err(said()))
}

/// What tells failures apart: the words before the first number, of panics the place.
fn kind(reason: &str) -> &str {
    reason
        .strip_prefix("panicked at ")
        .map_or(&reason[..reason.floor_char_boundary(20)], |panic| panic.split(' ').next().unwrap_or_default())
}

/// The input without what does not matter, as far as few tries tell.
fn reduced(mut input: Vec<u8>, fails: &dyn Fn(&[u8]) -> bool) -> Vec<u8> {
    let (mut tries, mut size) = (0, input.len() / 2);
    while size > 0 && tries < REDUCTIONS {
        let mut at = 0;
        while at < input.len() && tries < REDUCTIONS {
            let mut shorter = input.clone();
            shorter.drain(at..(at + size).min(input.len()));
            tries += 1;
            if fails(&shorter) { input = shorter } else { at += size }
        }
        size /= 2;
    }
    input
}

/// Says what failed, and keeps the input in a file.
pub fn report(target: &Target, seed: u64, reason: &str, input: &[u8]) {
    let path = kept(target, seed);
    let written = fs::create_dir_all(path.parent().unwrap()).and_then(|()| fs::write(&path, input));
    let shown: String = String::from_utf8_lossy(input).escape_debug().take(1500).collect();
    println!("FAILED {}:{seed}: {reason}\n  input ({written:?} in {}): {shown}", target.name, path.display());
}

/// Where the input of a failure is kept.
fn kept(target: &Target, seed: u64) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("fuzz").join(format!("{}-{seed}", target.name))
}

/// Bytes of this process at its peak; 0 where the system does not say.
fn peak() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.trim().trim_end_matches("kB").trim().parse::<f64>().map_or(0.0, |kibibytes| 1024.0 * kibibytes)
}

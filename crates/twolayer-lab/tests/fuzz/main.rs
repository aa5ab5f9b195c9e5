//! Whatever comes in from outside is answered: no panic, no abort, no case of more than two seconds of the processor, no
//! memory without measure.
//!
//! The short form has fixed seeds and belongs to the tests. `TWOLAYER_FUZZ=1000000` (`make fuzz`) runs so many cases, split
//! over the targets; `TWOLAYER_FUZZ_FROM` is the first seed. A failure tells `target:seed`, which as the only argument runs
//! that case alone, and `target:path` runs the input in a file.

#![allow(clippy::unwrap_used, clippy::expect_used)] // A test that cannot go on fails there.

mod bench;
mod dice;
mod grammar;
mod mutate;
mod targets;
mod watch;
mod worker;

use std::{
    env, fs,
    path::Path,
    process::ExitCode,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    thread,
    time::Instant,
};

use bench::Bench;
use dice::Dice;
use targets::{TARGETS, Target};
use watch::Tally;

/// Seconds between two lines of progress.
const BETWEEN: f64 = 10.0;
/// Cases that one worker is given.
const CHUNK: u64 = 20_000;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    if let [flag, name, from, to, cursor] = &arguments[..]
        && flag == "--worker"
    {
        let failures = worker::work(named(name), from.parse().unwrap()..to.parse().unwrap(), Path::new(cursor));
        return ExitCode::from(failures.min(100) as u8);
    }
    // What lists tests is told of none.
    if arguments.iter().any(|argument| argument == "--list") {
        return ExitCode::SUCCESS;
    }
    let filters: Vec<&String> = arguments.iter().filter(|argument| !argument.starts_with('-')).collect();
    if let [alone] = &filters[..]
        && let Some((name, which)) = alone.split_once(':')
        && let Some(target) = TARGETS.iter().find(|target| target.name == name)
    {
        return single(target, which);
    }
    let chosen =
        |target: &&Target| filters.is_empty() || filters.iter().any(|word| target.name.contains(word.as_str()));
    let chosen: Vec<&Target> = TARGETS.iter().filter(chosen).collect();
    all(&chosen, number("TWOLAYER_FUZZ"), number("TWOLAYER_FUZZ_FROM").unwrap_or(0))
}

fn named(name: &str) -> &'static Target {
    TARGETS.iter().find(|target| target.name == name).unwrap()
}

fn number(variable: &str) -> Option<u64> {
    env::var(variable).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{variable}: {text} is no number")))
}

/// One case by its seed, or by a file with its input, in this process.
fn single(target: &Target, which: &str) -> ExitCode {
    let bench = Bench::new();
    let input = match which.parse() {
        Ok(seed) => (target.input)(&mut Dice::new(target.name, seed), &bench),
        Err(_) => fs::read(which).unwrap(),
    };
    println!("{}", String::from_utf8_lossy(&input));
    let begun = Instant::now();
    let result = (target.check)(&input, &bench);
    println!("{result:?} after {:.3} s", begun.elapsed().as_secs_f64());
    if result.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The cases of all targets, on all cores.
fn all(chosen: &[&Target], cases: Option<u64>, from: u64) -> ExitCode {
    let count = |target: &Target| cases.map_or(target.short, |cases| (cases * target.share).div_ceil(1_000_000));
    let mut jobs: Vec<(&Target, std::ops::Range<u64>)> = Vec::new();
    for target in chosen {
        let end = from + count(target);
        let starts = (from..end).step_by(CHUNK as usize);
        jobs.extend(starts.map(|start| (*target, start..(start + CHUNK).min(end))));
    }
    let total: u64 = jobs.iter().map(|(_, seeds)| seeds.end - seeds.start).sum();
    let (next, done, begun) = (AtomicUsize::new(0), AtomicU64::new(0), Instant::now());
    let (tallies, last) = (Mutex::new(Vec::<(&str, Tally, f64)>::new()), Mutex::new(0.0));
    let tick = |here: u64| {
        let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
        let elapsed = begun.elapsed().as_secs_f64();
        if elapsed - *last > BETWEEN {
            *last = elapsed;
            println!("{:.0} s: {} of {total} cases", elapsed, done.load(Ordering::Relaxed) + here);
        }
    };
    let threads = env::var("TWOLAYER_FUZZ_THREADS").ok().and_then(|text| text.parse().ok());
    let threads = threads.unwrap_or_else(|| thread::available_parallelism().map_or(1, |threads| threads.get()));
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some((target, seeds)) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let clock = Instant::now();
                    let tally = watch::run(target, seeds.clone(), &tick);
                    done.fetch_add(tally.cases, Ordering::Relaxed);
                    let seconds = clock.elapsed().as_secs_f64();
                    tallies.lock().unwrap_or_else(PoisonError::into_inner).push((target.name, tally, seconds));
                }
            });
        }
    });
    let tallies = tallies.into_inner().unwrap_or_else(PoisonError::into_inner);
    let mut failures = 0;
    for target in chosen {
        let own = || tallies.iter().filter(|(name, ..)| *name == target.name);
        let (cases, seconds): (u64, f64) = own().fold((0, 0.0), |sum, (_, t, s)| (sum.0 + t.cases, sum.1 + s));
        let failed: u64 = own().map(|(_, tally, _)| tally.failures).sum();
        failures += failed;
        println!("fuzz {:<11} {cases:>7} cases, {failed} failures, {seconds:.0} s", target.name);
    }
    println!("fuzz: {} cases, {failures} failures, {:.0} s", done.into_inner(), begun.elapsed().as_secs_f64());
    if failures == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

//! What this machine has.

use std::{fs, num::NonZero, thread};

use twolayer::method::Machine;

/// Part of the free memory that a run may take.
const SHARE: f64 = 0.9;

/// Where the system does not say how much is free.
const ASSUMED: f64 = 8e9;

/// Threads to use: as asked for, else as many as the machine has.
pub fn threads(asked: Option<NonZero<usize>>) -> usize {
    asked.or_else(|| thread::available_parallelism().ok()).map_or(1, NonZero::get)
}

/// The machine for runs on `threads` threads.
pub fn machine(threads: usize) -> Machine {
    Machine { memory: SHARE * free_memory().unwrap_or(ASSUMED), cores: threads }
}

/// Bytes that are free, where the system tells (`/proc/meminfo`).
fn free_memory() -> Option<f64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kibibytes: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024.0)
}

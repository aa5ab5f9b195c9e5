//! Looks at a worker from outside: whether it is at one case for too long, and how it ended.

use std::{
    fs::{self, File},
    io::Read,
    path::Path,
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use super::{targets::Target, worker};

/// Seconds, where it does not take the processor: it waits for something.
const MOST_WAITING: f64 = 120.0;
/// Address space of a worker, in kibibytes: what asks for more is told that there is none.
const ADDRESSES: u64 = 6_000_000;

/// What became of the cases of a target.
#[derive(Default)]
pub struct Tally {
    pub cases: u64,
    pub failures: u64,
}

/// Runs the cases of `seeds` in processes of their own. `tick` is told how many are done.
pub fn run(target: &Target, seeds: std::ops::Range<u64>, tick: &dyn Fn(u64)) -> Tally {
    let directory = tempfile::tempdir().unwrap();
    let cursor = directory.path().join("cursor");
    let (mut next, mut tally) = (seeds.start, Tally::default());
    while next < seeds.end && tally.failures < 20 {
        fs::write(&cursor, next.to_le_bytes()).unwrap();
        let mut child = start(target, next..seeds.end, &cursor);
        let hung = watch(&mut child, target.seconds, &cursor, &|at| tick(at - seeds.start));
        let output = child.wait_with_output().unwrap();
        print!("{}", String::from_utf8_lossy(&output.stdout));
        let at = at(&cursor);
        if !hung && let Some(code @ 0..=100) = output.status.code() {
            tally.failures += code as u64;
            next = if code == 0 { seeds.end } else { at };
            continue;
        }
        let told = String::from_utf8_lossy(&output.stderr);
        let reason = if hung {
            format!("more than {} s of the processor", target.seconds)
        } else {
            format!("{}: {}", output.status, told.trim().replace('\n', " "))
        };
        worker::report(target, at.saturating_sub(1), &reason, &input(&cursor));
        tally.failures += 1;
        next = at;
    }
    tally.cases = next - seeds.start;
    tally
}

fn start(target: &Target, seeds: std::ops::Range<u64>, cursor: &Path) -> Child {
    let program = std::env::current_exe().unwrap();
    let mut command = if cfg!(unix) {
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(format!("ulimit -v {ADDRESSES}; ulimit -c 0; exec \"$0\" \"$@\"")).arg(program);
        shell
    } else {
        Command::new(program)
    };
    let numbers = [seeds.start.to_string(), seeds.end.to_string()];
    command.arg("--worker").arg(target.name).args(numbers).arg(cursor);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Waits for the end of the worker, or ends it where a case takes too long.
fn watch(child: &mut Child, most: f64, cursor: &Path, tick: &dyn Fn(u64)) -> bool {
    let (begun, mut before) = (Instant::now(), (u64::MAX, 0.0, Instant::now()));
    loop {
        if child.try_wait().unwrap().is_some() {
            return false;
        }
        let (at, seconds) = (at(cursor), seconds(child.id()).unwrap_or(begun.elapsed().as_secs_f64()));
        tick(at);
        if at != before.0 {
            before = (at, seconds, Instant::now());
        } else if seconds - before.1 > most || before.2.elapsed().as_secs_f64() > MOST_WAITING {
            child.kill().unwrap();
            return true;
        }
        sleep(Duration::from_millis(20));
    }
}

/// The seed after the one that the worker is at.
fn at(cursor: &Path) -> u64 {
    let mut word = [0; 8];
    File::open(cursor).and_then(|mut file| file.read_exact(&mut word)).map_or(0, |()| u64::from_le_bytes(word))
}

/// The input of the case that the worker is at.
fn input(cursor: &Path) -> Vec<u8> {
    let bytes = fs::read(cursor).unwrap_or_default();
    let Some((length, rest)) = bytes.get(8..).and_then(|bytes| bytes.split_first_chunk::<8>()) else {
        return Vec::new();
    };
    rest[..rest.len().min(u64::from_le_bytes(*length) as usize)].to_vec()
}

/// Seconds of the processor that a process has taken; `None` where the system does not say.
fn seconds(id: u32) -> Option<f64> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // After the name, which is in parentheses and may hold anything.
    let words: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |at: usize| words.get(at)?.parse::<f64>().ok();
    // In hundredths of a second, on every Linux that there is.
    Some((ticks(11)? + ticks(12)?) / 100.0)
}

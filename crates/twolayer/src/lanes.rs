//! One pass over many samples, shared by threads.
//!
//! A batch is cut into lanes of consecutive samples. How many depends on its size alone, each lane has its own random
//! stream and its own sums, and sums are added in the order of lanes: results do not depend on the number of threads.

use std::{
    ops::Range,
    sync::{Mutex, PoisonError},
    thread,
};

/// Multiply-adds that are worth a lane: about a millisecond.
const WORTH: usize = 1 << 22;

/// Lanes of a batch, at most.
const MOST: usize = 16;

/// How many lanes `samples` of so many multiply-adds `each` are worth.
pub fn count(samples: usize, each: usize) -> usize {
    (samples.saturating_mul(each) / WORTH).clamp(1, MOST).min(samples.max(1))
}

/// The samples of lane i out of `count`.
pub fn part(samples: usize, count: usize, i: usize) -> Range<usize> {
    samples * i / count..samples * (i + 1) / count
}

/// Calls `work` with each lane and its number, on at most `threads` threads, this one among them.
pub fn each<L: Send>(threads: usize, lanes: &mut [L], work: impl Fn(usize, &mut L) + Sync) {
    let threads = threads.min(lanes.len());
    if threads <= 1 {
        lanes.iter_mut().enumerate().for_each(|(i, lane)| work(i, lane));
        return;
    }
    let rest = Mutex::new(lanes.iter_mut().enumerate());
    let go = || {
        loop {
            let next = rest.lock().unwrap_or_else(PoisonError::into_inner).next();
            let Some((i, lane)) = next else { return };
            work(i, lane);
        }
    };
    thread::scope(|scope| {
        for _ in 1..threads {
            // Where the system gives no thread, the others do its work.
            let _ = thread::Builder::new().spawn_scoped(scope, go);
        }
        go();
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lanes_cover_all_samples_once_whatever_the_threads() {
        for threads in [1, 2, 5] {
            let mut lanes = vec![Vec::new(); 7];
            each(threads, &mut lanes, |i, lane| lane.extend(part(100, 7, i)));
            assert_eq!(lanes.concat(), (0..100).collect::<Vec<_>>());
        }
    }

    #[test]
    fn small_batches_have_one_lane() {
        assert_eq!((count(1, 4000), count(0, 10), count(6000, 8000), count(usize::MAX, 9)), (1, 1, 11, MOST));
    }
}

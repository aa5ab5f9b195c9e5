//! How often the verdict cries over nothing, and what it finds: with few replicates, entries that move together, and
//! heavy tails.

use rand::{RngExt, SeedableRng};
use rand_distr::{Distribution, StandardNormal, StudentT};
use rand_xoshiro::Xoshiro256PlusPlus;

use super::*;
use crate::record::{
    Trajectory,
    observable::{RISK, STUDENT_SQUARES, STUDENT_TEACHER},
};
use crate::testing::{fabricated, fabricated::Sizes};

const SIZES: Sizes = Sizes { p: 2, k: 2 };
/// Times after the start.
const TIMES: usize = 25;
/// Entries that are compared: risk, M and diag Q at each time.
const ENTRIES: usize = TIMES * (1 + 4 + 2);

/// How a replicate strays from the mean, with standard deviation 1 at every entry after the start.
#[derive(Debug, Clone, Copy)]
enum Noise {
    /// A new normal number at each time.
    White,
    /// An autoregression, correlation 0.95 from one time to the next.
    Slow,
    /// A random walk, scaled to standard deviation 1 at each time, with Student's t₃ for its steps.
    HeavyWalk,
    /// The slow one, y, as (e^{y/2} − e^{1/8})/(its deviation): as skew (1.75) as risks on their way down a plateau.
    Skew,
}

/// One line of noise, entry 0 of which is 0.
fn line(noise: Noise, rng: &mut Xoshiro256PlusPlus) -> Vec<f64> {
    let normal = |rng: &mut Xoshiro256PlusPlus| -> f64 { StandardNormal.sample(rng) };
    let mut values = vec![0.0];
    let mut state = normal(rng);
    let mut walk = 0.0;
    for t in 1..=TIMES {
        state = 0.95 * state + (1.0 - 0.95_f64 * 0.95).sqrt() * normal(rng);
        let heavy: f64 = StudentT::new(3.0).unwrap().sample(rng);
        walk += heavy / 3.0_f64.sqrt();
        values.push(match noise {
            Noise::White => normal(rng),
            Noise::Slow => state,
            Noise::HeavyWalk => walk / (t as f64).sqrt(),
            Noise::Skew => ((state / 2.0).exp() - 0.125_f64.exp()) / (0.5_f64.exp() - 0.25_f64.exp()).sqrt(),
        });
    }
    values
}

/// `replicates` of a view; `scale` is the deviation of every entry.
fn view(noise: Noise, replicates: usize, scale: f64, rng: &mut Xoshiro256PlusPlus) -> Vec<Trajectory> {
    let times = fabricated::log_times(TIMES, 0.01, 10.0);
    let mut runs = fabricated::simulation(SIZES, &times, replicates, 0.0, 0);
    for run in &mut runs {
        for (observable, width) in [(&RISK, 1), (&STUDENT_TEACHER, 4), (&STUDENT_SQUARES, 2)] {
            let values = run.of_mut(observable);
            for i in 0..width {
                for (t, x) in line(noise, rng).into_iter().enumerate() {
                    values[t * width + i] += scale * x;
                }
            }
        }
    }
    runs
}

fn limit() -> Vec<Trajectory> {
    vec![fabricated::limit(SIZES, &fabricated::log_times(TIMES, 0.01, 10.0), 1e-9)]
}

/// Where a shift is put; all of it two standard errors of the difference.
#[derive(Debug, Clone, Copy)]
enum Shift {
    /// Ten of all entries, signs at random.
    Scattered,
    /// Ten consecutive times of one entry of M.
    Stretch,
    /// The last ten times of the risk.
    Risk,
    /// All entries of M from a tenth time on: what a wrong rate does.
    Overlaps,
}

fn shift(runs: &mut [Trajectory], shift: Shift, size: f64, rng: &mut Xoshiro256PlusPlus) {
    let mut places: Vec<(usize, usize, f64)> = Vec::new();
    match shift {
        Shift::Scattered => {
            while places.len() < 10 {
                let (t, i) = (rng.random_range(1..=TIMES), rng.random_range(0..7));
                if !places.iter().any(|&(s, j, _)| (s, j) == (t, i)) {
                    places.push((t, i, if rng.random::<bool>() { size } else { -size }));
                }
            }
        }
        Shift::Stretch => places.extend((8..18).map(|t| (t, 2, size))),
        Shift::Risk => places.extend((TIMES - 9..=TIMES).map(|t| (t, 0, size))),
        Shift::Overlaps => places.extend((10..=TIMES).flat_map(|t| (1..5).map(move |i| (t, i, size)))),
    }
    for run in runs {
        for &(t, i, size) in &places {
            match i {
                0 => run.of_mut(&RISK)[t] += size,
                1..5 => run.of_mut(&STUDENT_TEACHER)[t * 4 + i - 1] += size,
                _ => run.of_mut(&STUDENT_SQUARES)[t * 2 + i - 5] += size,
            }
        }
    }
}

/// The share of `count` comparisons of `replicates` and `others` (0: the limit) that end with “differ”.
fn differ(noise: Noise, (replicates, others): (usize, usize), shifted: Option<Shift>, count: u64) -> f64 {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(7);
    let found = (0..count).filter(|_| {
        let mut first = view(noise, replicates, 0.01, &mut rng);
        // Views at another dimension spread differently.
        let scale = if replicates == others { 0.01 } else { 0.003 };
        let second = if others == 0 { limit() } else { view(noise, others, scale, &mut rng) };
        let mut variance = 1e-4 / replicates as f64;
        if others > 0 {
            variance += scale * scale / others as f64;
        }
        if let Some(place) = shifted {
            shift(&mut first, place, 2.0 * variance.sqrt(), &mut rng);
        }
        pair(["a", "b"], &first, &second).unwrap().verdict == Verdict::Differ
    });
    found.count() as f64 / count as f64
}

/// 200 pairs of identical views: “agree” in at least 99 %, with few replicates, and whatever moves together.
#[test]
fn views_of_one_law_agree() {
    for (noise, sizes) in [
        (Noise::White, (16, 16)),
        (Noise::Slow, (4, 4)),
        (Noise::Slow, (8, 8)),
        (Noise::HeavyWalk, (16, 16)),
        (Noise::HeavyWalk, (4, 0)),
        (Noise::Skew, (4, 16)),
    ] {
        let share = differ(noise, sizes, None, 200);
        assert!(share <= 0.01, "{noise:?}, replicates {sizes:?}: {share} of 200 differ");
    }
    // What the test does not promise: replicates skew to one side against a number. 2 % were seen, not 0.1 %.
    let share = differ(Noise::Skew, (16, 0), None, 60);
    assert!(share <= 0.05, "{share}");
}

/// A shift of two standard errors in ten of 175 places, 16 replicates each: the share of comparisons that find it.
///
/// | shift | where | noise | 4 | 8 | 16 | 64 replicates each |
/// |---|---|---|---|---|---|---|
/// | ten places at random | all entries | slow | 0 | .25 | 1 | 1 |
/// | ten places at random | all entries | heavy walk | 0 | .88 | 1 | 1 |
/// | ten times in a row | one M_jr | heavy walk | 0 | .23 | .85 | 1 |
/// | ten times in a row | one M_jr | white | 0 | .30 | .53 | .83 |
/// | ten times in a row | one M_jr | slow | 0 | .08 | .28 | .98 |
/// | the last ten times | risk | white | .03 | .23 | .55 | .85 |
/// | 16 of 25 times | all M_jr | white | .03 | .98 | 1 | 1 |
/// | ten places at random | all entries | white | 0 | 0 | .03 | .13 |
///
/// The last row is nobody's to find: Σz² rises by 40 where chance moves it by √(2·175) = 19. Where entries move slowly
/// in time, as those of trajectories do, the shift's own edges give it away. (Measured with 40 pairs each; the ones
/// asserted with fewer.)
#[test]
fn two_standard_errors_in_ten_places_are_found() {
    for (noise, place, least) in [
        (Noise::Slow, Shift::Scattered, 0.9),
        (Noise::HeavyWalk, Shift::Scattered, 0.9),
        (Noise::HeavyWalk, Shift::Stretch, 0.6),
        (Noise::White, Shift::Overlaps, 0.9),
        (Noise::White, Shift::Risk, 0.2),
    ] {
        let power = differ(noise, (16, 16), Some(place), 10);
        eprintln!("{noise:?}, {place:?}: found in {power:.2} of 10, in ten of {ENTRIES} entries");
        assert!(power >= least, "{noise:?}, {place:?}: {power} < {least}");
    }
}

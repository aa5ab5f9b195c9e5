//! Records with a known law, for the tests of what draws or compares them: no engine runs.
//!
//! Mean: neuron j leaves `M_jr = 0.1` for its direction `r = j mod k` like `1 − e^{−t/3}`, `Q_jj = 1`, and the risk
//! falls like `½e^{−t}`. A replicate adds a random walk over the recorded times to every entry, zero at entry 0.

use rand::SeedableRng;
use rand_distr::{Distribution, StandardNormal};
use rand_xoshiro::Xoshiro256PlusPlus;

use crate::record::{
    Trajectory,
    observable::{
        BIAS, GRADIENTS, RISK, RISK_ERROR, SAMPLES, SECOND_LAYER, STEP, STUDENT_SQUARES, STUDENT_TEACHER,
        STUDENT_TEACHER_ERROR, TIME,
    },
};

/// Sizes of a fabricated network.
#[derive(Debug, Clone, Copy)]
pub struct Sizes {
    /// Neurons.
    pub p: usize,
    /// Directions of the target.
    pub k: usize,
}

/// `n` times from `first` to `last` on a log scale, after 0.
pub fn log_times(n: usize, first: f64, last: f64) -> Vec<f64> {
    let mut times = vec![0.0];
    times.extend((0..n).map(|i| first * (last / first).powf(i as f64 / (n - 1) as f64)));
    times
}

fn mean_risk(t: f64) -> f64 {
    1e-3 + 0.2 * (-t).exp()
}

fn mean_overlap(sizes: Sizes, t: f64, j: usize, r: usize) -> f64 {
    let sign = if j.is_multiple_of(2) { 1.0 } else { -0.9 };
    let learnt = 1.0 - (-t / 3.0).exp();
    if j % sizes.k == r { sign * (0.1 + 0.85 * learnt) } else { 0.1 * (1.0 - learnt) * (j + r + 1) as f64 / 4.0 }
}

/// The law without noise, `error` stated as its numerical error.
pub fn limit(sizes: Sizes, times: &[f64], error: f64) -> Trajectory {
    let mut run = trajectory(sizes, times, None, 0.0);
    run.set(&RISK_ERROR, vec![error; times.len()]);
    run.set(&STUDENT_TEACHER_ERROR, vec![error; times.len() * sizes.p * sizes.k]);
    run
}

/// `replicates` random walks around the law, with standard deviation `noise` at the last time.
pub fn simulation(sizes: Sizes, times: &[f64], replicates: usize, noise: f64, seed: u64) -> Vec<Trajectory> {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    (0..replicates).map(|_| trajectory(sizes, times, Some(&mut rng), noise)).collect()
}

fn trajectory(sizes: Sizes, times: &[f64], rng: Option<&mut Xoshiro256PlusPlus>, noise: f64) -> Trajectory {
    let Sizes { p, k } = sizes;
    let t = times.len();
    let mut zero = Xoshiro256PlusPlus::seed_from_u64(0);
    let rng = rng.unwrap_or(&mut zero);
    let mut walk = |mean: &dyn Fn(f64) -> f64, scale: f64| -> Vec<f64> {
        let mut position = 0.0;
        let step = scale * noise / (t as f64).sqrt();
        let mut next = |i: usize| {
            if i > 0 {
                let normal: f64 = StandardNormal.sample(rng);
                position += step * normal;
            }
            position
        };
        (0..t).map(|i| mean(times[i]) + next(i)).collect()
    };
    let risk = walk(&mean_risk, 0.05);
    let mut overlaps = vec![0.0; t * p * k];
    for j in 0..p {
        for r in 0..k {
            for (i, value) in walk(&|time| mean_overlap(sizes, time, j, r), 1.0).into_iter().enumerate() {
                overlaps[(i * p + j) * k + r] = value;
            }
        }
    }
    let mut norms = vec![0.0; t * p];
    for j in 0..p {
        for (i, value) in walk(&|_| 1.0, 1.0).into_iter().enumerate() {
            norms[i * p + j] = value;
        }
    }
    let mut run = Trajectory::empty(p, k);
    let steps: Vec<f64> = times.iter().map(|time| (time * 1e4).round()).collect();
    for counted in [&STEP, &SAMPLES, &GRADIENTS] {
        run.set(counted, steps.clone());
    }
    run.set(&TIME, times.to_vec());
    run.set(&RISK, risk);
    run.set(&STUDENT_TEACHER, overlaps);
    run.set(&STUDENT_SQUARES, norms);
    run.set(&SECOND_LAYER, vec![1.0; t * p]);
    run.set(&BIAS, vec![0.0; t * p]);
    run.valid = t;
    run
}

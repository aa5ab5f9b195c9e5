//! The single-index flows of the speed table.

use std::{hint::black_box, time::Instant};

use twolayer::{
    Result,
    method::single_index::{Averaged, Finite, Series},
    observer::Silent,
    solve::Options,
};

/// σ_k and φ_k of the gallery's `time-scales/`.
const SIGMA: [f64; 4] = [0.7, 0.8, 0.6, 0.5];
const PHI: [f64; 4] = [0.5, 0.9, 0.7, 0.6];

/// What a view at the default tolerance asks for: one integration, and a looser one that measures its error.
fn both() -> [Options; 2] {
    [1e-8, 1e-7].map(|relative_tolerance| Options {
        relative_tolerance,
        absolute_tolerance: 1e-3 * relative_tolerance,
        max_steps: 1_000_000,
        ..Options::default()
    })
}

fn grid(m: usize) -> Vec<f64> {
    (0..m).map(|i| -1.0 + (2 * i + 1) as f64 / m as f64).collect()
}

fn times(end: f64) -> Vec<f64> {
    (0..200).map(|i| end * 1e-9_f64.powf(1.0 - f64::from(i) / 199.0)).collect()
}

/// Seconds of the flow of many neurons at these ε and m, one after the other, t ≤ `end`.
pub fn many(settings: &[(f64, usize)], end: f64) -> Result<f64> {
    let begun = Instant::now();
    for &(epsilon, m) in settings {
        let flow = Averaged::new(Series::exact(&SIGMA, &PHI), epsilon, vec![1.0 / m as f64; m]);
        let start = flow.pack(&grid(m), &vec![0.0; m]);
        for options in both() {
            black_box(flow.integrate(&start, &times(end), &options, &Silent)?);
        }
    }
    Ok(begun.elapsed().as_secs_f64())
}

/// Seconds of the exact flow of m neurons from orthogonal rows, t ≤ 3.
pub fn finite(epsilon: f64, m: usize) -> Result<f64> {
    let begun = Instant::now();
    let flow = Finite::new(Series::exact(&SIGMA, &PHI), epsilon, 1.0 / m as f64, m);
    let start = flow.pack(&grid(m), &vec![0.0; m], &faer::Mat::identity(m, m));
    for options in both() {
        black_box(flow.integrate(&start, &times(3.0), &options, &Silent)?);
    }
    Ok(begun.elapsed().as_secs_f64())
}

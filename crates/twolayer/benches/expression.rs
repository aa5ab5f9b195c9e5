//! Nanoseconds per number of the vector functions, the activations and a compiled target. `cargo bench --bench
//! expression`; plain numbers, best of several rounds, one core.

use std::{hint::black_box, time::Instant};

use twolayer::expression::vector;

/// Best nanoseconds per call of `work`.
fn best(mut work: impl FnMut()) -> f64 {
    let calls = 20_000;
    (0..7)
        .map(|_| {
            let start = Instant::now();
            (0..calls).for_each(|_| work());
            start.elapsed().as_nanos() as f64 / f64::from(calls)
        })
        .fold(f64::INFINITY, f64::min)
}

fn inputs(count: usize) -> Vec<f64> {
    (0..count).map(|i| (i as f64 * 0.618).sin() * 3.0).collect()
}

fn main() {
    println!("{:24}{:>12}{:>12}{:>16}", "vector function", "4: ns/call", "8: ns/call", "256: ns/number");
    let functions: [(&str, fn(&mut [f64])); 7] = [
        ("exp", vector::exp),
        ("tanh", vector::tanh),
        ("erf", vector::erf),
        ("asin", vector::asin),
        ("sigmoid", vector::sigmoid),
        ("softplus", vector::softplus),
        ("scaled_erf", vector::scaled_erf),
    ];
    for (name, function) in functions {
        let [four, eight, block] = [4, 8, 256].map(|count| {
            let (points, mut x) = (inputs(count), vec![0.0; count]);
            best(|| {
                x.copy_from_slice(&points);
                function(black_box(&mut x));
            })
        });
        println!("{name:24}{four:12.1}{eight:12.1}{:16.2}", block / 256.0);
    }
}

//! Nanoseconds per number of the vector functions, the activations and a compiled target. `cargo bench --bench
//! expression`; plain numbers, best of several rounds, one core.

use std::{collections::BTreeMap, hint::black_box, time::Instant};

use twolayer::{
    expression::{Expression, Scratch, Vocabulary, vector},
    problem::{Activation, NamedActivation, Word},
};

/// Best nanoseconds per call of `work`.
fn best(mut work: impl FnMut()) -> f64 {
    let calls = 2_000;
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
    type Named = (&'static str, fn(&mut [f64]));
    let functions: [Named; 7] = [
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

    println!("\n{:24}{:>12}{:>12}{:>16}", "activation, with σ'", "4: ns/call", "8: ns/call", "1000: ns/number");
    let written = ["tanh(h)", "tanh(h) + 0.1*he2(h)", "relu(h - 0.5) - 0.2"];
    let read = |text: &&str| Activation::parse(text, &BTreeMap::new()).ok();
    let series = Activation::series(vec![0.0, 1.0, 0.5, 0.25]);
    let named = NamedActivation::ALL.iter().copied().map(Activation::from);
    for activation in named.chain(["he2"].iter().chain(&written).filter_map(read)).chain([series]) {
        let name = activation.name();
        let [four, eight, many] = [4, 8, 1000].map(|count| {
            let (points, mut h, mut derivative) = (inputs(count), vec![0.0; count], vec![0.0; count]);
            best(|| {
                h.copy_from_slice(&points);
                activation.values_and_derivatives(black_box(&mut h), black_box(&mut derivative));
            })
        });
        println!("{name:24}{four:12.1}{eight:12.1}{:16.2}", many / 1000.0);
    }

    println!("\n{:24}{:>12}{:>12}{:>16}", "expression", "value: ns", "8: ns/call", "2048: ns/sample");
    let vocabulary = Vocabulary { indexed: Some("z".into()), ..Vocabulary::default() };
    for text in ["tanh(z1 + z2^3 - 3*z2)", "tanh(z1 + he3(z2))", "erf(z1*z2)", "sign(z1*z2)", "0.5/z1"] {
        let Ok(expression) = Expression::parse(text, &vocabulary) else { continue };
        let mut scratch = Scratch::default();
        let [eight, many] = [8, 2048].map(|count| {
            let (z1, z2, mut out) = (inputs(count), inputs(2 * count), vec![0.0; count]);
            let inputs = [&z1[..], &z2[count..]];
            best(|| expression.evaluate(black_box(&inputs), black_box(&mut out), &mut scratch))
        });
        let value = best(|| {
            black_box(expression.value(black_box(&[0.3, 0.4])));
        });
        println!("{text:24}{value:12.1}{eight:12.1}{:16.2}", many / 2048.0);
    }
}

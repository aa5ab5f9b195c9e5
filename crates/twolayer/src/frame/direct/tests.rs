//! A step of the frame against the formulas of theory.md §1, sample by sample.

use super::*;
use crate::{
    average::{Averages, Kernel, State, Want},
    observer::Silent,
    problem::{Activation, Duration, Formula, Geometry, Network, Record, Rule, Target, Training},
    signal::Feed,
    simulate::simulate,
};

struct NoRisk;

impl Kernel for NoRisk {
    fn averages(&self, _: &State, _: Want, _: &mut Averages) -> Result<()> {
        Ok(())
    }

    fn describe(&self) -> String {
        "none".into()
    }
}

const D: usize = 7;
const P: usize = 3;
const RATE: f64 = 0.8;
const DISPLACEMENT: f64 = 0.5;
const DECAY: f64 = 0.1;

fn dot(x: &[f64], y: &[f64]) -> f64 {
    x.iter().zip(y).map(|(x, y)| x * y).sum()
}

/// The gradient of neuron j, with the residual `f − z_1` of the network `Σ_j tanh(⟨w_j, x⟩)/P`.
fn gradient(weights: &[Vec<f64>], samples: &[&[f64]], j: usize) -> Vec<f64> {
    let mut sum = vec![0.0; D];
    for x in samples {
        let output = weights.iter().map(|w| dot(w, x).tanh()).sum::<f64>() / P as f64;
        let g = (output - x[0]) * (1.0 - dot(&weights[j], x).tanh().powi(2)) / P as f64;
        sum.iter_mut().zip(*x).for_each(|(sum, x)| *sum += g * x / samples.len() as f64);
    }
    sum
}

/// The gradient is taken at `W − ρ∇`, and projected on the tangent space of W, not of the displaced weights.
#[test]
fn a_displaced_step_on_the_sphere_is_that_of_its_formula() {
    for batch in [1, 6] {
        let target = Target::new(Rule::committee(Activation::Linear, 1, 1.0));
        let mut network = Network::new(P, Activation::Tanh);
        network.output_scale = Formula::number(1.0 / P as f64);
        let mut training = Training::new(D as u64, Formula::number(RATE), Duration::Steps(Formula::number(1.0)));
        training.batch = Formula::number(batch as f64);
        training.geometry = Geometry::Spherical;
        training.weight_decay = DECAY;
        training.displacement = Formula::number(DISPLACEMENT);
        let problem = Problem::new(target, network, training).unwrap();
        let streams = Streams { seed: 4, replicate: 0 };
        let start = problem.start(streams).unwrap();
        let mut frame = Direct::new(&problem, &start, D, None, streams, 1).unwrap();
        let before: Vec<Vec<f64>> = frame.weights.chunks_exact(D).map(<[f64]>::to_vec).collect();
        let feed = Feed::new(&problem, streams).unwrap().0;
        simulate(&problem, &mut frame, feed, &start, &NoRisk, &[0, 1], &Record::default(), &Silent).unwrap();

        let inputs = frame.lanes[0].inputs.clone();
        let samples: Vec<&[f64]> = inputs.chunks_exact(D).take(batch).collect();
        let displaced: Vec<Vec<f64>> = (0..P)
            .map(|j| {
                let gradient = gradient(&before, &samples, j);
                before[j].iter().zip(gradient).map(|(w, g)| w - DISPLACEMENT * g).collect()
            })
            .collect();
        for j in 0..P {
            let (w, mut step) = (&before[j], gradient(&displaced, &samples, j));
            let along = dot(&step, w) / dot(w, w);
            step.iter_mut().zip(w).for_each(|(g, w)| *g -= along * w);
            let mut after: Vec<f64> = w.iter().zip(&step).map(|(w, g)| (1.0 - RATE * DECAY) * w - RATE * g).collect();
            let factor = (dot(w, w) / dot(&after, &after)).sqrt();
            after.iter_mut().for_each(|w| *w *= factor);
            for (got, expected) in frame.weights[j * D..].iter().zip(&after) {
                assert!((got - expected).abs() < 1e-12, "batch {batch}: {got}, not {expected}");
            }
        }
    }
}

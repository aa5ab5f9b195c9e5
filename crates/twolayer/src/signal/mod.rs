//! Fields and labels → error signals and second-layer gradients: the only place that knows losses and activations in
//! simulation.

mod labels;

pub use labels::{Labels, Samples};

use crate::problem::{Activation, Loss, Problem};

/// Error signals of a batch, `g_jμ = s a_j e_μ σ'(λ_jμ)` with `e = f − y` (squared loss) or `e = −y` (correlation
/// loss). (theory.md §1)
///
/// Arrays over neurons and samples are neuron-major: `fields[j·n_b + μ]`.
#[derive(Debug, Clone)]
pub struct Signal {
    activation: Activation,
    loss: Loss,
    scale: f64,
    /// σ(λ), p×n_b.
    values: Vec<f64>,
    /// g, p×n_b.
    signal: Vec<f64>,
    /// e, n_b.
    residual: Vec<f64>,
}

impl Signal {
    /// For batches of `batch` samples of `problem`.
    pub fn new(problem: &Problem, batch: usize) -> Self {
        let p = problem.width();
        Self {
            activation: problem.network.activation.clone(),
            loss: problem.training.loss,
            scale: problem.output_scale(),
            values: vec![0.0; p * batch],
            signal: vec![0.0; p * batch],
            residual: vec![0.0; batch],
        }
    }

    /// Computes `step·g` and e at `fields` (p×n_b) and `labels` (n_b), for the second layer `a` (p). Returns Σ_μ |e_μ|,
    /// not finite once the run has diverged.
    pub fn evaluate(&mut self, step: f64, fields: &[f64], labels: &[f64], a: &[f64]) -> f64 {
        let batch = self.residual.len();
        self.values.copy_from_slice(fields);
        self.activation.values_and_derivatives(&mut self.values, &mut self.signal);
        for (e, y) in self.residual.iter_mut().zip(labels) {
            *e = -y;
        }
        if self.loss == Loss::Squared {
            for (value, a) in self.values.chunks_exact(batch).zip(a) {
                let weight = self.scale * a;
                for (e, value) in self.residual.iter_mut().zip(value) {
                    *e += weight * value;
                }
            }
        }
        for (signal, a) in self.signal.chunks_exact_mut(batch).zip(a) {
            let weight = step * self.scale * a;
            for (g, e) in signal.iter_mut().zip(&self.residual) {
                *g *= weight * e;
            }
        }
        self.residual.iter().map(|e| e.abs()).sum()
    }

    /// The last `step·g`, p×n_b.
    pub fn signal(&self) -> &[f64] {
        &self.signal
    }

    /// `a_j ← a_j − step Σ_μ s e_μ σ(λ_jμ)` at the fields of the last evaluation.
    pub fn train_second_layer(&self, step: f64, a: &mut [f64]) {
        let batch = self.residual.len();
        for (a, values) in a.iter_mut().zip(self.values.chunks_exact(batch)) {
            let gradient: f64 = values.iter().zip(&self.residual).map(|(value, e)| value * e).sum();
            *a -= step * self.scale * gradient;
        }
    }
}

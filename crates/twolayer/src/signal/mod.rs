//! Fields and labels → error signals, losses, second-layer and bias gradients: the only place that knows losses and
//! activations in simulation.

mod batch;
mod feed;
mod labels;

use std::ops::Range;

pub use batch::{Batch, Rows};
pub use feed::{Coordinates, Feed};
pub use labels::{Labels, Samples};

use crate::problem::{Activation, Loss, Problem};

/// Error signals of a batch, `g_jμ = s a_j e_μ σ'(h_jμ)` with `h = λ + b`, `e = f − y` (squared loss) or `e = −y`
/// (correlation loss). (theory.md §1)
///
/// Arrays over neurons and samples are neuron-major: `fields[j·n_b + μ]`.
#[derive(Debug, Clone)]
pub struct Signal {
    activation: Activation,
    loss: Loss,
    scale: f64,
    /// σ(h), p×n_b.
    values: Vec<f64>,
    /// g, p×n_b.
    signal: Vec<f64>,
    /// e, n_b.
    residual: Vec<f64>,
}

/// What the network's parameters are, apart from the first layer.
#[derive(Debug, Clone, PartialEq)]
pub struct Head {
    /// a (p).
    pub second_layer: Vec<f64>,
    /// b (p); empty where the network has no biases.
    pub bias: Vec<f64>,
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

    /// Computes `step·g` and e at `fields` (p×n_b) and `labels` (n_b). Returns Σ_μ |e_μ|, not finite once the run has
    /// diverged.
    pub fn evaluate(&mut self, step: f64, fields: &[f64], labels: &[f64], head: &Head) -> f64 {
        let batch = self.residual.len();
        self.preactivations(fields, head, batch);
        self.activation.values_and_derivatives(&mut self.values, &mut self.signal);
        for (e, y) in self.residual.iter_mut().zip(labels) {
            *e = -y;
        }
        if self.loss == Loss::Squared {
            self.add_output(head, batch);
        }
        for (signal, a) in self.signal.chunks_exact_mut(batch).zip(&head.second_layer) {
            let weight = step * self.scale * a;
            for (g, e) in signal.iter_mut().zip(&self.residual) {
                *g *= weight * e;
            }
        }
        self.residual.iter().map(|e| e.abs()).sum()
    }

    /// [`evaluate`](Self::evaluate) for a range of the samples; all of them at once is faster there.
    pub fn evaluate_part(
        &mut self,
        step: f64,
        fields: &[f64],
        labels: &[f64],
        head: &Head,
        samples: Range<usize>,
    ) -> f64 {
        let batch = self.residual.len();
        let Self { values, signal, residual, .. } = self;
        let residual = &mut residual[samples.clone()];
        for (e, y) in residual.iter_mut().zip(&labels[samples.clone()]) {
            *e = -y;
        }
        let neurons = values.chunks_exact_mut(batch).zip(signal.chunks_exact_mut(batch));
        for (j, (values, signal)) in neurons.enumerate() {
            let (values, signal) = (&mut values[samples.clone()], &mut signal[samples.clone()]);
            values.copy_from_slice(&fields[j * batch..][samples.clone()]);
            if let Some(b) = head.bias.get(j) {
                values.iter_mut().for_each(|h| *h += b);
            }
            self.activation.values_and_derivatives(values, signal);
            if self.loss == Loss::Squared {
                let weight = self.scale * head.second_layer[j];
                residual.iter_mut().zip(&*values).for_each(|(e, value)| *e += weight * value);
            }
        }
        for (signal, a) in signal.chunks_exact_mut(batch).zip(&head.second_layer) {
            let weight = step * self.scale * a;
            for (g, e) in signal[samples.clone()].iter_mut().zip(&*residual) {
                *g *= weight * e;
            }
        }
        residual.iter().map(|e| e.abs()).sum()
    }

    /// `½ mean (f − y)²` at the fields of the last evaluation.
    pub fn batch_risk(&self, labels: &[f64], head: &Head) -> f64 {
        let batch = self.residual.len();
        let mut sum = 0.0;
        for (mu, y) in labels.iter().enumerate() {
            let neurons = self.values[mu..].iter().step_by(batch).zip(&head.second_layer);
            let output: f64 = neurons.map(|(value, a)| self.scale * a * value).sum();
            sum += (output - y) * (output - y);
        }
        sum / (2.0 * batch as f64)
    }

    /// `½ mean (f − y)²` at `fields` (p×n) and `labels` (n), which may be of another number than the batch's.
    pub fn training_risk(&mut self, fields: &[f64], labels: &[f64], head: &Head) -> f64 {
        let (count, batch) = (labels.len(), self.residual.len());
        self.values.resize(fields.len(), 0.0);
        self.residual.resize(count, 0.0);
        self.preactivations(fields, head, count);
        self.activation.values(&mut self.values);
        for (e, y) in self.residual.iter_mut().zip(labels) {
            *e = -y;
        }
        self.add_output(head, count);
        let risk = self.residual.iter().map(|e| e * e).sum::<f64>() / (2.0 * count as f64);
        self.values.truncate(self.signal.len());
        self.residual.truncate(batch);
        risk
    }

    /// The last `step·g`, p×n_b.
    pub fn signal(&self) -> &[f64] {
        &self.signal
    }

    /// Multiplies the signals of neuron j by `factor[j]`.
    pub fn scale_rows(&mut self, factor: &[f64]) {
        let batch = self.residual.len();
        for (signal, factor) in self.signal.chunks_exact_mut(batch).zip(factor) {
            signal.iter_mut().for_each(|g| *g *= factor);
        }
    }

    /// `a_j ← a_j − step Σ_μ s e_μ σ(h_jμ)` at the fields of the last evaluation.
    pub fn train_second_layer(&self, step: f64, a: &mut [f64]) {
        let batch = self.residual.len();
        for (a, values) in a.iter_mut().zip(self.values.chunks_exact(batch)) {
            let gradient: f64 = values.iter().zip(&self.residual).map(|(value, e)| value * e).sum();
            *a -= step * self.scale * gradient;
        }
    }

    /// `b_j ← b_j − Σ_μ step·g_jμ` at the fields of the last evaluation.
    pub fn train_biases(&self, b: &mut [f64]) {
        let batch = self.residual.len();
        for (b, signal) in b.iter_mut().zip(self.signal.chunks_exact(batch)) {
            *b -= signal.iter().sum::<f64>();
        }
    }

    /// `values ← λ + b`.
    fn preactivations(&mut self, fields: &[f64], head: &Head, batch: usize) {
        self.values.copy_from_slice(fields);
        for (values, b) in self.values.chunks_exact_mut(batch).zip(&head.bias) {
            values.iter_mut().for_each(|h| *h += b);
        }
    }

    /// `residual ← residual + f`.
    fn add_output(&mut self, head: &Head, batch: usize) {
        for (value, a) in self.values.chunks_exact(batch).zip(&head.second_layer) {
            let weight = self.scale * a;
            for (e, value) in self.residual.iter_mut().zip(value) {
                *e += weight * value;
            }
        }
    }
}

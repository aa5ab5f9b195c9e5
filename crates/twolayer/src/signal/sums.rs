//! What a step needs of its samples beside `Σ_μ g_μ x_μ`.

use std::ops::Range;

/// Sums over samples; the vectors are empty where nothing needs them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sums {
    /// `Σ |e|`: not finite once the run has diverged.
    pub size: f64,
    /// `Σ (f − y)²`.
    pub squares: f64,
    /// `Σ s e σ(h_j)` (p), the gradient of the second layer.
    pub second_layer: Vec<f64>,
    /// `Σ signal_j` (p), the step of the biases.
    pub bias: Vec<f64>,
    /// `Σ signal_j λ_j` (p), the step's part along w_j.
    pub along: Vec<f64>,
    /// Fields, where they are all that is asked for: which samples, and λ (p×m, neuron-major).
    pub fields: Vec<(Range<usize>, Vec<f64>)>,
}

impl Sums {
    /// Forgets all samples.
    pub fn clear(&mut self) {
        (self.size, self.squares) = (0.0, 0.0);
        self.second_layer.clear();
        self.bias.clear();
        self.along.clear();
        self.fields.clear();
    }

    /// Adds the samples of `other`.
    pub fn merge(&mut self, other: &Self) {
        self.size += other.size;
        self.squares += other.squares;
        self.fields.extend(other.fields.iter().cloned());
        for (into, from) in [
            (&mut self.second_layer, &other.second_layer),
            (&mut self.bias, &other.bias),
            (&mut self.along, &other.along),
        ] {
            if !from.is_empty() {
                add(into, from.iter().copied());
            }
        }
    }
}

/// Adds one number for each neuron.
pub(super) fn add(into: &mut Vec<f64>, terms: impl ExactSizeIterator<Item = f64>) {
    into.resize(terms.len(), 0.0);
    into.iter_mut().zip(terms).for_each(|(sum, term)| *sum += term);
}

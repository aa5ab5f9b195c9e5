//! A linear neuron on a linear target, the same n samples at every step.

use super::Known;
use crate::problem::{Placement, Problem};

/// From `M₀ = 0`: `E M_1 = η`, and `E M_2 = 2η − η²(1 + (d + 1)/n)`, because `E Σ̂² = (1 + (d + 1)/n) I`.
pub static KNOWN: Known = Known {
    name: "linear, reused samples",
    problem: || {
        let neuron = Problem::builder().target("z1").noise(0.1).network(1, "linear");
        let neuron = neuron.with(|parts| parts.network.first_layer.placement = Placement::Orthonormal);
        neuron.dimension(200).learning_rate(0.5).reused("4*d").steps(2).build()
    },
    overlap: |problem, step, _| {
        let (eta, sizes) = (problem.learning_rate(), problem.sizes());
        step * eta - if step > 1.0 { eta * eta * (1.0 + (sizes.d + 1.0) / sizes.n) } else { 0.0 }
    },
    tolerance: 2e-3,
    methods: &["direct", "reduced-reused", "dmft"],
};

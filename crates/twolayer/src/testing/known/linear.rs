//! A linear neuron on a linear target, one pass.

use super::{Known, one_at};
use crate::problem::Problem;

/// `E M_ν = 1 − (1 − M₀)(1 − η)^ν` at every d, whatever the label noise: a step is linear in w.
pub static KNOWN: Known = Known {
    name: "linear, one pass",
    problem: || {
        let neuron = Problem::builder().target("z1").noise(0.1).network(1, "linear");
        let neuron = neuron.with(|parts| parts.network.first_layer.placement = one_at(0.2));
        neuron.dimension(400).learning_rate("0.5/d").time(2).build()
    },
    overlap: |problem, step, _| 1.0 - 0.8 * (1.0 - problem.learning_rate()).powf(step),
    tolerance: 2e-3,
    methods: &["direct", "reduced-fresh", "ode"],
};

//! A linear neuron on a linear target, giant steps.

use super::{Known, one_at};
use crate::problem::Problem;

/// `E M_ν = 1 − (1 − M₀)(1 − η)^ν`, now with an η that does not vanish.
pub static KNOWN: Known = Known {
    name: "linear, giant steps",
    problem: || {
        let neuron = Problem::builder().target("z1").noise(0.1).network(1, "linear");
        let neuron = neuron.with(|parts| parts.network.first_layer.placement = one_at(0.2));
        neuron.dimension(300).batch("4*d").learning_rate(0.5).steps(4).build()
    },
    overlap: |problem, step, _| 1.0 - 0.8 * (1.0 - problem.learning_rate()).powf(step),
    tolerance: 1e-6,
    methods: &["direct", "reduced-fresh", "giant-step"],
};

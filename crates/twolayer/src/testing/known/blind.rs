//! A neuron that does not see its target: ReLU has no Hermite component of degree 3.

use super::Known;
use crate::problem::{Placement, Problem};

/// `E M_1 = η E[g z] E[σ'] = 0` for g = He₃.
pub static KNOWN: Known = Known {
    name: "ReLU on He3, one giant step",
    problem: || {
        let neuron = Problem::builder().target("he3(z1)").network(1, "relu");
        let neuron = neuron.with(|parts| parts.network.first_layer.placement = Placement::Orthonormal);
        neuron.dimension(300).batch("4*d").learning_rate(0.5).steps(1).build()
    },
    overlap: |_, _, _| 0.0,
    tolerance: 5e-3,
    methods: &["direct", "reduced-fresh", "giant-step"],
};

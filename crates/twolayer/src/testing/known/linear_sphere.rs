//! A linear neuron on the sphere, gradient flow.

use super::{Known, one_at};
use crate::problem::{Geometry, Problem};

/// `Ṁ = 1 − M²`: `M = tanh(t + artanh M₀)`.
pub static KNOWN: Known = Known {
    name: "linear, on the sphere",
    problem: || {
        let neuron = Problem::builder().target("z1").network(1, "linear").infinite().gradient_flow().time(2);
        let on_sphere = neuron.with(|parts| {
            parts.network.first_layer.placement = one_at(0.1);
            parts.training.geometry = Geometry::Spherical;
        });
        on_sphere.build()
    },
    overlap: |_, _, time| (time + 0.1_f64.atanh()).tanh(),
    tolerance: 1e-5,
    methods: &["ode"],
};

//! The target at given fields.

use crate::{expression::Scratch, problem::Rule};

/// `out ← g(z)` at `out.len()` samples; `z[r]` holds the samples of z_r.
pub(super) fn labels(rule: &Rule, z: &[&[f64]], out: &mut [f64], scratch: &mut Scratch) {
    match rule {
        Rule::Expression(expression) => expression.evaluate(z, out, scratch),
        Rule::Committee { activation, weights } => {
            out.fill(0.0);
            let mut unit = vec![0.0; out.len()];
            for (z, weight) in z.iter().zip(weights) {
                unit.copy_from_slice(&z[..out.len()]);
                activation.values(&mut unit);
                out.iter_mut().zip(&unit).for_each(|(out, unit)| *out += weight * unit);
            }
        }
    }
}

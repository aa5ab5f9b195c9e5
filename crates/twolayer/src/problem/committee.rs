//! Which targets are committees, however they are spelt: closed forms follow from what a target is.

use faer::Mat;

use super::{Activation, Rule};

/// `g(z) = Σ_m c_m σ(⟨v_m, z⟩)`.
#[derive(Debug, Clone, PartialEq)]
pub struct Committee {
    /// σ.
    pub activation: Activation,
    /// c_m.
    pub weights: Vec<f64>,
    /// V, one row v_m for each unit, u×k.
    pub directions: Mat<f64>,
}

impl Rule {
    /// The committee that the rule of a target with `k` directions is, if it is one: `relu(z1) + relu(z2)/2`,
    /// `tanh(z1 - z2) - tanh(z1 + z2)`, `0.5*erf(z1/sqrt(2))`.
    pub fn as_committee(&self, k: usize) -> Option<Committee> {
        match self {
            Self::Committee { activation, weights } => Some(Committee {
                activation: activation.clone(),
                weights: weights.clone(),
                directions: Mat::from_fn(weights.len(), k, |m, r| f64::from(m == r)),
            }),
            Self::Expression(expression) => {
                let ridges = expression.ridges()?;
                let first = Activation::of_function(&ridges.first()?.function)?;
                let alike = ridges
                    .iter()
                    .skip(1)
                    .all(|ridge| Activation::of_function(&ridge.function).as_ref() == Some(&first));
                let form = |m: usize, r: usize| ridges[m].form.get(r).copied().unwrap_or(0.0);
                alike.then(|| Committee {
                    activation: first,
                    weights: ridges.iter().map(|ridge| ridge.weight).collect(),
                    directions: Mat::from_fn(ridges.len(), k, |m, r| rounded(form(m, r))),
                })
            }
        }
    }
}

/// A whole number where it is one to rounding: √2 · 1/√2 is 1.
fn rounded(x: f64) -> f64 {
    if (x - x.round()).abs() <= 4.0 * f64::EPSILON * x.abs() { x.round() } else { x }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn committee(text: &str, k: usize) -> Option<Committee> {
        Rule::try_from(text).unwrap().as_committee(k)
    }

    #[test]
    fn committees_are_known_by_what_they_are() {
        let erf = committee("0.25*erf(z1/sqrt(2)) + erf(z2*sqrt(0.5))/8", 2).unwrap();
        assert_eq!((erf.activation, erf.weights), (Activation::Erf, vec![0.25, 0.125]));
        assert_eq!(erf.directions, Mat::<f64>::identity(2, 2));
        let relu = committee("max(z1, 0) + relu(z2) - 2*relu(z1 - z3)", 3).unwrap();
        assert_eq!((relu.activation, relu.weights), (Activation::Relu, vec![1.0, 1.0, -2.0]));
        assert_eq!((relu.directions[(2, 0)], relu.directions[(2, 2)]), (1.0, -1.0));
        assert_eq!(committee("tanh(2*z1)", 1).unwrap().directions[(0, 0)], 2.0);
        for text in ["relu(z1) + tanh(z2)", "relu(z1) + z2", "relu(z1)*relu(z2)", "z1*z2"] {
            assert_eq!(committee(text, 2), None, "{text}");
        }
    }
}

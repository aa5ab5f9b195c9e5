//! Through what a network sees a target: its activation, at the norms and biases of its neurons.

use super::indices::factorial;
use crate::{
    error::Result,
    problem::{Activation, Geometry, Problem},
    random::Streams,
};

/// Components of σ below this, relative to the root mean square of σ, are none.
const BLIND: f64 = 1e-7;
/// So many stated errors are no component either.
const FORGIVEN: f64 = 4.0;
/// More neurons than this say nothing new: their norms and biases are draws of one law.
const MOST_NEURONS: usize = 128;
/// Neurons that are moved to see what training opens.
const MOVED: usize = 4;
/// By what training is taken to move a norm, as a factor, and a bias.
const STRETCH: f64 = 1.25;
const SHIFT: f64 = 0.5;

/// An activation, and the preactivations that it is applied to. (theory.md §7: at the preactivation's own variance and bias)
#[derive(Debug, Clone)]
pub struct Sight {
    /// σ.
    pub activation: Activation,
    /// Those of the start.
    pub start: Vec<Preactivation>,
    /// Some that training leads to.
    pub later: Vec<Preactivation>,
}

/// The law of a preactivation, `h = ‖w‖ u + b` with u ~ N(0, 1).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Preactivation {
    /// ‖w‖.
    pub norm: f64,
    /// b.
    pub bias: f64,
}

/// When a network sees a degree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    /// From the start on: some neuron has a component there.
    AtOnce,
    /// As soon as training moves norms or biases.
    Later,
    /// Never.
    Never,
}

impl Sight {
    /// One neuron of norm 1 without a bias, for good.
    pub fn of(activation: &Activation) -> Self {
        Self { activation: activation.clone(), start: vec![Preactivation { norm: 1.0, bias: 0.0 }], later: Vec::new() }
    }

    /// The network of a problem where it starts, and where training leads: away from the norms of the start unless the
    /// geometry keeps them, away from its biases if they are trained.
    ///
    /// # Errors
    /// As [`Problem::start`].
    pub fn of_network(problem: &Problem, streams: Streams) -> Result<Self> {
        let start = problem.start(streams)?;
        let norm =
            |j: usize| (start.teacher.row(j).squared_norm_l2() + start.complement.row(j).squared_norm_l2()).sqrt();
        // In span(W*, W): `w_j = Σ C_jr ê_r + …` with orthonormal ê, whatever P is.
        let neuron = |j: usize| Preactivation { norm: norm(j), bias: start.bias[j] };
        let mut neurons: Vec<Preactivation> = Vec::new();
        for own in (0..problem.width()).map(neuron) {
            let same = |other: &Preactivation| (own.norm - other.norm).abs() + (own.bias - other.bias).abs() < 1e-9;
            if neurons.len() < MOST_NEURONS && !neurons.iter().any(same) {
                neurons.push(own);
            }
        }
        let stretch = if problem.training.geometry == Geometry::Free { STRETCH } else { 1.0 };
        let shift = if problem.network.bias.is_some_and(|bias| bias.train) { SHIFT } else { 0.0 };
        let moved = neurons.iter().take(MOVED).flat_map(|at| {
            [shift, -shift].map(|shift| Preactivation { norm: stretch * at.norm, bias: at.bias + shift })
        });
        let later = if stretch > 1.0 || shift > 0.0 { moved.collect() } else { Vec::new() };
        Ok(Self { activation: problem.network.activation.clone(), start: neurons, later })
    }

    /// Whether some neuron starts with a bias.
    pub fn is_biased(&self) -> bool {
        self.start.iter().any(|neuron| neuron.bias != 0.0)
    }

    /// For q = 0 … `highest`, when some neuron has `c_q = E[σ(‖w‖u + b) He_q(u)] ≠ 0`.
    pub(super) fn degrees(&self, highest: usize) -> Vec<Seen> {
        let mut seen = vec![Seen::Never; highest + 1];
        for (neurons, when) in [(&self.start, Seen::AtOnce), (&self.later, Seen::Later)] {
            for &neuron in neurons {
                if !seen.contains(&Seen::Never) {
                    return seen;
                }
                for (degree, has) in self.components(neuron, highest).into_iter().enumerate() {
                    if has && seen[degree] == Seen::Never {
                        seen[degree] = when;
                    }
                }
            }
        }
        seen
    }

    /// Whether c_q is not zero, for q = 0 … `highest`.
    fn components(&self, neuron: Preactivation, highest: usize) -> Vec<bool> {
        let Preactivation { norm, bias } = neuron;
        let unit = |q: usize| {
            let found = self.activation.hermite_coefficient(q as u32, norm, bias);
            let root = factorial(q).sqrt();
            (found.value.abs() / root, found.error / root)
        };
        let all: Vec<(f64, f64)> = (0..=highest).map(unit).collect();
        // Bessel: no more than √E σ².
        let size = all.iter().map(|(value, _)| value * value).sum::<f64>().sqrt();
        // A component that is no number is at least not known to vanish.
        all.iter().map(|(value, error)| value.is_nan() || *value > (BLIND * size).max(FORGIVEN * error)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::{Bias, BiasInit, Duration, Formula, Network, Rule, Target, Training};

    fn sight(activation: &str, bias: Option<Bias>, change: impl Fn(&mut Network, &mut Training)) -> Sight {
        let target = Target::new(Rule::committee(Activation::Erf, 1, 1.0));
        let mut network = Network::new(4, Activation::named(activation).unwrap());
        network.bias = bias;
        let steps = Duration::Steps(Formula::number(1.0));
        let mut training = Training::new(50, Formula::number(0.1), steps);
        change(&mut network, &mut training);
        let problem = Problem::new(target, network, training).unwrap();
        Sight::of_network(&problem, Streams { seed: 0, replicate: 0 }).unwrap()
    }

    /// `tanh` is odd: even degrees are closed without a bias, open with one, and open later where biases are trained.
    #[test]
    fn a_bias_opens_a_blind_degree() {
        let degree_2 = |init: Option<BiasInit>, train: bool| {
            sight("tanh", init.map(|init| Bias { init, train }), |_, _| {}).degrees(3)[2]
        };
        assert_eq!(degree_2(None, false), Seen::Never);
        assert_eq!(degree_2(Some(BiasInit::Uniform), false), Seen::AtOnce);
        assert_eq!(degree_2(Some(BiasInit::Zero), false), Seen::Never);
        assert_eq!(degree_2(Some(BiasInit::Zero), true), Seen::Later);
        // No bias makes a line bend.
        let linear = sight("linear", Some(Bias { init: BiasInit::Gaussian, train: true }), |_, _| {}).degrees(3);
        assert_eq!(linear, [Seen::AtOnce, Seen::AtOnce, Seen::Never, Seen::Never]);
    }

    /// `E[He_3(su) u] = 3 s (s² − 1)`: zero at s = 1 only.
    #[test]
    fn norms_of_the_start_and_later_ones_count() {
        let of = |scale: f64, geometry| {
            sight("he3", None, |network, training| {
                network.first_layer.scale = Formula::number(scale);
                training.geometry = geometry;
            })
            .degrees(3)
        };
        assert_eq!(of(1.0, Geometry::Spherical), [Seen::Never, Seen::Never, Seen::Never, Seen::AtOnce]);
        assert_eq!(of(1.0, Geometry::Free)[1], Seen::Later);
        assert_eq!(of(0.8, Geometry::Spherical)[1], Seen::AtOnce);
    }

    #[test]
    fn a_degree_beyond_all_components_is_closed() {
        let seen = Sight::of(&Activation::Hermite(14)).degrees(12);
        assert!(seen.iter().all(|seen| *seen == Seen::Never), "{seen:?}");
    }
}

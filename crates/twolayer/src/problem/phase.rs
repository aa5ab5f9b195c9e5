//! The phase diagram of one-pass SGD in the exponents of d. (theory.md §5.1; Veiga et al. 2022)

use super::{
    Algorithm, Data, Problem, Sizes,
    scaling::{Limit, PowerLaw},
};

/// Where a scaling lies: with p = p_0 d^κ and γ = γ_0 d^{−δ} at batch 1, γ/p = ηs·d/n_b ~ d^{−(κ+δ)}.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// κ + δ > 0: gradient flow, no floor.
    PerfectLearning,
    /// κ + δ = 0: all terms of the ODE, a floor in proportion to the label noise.
    Plateau,
    /// −½ < κ + δ < 0: the noise of the steps dominates and sets the time scale.
    BadLearning,
    /// κ + δ ≤ −½: steps do not shrink.
    NoOde,
}

impl Phase {
    /// Its name in manifests and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::PerfectLearning => "perfect learning",
            Self::Plateau => "plateau",
            Self::BadLearning => "bad learning",
            Self::NoOde => "no ODE",
        }
    }
}

impl Problem {
    /// κ of p = p_0 d^κ; `None` for a width that does not depend on d, or is no power of it.
    pub fn width_exponent(&self) -> Option<f64> {
        let growth = self.network.growth.as_ref()?;
        let width = |d: f64| growth.value(&Sizes { d, p: f64::NAN, ..*self.sizes() });
        PowerLaw::read("network.width", "the width", width).ok().map(|law| law.exponent)
    }

    /// The phase of its scaling with d, p included where the width depends on d; `None` where the diagram says nothing: stored
    /// data, giant steps, what is no power of d.
    pub fn phase(&self) -> Option<Phase> {
        if self.training.data != Data::Fresh {
            return None;
        }
        if self.training.algorithm == Algorithm::GradientFlow {
            return Some(Phase::PerfectLearning);
        }
        let (step, batch) = self.step_and_batch().ok()?;
        // Steps that stay finite on batches of the order of d or more.
        if batch.exponent > 1.0 - 1e-3 && step.limit() != Limit::Zero {
            return None;
        }
        // ηs·d/n_b, and (ηs)²d/n_b, the size of a step's noise.
        let noise = step.exponent + 1.0 - batch.exponent;
        let size = step.exponent + noise;
        let law = |exponent: f64| PowerLaw { exponent, far: 1.0 }.limit();
        Some(match (law(noise), law(size)) {
            (Limit::Zero, _) => Phase::PerfectLearning,
            (Limit::Constant(_), _) => Phase::Plateau,
            (Limit::Infinite, Limit::Zero) => Phase::BadLearning,
            (Limit::Infinite, _) => Phase::NoOde,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::problem::{Activation, Duration, Formula, Network, Rule, Target, Training};

    fn problem(width: &str, rate: &str, batch: &str) -> Problem {
        let parse = |text| Formula::parse(text, &BTreeMap::new()).unwrap();
        let growth = parse(width);
        let sizes = Sizes { d: 1e4, p: f64::NAN, k: 2.0, n: f64::NAN, n_b: f64::NAN };
        let mut network = Network::new(growth.value(&sizes).round() as usize, Activation::Erf);
        network.growth = (!growth.is_number()).then_some(growth);
        network.output_scale = parse("1/p");
        let mut training = Training::new(10_000, parse(rate), Duration::Time(Formula::number(1.0)));
        training.batch = parse(batch);
        Problem::new(Target::new(Rule::committee(Activation::Erf, 2, 0.5)), network, training).unwrap()
    }

    /// A grid of (κ, δ), on and beside the lines κ + δ = 0 and −½.
    #[test]
    fn the_phase_diagram() {
        for kappa in [0.0, 0.25, 0.5, 1.0] {
            for delta in [-1.25, -1.0, -0.75, -0.5, -0.25, 0.0, 0.25, 0.5] {
                let problem = problem(&format!("8*d^{kappa}"), &format!("0.5*d^({})/d", -delta), "1");
                let expected = match kappa + delta {
                    x if x > 0.0 => Phase::PerfectLearning,
                    0.0 => Phase::Plateau,
                    x if x > -0.5 => Phase::BadLearning,
                    _ => Phase::NoOde,
                };
                assert_eq!(problem.phase(), Some(expected), "κ = {kappa}, δ = {delta}");
                // A limit exists in the first two.
                let limit = problem.scaling().is_ok();
                assert_eq!(
                    limit,
                    matches!(expected, Phase::PerfectLearning | Phase::Plateau),
                    "κ = {kappa}, δ = {delta}"
                );
            }
        }
    }

    #[test]
    fn what_is_not_in_the_diagram() {
        assert_eq!(problem("8", "2*p", "3*d").phase(), None);
        assert_eq!(problem("8", "0.1/sqrt(d)", "sqrt(d)").phase(), Some(Phase::Plateau));
        assert_eq!(problem("8", "0.1/log(d)", "1").phase(), None);
    }
}

//! Numbers that theory gives without a run, to be printed beside the curves. (theory.md §9)

use std::f64::consts::PI;

use crate::problem::{Activation, Crossing, CrossingOf, Data, Geometry, Init, Loss, Problem, Rule};

/// What of a run a prediction tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantity {
    /// The risk where it changes least.
    Plateau,
    /// The risk at the end.
    Floor,
    /// The time t of a crossing, by its number.
    Crossing(usize),
}

/// A number, where it comes from, and what it is of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prediction {
    /// What it is: `symmetric plateau of the risk`.
    pub name: &'static str,
    /// The quantity of a run that it is a value of.
    pub of: Quantity,
    /// The number.
    pub value: f64,
    /// How it is computed.
    pub formula: &'static str,
    /// What it assumes beyond what was checked.
    pub holds: &'static str,
    /// Whose it is.
    pub source: &'static str,
}

/// What is known of `problem` in advance: of one square neuron on the sphere that learns another, when the risk crosses a level
/// ([`exit_time`]); of an erf committee that learns an erf committee from fresh samples with its
/// second layer fixed at 1 and P = I, the height of the symmetric plateau and the floor that label noise leaves
/// (theory.md §5.1); of other problems nothing yet.
pub fn predictions(problem: &Problem, crossings: &[Crossing]) -> Vec<Prediction> {
    if phase_retrieval(problem) {
        return exits(problem, crossings);
    }
    let Some(scale) = erf_committee(problem) else { return Vec::new() };
    let (p, k) = (problem.width() as f64, problem.directions() as f64);
    let s = problem.output_scale();
    let noise = problem.target.noise;
    // lim ηs·d/n_b: γ/p in the letters of paper D.
    let ratio = problem.step_time() * problem.sizes().d / problem.batch() as f64;
    let is = |value: f64, other: f64| (value - other).abs() <= 1e-9 * other;
    let mean = is(s * p, 1.0) && is(scale * k, 1.0);
    let sum = is(s, 1.0) && is(scale, 1.0);
    let mut found = Vec::new();
    if mean && k >= 2.0 {
        found.push(Prediction {
            name: "symmetric plateau of the risk",
            of: Quantity::Plateau,
            value: 1.0 / (6.0 * k) - (0.5 / k).asin() / PI,
            formula: "1/(6k) − asin(1/(2k))/π, with Q = 1/(2k − 1)",
            holds: "η → 0: all neurons alike",
            source: "Saad and Solla 1995",
        });
    }
    if noise > 0.0 && mean && (p / k).fract() == 0.0 && ratio.is_finite() {
        found.push(Prediction {
            name: "noise floor of the risk",
            of: Quantity::Floor,
            value: ratio * noise / (2.0 * 3.0_f64.sqrt() * PI),
            formula: "γΔ/(2√3 π p), with γ/p = ηsd/n_b",
            holds: "γ/p ≪ 1, neurons split equally between the directions",
            source: "arXiv 2302.05882",
        });
    }
    if noise > 0.0 && sum && p >= k && ratio.is_finite() {
        found.push(Prediction {
            name: "noise floor of the risk",
            of: Quantity::Floor,
            value: ratio * noise / (2.0 * PI) * ((p - k) + k / 3.0_f64.sqrt()),
            formula: "ηd/n_b · Δ/(2π) · ((p − k) + k/√3)",
            holds: "ηd ≪ 1, k neurons specialised and p − k at rest",
            source: "arXiv 1906.08632",
        });
    }
    found
}

/// One square neuron on the sphere, s = a = 1, and a square target of one direction, batch 1.
fn phase_retrieval(problem: &Problem) -> bool {
    let (network, training) = (&problem.network, &problem.training);
    let square = |activation: &Activation| *activation == Activation::Square;
    let target = problem.target.rule.as_committee(1).is_some_and(|committee| {
        square(&committee.activation) && committee.weights == [1.0] && committee.directions[(0, 0)].abs() == 1.0
    });
    let one = problem.width() == 1 && problem.directions() == 1 && problem.target.overlaps[(0, 0)] == 1.0;
    let plain = network.bias.is_none() && !network.second_layer.train && network.second_layer.init == Init::Ones;
    let stepped = training.loss == Loss::Squared
        && training.geometry != Geometry::Free
        && training.weight_decay == 0.0
        && problem.batch() == 1
        && problem.uses_samples_once();
    let scales = problem.output_scale() == 1.0 && network.second_layer.scale.value(problem.sizes()) == 1.0;
    one && target && square(&network.activation) && plain && stepped && scales
}

/// Of every level of the risk, when it is crossed: κ-corrected, and as published.
fn exits(problem: &Problem, crossings: &[Crossing]) -> Vec<Prediction> {
    let gamma = problem.learning_rate() * problem.sizes().d;
    let levels = crossings.iter().enumerate().filter(|(_, crossing)| crossing.of == CrossingOf::Risk);
    let mut found = Vec::new();
    for (index, crossing) in levels {
        // R = 2(1 − m²), and m² ~ 1/d at the start.
        let lost = 1.0 - 0.5 * crossing.level;
        for (name, corrected) in [("mean exit time", true), ("mean exit time, as published", false)] {
            let Some(value) = exit_time(gamma, problem.sizes().d, lost, problem.target.noise, corrected) else {
                continue;
            };
            found.push(Prediction {
                name,
                of: Quantity::Crossing(index),
                value,
                formula: "E ln[Td/(κμ0) + 1 − T]/(2A), μ0 ~ χ²(1), A = 4(1 − 6γ) − 2γΔ, κ = 1 + γ(48 + 4Δ)/(2A); κ = 1 as published",
                holds: if corrected { "Td ≫ κ" } else { "48γ ≪ 2A" },
                source: "arXiv 2305.18502",
            });
        }
    }
    found
}

/// Mean time t = νη until phase retrieval by one square neuron on the sphere has lost the share `lost` of its excess risk, from
/// a random start in d dimensions at the rate η = γ/d. (theory.md §9)
///
/// `E_{μ0~χ²₁} ln[Td/(κμ0) + 1 − T]/(2A)`, `A = 4(1 − 6γ) − 2γΔ`, `κ = 1 + γ(48 + 4Δ)/(2A)`, or 1 where not `corrected`. `None` where
/// A ≤ 0: it does not learn.
pub fn exit_time(gamma: f64, d: f64, lost: f64, noise: f64, corrected: bool) -> Option<f64> {
    let a = 4.0 * (1.0 - 6.0 * gamma) - 2.0 * gamma * noise;
    if !(a > 0.0 && lost > 0.0 && lost < 1.0 && d.is_finite()) {
        return None;
    }
    let kappa = if corrected { 1.0 + gamma * (48.0 + 4.0 * noise) / (2.0 * a) } else { 1.0 };
    // Midpoints in x = √μ0 on a logarithmic scale, where the logarithm at 0 is smooth.
    let (low, high, count) = (-14.0_f64, 2.4_f64, 4000);
    let width = (high - low) / f64::from(count);
    let mean: f64 = (0..count)
        .map(|i| {
            let x = (low + width * (f64::from(i) + 0.5)).exp();
            let density = 2.0 * x * (-0.5 * x * x).exp() / (2.0 * PI).sqrt();
            width * density * (lost * d / (kappa * x * x) + 1.0 - lost).ln()
        })
        .sum();
    Some(mean / (2.0 * a))
}

/// The output scale of the target, where both target and network are erf committees and the second layer is fixed at 1.
fn erf_committee(problem: &Problem) -> Option<f64> {
    let Rule::Committee { activation: Activation::Erf, weights } = &problem.target.rule else { return None };
    let scale = weights.first().filter(|first| weights.iter().all(|weight| weight == *first))?;
    let network = &problem.network;
    let ones = network.second_layer.init == Init::Ones
        && !network.second_layer.train
        && network.second_layer.scale.value(problem.sizes()) == 1.0;
    let overlaps = &problem.target.overlaps;
    let k = problem.directions();
    let identity = (0..k).all(|r| (0..k).all(|t| overlaps[(r, t)] == f64::from(u8::from(r == t))));
    let erf = matches!(network.activation, Activation::Erf);
    let plain = network.bias.is_none() && problem.training.data == Data::Fresh && problem.training.weight_decay == 0.0;
    (ones && identity && erf && plain).then_some(*scale)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::{Duration, Formula, Network, Target, Training};

    fn problem(p: usize, k: usize, (s, scale): (f64, f64), noise: f64) -> Problem {
        let mut target = Target::new(Rule::committee(Activation::Erf, k, scale));
        target.noise = noise;
        let mut network = Network::new(p, Activation::Erf);
        network.output_scale = Formula::number(s);
        let training = Training::new(10, Formula::number(0.05 / 10.0), Duration::Time(Formula::number(1.0)));
        Problem::new(target, network, training).unwrap()
    }

    /// Against the moments of erf at the plateau, `E[σ(x)σ(y)] = (2/π) asin(C_xy/√((1 + C_xx)(1 + C_yy)))`.
    #[test]
    fn the_plateau_is_the_risk_of_identical_neurons() {
        for k in [2_usize, 3, 5] {
            let found = predictions(&problem(4, k, (0.25, 1.0 / k as f64), 0.0), &[]);
            let (q, kk) = (1.0 / (2.0 * k as f64 - 1.0), k as f64);
            let m = (q / kk).sqrt();
            let moment = |c: f64, x: f64, y: f64| 2.0 / PI * (c / ((1.0 + x) * (1.0 + y)).sqrt()).asin();
            let risk = 0.5 * (moment(q, q, q) + moment(1.0, 1.0, 1.0) / kk) - moment(m, q, 1.0);
            assert_eq!(found.len(), 1);
            assert!((found[0].value - risk).abs() < 1e-14, "{} {risk}", found[0].value);
        }
    }

    /// theory.md §9: d = 1000, γ = .1, T = .1 gives 1.839 as published and 1.553 with κ (1.557 here, by quadrature); simulation
    /// 1.552(24).
    #[test]
    fn exit_times_of_phase_retrieval() {
        let time = |corrected| exit_time(0.1, 1000.0, 0.1, 0.0, corrected).unwrap();
        assert!(
            (time(false) - 1.839).abs() < 1e-3 && (time(true) - 1.553).abs() < 5e-3,
            "{} {}",
            time(false),
            time(true)
        );
        assert_eq!(exit_time(0.2, 1000.0, 0.1, 0.0, true), None);
        let mut network = Network::new(1, Activation::Square);
        network.output_scale = Formula::number(1.0);
        let mut training = Training::new(1000, Formula::number(1e-4), Duration::Time(Formula::number(1.0)));
        training.geometry = Geometry::Spherical;
        let target = Target::new(Rule::single_index(Activation::Square));
        let problem = Problem::new(target, network, training).unwrap();
        let crossing = Crossing { of: CrossingOf::Risk, level: 1.8, stop: true };
        let found = predictions(&problem, &[crossing]);
        assert_eq!((found.len(), found[0].of), (2, Quantity::Crossing(0)));
        assert!((found[0].value - 1.553).abs() < 5e-3);
    }

    /// Gallery, `classical-noise`: γ = 0.05, k = 4, p = 8; and soft committees.
    #[test]
    fn floors_are_in_proportion_to_the_noise() {
        let floor = |problem: &Problem| predictions(problem, &[]).last().map(|found| found.value);
        let mean = |p, k| problem(p, k, (1.0 / p as f64, 1.0 / k as f64), 1e-3);
        let close = |value: f64, other: f64| assert!((value / other - 1.0).abs() < 1e-12, "{value} {other}");
        close(floor(&mean(8, 4)).unwrap(), 0.05 * 1e-3 / (2.0 * 3_f64.sqrt() * PI * 8.0));
        let sum = floor(&problem(4, 2, (1.0, 1.0), 0.01)).unwrap();
        close(sum, 0.05 * 0.01 / (2.0 * PI) * (2.0 + 2.0 / 3_f64.sqrt()));
        // Nine neurons cannot be split between four directions.
        assert_eq!(predictions(&mean(9, 4), &[]).len(), 1);
    }

    #[test]
    fn nothing_is_said_of_what_is_not_known() {
        let other = problem(4, 2, (0.25, 0.5), 0.1).with(|parts| parts.network.second_layer.train = true).unwrap();
        assert!(predictions(&other, &[]).is_empty());
    }
}

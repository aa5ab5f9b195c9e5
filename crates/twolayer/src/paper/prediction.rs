//! Numbers that theory gives without a run, to be printed beside the curves. (theory.md §9)

use std::f64::consts::PI;

use crate::problem::{Activation, Data, Init, Problem, Rule};

/// A number, where it comes from, and what it is of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prediction {
    /// What it is: `symmetric plateau of the risk`.
    pub name: &'static str,
    /// The number.
    pub value: f64,
    /// How it is computed.
    pub formula: &'static str,
    /// What it assumes beyond what was checked.
    pub holds: &'static str,
    /// Whose it is.
    pub source: &'static str,
}

/// What is known of `problem` in advance: of an erf committee that learns an erf committee from fresh samples with its
/// second layer fixed at 1 and P = I, the height of the symmetric plateau and the floor that label noise leaves
/// (theory.md §5.1); of other problems nothing yet.
pub fn predictions(problem: &Problem) -> Vec<Prediction> {
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
            value: 1.0 / (6.0 * k) - (0.5 / k).asin() / PI,
            formula: "1/(6k) − asin(1/(2k))/π, with Q = 1/(2k − 1)",
            holds: "η → 0: all neurons alike",
            source: "Saad and Solla 1995",
        });
    }
    if noise > 0.0 && mean && (p / k).fract() == 0.0 && ratio.is_finite() {
        found.push(Prediction {
            name: "noise floor of the risk",
            value: ratio * noise / (2.0 * 3.0_f64.sqrt() * PI),
            formula: "γΔ/(2√3 π p), with γ/p = ηsd/n_b",
            holds: "γ/p ≪ 1, neurons split equally between the directions",
            source: "arXiv 2302.05882",
        });
    }
    if noise > 0.0 && sum && p >= k && ratio.is_finite() {
        found.push(Prediction {
            name: "noise floor of the risk",
            value: ratio * noise / (2.0 * PI) * ((p - k) + k / 3.0_f64.sqrt()),
            formula: "ηd/n_b · Δ/(2π) · ((p − k) + k/√3)",
            holds: "ηd ≪ 1, k neurons specialised and p − k at rest",
            source: "arXiv 1906.08632",
        });
    }
    found
}

/// The output scale of the target, where both target and network are erf committees and the second layer is fixed at 1.
fn erf_committee(problem: &Problem) -> Option<f64> {
    let Rule::Committee { activation: Activation::Erf, scale, .. } = &problem.target.rule else { return None };
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
        let mut target = Target::new(Rule::Committee { activation: Activation::Erf, units: k, scale });
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
            let found = predictions(&problem(4, k, (0.25, 1.0 / k as f64), 0.0));
            let (q, kk) = (1.0 / (2.0 * k as f64 - 1.0), k as f64);
            let m = (q / kk).sqrt();
            let moment = |c: f64, x: f64, y: f64| 2.0 / PI * (c / ((1.0 + x) * (1.0 + y)).sqrt()).asin();
            let risk = 0.5 * (moment(q, q, q) + moment(1.0, 1.0, 1.0) / kk) - moment(m, q, 1.0);
            assert_eq!(found.len(), 1);
            assert!((found[0].value - risk).abs() < 1e-14, "{} {risk}", found[0].value);
        }
    }

    /// Gallery, `classical-noise`: γ = 0.05, k = 4, p = 8; and soft committees.
    #[test]
    fn floors_are_in_proportion_to_the_noise() {
        let floor = |problem: &Problem| predictions(problem).last().map(|found| found.value);
        let mean = |p, k| problem(p, k, (1.0 / p as f64, 1.0 / k as f64), 1e-3);
        let close = |value: f64, other: f64| assert!((value / other - 1.0).abs() < 1e-12, "{value} {other}");
        close(floor(&mean(8, 4)).unwrap(), 0.05 * 1e-3 / (2.0 * 3_f64.sqrt() * PI * 8.0));
        let sum = floor(&problem(4, 2, (1.0, 1.0), 0.01)).unwrap();
        close(sum, 0.05 * 0.01 / (2.0 * PI) * (2.0 + 2.0 / 3_f64.sqrt()));
        // Nine neurons cannot be split between four directions.
        assert_eq!(predictions(&mean(9, 4)).len(), 1);
    }

    #[test]
    fn nothing_is_said_of_what_is_not_known() {
        let mut other = problem(4, 2, (0.25, 0.5), 0.1);
        other.network.second_layer.train = true;
        assert!(predictions(&other).is_empty());
    }
}

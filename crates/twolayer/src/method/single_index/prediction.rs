//! What theory says in advance of a flow: the levels of its plateaus, when each degree is learnt, and what will fail.
//! (theory.md §5.5; paper C)

use super::Series;
use crate::{method::contract::Warning, record::phases::Learning};

/// How the neurons start: what the predictions need of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Law {
    /// ⟨a(0)⟩.
    pub mean: f64,
    /// ⟨(a(0) − its mean)²⟩.
    pub variance: f64,
    /// Whether any s(0) ≠ 0.
    pub aligned: bool,
    /// Whether the s(0) differ between neurons.
    pub spread: bool,
    /// Neurons; `None` where weights make few neurons stand for many.
    pub neurons: Option<usize>,
}

impl Law {
    /// Of neurons with second layer a, cosines s and these weights.
    pub fn of(a: &[f64], s: &[f64], weights: &[f64], quadrature: bool) -> Self {
        let average = |f: &dyn Fn(usize) -> f64| weights.iter().enumerate().map(|(i, w)| w * f(i)).sum::<f64>();
        let mean = average(&|i| a[i]);
        let middle = mean / average(&|_| 1.0);
        Self {
            mean,
            variance: average(&|i| (a[i] - middle).powi(2)),
            aligned: s.iter().any(|s| *s != 0.0),
            spread: s.iter().any(|other| *other != s[0]),
            neurons: (!quadrature).then_some(a.len()),
        }
    }
}

/// ε above which the layers are not separated.
const SEPARATED: f64 = 0.1;
/// A variance of a(0) below this times ⟨a²⟩ + 1 is none.
const ALIKE: f64 = 1e-12;

/// The degrees in the order of learning, with their plateaus and times, for rates ε apart.
///
/// `t_0 = ε ln(2|e_0(0)/φ_0|)/σ_0²`, and with κ = |σ_1φ_1|
/// `t_1 = (√ε/4κ) ln(1/ε) + (√ε/2κ) ln(4|φ_1|/(|σ_1| Var a(0)))`; from degree 2 on the power ε^{1/(2ℓ)} alone is known.
pub fn order_of_learning(series: &Series, epsilon: f64, law: &Law) -> Vec<Learning> {
    let blind = is_blind(series, law);
    // Where it starts, the network has a mean of its own.
    let mean = series.target[0] - series.activation[0] * law.mean;
    let there = |k: usize| if k == 0 { mean } else { series.target[k] };
    let learnt = |k: usize| there(k) != 0.0 && series.activation[k] != 0.0 && (k == 0 || !blind);
    // Summed anew for each level: what is left of a target learnt whole is 0, not a rounding.
    let mut left: Vec<f64> = (0..series.degrees()).map(|k| 0.5 * there(k).powi(2)).collect();
    let level = |left: &[f64]| left.iter().fold(series.unseen, |sum, part| sum + part);
    let mut order = Vec::new();
    for k in (0..series.degrees()).filter(|k| learnt(*k)) {
        let (sigma, phi) = (series.activation[k], series.target[k]);
        let before = level(&left);
        left[k] = 0.0;
        let (time, exponent) = match k {
            0 => {
                let time = epsilon * (2.0 * (mean / phi).abs()).ln().max(0.0) / (sigma * sigma);
                (Some(time).filter(|time| time.is_finite()), 1.0)
            }
            1 => {
                let (kappa, root) = ((sigma * phi).abs(), epsilon.sqrt());
                let start = (4.0 * phi.abs() / (sigma.abs() * law.variance)).ln();
                let time = root / (4.0 * kappa) * (1.0 / epsilon).ln() + root / (2.0 * kappa) * start;
                (time.is_finite().then_some(time).filter(|_| !law.aligned && epsilon < SEPARATED), 0.5)
            }
            _ => (None, 0.5 / k as f64),
        };
        order.push(Learning { degree: k, before, after: level(&left), time, exponent });
    }
    order
}

/// Whether s ≡ 0: then nothing beyond degree 0 is learnt.
pub(super) fn is_blind(series: &Series, law: &Law) -> bool {
    let moved = series.degrees() > 1 && series.activation[1] * series.target[1] != 0.0;
    !moved && !law.aligned
}

/// What will fail, each with the plateau that it leaves; what only comes late is in [`delays`](super::gap::delays).
pub fn warnings(series: &Series, epsilon: f64, law: &Law) -> Vec<Warning> {
    let mut found = Vec::new();
    let mut warn = |id: String, text: String| found.push(Warning { id, text });
    let half_square = |k: &usize| 0.5 * series.target[*k].powi(2);
    for k in (0..series.degrees()).filter(|k| series.activation[*k] == 0.0 && series.target[*k] != 0.0) {
        let left = half_square(&k);
        let text = format!(
            "the activation has no Hermite component of degree {k} (σ_{k} = 0), the target has (φ_{k} = {}): that degree is \
             never learnt, and leaves ½φ_{k}² = {left:.5} of the risk",
            series.target[k]
        );
        warn(format!("sigma_{k} = 0"), text);
    }
    let beyond: f64 = (1..series.degrees()).map(|k| half_square(&k)).sum::<f64>() + series.unseen;
    if is_blind(series, law) && beyond > 0.0 {
        let name = if series.target.get(1).is_none_or(|phi| *phi == 0.0) { "phi_1 = 0" } else { "sigma_1 = 0" };
        let symbol = if name == "phi_1 = 0" { "φ_1 = 0" } else { "σ_1 = 0" };
        let text = format!(
            "{symbol}, and every neuron starts orthogonal to the target: s ≡ 0, and nothing beyond degree 0 is learnt; the \
             risk stays at {beyond:.5}. At a finite dimension the starts are of order 1/√d, and it is learnt late"
        );
        warn(name.into(), text);
    }
    if law.variance <= ALIKE * (1.0 + law.mean * law.mean) && !law.spread {
        let text = format!(
            "all neurons start alike (Var a(0) = 0) and stay alike: the network is one neuron for ever, and its risk stops at \
             that of the best single neuron, {:.5}",
            best_single_neuron(series)
        );
        warn("all neurons alike".into(), text);
    }
    if epsilon > SEPARATED {
        let text = format!(
            "the second layer is only 1/ε = {:.3} times faster than the first: degrees are learnt together, and there are no \
             plateaus; they part as ε → 0 (rate_ratio → ∞)",
            1.0 / epsilon
        );
        warn("no separation of time scales".into(), text);
    }
    if let (Some(neurons), Some(reach)) = (law.neurons, typical_weight(series, epsilon))
        && reach > 0.5 * neurons as f64
    {
        let text = format!(
            "at ε = {epsilon:e} the neurons that carry the last degree reach a ~ ε^(−ℓ/(2(ℓ+1))) = {reach:.0}, and there are \
             {neurons}: one of them may carry everything. Use more, or second_layer = {{ init = \"nodes\" }} with the \
             single-index view"
        );
        warn("too few neurons".into(), text);
    }
    found
}

/// `ε^{−ℓ/(2(ℓ+1))}` for the last degree ℓ ≥ 2 that is learnt.
fn typical_weight(series: &Series, epsilon: f64) -> Option<f64> {
    let last = (2..series.degrees()).rev().find(|k| series.target[*k] != 0.0 && series.activation[*k] != 0.0)?;
    Some(epsilon.powf(-(last as f64) / (2.0 * (last as f64 + 1.0))))
}

/// Intervals of s that are searched for the best single neuron.
const SEARCHED: usize = 2000;

/// `min_{a,s} ½ Σ_k (φ_k − σ_k a s^k)²`, s ∈ [−1, 1]: a has a closed form, s is searched and then narrowed.
pub fn best_single_neuron(series: &Series) -> f64 {
    let risk = |s: f64| {
        let (mut product, mut square, mut power) = (0.0, 0.0, 1.0);
        for (sigma, phi) in series.activation.iter().zip(&series.target) {
            product += phi * sigma * power;
            square += (sigma * power).powi(2);
            power *= s;
        }
        let all: f64 = series.target.iter().map(|phi| phi * phi).sum();
        series.unseen + 0.5 * if square > 0.0 { all - product * product / square } else { all }
    };
    let at = |i: usize| -1.0 + 2.0 * i as f64 / SEARCHED as f64;
    let best = (0..=SEARCHED).map(at).min_by(|one, other| risk(*one).total_cmp(&risk(*other))).unwrap_or(0.0);
    let (mut low, mut high) = ((best - 2.0 / SEARCHED as f64).max(-1.0), (best + 2.0 / SEARCHED as f64).min(1.0));
    for _ in 0..60 {
        let (one, other) = (low + 0.382 * (high - low), high - 0.382 * (high - low));
        if risk(one) < risk(other) {
            high = other;
        } else {
            low = one;
        }
    }
    risk(0.5 * (low + high)).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNIFORM: Law = Law { mean: 0.0, variance: 1.0 / 3.0, aligned: false, spread: false, neurons: None };

    fn ids(series: &Series, epsilon: f64, law: &Law) -> Vec<String> {
        warnings(series, epsilon, law).into_iter().map(|warning| warning.id).collect()
    }

    #[test]
    fn plateaus_and_times_of_the_reference_target() {
        let series = Series::exact(&[0.7, 0.8, 0.6, 0.5], &[0.5, 0.9, 0.7, 0.6]);
        let order = order_of_learning(&series, 1e-6, &UNIFORM);
        let levels: Vec<f64> = order
            .first()
            .map(|first| first.before)
            .into_iter()
            .chain(order.iter().map(|learning| learning.after))
            .collect();
        for (level, expected) in levels.iter().zip([0.955, 0.83, 0.425, 0.18, 0.0]) {
            assert!((level - expected).abs() < 1e-12, "{levels:?}");
        }
        assert!((order[0].time.unwrap() / 1.4146e-6 - 1.0).abs() < 1e-4, "{order:?}");
        // 0.26 % above the half-time 6.586e-3 that the higher degrees leave.
        assert!((order[1].time.unwrap() / 6.586e-3 - 1.0026).abs() < 5e-4, "{order:?}");
        assert_eq!((order[2].time, order[2].exponent, order[3].exponent), (None, 0.25, 1.0 / 6.0));
        assert!(warnings(&series, 1e-6, &UNIFORM).is_empty());
    }

    #[test]
    fn every_failure_has_its_name_and_its_plateau() {
        let sigma = [0.7, 0.8, 0.6, 0.5];
        let blind = Series::exact(&sigma, &[0.5, 0.0, 0.7, 0.6]);
        assert_eq!(ids(&blind, 1e-4, &UNIFORM), ["phi_1 = 0"]);
        assert!(warnings(&blind, 1e-4, &UNIFORM)[0].text.contains("0.42500"), "½(.49 + .36)");
        assert_eq!(order_of_learning(&blind, 1e-4, &UNIFORM).len(), 1);
        let aligned = Law { aligned: true, spread: true, ..UNIFORM };
        assert!(ids(&blind, 1e-4, &aligned).is_empty(), "at a finite dimension it is learnt");
        let deaf = Series::exact(&[0.7, 0.8, 0.6, 0.0], &[0.5, 0.9, 0.7, 0.6]);
        assert_eq!(ids(&deaf, 1e-4, &UNIFORM), ["sigma_3 = 0"]);
        assert!(warnings(&deaf, 1e-4, &UNIFORM)[0].text.contains("0.18000"));
        let gap = Series::exact(&sigma, &[0.5, 0.9, 0.0, 0.6]);
        assert!(ids(&gap, 1e-4, &UNIFORM).is_empty(), "a delay is no failure");
        let whole = Series::exact(&sigma, &[0.5, 0.9, 0.7, 0.6]);
        let alike = Law { mean: 1.0, variance: 0.0, ..UNIFORM };
        assert_eq!(ids(&whole, 1e-4, &alike), ["all neurons alike"]);
        assert_eq!(ids(&whole, 1.0, &UNIFORM), ["no separation of time scales"]);
        let few = Law { neurons: Some(20), ..UNIFORM };
        assert_eq!(ids(&whole, 1e-6, &few), ["too few neurons"]);
    }

    /// gallery.md `initial-law`: .03428.
    #[test]
    fn the_best_single_neuron() {
        let series = Series::exact(&[0.7, 0.8, 0.6, 0.5], &[0.5, 0.9, 0.7, 0.6]);
        assert!((best_single_neuron(&series) - 0.03428).abs() < 5e-6, "{}", best_single_neuron(&series));
        // A target that one neuron is: a = 2, s = ½.
        let one = Series::exact(&[0.7, 0.8, 0.6], &[1.4, 0.8, 0.3]);
        assert!(best_single_neuron(&one) < 1e-12);
    }
}

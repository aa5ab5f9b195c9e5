//! ReLU neurons in pairs: closed forms, with biases by the bivariate normal distribution. (theory.md §6)
//!
//! With `h = √q (ζ + t)`, t = b/√q, ρ the correlation of ζ₁ and ζ₂, v = 1 − ρ², `P = Φ₂(t₁, t₂; ρ)` and the conditional
//! means `m₂ = t₂ − ρt₁`, `m₁ = t₁ − ρt₂`:
//!
//! ```text
//! E[σ'σ'] = P
//! E[ζ₂; h₁, h₂ > 0] = φ(t₂) Φ(m₁/√v) + ρ φ(t₁) Φ(m₂/√v)
//! E[σ'σ]  = √q₂ (t₂ P + E[ζ₂; …])
//! √q₁ E[σ''σ] = √q₂ φ(t₁) (m₂ Φ(m₂/√v) + √v φ(m₂/√v))
//! E[σσ]   = √(q₁q₂) (t₁t₂ P + t₁ E[ζ₂; …] + t₂ E[ζ₁; …] + E[ζ₁ζ₂; …])
//! E[ζ₁ζ₂; …] = φ(t₁)(√v φ(m₂/√v) − ρt₁ Φ(m₂/√v)) + ρ (P − t₂ φ(t₂) Φ(m₁/√v))
//! ```

use std::f64::consts::TAU;

use super::row::{Row, Wanted};
use crate::{
    expression::vector,
    gaussian::{
        bivariate::bivariate_distribution,
        normal::{density, distribution},
    },
};

/// Preactivations `h_j = √q_j (ζ + t_j)`.
#[derive(Debug, Clone)]
pub(super) struct ReluNeurons {
    /// √q.
    pub roots: Vec<f64>,
    /// t.
    pub shifts: Vec<f64>,
    /// Whether some t is not 0.
    biased: bool,
}

/// A neuron of norm 0 is a constant: t so large that no fluctuation reaches the kink, with √q t = b.
const CONSTANT: f64 = 1e8;

impl ReluNeurons {
    pub fn new(variance: &[f64], bias: &[f64]) -> Self {
        let (mut roots, mut shifts) = (Vec::with_capacity(bias.len()), Vec::with_capacity(bias.len()));
        for (&q, &b) in variance.iter().zip(bias) {
            let root = q.max(0.0).sqrt();
            if root > 0.0 && (b / root).abs() < CONSTANT {
                roots.push(root);
                shifts.push(b / root);
            } else {
                roots.push(b.abs() / CONSTANT);
                // σ'(0) = 0.
                shifts.push(if b > 0.0 { CONSTANT } else { -CONSTANT });
            }
        }
        let biased = shifts.iter().any(|t| *t != 0.0);
        Self { roots, shifts, biased }
    }
}

pub(super) fn relu_pairs(
    left: &ReluNeurons,
    j: usize,
    right: &ReluNeurons,
    rho: &[f64],
    wanted: Wanted,
    out: &mut Row,
) {
    if left.biased || right.biased {
        biased(left, j, right, rho, wanted, out);
    } else {
        centred(left.roots[j], &right.roots, rho, wanted, out);
    }
}

/// t = 0: P = ¼ + asin(ρ)/2π, and the rest follows.
fn centred(root: f64, others: &[f64], rho: &[f64], wanted: Wanted, out: &mut Row) {
    let slopes = &mut out.slopes[..rho.len()];
    slopes.copy_from_slice(rho);
    vector::asin(slopes);
    slopes.iter_mut().for_each(|asin| *asin = 0.25 + *asin / TAU);
    if wanted == Wanted::Slopes {
        return;
    }
    for (((value, p), rho), other) in out.values.iter_mut().zip(&*slopes).zip(rho).zip(others) {
        *value = root * other * (((1.0 - rho) * (1.0 + rho)).sqrt() / TAU + rho * p);
    }
    if wanted == Wanted::All {
        // φ(0)Φ(0) = 1/(2√(2π)), φ(0)² = 1/2π.
        let half = 0.5 / TAU.sqrt();
        for (((mixed, curved), rho), other) in out.mixed.iter_mut().zip(&mut out.curved).zip(rho).zip(others) {
            *mixed = other * half * (1.0 + rho);
            *curved = other * ((1.0 - rho) * (1.0 + rho)).sqrt() / TAU;
        }
    }
}

fn biased(left: &ReluNeurons, j: usize, right: &ReluNeurons, rho: &[f64], wanted: Wanted, out: &mut Row) {
    let (root, t1) = (left.roots[j], left.shifts[j]);
    let phi1 = density(t1);
    for (l, &rho) in rho.iter().enumerate() {
        let (other, t2) = (right.roots[l], right.shifts[l]);
        let p = bivariate_distribution(t1, t2, rho);
        out.slopes[l] = p;
        if wanted == Wanted::Slopes {
            continue;
        }
        let phi2 = density(t2);
        // Below this v its root is rounding of ρ.
        let deviation = ((1.0 - rho) * (1.0 + rho)).max(1e-32).sqrt();
        let (m1, m2) = (t1 - rho * t2, t2 - rho * t1);
        let (above1, above2) = (distribution(m1 / deviation), distribution(m2 / deviation));
        let ridge = deviation * density(m2 / deviation);
        let first = phi1 * above2 + rho * phi2 * above1;
        let second = phi2 * above1 + rho * phi1 * above2;
        let product = phi1 * (ridge - rho * t1 * above2) + rho * (p - t2 * phi2 * above1);
        out.values[l] = root * other * (t1 * t2 * p + t1 * second + t2 * first + product);
        out.mixed[l] = other * (t2 * p + second);
        out.curved[l] = other * phi1 * (m2 * above2 + ridge);
    }
}

/// Orthonormal Hermite coefficients 0 … `order` of σ(h), `c_0 = √q (t Φ(t) + φ(t))`, `c_n = √q d_{n−1}/√n`, and of
/// σ'(h) = 1(ζ > −t), `d_0 = Φ(t)`, `d_n = φ(t) h_{n−1}(−t)/√n`.
pub(super) fn relu_coefficients(root: f64, t: f64, order: usize) -> (Vec<f64>, Vec<f64>) {
    let (phi, above) = (density(t), distribution(t));
    let (mut c, mut d) = (vec![root * (t * above + phi)], vec![above]);
    // h_{n−1}(−t) and the one before.
    let (mut h, mut before) = (1.0, 0.0);
    for n in 1..=order {
        let size = (n as f64).sqrt();
        c.push(root * d[n - 1] / size);
        // Far from the kink h overflows, and φ has long been 0.
        d.push(if phi > 0.0 { phi * h / size } else { 0.0 });
        (h, before) = ((-t * h - ((n - 1) as f64).sqrt() * before) / size, h);
    }
    (c, d)
}

/// Blocks of `E[σ]`, `E[σ']`, `φ` at `h ~ N(m, v)`: `√v(τΦ(τ)+φ(τ))`, `Φ(τ)`, `φ(τ)`, τ = m/√v. `tau` comes in and is
/// overwritten by Φ, `phi` by φ.
pub(super) fn smooth(tau: &mut [f64], phi: &mut [f64], value: &mut [f64], deviation: f64) {
    value.copy_from_slice(tau);
    vector::scaled_erf_with_derivative(tau, phi);
    let half = 0.5;
    for ((phi, above), value) in phi.iter_mut().zip(tau).zip(value) {
        // The derivative of erf(x/√2) is 2φ.
        *phi *= half;
        *above = half + half * *above;
        *value = deviation * (*value * *above + *phi);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gaussian::quadrature::Quadrature;

    /// By conditioning: ζ₂ given ζ₁ is smoothed by hand, ζ₁ integrated from the kink on.
    #[test]
    fn biased_pairs_agree_with_quadrature() {
        let rule = Quadrature::panels(12.0, 0.25, 16);
        for (t1, t2, rho) in [(0.3, -0.5, 0.4), (-0.7, 0.2, -0.8), (0.0, 0.6, 0.9), (1.1, 0.9, 0.1), (0.0, 0.0, -0.3)] {
            let (q1, q2) = (0.49_f64, 2.25_f64);
            let left = ReluNeurons::new(&[q1], &[t1 * q1.sqrt()]);
            let right = ReluNeurons::new(&[q2], &[t2 * q2.sqrt()]);
            let mut row = Row::new(1);
            biased(&left, 0, &right, &[rho], Wanted::All, &mut row);
            let deviation = (1.0 - rho * rho).sqrt();
            let (mut value, mut slope, mut mixed) = (0.0, 0.0, 0.0);
            // ζ₁ = −t₁ + r, r > 0: the density at the shifted point over that at the node.
            for (&r, &w) in rule.nodes.iter().zip(&rule.weights).filter(|(r, _)| **r > 0.0) {
                let w = w * density(r - t1) / density(r);
                let m = rho * (r - t1) + t2;
                let above = distribution(m / deviation);
                let second = q2.sqrt() * (m * above + deviation * density(m / deviation));
                value += w * q1.sqrt() * r * second;
                slope += w * above;
                mixed += w * second;
            }
            let at_kink = t2 - rho * t1;
            let curved = density(t1)
                * q2.sqrt()
                * (at_kink * distribution(at_kink / deviation) + deviation * density(at_kink / deviation));
            for (what, got, wanted) in [
                ("σσ", row.values[0], value),
                ("σ'σ'", row.slopes[0], slope),
                ("σ'σ", row.mixed[0], mixed),
                ("σ''σ", row.curved[0], curved),
            ] {
                assert!((got - wanted).abs() < 1e-12, "{what} at {t1} {t2} {rho}: {got} {wanted}");
            }
            if (t1, t2) == (0.0, 0.0) {
                let mut plain = Row::new(1);
                centred(q1.sqrt(), &[q2.sqrt()], &[rho], Wanted::All, &mut plain);
                for (a, b) in [&plain.values, &plain.slopes, &plain.mixed, &plain.curved].into_iter().zip([
                    &row.values,
                    &row.slopes,
                    &row.mixed,
                    &row.curved,
                ]) {
                    assert!((a[0] - b[0]).abs() < 1e-14);
                }
            }
        }
    }

    #[test]
    fn a_constant_neuron_is_its_bias() {
        let neurons = ReluNeurons::new(&[0.0, 0.0, 0.0, 1.0], &[0.7, -0.7, 0.0, 0.2]);
        let mut row = Row::new(4);
        biased(&neurons, 3, &neurons, &[0.0, 0.0, 0.0, 1.0], Wanted::All, &mut row);
        let mean = 0.2 * distribution(0.2) + density(0.2);
        assert!((row.values[0] - 0.7 * mean).abs() < 1e-9 && (row.slopes[0] - distribution(0.2)).abs() < 1e-12);
        assert_eq!([row.values[1], row.values[2], row.slopes[1], row.slopes[2], row.mixed[2]], [0.0; 5]);
        // E h₊² = ((b² + q)Φ + bφ)
        assert!((row.values[3] - (1.04 * distribution(0.2) + 0.2 * density(0.2))).abs() < 1e-12);
    }

    #[test]
    fn coefficients_are_those_of_quadrature() {
        let rule = Quadrature::panels(12.0, 0.5, 16);
        let (root, t) = (1.3, 0.5);
        let (c, d) = relu_coefficients(root, t, 5);
        let hermite = |n: usize, x: f64| {
            let (mut h, mut before) = (1.0, 0.0);
            for i in 0..n {
                (h, before) = ((x * h - (i as f64).sqrt() * before) / ((i + 1) as f64).sqrt(), h);
            }
            h
        };
        for n in 0..6 {
            let mean = |f: &dyn Fn(f64) -> f64| {
                rule.nodes.iter().zip(&rule.weights).map(|(&x, w)| w * f(x) * hermite(n, x)).sum::<f64>()
            };
            assert!((c[n] - mean(&|x| (root * (x + t)).max(0.0))).abs() < 1e-13, "c_{n}");
            assert!((d[n] - mean(&|x| f64::from(x > -t))).abs() < 1e-13, "d_{n}");
        }
    }
}

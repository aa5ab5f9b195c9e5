//! The bivariate normal distribution function.

use std::{f64::consts::TAU, sync::LazyLock};

use gauss_quad::GaussLegendre;

use super::normal::distribution;

/// `Φ₂(x, y; ρ) = P(ζ₁ < x, ζ₂ < y)` for standard normals of correlation ρ ∈ \[−1, 1\], absolute error below 10⁻¹⁴.
///
/// Source: A. Genz, Numerical computation of rectangular bivariate and trivariate normal and t probabilities, Statistics
/// and Computing 14 (2004) 251–260, after Drezner & Wesolowsky 1990: the integral of the density over the correlation
/// from 0, or from ±1 with its singular part taken out.
pub fn bivariate_distribution(x: f64, y: f64, rho: f64) -> f64 {
    let (h, mut k) = (-x, -y);
    let mut hk = h * k;
    if rho.abs() < 0.925 {
        let half = 0.5 * (h * h + k * k);
        let angle = rho.asin();
        let sum: f64 = rule()
            .iter()
            .map(|&(x, w)| {
                let sine = (0.5 * angle * (x + 1.0)).sin();
                w * ((sine * hk - half) / (1.0 - sine * sine)).exp()
            })
            .sum();
        return sum * angle / (2.0 * TAU) + distribution(x) * distribution(y);
    }
    if rho < 0.0 {
        k = -k;
        hk = -hk;
    }
    let mut sum = 0.0;
    if rho.abs() < 1.0 {
        let square = (1.0 - rho) * (1.0 + rho);
        let a = square.sqrt();
        let distance = (h - k) * (h - k);
        let (c, d) = ((4.0 - hk) / 8.0, (12.0 - hk) / 16.0);
        let exponent = -0.5 * (distance / square + hk);
        if exponent > -100.0 {
            let series =
                1.0 - c * (distance - square) * (1.0 - d * distance / 5.0) / 3.0 + c * d * square * square / 5.0;
            sum = a * exponent.exp() * series;
        }
        if hk > -100.0 {
            let b = distance.sqrt();
            let series = 1.0 - c * distance * (1.0 - d * distance / 5.0) / 3.0;
            sum -= (-0.5 * hk).exp() * TAU.sqrt() * distribution(-b / a) * b * series;
        }
        for &(x, w) in rule() {
            let xs = (0.5 * a * (x + 1.0)).powi(2);
            let rs = (1.0 - xs).sqrt();
            let exponent = -0.5 * (distance / xs + hk);
            if exponent > -100.0 {
                let smooth = (-0.5 * hk * xs / ((1.0 + rs) * (1.0 + rs))).exp() / rs;
                sum += 0.5 * a * w * exponent.exp() * (smooth - (1.0 + c * xs * (1.0 + d * xs)));
            }
        }
        sum = -sum / TAU;
    }
    if rho > 0.0 {
        return sum + distribution(-h.max(k));
    }
    let tail = if k <= h {
        0.0
    } else if h < 0.0 {
        distribution(k) - distribution(h)
    } else {
        distribution(-h) - distribution(-k)
    };
    tail - sum
}

/// Twenty Gauss–Legendre nodes and weights on \[−1, 1\].
fn rule() -> &'static [(f64, f64)] {
    static RULE: LazyLock<Vec<(f64, f64)>> = LazyLock::new(|| {
        let count = std::num::NonZeroUsize::new(20).unwrap_or(std::num::NonZeroUsize::MIN);
        GaussLegendre::new(count).as_node_weight_pairs().to_vec()
    });
    &RULE
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gaussian::{normal::density, quadrature::Quadrature};

    /// ∫_{−∞}^x φ(u) Φ((y − ρu)/√(1−ρ²)) du by a fine composite rule.
    fn reference(x: f64, y: f64, rho: f64) -> f64 {
        let scale = (1.0 - rho * rho).sqrt();
        // The step of Φ at u = y/ρ may be steep: panels far finer than it.
        let (from, panels) = (-9.0_f64, 4000);
        let width = (x - from) / f64::from(panels);
        let inner = [(-0.774_596_669_241_483_4, 5.0 / 9.0), (0.0, 8.0 / 9.0), (0.774_596_669_241_483_4, 5.0 / 9.0)];
        (0..panels)
            .map(|i| {
                let middle = from + (f64::from(i) + 0.5) * width;
                inner
                    .iter()
                    .map(|(node, weight)| {
                        let u = middle + 0.5 * width * node;
                        0.5 * width * weight * density(u) * distribution((y - rho * u) / scale)
                    })
                    .sum::<f64>()
            })
            .sum()
    }

    #[test]
    fn the_integral_over_the_density_agrees() {
        for rho in [-0.999, -0.95, -0.9, -0.3, 0.0, 0.5, 0.92, 0.93, 0.99, 0.9999] {
            for (x, y) in [(0.0, 0.0), (0.3, -0.7), (1.5, 1.4), (-2.0, 0.5), (-1.0, -1.2), (2.5, -2.4), (0.8, 0.8)] {
                let (got, wanted) = (bivariate_distribution(x, y, rho), reference(x, y, rho));
                assert!((got - wanted).abs() < 1e-12, "{x} {y} {rho}: {got} {wanted}");
            }
        }
    }

    #[test]
    fn known_values() {
        for rho in [-1.0_f64, -0.97, -0.5, 0.0, 0.3, 0.95, 1.0] {
            let orthant = 0.25 + rho.asin() / TAU;
            assert!((bivariate_distribution(0.0, 0.0, rho) - orthant).abs() < 1e-15, "{rho}");
        }
        assert!((bivariate_distribution(0.4, 1.0, 1.0) - distribution(0.4)).abs() < 1e-15);
        assert!((bivariate_distribution(0.4, 1.0, -1.0) - (distribution(0.4) - distribution(-1.0))).abs() < 1e-15);
        assert!((bivariate_distribution(1e8, 0.3, 0.0) - distribution(0.3)).abs() < 1e-15);
        assert_eq!(bivariate_distribution(-1e8, 0.3, 0.0), 0.0);
    }

    #[test]
    fn panels_integrate_what_has_its_kink_at_a_break() {
        let rule = Quadrature::panels(12.0, 1.0, 12);
        let mean = |f: &dyn Fn(f64) -> f64| rule.nodes.iter().zip(&rule.weights).map(|(x, w)| w * f(*x)).sum::<f64>();
        assert!((mean(&|_| 1.0) - 1.0).abs() < 1e-14);
        assert!((mean(&|x| x.max(0.0)) - 1.0 / TAU.sqrt()).abs() < 1e-14);
        assert!((mean(&|x| x.powi(6)) - 15.0).abs() < 1e-12);
    }
}

//! The order parameters of ridge on spiked random features.

use super::moments::Conditional;
use crate::error::{Error, Result};

/// Part of the old value that is kept.
const DAMPING: f64 = 0.5;

/// Changes below this, relative, are none.
const CONVERGED: f64 = 1e-13;

/// Iterations at most.
const MOST: usize = 200_000;

/// What the fixed point is a function of.
pub(super) struct Solver<'a> {
    /// The averages given κ.
    pub table: &'a [Conditional],
    /// Eigenvalues D of the bulk and their weights.
    pub bulk: &'a [(f64, f64)],
    /// p/d.
    pub ratio: f64,
    /// Δ.
    pub noise: f64,
}

/// The order parameters: of the variance (V_1, V_2), of the second layer (q_1, q_2), along the spike (θ), along the target
/// (ψ), and of the constant part (m).
#[derive(Debug, Clone, Copy)]
struct Order {
    v: [f64; 2],
    q: [f64; 2],
    theta: f64,
    psi: f64,
    m: f64,
}

impl Order {
    /// c = μ_0 m + μ_1 κ θ.
    fn along(&self, at: &Conditional) -> f64 {
        at.constant * self.m + at.linear * at.kappa * self.theta
    }

    /// V = μ_1² V_1 + μ_2² V_2.
    fn variance(&self, at: &Conditional) -> f64 {
        at.linear * at.linear * self.v[0] + at.rest_square * self.v[1]
    }

    /// E(f − y)² given κ: c² + E y² − 2ch − 2μ_1ψh' + q.
    fn squared_error(&self, at: &Conditional, noise: f64) -> f64 {
        let c = self.along(at);
        let q = at.linear * at.linear * self.q[0] + at.rest_square * self.q[1];
        c * c + at.label_square + noise - 2.0 * c * at.label - 2.0 * at.linear * self.psi * at.label_slope + q
    }

    fn numbers(&self) -> [f64; 7] {
        [self.v[0], self.v[1], self.q[0], self.q[1], self.theta, self.psi, self.m]
    }

    fn of(x: [f64; 7]) -> Self {
        Self { v: [x[0], x[1]], q: [x[2], x[3]], theta: x[4], psi: x[5], m: x[6] }
    }
}

impl Solver<'_> {
    /// `E(f − y)²` for n_2 = `samples`·d and a ridge, at a bulk of scale c_W.
    pub fn error(&self, samples: f64, ridge: f64, c_w: f64) -> Result<f64> {
        let mut order = Order { v: [1.0, 1.0], q: [0.0, 0.0], theta: 0.0, psi: 0.0, m: 0.0 };
        for _ in 0..MOST {
            let next = self.step(&order, samples, ridge, c_w).numbers();
            let old = order.numbers();
            let scale = next.iter().fold(0.0, |s: f64, x| s.max(x.abs()));
            let change = next.iter().zip(&old).fold(0.0, |c: f64, (new, old)| c.max((new - old).abs()));
            if !change.is_finite() {
                break;
            }
            order = Order::of(std::array::from_fn(|i| DAMPING * old[i] + (1.0 - DAMPING) * next[i]));
            if change <= CONVERGED * scale {
                return Ok(self.table.iter().map(|at| at.weight * order.squared_error(at, self.noise)).sum());
            }
        }
        let reason =
            format!("the fixed point of the spiked features is not reached at n_2 = {samples}·d, ridge {ridge:e}");
        Err(Error::Numerical(reason))
    }

    /// One iteration without damping.
    fn step(&self, order: &Order, samples: f64, ridge: f64, c_w: f64) -> Order {
        let (mut q_hat, mut v_hat) = ([0.0; 2], [0.0; 2]);
        let (mut theta_hat, mut psi_hat) = (0.0, 0.0);
        let (mut product, mut square) = (0.0, 0.0);
        for at in self.table {
            let shrink = 1.0 / (1.0 + order.variance(at));
            let squared = order.squared_error(at, self.noise);
            let weight = at.weight * shrink;
            for (i, mu) in [at.linear * at.linear, at.rest_square].into_iter().enumerate() {
                q_hat[i] += weight * shrink * mu * squared;
                v_hat[i] += weight * mu;
            }
            theta_hat += weight * at.kappa * at.linear * (at.label - order.along(at));
            psi_hat += weight * at.linear * at.label_slope;
            product += weight * at.constant * (at.label - at.linear * at.kappa * order.theta);
            square += weight * at.constant * at.constant;
        }
        // Samples per neuron for the second layer's own, per dimension along the two directions.
        let by_neuron = samples / self.ratio;
        let [q_hat, v_hat] = [q_hat, v_hat].map(|pair| pair.map(|x| by_neuron * x));
        (theta_hat, psi_hat) = (samples * theta_hat, samples * psi_hat);
        let mut next = Order { v: [0.0; 2], q: [0.0; 2], theta: 0.0, psi: 0.0, m: 0.0 };
        let spike = c_w * c_w;
        for &(d, weight) in self.bulk {
            let resolvent = 1.0 / (ridge + v_hat[0] * d + v_hat[1]);
            // F = c_W², H = D.
            let directions = (theta_hat * theta_hat * spike + psi_hat * psi_hat * d) / self.ratio;
            let q = weight * resolvent * resolvent * (q_hat[0] * d + q_hat[1] + directions);
            next.q[0] += d * q;
            next.q[1] += q;
            next.v[0] += weight * d * resolvent;
            next.v[1] += weight * resolvent;
            next.theta += weight * theta_hat * spike * resolvent;
            next.psi += weight * psi_hat * d * resolvent;
        }
        // No constant part, no m.
        next.m = if square > 0.0 { product / square } else { 0.0 };
        next
    }
}

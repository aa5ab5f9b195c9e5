//! What is kept account of while a flow runs: half-times, the balance of its risk, the share of the largest neuron.

use std::ops::ControlFlow;

use super::{Averaged, Finite, Series};
use crate::{
    error::Result,
    observer::Observer,
    solve::{Inside, Options, Solution, Watch, extrapolation, rosenbrock},
};

/// What both flows can tell of a state.
pub trait Flow {
    /// σ_k and φ_k.
    fn series(&self) -> &Series;

    /// `e_k = φ_k − σ_k ⟨a s^k⟩`.
    fn residuals(&self, y: &[f64], residuals: &mut Vec<f64>);

    /// R.
    fn risk(&self, y: &[f64]) -> f64;

    /// −dR/dt.
    ///
    /// # Errors
    /// Where the drift is one.
    fn dissipation(&self, y: &[f64]) -> Result<f64>;

    /// The largest share of the output that one neuron takes.
    fn largest_share(&self, y: &[f64]) -> f64;

    /// Whether the solution inside a step costs so little that the balance of the risk can be kept at every step.
    fn keeps_balance(&self) -> bool;
}

impl Flow for Averaged {
    fn series(&self) -> &Series {
        self.series()
    }

    fn residuals(&self, y: &[f64], residuals: &mut Vec<f64>) {
        self.residuals(y, residuals);
    }

    fn risk(&self, y: &[f64]) -> f64 {
        self.risk(y)
    }

    fn dissipation(&self, y: &[f64]) -> Result<f64> {
        Ok(self.dissipation(y))
    }

    fn largest_share(&self, y: &[f64]) -> f64 {
        self.largest_share(y)
    }

    fn keeps_balance(&self) -> bool {
        true
    }
}

impl Flow for Finite {
    fn series(&self) -> &Series {
        self.series()
    }

    fn residuals(&self, y: &[f64], residuals: &mut Vec<f64>) {
        self.residuals(y, residuals);
    }

    fn risk(&self, y: &[f64]) -> f64 {
        self.risk(y)
    }

    fn dissipation(&self, y: &[f64]) -> Result<f64> {
        self.dissipation(y)
    }

    fn largest_share(&self, y: &[f64]) -> f64 {
        self.largest_share(y)
    }

    fn keeps_balance(&self) -> bool {
        false
    }
}

/// The account of one integration.
#[derive(Debug, Clone, PartialEq)]
pub struct Ledger {
    /// When |e_k| first was |φ_k|/2, for every degree k; NaN where it never was, or φ_k = 0.
    pub half_times: Vec<f64>,
    /// The largest rise of the risk over one step, relative to R(0): it may only fall.
    pub rise: f64,
    /// The largest `|R(0) − R(t) − ∫⟨ε ȧ² + ṡ²/(1−s²)⟩|`, where it was kept; relative to R(0).
    pub balance: Option<f64>,
    /// The largest share of the output that one neuron took.
    pub share: f64,
    /// When one neuron first took [`DOMINATES`] of the output; NaN: never.
    pub share_time: f64,
}

impl Ledger {
    /// By how much of R(0) the flow broke what it must keep, where that is more than `tolerance`: the risk may only fall,
    /// and is the integral of its own drift.
    pub fn broken(&self, tolerance: f64) -> Option<f64> {
        let most = self.rise.max(self.balance.unwrap_or(0.0));
        (most > tolerance).then_some(most)
    }
}

/// Nodes in [0, 1] and weights of Gauss's rule with two points: of order 4, as is the solution inside a step.
const GAUSS: [(f64, f64); 2] = [(0.211_324_865_405_187_1, 0.5), (0.788_675_134_594_812_9, 0.5)];

/// One neuron carries the network where its share of the output is this large.
pub const DOMINATES: f64 = 0.5;

/// Watches a flow.
struct Bookkeeper<'a, F> {
    flow: &'a F,
    ledger: Ledger,
    first_risk: f64,
    risk: f64,
    time: f64,
    /// ∫ −dR/dt so far.
    dissipated: f64,
    inside: Vec<f64>,
}

impl<'a, F: Flow> Bookkeeper<'a, F> {
    fn new(flow: &'a F, y0: &[f64]) -> Self {
        let risk = flow.risk(y0);
        let ledger = Ledger {
            half_times: vec![f64::NAN; flow.series().degrees()],
            rise: 0.0,
            balance: flow.keeps_balance().then_some(0.0),
            share: flow.largest_share(y0),
            share_time: f64::NAN,
        };
        Self { flow, ledger, first_risk: risk, risk, time: 0.0, dissipated: 0.0, inside: Vec::new() }
    }
}

impl<F: Flow> Watch for Bookkeeper<'_, F> {
    fn values(&self, _: f64, y: &[f64], values: &mut Vec<f64>) {
        self.flow.residuals(y, values);
        values.iter_mut().zip(&self.flow.series().target).for_each(|(e, phi)| *e = e.abs() - 0.5 * phi.abs());
    }

    fn event(&mut self, index: usize, t: f64, _: &[f64]) {
        if self.ledger.half_times[index].is_nan() && self.flow.series().target[index] != 0.0 {
            self.ledger.half_times[index] = t;
        }
    }

    fn step(&mut self, t: f64, y: &[f64], inside: &mut Inside<'_>) -> Result<ControlFlow<()>> {
        let risk = self.flow.risk(y);
        let first = self.first_risk.max(f64::MIN_POSITIVE);
        self.ledger.rise = self.ledger.rise.max((risk - self.risk) / first);
        let share = self.flow.largest_share(y);
        if share >= DOMINATES && self.ledger.share_time.is_nan() {
            self.ledger.share_time = t;
        }
        self.ledger.share = self.ledger.share.max(share);
        if let Some(balance) = &mut self.ledger.balance {
            let length = t - self.time;
            for (node, weight) in GAUSS {
                inside(self.time + node * length, &mut self.inside)?;
                self.dissipated += weight * length * self.flow.dissipation(&self.inside)?;
            }
            let missing = (self.first_risk - risk - self.dissipated).abs() / first;
            *balance = balance.max(missing);
        }
        (self.risk, self.time) = (risk, t);
        Ok(ControlFlow::Continue(()))
    }
}

impl Averaged {
    /// Integrates from `y0` and answers at `times`; what was kept account of beside it.
    ///
    /// # Errors
    /// As for [`rosenbrock::integrate`].
    pub fn integrate(
        &self,
        y0: &[f64],
        times: &[f64],
        options: &Options,
        observer: &dyn Observer,
    ) -> Result<(Solution, Ledger)> {
        let mut book = Bookkeeper::new(self, y0);
        let solution = rosenbrock::integrate(self, y0, times, options, &mut book, observer)?;
        Ok((solution, book.ledger))
    }
}

impl Finite {
    /// Integrates from `y0` and answers at `times`; what was kept account of beside it.
    ///
    /// # Errors
    /// As for [`extrapolation::integrate`].
    pub fn integrate(
        &self,
        y0: &[f64],
        times: &[f64],
        options: &Options,
        observer: &dyn Observer,
    ) -> Result<(Solution, Ledger)> {
        let mut book = Bookkeeper::new(self, y0);
        let solution = extrapolation::integrate(self, y0, times, options, &mut book, observer)?;
        Ok((solution, book.ledger))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flow_that_breaks_what_it_must_keep_is_told() {
        let kept =
            Ledger { half_times: Vec::new(), rise: 1e-12, balance: Some(1e-7), share: 0.1, share_time: f64::NAN };
        assert_eq!(kept.broken(1e-4), None);
        assert_eq!(Ledger { rise: 2e-4, ..kept.clone() }.broken(1e-4), Some(2e-4));
        assert_eq!(Ledger { balance: Some(1e-3), ..kept.clone() }.broken(1e-4), Some(1e-3));
        assert_eq!(Ledger { balance: None, ..kept }.broken(1e-13), Some(1e-12));
    }
}

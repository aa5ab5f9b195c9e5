//! What an activation sees of a target.

use super::{
    End, Stairs, Visible,
    climb::{Hints, climb},
    decisive::{Expansion, expand},
    function::Function,
    indices::table,
    sample::Labels,
    series::total,
};
use crate::{error::Result, problem::Activation};

/// Total degrees that are looked at, for 1, 2, … directions.
const DEGREES: [usize; 6] = [12, 12, 12, 10, 8, 8];
/// Components of σ below this, relative to √E σ², are none.
const BLIND: f64 = 1e-7;
/// Intervals of Simpson's rule on either side of 0, where the kinks of the named activations are.
const INTERVALS: usize = 1 << 14;
/// Where the normal density is below rounding.
const REACH: f64 = 12.0;

/// A degree at which the target has a component and the activation has none.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Blind {
    /// q.
    pub degree: usize,
    /// Part of the label's variance that lies there: `‖C_q‖²/(q! Var g)`.
    pub part: f64,
}

/// The stairs of the part of g that survives `E[g(z) σ(⟨w, x⟩)] = Σ_q c_q/q! ⟨C_q, m^{⊗q}⟩`: the components of the total
/// degrees q with `c_q = E[σ He_q] ≠ 0`, at unit variance of the preactivation and without bias.
pub(super) fn visible(function: &Function<'_>, activation: &Activation, fresh: &Stairs) -> Result<Visible> {
    let m = function.dimension();
    let Expansion { series, error, deviation, .. } = expand(function, DEGREES[m.min(DEGREES.len()) - 1])?;
    let highest = series.terms().iter().map(|(index, _)| total(index)).max().unwrap_or(0);
    let components = components(activation, highest);
    let seen = |degree: usize| degree > 0 && components[degree].abs() > BLIND;
    let blind: Vec<Blind> = (1..=highest)
        .filter(|&degree| !seen(degree) && series.power(degree) > 0.0)
        .map(|degree| Blind { degree, part: series.power(degree) / deviation.powi(2) })
        .collect();
    let left = series.only(seen);
    let stairs = if blind.is_empty() {
        fresh.clone()
    } else if left.terms().is_empty() {
        Stairs { stairs: Vec::new(), end: End::NeverFound }
    } else {
        let visible = left.terms().iter().map(|(_, a)| a * a).sum::<f64>().sqrt();
        let mut stairs = climb(&Function::of_series(&left), Labels::Value, &Hints::default(), error / visible)?;
        let found: usize = stairs.stairs.iter().map(|stair| stair.directions.len()).sum();
        // The visible part may depend on fewer directions than g does.
        if matches!(stairs.end, End::Complete) && found < m {
            stairs.end = End::NeverFound;
        }
        stairs
    };
    Ok(Visible { activation: activation.name(), blind, stairs })
}

/// `E[σ h_q]/√E σ²` for q up to `degree`, orthonormal h_q.
fn components(activation: &Activation, degree: usize) -> Vec<f64> {
    let step = REACH / INTERVALS as f64;
    let (mut sums, mut square) = (vec![0.0; degree + 1], 0.0);
    for side in [-1.0, 1.0] {
        // The kink itself belongs to either side by its limit.
        let x: Vec<f64> = (0..=INTERVALS).map(|i| side * (i as f64 * step).max(1e-300)).collect();
        let mut values = x.clone();
        activation.values(&mut values);
        let table = table(degree, &x);
        for i in 0..=INTERVALS {
            let simpson = if i == 0 || i == INTERVALS { 1.0 } else { 2.0 + 2.0 * (i % 2) as f64 };
            let weight = simpson * step / 3.0 * (-0.5 * x[i] * x[i]).exp() / (2.0 * std::f64::consts::PI).sqrt();
            square += weight * values[i] * values[i];
            sums.iter_mut().zip(&table).for_each(|(sum, h)| *sum += weight * values[i] * h[i]);
        }
    }
    sums.iter().map(|sum| sum / square.sqrt()).collect()
}

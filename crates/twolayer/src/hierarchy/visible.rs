//! What a network sees of a target.

use super::{
    End, Stairs, Visible,
    climb::{Hints, climb},
    decisive::{Expansion, expand},
    function::Function,
    sample::Labels,
    series::total,
    sight::{Seen, Sight},
};
use crate::error::Result;

/// Total degrees that are looked at, for 1, 2, … directions.
const DEGREES: [usize; 6] = [12, 12, 12, 10, 8, 8];
/// A degree at which the target has a component and no neuron has one at the start.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Blind {
    /// q.
    pub degree: usize,
    /// Part of the label's variance that lies there: `‖C_q‖²/(q! Var g)`.
    pub part: f64,
    /// Whether a neuron has one as soon as training moves norms or biases.
    pub opens: bool,
}

/// The stairs of the part of g that survives `E[g(z) σ(⟨w, x⟩ + b)] = Σ_q c_q/q! ⟨C_q, m^{⊗q}⟩`, m the cosines of w: the
/// components of the total degrees q with `c_q = E[σ(‖w‖u + b) He_q(u)] ≠ 0` for some neuron at the start.
pub(super) fn visible(function: &Function<'_>, sight: &Sight, fresh: &Stairs) -> Result<Visible> {
    let m = function.dimension();
    let Expansion { series, error, deviation, .. } = expand(function, DEGREES[m.min(DEGREES.len()) - 1])?;
    let highest = series.terms().iter().map(|(index, _)| total(index)).max().unwrap_or(0);
    let degrees = sight.degrees(highest);
    let seen = |degree: usize| degree > 0 && degrees[degree] == Seen::AtOnce;
    let blind: Vec<Blind> = (1..=highest)
        .filter(|&degree| !seen(degree) && series.power(degree) > 0.0)
        .map(|degree| Blind {
            degree,
            part: series.power(degree) / deviation.powi(2),
            opens: degrees[degree] == Seen::Later,
        })
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
    Ok(Visible { activation: sight.activation.name(), biased: sight.is_biased(), blind, stairs })
}

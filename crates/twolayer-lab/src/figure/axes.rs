//! Axes that fit what is drawn between them.

use super::{
    AxisOf, Mark, Style,
    series::{Estimate, dots},
};
use twolayer_file::experiment::{Axis, Scale};

/// A curve with its estimates.
pub(super) struct Curve {
    /// Drawn as a line, or as dots.
    pub limit: bool,
    /// Sets the dots of one view against another's.
    pub index: usize,
    pub x: Vec<f64>,
    pub y: Vec<Estimate>,
    pub style: Style,
}

/// Lines below dots.
pub(super) fn marks(curves: &[Curve], x: &AxisOf, count: usize) -> Vec<Mark> {
    let line = |curve: &Curve| Mark::Line {
        points: curve.x.iter().zip(&curve.y).map(|(&x, y)| (x, y.mean)).collect(),
        style: curve.style,
    };
    let simulations = curves.iter().filter(|c| !c.limit).map(|c| c.index).max().unwrap_or(0) + 1;
    let dots = |curve: &Curve| Mark::Dots {
        points: dots(&curve.x, &curve.y, x.scale, x.limits, (count, curve.index as f64 / simulations as f64)),
        style: curve.style,
    };
    let (limits, others): (Vec<_>, Vec<_>) = curves.iter().partition(|curve| curve.limit);
    limits.into_iter().map(line).chain(others.into_iter().map(dots)).collect()
}

/// The horizontal axis: on a log scale it begins a decade before anything moves by 5 % of all that moves, and shows
/// three decades at least, where they were recorded.
pub(super) fn horizontal<'a>(
    axis: &Axis,
    scale: Option<Scale>,
    curves: impl IntoIterator<Item = &'a Curve> + Clone,
) -> AxisOf {
    let label = match axis {
        Axis::Step => "step  ν",
        Axis::Samples => "samples seen",
        Axis::Time | Axis::Swept(_) => "time  t = νηs",
    };
    let positive = |curve: &Curve| curve.x.iter().copied().filter(|x| *x > 0.0).fold(f64::INFINITY, f64::min);
    let first = curves.clone().into_iter().map(positive).fold(f64::INFINITY, f64::min);
    let finite = |curve: &Curve| curve.x.iter().copied().filter(|x| x.is_finite()).fold(0.0, f64::max);
    let last = curves.clone().into_iter().map(finite).fold(0.0, f64::max);
    if !(first.is_finite() && last > 0.0) {
        return AxisOf::new(label, Scale::Linear, (0.0, 1.0));
    }
    let entries = curves.clone().into_iter().map(|curve| curve.x.len()).max().unwrap_or(0);
    let chosen = if entries > 30 && last > 50.0 * first { Scale::Log } else { Scale::Linear };
    let scale = scale.unwrap_or(chosen);
    let limits = match scale {
        Scale::Linear => (-0.025 * last, 1.025 * last),
        Scale::Log => {
            let whole = curves.clone().into_iter().map(|curve| range(curve).1 - range(curve).0).fold(0.0, f64::max);
            let onset = curves.into_iter().map(|curve| onset(curve, 0.05 * whole)).fold(f64::INFINITY, f64::min);
            let low = first.max((onset / 10.0).min(last / 1e3)).min(last / 2.0);
            // A power of ten within a tenth of a decade is as good a place to begin.
            let power = 10_f64.powf(low.log10().round());
            let low = if (power / low).log10().abs() < 0.1 { power } else { low };
            let room = (last / low).powf(0.02);
            (low / room, last * room)
        }
    };
    AxisOf::new(label, scale, limits)
}

/// The smallest and the largest mean.
fn range(curve: &Curve) -> (f64, f64) {
    let means = || curve.y.iter().map(|e| e.mean).filter(|m| m.is_finite());
    (means().fold(f64::INFINITY, f64::min), means().fold(f64::NEG_INFINITY, f64::max))
}

/// The first x at which a curve has moved by more than `least`, and beyond its error bar.
fn onset(curve: &Curve, least: f64) -> f64 {
    let Some(start) = curve.y.iter().map(|e| e.mean).find(|m| m.is_finite()) else { return f64::INFINITY };
    (curve.x.iter().zip(&curve.y))
        .find(|(x, e)| **x > 0.0 && (e.mean - start).abs() > least.max(e.bar))
        .map_or(f64::INFINITY, |(x, _)| *x)
}

/// The vertical axis around what is seen.
pub(super) fn vertical<'a>(
    scale: Option<Scale>,
    label: &str,
    curves: impl IntoIterator<Item = &'a Curve>,
    x: &AxisOf,
) -> AxisOf {
    let mut seen: Vec<f64> = Vec::new();
    for curve in curves {
        let within = |value: &f64| *value >= x.limits.0 && *value <= x.limits.1 * (1.0 + 1e-9);
        for (_, y) in curve.x.iter().zip(&curve.y).filter(|(x, y)| within(x) && y.mean.is_finite()) {
            seen.push(y.mean);
            if !curve.limit && scale == Some(Scale::Linear) {
                seen.extend([y.mean - y.bar, y.mean + y.bar]);
            }
        }
    }
    around(scale, label, &seen)
}

/// An axis around these numbers, a log one where they are positive and far apart.
pub(super) fn around(scale: Option<Scale>, label: &str, seen: &[f64]) -> AxisOf {
    let high = seen.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let low = seen.iter().copied().fold(f64::INFINITY, f64::min);
    let positive = seen.iter().copied().filter(|y| *y > 0.0).fold(f64::INFINITY, f64::min);
    let wide = low > 0.0 && high > 5.0 * low;
    let scale = scale.unwrap_or(if wide { Scale::Log } else { Scale::Linear });
    let limits = match scale {
        Scale::Log if positive < high => {
            let pad = (high / positive).powf(0.06);
            (positive / pad, high * pad)
        }
        Scale::Log => (0.5 * high, 2.0 * high),
        Scale::Linear if high >= low => {
            let (low, high) = (low.min(0.0), high.max(0.0));
            let room = 0.06 * (high - low).max(1e-300);
            (if low < 0.0 { low - room } else { 0.0 }, if high > 0.0 { high + room } else { 0.0 })
        }
        Scale::Linear => (0.0, 1.0),
    };
    let usable = limits.0.is_finite() && limits.1.is_finite() && limits.0 < limits.1;
    let fallback = if scale == Scale::Log { (0.1, 1.0) } else { (-1.0, 1.0) };
    AxisOf::new(label, scale, if usable { limits } else { fallback })
}

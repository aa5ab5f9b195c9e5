//! Phases in figures of the risk: broad bars where it stands, thin lines at the levels and times that theory expects.

use super::{
    AxisOf, Mark, Style,
    phases::{ExpectedRecord, phases},
    series::Series,
};
use twolayer_file::experiment::{Axis, Figure, Quantity};

use crate::outcome::Outcome;

/// More views than this hide each other's bars.
const VIEWS: usize = 3;

/// The factor from the risk to what a figure draws; `None` where it draws no risk against time.
fn factor(figure: &Figure) -> Option<f64> {
    match (figure.y, &figure.x) {
        (Quantity::Risk, Axis::Time) => Some(1.0),
        (Quantity::TwiceRisk, Axis::Time) => Some(2.0),
        _ => None,
    }
}

/// The levels at which theory expects plateaus, the start first, without the end at 0.
pub(crate) fn levels(expected: &[ExpectedRecord]) -> Vec<f64> {
    let first = expected.first().map(|first| first.before);
    let all = first.into_iter().chain(expected.iter().map(|expected| expected.after));
    // Where everything is learnt a rounding may be left.
    let largest = first.unwrap_or(0.0);
    all.filter(|level| *level > 1e-12 * largest).collect()
}

/// The levels that all of these have in common; none where they differ.
pub(crate) fn common<'a>(all: impl Iterator<Item = &'a [f64]>) -> Vec<f64> {
    let mut some = all.filter(|levels| !levels.is_empty());
    let Some(first) = some.next() else { return Vec::new() };
    if some.all(|other| other == first) { first.to_vec() } else { Vec::new() }
}

/// Lines at common levels, for a figure of the risk of a sweep.
pub(crate) fn level_marks(figure: &Figure, levels: &[f64], y: &AxisOf) -> Vec<Mark> {
    let factor = factor(figure).unwrap_or(0.0);
    let seen = levels.iter().map(|level| factor * level).filter(|level| *level >= y.limits.0 && *level > 0.0);
    seen.map(Mark::Level).collect()
}

/// Below the curves, and on them; and what to say of both.
pub(crate) struct Marks {
    pub below: Vec<Mark>,
    pub above: Vec<Mark>,
    pub remark: &'static str,
}

/// Those of a figure of the risk of some views, each drawn in the style that `style` gives.
pub(crate) fn marks(
    all: &[Series<'_>],
    outcomes: &[Outcome],
    figure: &Figure,
    style: impl Fn(&Series<'_>) -> Style,
    (x, y): (&AxisOf, &AxisOf),
) -> Marks {
    let mut found = Marks { below: Vec::new(), above: Vec::new(), remark: "" };
    let Some(factor) = factor(figure) else { return found };
    let expected = |one: &Series<'_>| outcomes.get(one.index).map(|o| &o.expected[..]).unwrap_or_default();
    let own: Vec<Vec<f64>> = all.iter().map(|one| levels(expected(one))).collect();
    found.below = level_marks(figure, &common(own.iter().map(Vec::as_slice)), y);
    let timed: Vec<f64> = all.iter().flat_map(|one| expected(one).iter().filter_map(|e| e.time)).collect();
    if all.iter().filter(|one| !expected(one).is_empty()).count() == 1 {
        let seen = timed.into_iter().filter(|t| (x.limits.0..=x.limits.1).contains(t));
        found.below.extend(seen.map(Mark::Upright));
    }
    // Limits tell their plateaus; without any, simulations do.
    let limits = all.iter().any(Series::is_limit);
    let shown: Vec<&Series<'_>> = all.iter().filter(|one| one.is_limit() == limits).collect();
    for one in shown.iter().filter(|_| shown.len() <= VIEWS) {
        let phases = phases(one.runs, expected(one));
        let bar = Style { size: 7.0, opacity: 0.22, ..Style::line(0, super::Dash::Solid) };
        // With a single phase there is nothing to tell apart.
        for plateau in phases.plateaus.iter().filter(|_| phases.transitions.len() > 1) {
            let (from, to) = (plateau.start.max(x.limits.0), plateau.end.min(x.limits.1));
            let level = factor * plateau.level;
            if from < to && level > y.limits.0.max(0.0) {
                let style = Style { color: style(one).color, ..bar };
                found.above.push(Mark::Line { points: vec![(from, level), (to, level)], style });
            }
        }
    }
    found.remark = match (found.below.is_empty(), found.above.is_empty()) {
        (true, true) => "",
        (false, true) => "Grey: levels and times that theory expects.",
        (true, false) => "Broad bars: plateaus.",
        (false, false) => "Grey: levels and times that theory expects. Broad bars: plateaus.",
    };
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expected(before: f64, after: f64) -> ExpectedRecord {
        ExpectedRecord { degree: 1, before, after, time: None, exponent: 0.5 }
    }

    #[test]
    fn levels_begin_at_the_start_and_end_above_nothing() {
        assert_eq!(levels(&[expected(0.955, 0.83), expected(0.83, 1e-17)]), [0.955, 0.83]);
        assert_eq!(levels(&[expected(0.955, 0.83), expected(0.83, 0.18)]), [0.955, 0.83, 0.18]);
        assert!(levels(&[]).is_empty());
        let (one, other, none): ([f64; 2], [f64; 1], [f64; 0]) = ([2.0, 1.0], [2.0], []);
        assert_eq!(common([&one[..], &none, &one].into_iter()), one);
        assert!(common([&one[..], &other].into_iter()).is_empty());
    }
}

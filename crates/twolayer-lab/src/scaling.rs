//! How learning times go with ε over a sweep: local slopes of the half-time of each degree, beside the power that theory
//! gives it for ε → 0.

use twolayer::problem::Engine;
use twolayer_file::experiment::Experiment;

use crate::{
    outcome::Outcome,
    phases::{ExpectedRecord, half_times},
};

/// A local slope is that of theory where it is so near.
const NEAR: f64 = 0.03;

/// What one view gave at one ε.
#[derive(Debug, Clone, PartialEq)]
pub struct TimesAt {
    /// Its name.
    pub view: String,
    /// ε, one over the ratio of the rates.
    pub epsilon: f64,
    /// Degree and half-time.
    pub half_times: Vec<(usize, f64)>,
    /// What theory expects.
    pub expected: Vec<ExpectedRecord>,
}

impl TimesAt {
    /// Of every limit view of a point that has half-times.
    pub fn of(experiment: &Experiment, outcomes: &[Outcome]) -> Vec<Self> {
        let limits = experiment.views.iter().zip(outcomes).filter(|(view, _)| view.view.engine == Engine::Limit);
        let of = limits.map(|(view, outcome)| Self {
            view: view.name.clone(),
            epsilon: 1.0 / view.problem.rate_ratio(),
            half_times: half_times(&outcome.trajectories).iter().map(|half| (half.degree, half.time)).collect(),
            expected: outcome.expected.clone(),
        });
        of.filter(|times| !times.half_times.is_empty()).collect()
    }
}

/// One degree of one view over all ε.
#[derive(Debug, Clone, PartialEq)]
pub struct Scaling {
    /// The view.
    pub view: String,
    /// The degree.
    pub degree: usize,
    /// The power of ε that theory gives its time for ε → 0.
    pub exponent: f64,
    /// The slope that theory gives between the two smallest ε: with the logarithm of degree 1, where the formula is known.
    pub expected: f64,
    /// ε falling, and the half-time.
    pub times: Vec<(f64, f64)>,
    /// d ln t/d ln ε between each and the next.
    pub slopes: Vec<f64>,
}

impl Scaling {
    /// Whether the slope at the smallest ε is that of theory.
    pub fn is_asymptotic(&self) -> bool {
        self.slopes.last().is_some_and(|slope| (slope - self.expected).abs() <= NEAR)
    }

    /// `asymptotic`, or not.
    pub fn verdict(&self) -> &'static str {
        if self.is_asymptotic() { "as expected" } else { "not asymptotic yet" }
    }
}

/// The scalings of all views and degrees that have half-times at two ε at least; none of a view whose ε does not tell
/// the points apart, where other keys are swept beside it.
pub fn scalings(points: &[Vec<TimesAt>]) -> Vec<Scaling> {
    let mut found = Vec::new();
    let mut names: Vec<&str> = Vec::new();
    for times in points.iter().flatten().filter(|times| times.epsilon.is_finite()) {
        if !names.contains(&times.view.as_str()) {
            names.push(&times.view);
        }
    }
    for name in names {
        let mut own: Vec<&TimesAt> = points.iter().flatten().filter(|times| times.view == name).collect();
        own.sort_by(|one, other| other.epsilon.total_cmp(&one.epsilon));
        if own.windows(2).any(|pair| pair[0].epsilon == pair[1].epsilon) {
            continue;
        }
        let mut degrees: Vec<usize> = own.iter().flat_map(|times| &times.expected).map(|e| e.degree).collect();
        degrees.sort_unstable();
        degrees.dedup();
        found.extend(degrees.into_iter().filter_map(|degree| of_degree(name, degree, &own)));
    }
    found
}

fn of_degree(view: &str, degree: usize, points: &[&TimesAt]) -> Option<Scaling> {
    let half = |at: &TimesAt| at.half_times.iter().find(|(other, _)| *other == degree).map(|(_, time)| *time);
    let foretold = |at: &TimesAt| at.expected.iter().find(|expected| expected.degree == degree).copied();
    let known: Vec<(&TimesAt, f64)> = points.iter().filter_map(|at| Some((*at, half(at)?))).collect();
    let slope = |[(e, t), (f, u)]: [(f64, f64); 2]| (u / t).ln() / (f / e).ln();
    let times: Vec<(f64, f64)> = known.iter().map(|(at, time)| (at.epsilon, *time)).collect();
    let slopes: Vec<f64> = times.windows(2).map(|pair| slope([pair[0], pair[1]])).collect();
    let [.., (before, _), (last, _)] = known[..] else { return None };
    let exponent = foretold(last)?.exponent;
    let formula = foretold(before).and_then(|e| e.time).zip(foretold(last).and_then(|e| e.time));
    let expected = formula.map_or(exponent, |(t, u)| slope([(before.epsilon, t), (last.epsilon, u)]));
    Some(Scaling { view: view.into(), degree, exponent, expected, times, slopes })
}

/// One line for each view: `limit: half-times go as ε to the power 1.00, 0.441, 0.236, 0.262 for degrees 0 … 3 (not
/// asymptotic yet: 3)`.
pub fn in_lines(scalings: &[Scaling]) -> Vec<String> {
    let mut views: Vec<&str> = scalings.iter().map(|scaling| scaling.view.as_str()).collect();
    views.dedup();
    let line = |view: &str| {
        let own: Vec<&Scaling> = scalings.iter().filter(|scaling| scaling.view == view).collect();
        let powers = own.iter().map(|one| format!("{:.3}", one.slopes.last().unwrap_or(&f64::NAN)));
        let degrees = |some: &[&Scaling]| some.iter().map(|one| one.degree.to_string()).collect::<Vec<_>>().join(", ");
        let early: Vec<&Scaling> = own.iter().copied().filter(|one| !one.is_asymptotic()).collect();
        let note = if early.is_empty() { String::new() } else { format!(" (not asymptotic yet: {})", degrees(&early)) };
        let powers = powers.collect::<Vec<_>>().join(", ");
        format!("{view}: half of degree {} learnt at t ~ ε^{powers} at the smallest ε{note}", degrees(&own))
    };
    views.into_iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// theory.md §5.5 at ε = 10⁻⁵ and 10⁻⁶: slopes 1.00, .441, .236, .262; the last is not ⅙.
    fn points() -> Vec<Vec<TimesAt>> {
        let at = |epsilon: f64, times: [f64; 4], first: f64| {
            let expected =
                |degree: usize, exponent: f64, time| ExpectedRecord { degree, before: 1.0, after: 0.5, time, exponent };
            vec![TimesAt {
                view: "limit".into(),
                epsilon,
                half_times: times.into_iter().enumerate().collect(),
                expected: vec![
                    expected(0, 1.0, Some(1.4146 * epsilon)),
                    expected(1, 0.5, Some(first)),
                    expected(2, 0.25, None),
                    expected(3, 1.0 / 6.0, None),
                ],
            }]
        };
        vec![
            at(1e-6, [1.4146e-6, 6.586e-3, 0.04123, 0.04379], 6.603e-3),
            at(1e-5, [1.4146e-5, 0.01820, 0.07106, 0.07997], 0.018365),
        ]
    }

    #[test]
    fn slopes_of_the_reference_target() {
        let found = scalings(&points());
        assert_eq!(found.iter().map(|one| one.degree).collect::<Vec<_>>(), [0, 1, 2, 3]);
        for (one, slope) in found.iter().zip([1.0, 0.441, 0.236, 0.262]) {
            assert_eq!(one.times[0].0, 1e-5, "ε falls");
            assert!((one.slopes[0] - slope).abs() < 1.5e-3, "{one:?}");
        }
        assert!((found[1].expected - 0.444).abs() < 2e-3, "with its logarithm: {}", found[1].expected);
        assert_eq!(found.iter().map(Scaling::is_asymptotic).collect::<Vec<_>>(), [true, true, true, false]);
        assert_eq!(
            in_lines(&found),
            ["limit: half of degree 0, 1, 2, 3 learnt at t ~ ε^1.000, 0.441, 0.236, 0.262 at the smallest ε (not \
              asymptotic yet: 3)"]
        );
    }

    #[test]
    fn points_of_one_epsilon_have_no_slope() {
        let mut same = points();
        same[1][0].epsilon = 1e-6;
        assert!(scalings(&same).is_empty() && scalings(&points()[..1]).is_empty());
    }
}

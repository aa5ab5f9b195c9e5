//! When levels were crossed, over replicates.

use crate::{
    problem::{Crossing, CrossingOf, Problem},
    record::{
        Trajectory,
        observable::{CROSSING_STEP, RISK},
    },
};

/// A level that runs of one view are watched for: the mean over the replicates that crossed it.
///
/// A crossing is the first passage from the side of the start, in either direction. Runs that start before the level (the
/// risk above it, the cosine below) are the ones that count; where all start on it or beyond, there is nothing left to
/// learn, and what they cross on is the way back.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Crossed {
    /// The level.
    pub crossing: Crossing,
    /// Mean number of steps; NaN where no replicate crossed it.
    pub step: f64,
    /// Its standard error over replicates; 0 with one.
    pub step_error: f64,
    /// t = νηs of the mean, where a step takes a known time.
    pub time: f64,
    /// How many replicates crossed it.
    pub reached: usize,
    /// How many ended before: the mean is then a lower bound.
    pub censored: usize,
    /// How many start on it or beyond; unless all do, they are left out of everything above.
    pub already: usize,
}

/// What `runs` of `problem` say of each of the `levels` that they were recorded with.
pub fn crossings(problem: &Problem, levels: &[Crossing], runs: &[Trajectory]) -> Vec<Crossed> {
    let level = |(c, &crossing): (usize, &Crossing)| {
        let (beyond, before): (Vec<&Trajectory>, Vec<&Trajectory>) =
            runs.iter().partition(|run| starts_beyond(problem, run, &crossing));
        let counted = if before.is_empty() { &beyond } else { &before };
        let step = |run: &&Trajectory| run.of(&CROSSING_STEP).get(c).copied().unwrap_or(f64::NAN);
        // At step 0 a run is on the level, and has crossed nothing yet.
        let back = |step: &f64| step.is_finite() && (!before.is_empty() || *step > 0.0);
        let steps: Vec<f64> = counted.iter().map(step).filter(back).collect();
        let n = steps.len() as f64;
        let mean = steps.iter().sum::<f64>() / n;
        let squares: f64 = steps.iter().map(|step| (step - mean).powi(2)).sum();
        Crossed {
            crossing,
            step: mean,
            step_error: if n > 1.0 { (squares / (n * (n - 1.0))).sqrt() } else { 0.0 },
            time: mean * problem.step_time(),
            reached: steps.len(),
            censored: counted.len() - steps.len(),
            already: beyond.len(),
        }
    };
    levels.iter().enumerate().map(level).collect()
}

/// Whether a run starts with a risk at most, or a largest cosine at least, as large as the level.
fn starts_beyond(problem: &Problem, run: &Trajectory, crossing: &Crossing) -> bool {
    if run.valid == 0 {
        return false;
    }
    let cosine = |r: usize| run.largest_cosine(&problem.target.overlaps, 0, r);
    match crossing.of {
        CrossingOf::Risk => run.of(&RISK)[0] <= crossing.level,
        CrossingOf::Cosine => (0..run.directions).map(cosine).fold(0.0, f64::max) >= crossing.level,
        CrossingOf::CosineWith(r) => cosine(r) >= crossing.level,
    }
}

impl Crossed {
    /// Whether the crossing is on the way back: every run starts on the level or beyond.
    pub fn is_back(&self) -> bool {
        self.already > 0 && self.already == self.reached + self.censored
    }

    /// The level, and the side it is crossed from where that is the wrong one: `largest |cosine| = 0.05, from above`.
    pub fn in_words(&self) -> String {
        let side = match (self.is_back(), self.crossing.of) {
            (false, _) => "",
            (true, CrossingOf::Risk) => ", from below",
            (true, CrossingOf::Cosine | CrossingOf::CosineWith(_)) => ", from above",
        };
        in_words(&self.crossing) + side
    }
}

/// `risk = 0.5`, `largest |cosine| = 0.5`, `largest |cosine| with z2 = 0.5`.
fn in_words(crossing: &Crossing) -> String {
    let of = match crossing.of {
        CrossingOf::Risk => "risk".to_string(),
        CrossingOf::Cosine => "largest |cosine|".to_string(),
        CrossingOf::CosineWith(r) => format!("largest |cosine| with z{}", r + 1),
    };
    format!("{of} = {}", crossing.level)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        problem::{Activation, Rule},
        testing::{fabricated, fabricated::Sizes},
    };

    const SIZES: Sizes = Sizes { p: 2, k: 2 };

    fn problem() -> Problem {
        let committee = Problem::builder().target(Rule::committee(Activation::Erf, 2, 0.5)).network(2, "erf");
        committee.dimension(1000).learning_rate(1e-4).time(10).build().unwrap()
    }

    #[test]
    fn replicates_that_never_crossed_are_counted_and_not_averaged() {
        let levels = vec![Crossing { of: CrossingOf::CosineWith(1), level: 0.5, stop: false }];
        let mut runs = fabricated::simulation(SIZES, &[0.0, 1.0], 4, 0.1, 1);
        for (run, step) in runs.iter_mut().zip([100.0, 200.0, f64::NAN, 300.0]) {
            run.set(&CROSSING_STEP, vec![step]);
        }
        let found = crossings(&problem(), &levels, &runs)[0];
        assert_eq!((found.step, found.reached, found.censored), (200.0, 3, 1));
        assert!((found.step_error - 100.0 / 3.0_f64.sqrt()).abs() < 1e-12);
        assert!((found.time - 200.0 * 0.1 / 1000.0 / 2.0).abs() < 1e-15);
        assert_eq!(found.in_words(), "largest |cosine| with z2 = 0.5");
        assert!(!found.is_back() && found.already == 0);
    }

    /// Neuron 2 starts at cosine −0.09 with z2, and the risk at 0.201.
    #[test]
    fn a_level_that_is_passed_from_the_side_of_having_learnt_says_so() {
        let level = |of, level| Crossing { of, level, stop: false };
        let levels = vec![level(CrossingOf::CosineWith(1), 0.05), level(CrossingOf::Risk, 0.3)];
        let mut runs = fabricated::simulation(SIZES, &[0.0, 1.0], 3, 0.0, 1);
        for (run, step) in runs.iter_mut().zip([100.0, f64::NAN, 300.0]) {
            run.set(&CROSSING_STEP, vec![step, f64::NAN]);
        }
        let found = crossings(&problem(), &levels, &runs);
        assert_eq!((found[0].step, found[0].reached, found[0].censored, found[0].already), (200.0, 2, 1, 3));
        assert_eq!(found[0].in_words(), "largest |cosine| with z2 = 0.05, from above");
        assert_eq!(found[1].in_words(), "risk = 0.3, from below");
        assert!(found[1].is_back() && found[1].reached == 0);
        // One of independent starts is there already: the others are what crosses.
        runs[0].of_mut(&RISK)[0] = 0.5;
        runs[0].of_mut(&CROSSING_STEP)[1] = 40.0;
        let found = crossings(&problem(), &levels, &runs)[1];
        assert_eq!((found.step, found.reached, found.censored, found.already), (40.0, 1, 0, 2));
        assert_eq!(found.in_words(), "risk = 0.3");
    }

    /// A run that starts on the level has the crossing at step 0 from its engine.
    #[test]
    fn a_start_on_the_level_is_no_crossing() {
        let mut runs = fabricated::simulation(SIZES, &[0.0, 1.0], 1, 0.0, 1);
        let risk = runs[0].of(&RISK)[0];
        let levels = vec![Crossing { of: CrossingOf::Risk, level: risk, stop: false }];
        runs[0].set(&CROSSING_STEP, vec![0.0]);
        let found = crossings(&problem(), &levels, &runs)[0];
        assert_eq!((found.reached, found.already), (0, 1));
        assert!(found.step.is_nan() && found.is_back());
    }
}

//! When levels were crossed, over replicates.

use twolayer::problem::{Crossing, CrossingOf};

use crate::{experiment::NamedView, outcome::Outcome};

/// A level of one view: the mean over the replicates that reached it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Crossed {
    /// The level.
    pub crossing: Crossing,
    /// Mean number of steps; NaN where no replicate reached it.
    pub step: f64,
    /// Its standard error over replicates; 0 with one.
    pub step_error: f64,
    /// t = νηs of the mean, where a step takes a known time.
    pub time: f64,
    /// How many replicates reached it.
    pub reached: usize,
    /// How many ended before: the mean is then a lower bound.
    pub censored: usize,
}

/// Every level of `view`, in the order of the file.
pub fn crossings(view: &NamedView, outcome: &Outcome) -> Vec<Crossed> {
    let level = |(c, &crossing): (usize, &Crossing)| {
        let all = outcome.trajectories.iter().map(|run| run.crossing_step.get(c).copied().unwrap_or(f64::NAN));
        let steps: Vec<f64> = all.clone().filter(|step| step.is_finite()).collect();
        let n = steps.len() as f64;
        let mean = steps.iter().sum::<f64>() / n;
        let squares: f64 = steps.iter().map(|step| (step - mean).powi(2)).sum();
        Crossed {
            crossing,
            step: mean,
            step_error: if n > 1.0 { (squares / (n * (n - 1.0))).sqrt() } else { 0.0 },
            time: mean * view.problem.step_time(),
            reached: steps.len(),
            censored: all.count() - steps.len(),
        }
    };
    view.record.crossings.iter().enumerate().map(level).collect()
}

/// `risk = 0.5`, `largest |cosine| = 0.5`, `largest |cosine| with z2 = 0.5`.
pub fn in_words(crossing: &Crossing) -> String {
    let of = match crossing.of {
        CrossingOf::Risk => "risk".to_string(),
        CrossingOf::Cosine => "largest |cosine|".to_string(),
        CrossingOf::CosineWith(r) => format!("largest |cosine| with z{}", r + 1),
    };
    format!("{of} = {}", crossing.level)
}

#[cfg(test)]
mod tests {
    use twolayer::problem::Engine;

    use super::*;
    use crate::fabricated::{self, Sizes};

    #[test]
    fn replicates_that_never_crossed_are_counted_and_not_averaged() {
        let sizes = Sizes { p: 2, k: 2 };
        let mut view = fabricated::view("reduced", Engine::Reduced, sizes, 1000);
        view.record.crossings = vec![Crossing { of: CrossingOf::CosineWith(1), level: 0.5, stop: false }];
        let mut outcome = fabricated::simulation(sizes, &[0.0, 1.0], 4, 0.1, 1);
        for (run, step) in outcome.trajectories.iter_mut().zip([100.0, 200.0, f64::NAN, 300.0]) {
            run.crossing_step = vec![step];
        }
        let found = crossings(&view, &outcome)[0];
        assert_eq!((found.step, found.reached, found.censored), (200.0, 3, 1));
        approx::assert_relative_eq!(found.step_error, 100.0 / 3.0_f64.sqrt());
        approx::assert_relative_eq!(found.time, 200.0 * 0.1 / 1000.0 / 2.0);
        assert_eq!(in_words(&found.crossing), "largest |cosine| with z2 = 0.5");
    }
}

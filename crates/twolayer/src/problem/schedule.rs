//! Which moments are recorded.

use crate::problem::{Duration, Problem, Readout, Spacing};

/// What to record.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Entries after entry 0, at most; every step where there are no more steps than that.
    pub points: usize,
    /// How they are spread.
    pub spacing: Spacing,
    /// Start of a log grid; one step, or 10⁻³·time.
    pub first: Option<f64>,
    /// How much of Q is kept; `None`: full for p ≤ 64, else the diagonal.
    pub keep_q: Option<KeepQ>,
    /// Whether the gradient of the step after each entry is recorded.
    pub gradients: bool,
    /// Levels whose first crossing is recorded.
    pub crossings: Vec<Crossing>,
    /// Whether the eigenvalues of the covariance of the features are recorded.
    pub spectrum: bool,
    /// Ridge regression of the second layer on the features.
    pub readout: Option<Readout>,
}

/// How much of Q is kept at each recorded step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeepQ {
    /// All p×p entries.
    Full,
    /// The diagonal only.
    Diagonal,
    /// Nothing.
    None,
}

/// A level whose first crossing, from whichever side the start is on, is recorded as a step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Crossing {
    /// What crosses it.
    pub of: CrossingOf,
    /// The level.
    pub level: f64,
    /// Whether the run ends there.
    pub stop: bool,
}

/// What crosses a level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CrossingOf {
    /// The population risk.
    Risk,
    /// The largest |cosine| over neurons and directions.
    Cosine,
    /// The largest |cosine| with this direction (from 0) over neurons.
    CosineWith(usize),
}

impl CrossingOf {
    /// As the experiment file names it: `risk`, `cosine`, `cosine:2`.
    pub fn name(self) -> String {
        match self {
            Self::Risk => "risk".into(),
            Self::Cosine => "cosine".into(),
            Self::CosineWith(direction) => format!("cosine:{}", direction + 1),
        }
    }
}

/// Points whose grid is formed to count its entries: 8 MB of them.
const COUNTED: usize = 1_000_000;

impl Default for Record {
    fn default() -> Self {
        Self {
            points: 200,
            spacing: Spacing::Log,
            first: None,
            keep_q: None,
            gradients: false,
            crossings: Vec::new(),
            spectrum: false,
            readout: None,
        }
    }
}

/// Moments, entry 0 included, in rising order: fixed in time, or fixed in steps.
#[derive(Debug, Clone, PartialEq)]
pub enum Grid {
    /// Whole steps (giant steps, reused data, few steps).
    Steps(Vec<u64>),
    /// Times; a simulation takes the nearest whole step.
    Times(Vec<f64>),
}

impl Record {
    /// The grid of `problem`; `in_steps` for giant steps and reused data, where a step is not a short time.
    pub fn grid(&self, problem: &Problem, in_steps: bool) -> Grid {
        let flow = problem.step_time().is_nan() || problem.dimension().is_none();
        if !flow && (in_steps || problem.steps() <= self.points as u64) {
            let steps = problem.steps();
            if steps <= self.points as u64 {
                return Grid::Steps((0..=steps).collect());
            }
            let moments = self.spread(self.first.unwrap_or(1.0).max(1.0), steps as f64);
            let mut whole: Vec<u64> = moments.iter().map(|m| m.round() as u64).collect();
            whole.dedup();
            return Grid::Steps(whole);
        }
        let time = problem.time();
        let by_steps = !flow && matches!(problem.training.duration, Duration::Steps(_));
        let first = self.first.unwrap_or(if by_steps { problem.step_time() } else { 1e-3 * time });
        Grid::Times(self.spread(first, time))
    }

    /// Entries of the [`grid`](Self::grid), for a simulation after it is rounded to whole steps. Beyond 10⁶
    /// points none is formed, and the answer is a bound.
    pub fn entries(&self, problem: &Problem, in_steps: bool, simulates: bool) -> usize {
        let flow = problem.step_time().is_nan() || problem.dimension().is_none();
        let steps = if flow { u64::MAX } else { problem.steps() };
        if steps <= self.points as u64 {
            return steps as usize + 1;
        }
        if self.points > COUNTED {
            return self.points.saturating_add(2);
        }
        let grid = self.grid(problem, in_steps);
        match grid {
            Grid::Times(times) if !simulates => times.len(),
            grid => grid.steps(problem).len(),
        }
    }

    /// 0, then `points` moments from `first` (log) or `last/points` (linear) to `last`.
    fn spread(&self, first: f64, last: f64) -> Vec<f64> {
        let n = self.points.max(1);
        let moment = |i: usize| {
            if i == n {
                return last;
            }
            match self.spacing {
                Spacing::Linear => last * i as f64 / n as f64,
                Spacing::Log if n == 1 => last,
                Spacing::Log => first * (last / first).powf((i - 1) as f64 / (n - 1) as f64),
            }
        };
        let mut moments = vec![0.0];
        for i in 1..=n {
            let m = moment(i);
            if m > moments[moments.len() - 1] && m <= last {
                moments.push(m);
            }
        }
        if moments[moments.len() - 1] < last {
            moments.push(last);
        }
        moments
    }

    /// What is kept of Q at width p.
    pub fn keep_q(&self, p: usize) -> KeepQ {
        self.keep_q.unwrap_or(if p <= 64 { KeepQ::Full } else { KeepQ::Diagonal })
    }
}

impl Grid {
    /// The whole steps a simulation of `problem` records.
    pub fn steps(&self, problem: &Problem) -> Vec<u64> {
        match self {
            Self::Steps(steps) => steps.clone(),
            Self::Times(times) => {
                let last = problem.steps();
                let mut steps: Vec<u64> =
                    times.iter().map(|t| ((t / problem.step_time()).round() as u64).min(last)).collect();
                steps.dedup();
                steps
            }
        }
    }

    /// The times it stands for.
    pub fn times(&self, problem: &Problem) -> Vec<f64> {
        match self {
            Self::Steps(steps) => steps.iter().map(|&nu| nu as f64 * problem.step_time()).collect(),
            Self::Times(times) => times.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::{Activation, Formula};

    fn problem(d: u64, duration: Duration) -> Problem {
        let unit =
            Problem::builder().target(Activation::Erf).network(1, "erf").dimension(d).learning_rate(1.0 / d as f64);
        match duration {
            Duration::Steps(steps) => unit.steps(steps),
            Duration::Time(time) => unit.time(time),
        }
        .build()
        .unwrap()
    }

    fn number(value: f64) -> Formula {
        Formula::number(value)
    }

    #[test]
    fn few_steps_are_all_recorded() {
        let grid = Record::default().grid(&problem(10, Duration::Steps(number(7.0))), false);
        assert_eq!(grid, Grid::Steps((0..=7).collect()));
    }

    #[test]
    fn the_grid_is_fixed_in_time_whatever_the_dimension() {
        let record = Record::default();
        let (small, large) =
            (problem(1000, Duration::Time(number(10.0))), problem(100_000, Duration::Time(number(10.0))));
        let grid = record.grid(&small, false);
        assert_eq!(grid, record.grid(&large, false));
        let Grid::Times(times) = &grid else { panic!("{grid:?}") };
        assert_eq!((times[0], times[1], times.len()), (0.0, 0.01, 201));
        assert_eq!(times[200], 10.0);
        // Whole steps nearest to them: the first is step 10 at d = 1000, 1000 at d = 100 000.
        assert_eq!((grid.steps(&small)[1], grid.steps(&large)[1]), (10, 1000));
        assert_eq!(grid.steps(&small).last(), Some(&10_000));
    }

    #[test]
    fn steps_never_repeat_and_end_at_the_end() {
        let record = Record { points: 50, ..Record::default() };
        for in_steps in [false, true] {
            let problem = problem(100, Duration::Steps(number(1000.0)));
            let steps = record.grid(&problem, in_steps).steps(&problem);
            assert!(steps.windows(2).all(|pair| pair[0] < pair[1]), "{steps:?}");
            assert_eq!((steps[0], steps[1], *steps.last().unwrap()), (0, 1, 1000));
        }
    }
}

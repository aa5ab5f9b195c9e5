//! Lower bounds of the error of a readout: what random features of so many neurons and samples cannot explain, and what
//! they cannot once directions are learnt. (theory.md §8)
//!
//! `n, p = O(d^{D+1−δ})` features of random directions, or samples, explain degree D at most in d dimensions, so that
//!
//! ```text
//! E(f − y)²/2 ≥ ½ Σ_{q>D} ‖C_q‖²/q! + Δ/2                  random features
//! E(f − y)²/2 ≥ ½ Σ_{q>D} E_u ‖T_q(u)‖²/q! + Δ/2           after learning the directions u
//! ```
//!
//! up to terms that vanish with d, O(n/d²) for D = 1. D = 1 is what a linear kernel explains.

use crate::{
    error::Result,
    hierarchy::{Stairs, unexplained},
    problem::{Average, Data, Preprocess, Problem, Readout, Target},
    record::{
        Trajectory,
        observable::{BOUND_LAZY, BOUND_LEARNT},
    },
};

/// δ: how far below the next power of d a number has to stay to count as below it at the sizes that are simulated.
const MARGIN: f64 = 0.5;

/// D for so many neurons and samples in d dimensions: the least with `min(n, p) ≤ d^{D + ½}`, and at least 1.
pub fn degree(width: usize, samples: usize, dimension: u64) -> usize {
    let count = width.min(samples).max(1) as f64;
    let power = count.ln() / (dimension.max(2) as f64).ln();
    // Rounded: d^1.5 is not above itself.
    (power - MARGIN - 1e-9).ceil().max(1.0) as usize
}

/// The largest leap that a batch of n_b samples finds in d dimensions: ℓ with n_b ~ d^ℓ, at least 1.
pub fn leap(batch: usize, dimension: u64) -> usize {
    degree(usize::MAX, batch, dimension)
}

/// The bound for a network that knows `directions` (orthonormal, in `P^{−1/2} z`; none for random features) and explains
/// degree D in the others. With an error, where it is integrated by samples.
///
/// # Errors
/// As for [`unexplained`].
pub fn bound(target: &Target, directions: &[Vec<f64>], degree: usize) -> Result<Average> {
    let rest = unexplained(target, directions, degree)?;
    Ok(Average { value: rest.value + 0.5 * target.noise, ..rest })
}

/// What so many steps can have learnt: the first `steps` of `stairs` that leaps of at most `leap` climb; all of those at
/// once where lower degrees were subtracted from the labels, because then they do not hide the higher ones.
pub fn learnt(stairs: &Stairs, steps: usize, leap: usize, subtracted: bool) -> Vec<Vec<f64>> {
    if steps == 0 {
        return Vec::new();
    }
    let count = if subtracted { stairs.stairs.len() } else { steps };
    let climbed = stairs.stairs.iter().take_while(|stair| stair.leap <= leap).take(count);
    climbed.flat_map(|stair| stair.directions.iter().cloned()).collect()
}

/// The bounds of a readout's record: computed once for all replicates of a view.
#[derive(Debug, Clone, PartialEq)]
pub struct Bounds {
    /// For random features, of each number of samples (N).
    pub lazy: Vec<f64>,
    /// After each step (S·N).
    pub learnt: Vec<f64>,
    /// The largest error of any of them.
    pub error: f64,
}

impl Bounds {
    /// Those of `problem` in d dimensions, with a readout of so many samples after these steps.
    ///
    /// # Errors
    /// As for [`unexplained`].
    pub fn new(problem: &Problem, dimension: u64, samples: &[usize], steps: &[u64]) -> Result<Self> {
        let target = &problem.target;
        let stairs = match problem.training.data {
            Data::Fresh => Stairs::fresh(target)?,
            Data::Reused => Stairs::label_aware(target)?,
        };
        let leap = leap(problem.batch(), dimension);
        let subtracted = problem.training.preprocess != Preprocess::None;
        let degrees: Vec<usize> = samples.iter().map(|n| degree(problem.width(), *n, dimension)).collect();
        let mut error = 0.0_f64;
        let mut known: Vec<((usize, usize), f64)> = Vec::new();
        let mut of = |directions: &[Vec<f64>], degree: usize| -> Result<f64> {
            // The same directions and degree come again and again.
            let key = (directions.len(), degree);
            if let Some((_, bound)) = known.iter().find(|(other, _)| *other == key) {
                return Ok(*bound);
            }
            let found = bound(target, directions, degree)?;
            error = error.max(found.error);
            known.push((key, found.value));
            Ok(found.value)
        };
        let lazy = degrees.iter().map(|degree| of(&[], *degree)).collect::<Result<Vec<f64>>>()?;
        let mut all = Vec::with_capacity(steps.len() * samples.len());
        for step in steps {
            let directions = learnt(&stairs, *step as usize, leap, subtracted);
            for degree in &degrees {
                all.push(of(&directions, *degree)?);
            }
        }
        Ok(Self { lazy, learnt: all, error })
    }

    /// Those of a readout as it is asked for.
    ///
    /// # Errors
    /// As for [`unexplained`], and [`Readout::samples`].
    pub fn of(problem: &Problem, readout: &Readout) -> Result<Self> {
        let dimension = problem.dimension().unwrap_or(u64::MAX);
        Self::new(problem, dimension, &readout.samples(problem.sizes())?, &readout.steps(problem))
    }

    /// Writes them into the record of a run.
    pub fn write(&self, run: &mut Trajectory) {
        run.set(&BOUND_LAZY, self.lazy.clone());
        run.set(&BOUND_LEARNT, self.learnt.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::Rule;

    #[test]
    fn degrees_are_read_off_powers_of_d() {
        let d = 256_u64;
        let power = |x: f64| (d as f64).powf(x).round() as usize;
        assert_eq!(degree(512, power(0.5), d), 1);
        assert_eq!(degree(512, power(2.2), d), 1);
        assert_eq!(degree(power(3.0), power(1.4), d), 1);
        assert_eq!(degree(power(3.0), power(1.5), d), 1);
        assert_eq!(degree(power(3.0), power(1.6), d), 2);
        assert_eq!(degree(power(3.0), power(2.0), d), 2);
        assert_eq!((leap(power(1.0), d), leap(power(2.0), d), leap(1, d)), (1, 2, 1));
    }

    #[test]
    fn steps_learn_stair_by_stair() {
        let target = Target::new(Rule::try_from("z1 + z1*z2 + he2(z3)").unwrap());
        let stairs = Stairs::fresh(&target).unwrap();
        let count = |steps, leap, subtracted| learnt(&stairs, steps, leap, subtracted).len();
        assert_eq!([0, 1, 2, 3].map(|steps| count(steps, 1, false)), [0, 1, 2, 2]);
        assert_eq!([1, 2, 3].map(|steps| count(steps, 2, false)), [1, 2, 3]);
        assert_eq!(count(1, 2, true), 3);
        let mut noisy = target.clone();
        noisy.noise = 0.3;
        // He_2(z1 z2 …): all of degree 2: ½(1 + 2), and Δ/2.
        assert!((bound(&noisy, &[], 1).unwrap().value - 1.65).abs() < 1e-9);
        assert!((bound(&noisy, &learnt(&stairs, 1, 1, false), 1).unwrap().value - 1.15).abs() < 1e-9);
    }
}

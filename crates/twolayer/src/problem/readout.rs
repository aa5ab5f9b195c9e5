//! What is fitted to the features, and when.

use super::{Formula, Problem, ReadoutMoments, Sizes};
use crate::error::{Error, Result};

/// Ridge regression of the second layer, on features that training has made. (theory.md §8)
#[derive(Debug, Clone, PartialEq)]
pub struct Readout {
    /// What it is fitted to.
    pub data: ReadoutData,
    /// λ of `Σ_μ (y_μ − s Σ_j b_j σ(h_jμ))² + λ‖b‖²`, all positive.
    pub ridge: Vec<f64>,
    /// After which steps.
    pub at: ReadoutMoments,
    /// Fresh samples that the error is measured on.
    pub test_samples: usize,
    /// Whether lower bounds are recorded.
    pub bounds: bool,
}

/// The samples of a readout.
#[derive(Debug, Clone, PartialEq)]
pub enum ReadoutData {
    /// So many fresh ones.
    Fresh(Vec<Formula>),
    /// The batch of the step just made.
    Same,
}

impl Default for Readout {
    fn default() -> Self {
        let samples = Formula::parse("4*d", &Default::default()).unwrap_or(Formula::number(f64::NAN));
        Self {
            data: ReadoutData::Fresh(vec![samples]),
            ridge: vec![1e-3],
            at: ReadoutMoments::End,
            test_samples: 10_000,
            bounds: true,
        }
    }
}

impl Readout {
    /// n_2, in the order in which they were written.
    ///
    /// # Errors
    /// [`Error::Invalid`] where a size is none, a ridge is not positive, or a list is empty.
    pub fn samples(&self, sizes: &Sizes) -> Result<Vec<usize>> {
        for ridge in &self.ridge {
            if !(*ridge > 0.0 && ridge.is_finite()) {
                let reason = format!("a ridge is {ridge}");
                return Err(Error::invalid("readout.ridge", reason, "write positive numbers, e.g. 1e-6"));
            }
        }
        if self.ridge.is_empty() {
            return Err(Error::invalid("readout.ridge", "the list is empty", "write at least one number"));
        }
        if self.test_samples < 2 {
            let reason = format!("an error over {} samples has no standard error", self.test_samples);
            return Err(Error::invalid("readout.test_samples", reason, "write at least 2"));
        }
        match &self.data {
            ReadoutData::Fresh(samples) if samples.is_empty() => {
                Err(Error::invalid("readout.samples", "the list is empty", "write at least one size"))
            }
            ReadoutData::Fresh(samples) => {
                samples.iter().map(|n| Ok(n.size("readout.samples", sizes)? as usize)).collect()
            }
            ReadoutData::Same => Ok(vec![sizes.n_b as usize]),
        }
    }

    /// The steps after which it is made.
    pub fn steps(&self, problem: &Problem) -> Vec<u64> {
        let last = problem.steps();
        match self.at {
            ReadoutMoments::End => vec![last],
            ReadoutMoments::EveryStep => (0..=last).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_what_is_none() {
        let sizes = Sizes { d: 100.0, p: 10.0, k: 1.0, n: f64::NAN, n_b: 77.0 };
        let readout = Readout::default();
        assert_eq!(readout.samples(&sizes).unwrap(), [400]);
        assert_eq!(Readout { data: ReadoutData::Same, ..readout.clone() }.samples(&sizes).unwrap(), [77]);
        for (wrong, key) in [
            (Readout { ridge: vec![0.0], ..readout.clone() }, "readout.ridge"),
            (Readout { ridge: vec![], ..readout.clone() }, "readout.ridge"),
            (Readout { test_samples: 1, ..readout.clone() }, "readout.test_samples"),
            (Readout { data: ReadoutData::Fresh(vec![]), ..readout.clone() }, "readout.samples"),
            (Readout { data: ReadoutData::Fresh(vec![Formula::number(-3.0)]), ..readout.clone() }, "readout.samples"),
        ] {
            let Err(Error::Invalid(advice)) = wrong.samples(&sizes) else { panic!("{wrong:?}") };
            assert_eq!(advice.key, key);
        }
    }
}

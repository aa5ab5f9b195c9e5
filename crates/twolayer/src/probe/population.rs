//! The population as a run sees it: overlaps, and the risk that they give.

use super::Moment;
use crate::{
    average::{Averages, Explained, Kernel, Linear, State, Want},
    error::Result,
    overlaps::Overlaps,
    problem::Problem,
    signal::Head,
};

/// Overlaps, and the population risk at them.
pub struct Population<'a> {
    problem: &'a Problem,
    kernel: &'a dyn Kernel,
    /// Where the run is.
    pub state: State,
    averages: Averages,
    /// What was subtracted from the labels last.
    pub linear: Option<Linear>,
    /// What that does to the risk.
    explained: Option<Explained>,
}

impl<'a> Population<'a> {
    /// For runs of `problem`, whose risk is the kernel's.
    pub fn new(problem: &'a Problem, kernel: &'a dyn Kernel) -> Self {
        let (p, k) = (problem.width(), problem.directions());
        let overlaps = Overlaps { teacher_teacher: problem.target.overlaps.clone(), ..Overlaps::zeros(p, k) };
        Self {
            problem,
            kernel,
            state: State { overlaps, second_layer: vec![0.0; p], bias: vec![0.0; p] },
            averages: Averages::zeros(p, k),
            linear: None,
            explained: None,
        }
    }

    /// The last risk computed.
    pub fn risk(&self) -> f64 {
        self.averages.risk
    }

    /// Its numerical error.
    pub fn risk_error(&self) -> f64 {
        self.averages.risk_error
    }

    /// Puts a and b into [`state`](Self::state).
    pub fn set_head(&mut self, head: &Head) {
        self.state.second_layer.copy_from_slice(&head.second_layer);
        if !head.bias.is_empty() {
            self.state.bias.copy_from_slice(&head.bias);
        }
    }

    /// The overlaps in [`state`](Self::state) have one more row, β̂ of a linear part: it becomes [`linear`](Self::linear).
    ///
    /// # Errors
    /// As for [`Explained::new`].
    pub fn split(&mut self, mean: f64) -> Result<()> {
        let explained = known(&mut self.explained, self.problem)?;
        self.linear = Some(explained.split(mean, &mut self.state.overlaps));
        Ok(())
    }

    /// Computes the population risk of the whole prediction at [`state`](Self::state).
    ///
    /// # Errors
    /// [`Error::Numerical`](crate::Error::Numerical) where the kernel fails.
    pub fn evaluate(&mut self) -> Result<f64> {
        self.kernel.averages(&self.state, Want::RISK, &mut self.averages)?;
        if let Some(linear) = &self.linear {
            // The prediction is f + ȳ + ⟨β̂, x⟩.
            let (change, error) = known(&mut self.explained, self.problem)?.change(&self.state, linear);
            self.averages.risk += change;
            self.averages.risk_error += error;
        }
        Ok(self.averages.risk)
    }
}

fn known<'e>(explained: &'e mut Option<Explained>, problem: &Problem) -> Result<&'e mut Explained> {
    match explained {
        Some(explained) => Ok(explained),
        none => Ok(none.insert(Explained::new(problem)?)),
    }
}

/// A moment of a recursion, which knows its overlaps and has no samples.
pub struct Known<'k, 'a> {
    /// With the overlaps of this moment.
    pub population: &'k mut Population<'a>,
    /// a and b.
    pub head: &'k Head,
    /// ν.
    pub step: u64,
    /// Samples seen, each of which gave one gradient.
    pub samples: f64,
}

impl Moment for Known<'_, '_> {
    fn step(&self) -> u64 {
        self.step
    }

    fn samples(&self) -> f64 {
        self.samples
    }

    fn gradients(&self) -> f64 {
        self.samples
    }

    fn head(&self) -> &Head {
        self.head
    }

    fn state(&mut self) -> Result<&State> {
        self.population.set_head(self.head);
        Ok(&self.population.state)
    }

    fn risk(&mut self) -> Result<(f64, f64)> {
        self.population.set_head(self.head);
        let risk = self.population.evaluate()?;
        Ok((risk, self.population.risk_error()))
    }
}

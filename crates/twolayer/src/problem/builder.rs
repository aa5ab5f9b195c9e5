//! A problem said in one breath.

use super::{Activation, Algorithm, Data, Dimension, Duration, Formula, Network, Parts, Problem, Target, Training};
use crate::error::{Error, Result};

/// What is changed beside target, network, dimension and duration.
type Change = Box<dyn FnOnce(&mut Parts)>;

/// What a [`Problem`] will be made of: everything that is not said is as in an experiment file.
///
/// Numbers may be numbers or expressions in d, p, k, n, n_b; the first thing that cannot be is told by [`build`](Self::build).
///
/// ```
/// use twolayer::{Formula, Problem};
///
/// # fn main() -> twolayer::Result<()> {
/// let problem = Problem::builder()
///     .target("z1*z2")
///     .noise(0.01)
///     .network(8, "relu")
///     .dimension(400)
///     .batch("3*d")
///     .learning_rate("p/2")
///     .steps(5)
///     .with(|parts| parts.network.output_scale = Formula::number(0.5))
///     .build()?;
/// assert_eq!((problem.batch(), problem.learning_rate(), problem.output_scale()), (1200, 4.0, 0.5));
/// # Ok(())
/// # }
/// ```
#[must_use]
pub struct Builder {
    target: Option<Target>,
    network: Option<Network>,
    dimension: Option<Dimension>,
    duration: Option<Duration>,
    /// In the order in which they were said, after target and network.
    changes: Vec<Change>,
    /// The first thing that cannot be.
    fault: Option<Error>,
}

impl Problem {
    /// A problem to be described.
    pub fn builder() -> Builder {
        let changes = Vec::new();
        Builder { target: None, network: None, dimension: None, duration: None, changes, fault: None }
    }
}

impl Builder {
    /// What labels the data: an expression in z1, z2, …, a [`Rule`](super::Rule), an activation of z1, or a [`Target`].
    pub fn target<T: TryInto<Target>>(self, target: T) -> Self
    where
        Error: From<T::Error>,
    {
        self.read(target, |all, target| all.target = Some(target))
    }

    /// Δ, the variance of the label noise.
    pub fn noise(self, variance: f64) -> Self {
        self.with(move |parts| parts.target.noise = variance)
    }

    /// p neurons of this activation, a name or an expression in h, with the defaults of [`Network::new`].
    pub fn network<A: TryInto<Activation>>(self, width: usize, activation: A) -> Self
    where
        Error: From<A::Error>,
    {
        self.read(activation, |all, activation| all.network = Some(Network::new(width, activation)))
    }

    /// s, in place of 1/p.
    pub fn output_scale<F: TryInto<Formula>>(self, scale: F) -> Self
    where
        Error: From<F::Error>,
    {
        self.change(scale, |parts, scale| parts.network.output_scale = scale)
    }

    /// d.
    pub fn dimension(self, d: u64) -> Self {
        Self { dimension: Some(Dimension::Finite(d)), ..self }
    }

    /// d = ∞: limits only.
    pub fn infinite(self) -> Self {
        Self { dimension: Some(Dimension::Infinite), ..self }
    }

    /// η.
    pub fn learning_rate<F: TryInto<Formula>>(self, rate: F) -> Self
    where
        Error: From<F::Error>,
    {
        self.change(rate, |parts, rate| parts.training.learning_rate = Some(rate))
    }

    /// Gradient flow in place of SGD: no learning rate, no batch.
    pub fn gradient_flow(self) -> Self {
        self.with(|parts| parts.training.algorithm = Algorithm::GradientFlow)
    }

    /// n_b.
    pub fn batch<F: TryInto<Formula>>(self, batch: F) -> Self
    where
        Error: From<F::Error>,
    {
        self.change(batch, |parts, batch| parts.training.batch = batch)
    }

    /// Steps on n stored samples, all of them at each step unless [`batch`](Self::batch) is said after this.
    pub fn reused<F: TryInto<Formula>>(self, samples: F) -> Self
    where
        Error: From<F::Error>,
    {
        self.change(samples, |parts, samples: Formula| {
            parts.training.data = Data::Reused;
            parts.training.batch = samples.clone();
            parts.training.samples = Some(samples);
        })
    }

    /// Trains until t = νηs.
    pub fn time<F: TryInto<Formula>>(self, time: F) -> Self
    where
        Error: From<F::Error>,
    {
        self.read(time, |all, time| all.duration = Some(Duration::Time(time)))
    }

    /// Trains so many steps.
    pub fn steps<F: TryInto<Formula>>(self, steps: F) -> Self
    where
        Error: From<F::Error>,
    {
        self.read(steps, |all, steps| all.duration = Some(Duration::Steps(steps)))
    }

    /// Any other change.
    pub fn with(mut self, change: impl FnOnce(&mut Parts) + 'static) -> Self {
        self.changes.push(Box::new(change));
        self
    }

    /// The problem, checked.
    ///
    /// # Errors
    /// The first text that is no expression; [`Error::Invalid`] about what is missing, or as for [`Problem::new`].
    pub fn build(self) -> Result<Problem> {
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        let missing = |key: &str, remedy: &str| Error::invalid(key, "nothing is said of it", remedy);
        let target = self.target.ok_or_else(|| missing("target", "call target(…), e.g. target(\"tanh(z1)\")"))?;
        let network = self.network.ok_or_else(|| missing("network", "call network(…), e.g. network(4, \"erf\")"))?;
        let dimension =
            self.dimension.ok_or_else(|| missing("training.dimension", "call dimension(…), or infinite()"))?;
        let duration = self.duration.ok_or_else(|| missing("training.time", "call time(…), or steps(…)"))?;
        let mut training = Training::new(1, Formula::number(1.0), duration);
        (training.dimension, training.learning_rate) = (dimension, None);
        let mut parts = Parts { target, network, training };
        self.changes.into_iter().for_each(|change| change(&mut parts));
        Problem::new(parts.target, parts.network, parts.training)
    }

    /// Reads what may not be readable, and keeps it.
    fn read<T, V: TryInto<T>>(mut self, value: V, keep: impl FnOnce(&mut Self, T)) -> Self
    where
        Error: From<V::Error>,
    {
        match value.try_into() {
            Ok(value) => keep(&mut self, value),
            Err(error) => self.fault = self.fault.or(Some(error.into())),
        }
        self
    }

    /// Reads a number or an expression, for a change.
    fn change<V: TryInto<Formula>>(self, value: V, change: impl FnOnce(&mut Parts, Formula) + 'static) -> Self
    where
        Error: From<V::Error>,
    {
        self.read(value, |all, value| all.changes.push(Box::new(|parts| change(parts, value))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::{ReuseOrder, Rule};

    #[test]
    fn what_is_missing_and_what_is_wrong_is_told() {
        let whole = || {
            let sized = Problem::builder().target("z1*z2").network(4, "erf").dimension(100);
            sized.learning_rate("0.5/d").time(10)
        };
        let problem = whole().build().unwrap();
        assert_eq!((problem.learning_rate(), problem.batch(), problem.directions()), (0.005, 1, 2));
        let parts = Rule::committee(Activation::Erf, 3, 0.5);
        assert_eq!(whole().target(parts).noise(0.1).build().unwrap().target.noise, 0.1);
        // Whatever the order.
        let early = Problem::builder().noise(0.1).output_scale(1).target("z1").network(4, "erf").dimension(9);
        let early = early.learning_rate(0.1).steps(3).build().unwrap();
        assert_eq!((early.target.noise, early.output_scale(), early.steps()), (0.1, 1.0, 3));
        let told = |builder: Builder| builder.build().unwrap_err().to_string();
        assert!(told(Problem::builder().network(1, "erf")).contains("target"));
        assert!(told(Problem::builder().target("z1").network(1, "erf").dimension(10)).contains("time(…)"));
        assert!(told(whole().target("z1 +")).contains("character"));
        assert!(told(whole().network(2, "rleu")).contains("relu"));
        assert!(told(whole().learning_rate(-1.0)).contains("learning_rate"));
    }

    #[test]
    fn stored_samples_are_all_looked_at_unless_a_batch_is_said() {
        let problem = |batch: Option<&str>| {
            let reused = Problem::builder().target("z1").network(2, "relu").dimension(50).learning_rate(0.5);
            let reused = reused.reused("3*d").steps(4);
            let order = if batch.is_some() { ReuseOrder::Cyclic } else { ReuseOrder::Full };
            let reused = reused.with(move |parts| parts.training.reuse_order = order);
            batch.into_iter().fold(reused, Builder::batch)
        };
        let sizes = |problem: Builder| problem.build().map(|problem| (problem.samples(), problem.batch())).unwrap();
        assert_eq!(sizes(problem(None)), (150, 150));
        assert_eq!(sizes(problem(Some("d/2"))), (150, 25));
    }
}

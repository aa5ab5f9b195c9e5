//! Target, network and training: validated, immutable, the only thing an engine accepts.

mod activation;
mod builder;
mod committee;
mod formula;
mod network;
mod phase;
mod readout;
pub mod scaling;
mod schedule;
mod start;
mod target;
mod training;
mod view;
mod words;

pub use activation::{Activation, Average, Custom, HermiteSeries};
pub use builder::Builder;
pub use committee::Committee;
pub use formula::{Formula, Sizes};
pub use network::{Bias, BiasInit, FirstLayer, Init, Network, Placement, SecondLayer};
pub use phase::Phase;
pub use readout::{Readout, ReadoutData};
pub use schedule::{Crossing, CrossingOf, Grid, KeepQ, Record};
pub use start::Start;
pub use target::{Rule, Target};
pub use training::{Dimension, Duration, Training};
pub use view::View;
pub use words::{
    Algorithm, Data, Engine, Geometry, Loss, NamedActivation, Preprocess, ReadoutMoments, ReadoutSource, ReuseOrder,
    Spacing, StartMode, Terms, Word,
};

use std::ops::Deref;

use crate::error::{Error, Result};

/// One experiment, seen by one view: everything an engine needs to know, and nothing else. (theory.md §1)
///
/// Its parts are read as `problem.target`, `problem.network`, `problem.training`; they are checked together, so a change makes
/// another problem: [`Problem::with`].
#[derive(Debug, Clone)]
pub struct Problem {
    parts: Parts,
    sizes: Sizes,
}

/// What a [`Problem`] is made of.
#[derive(Debug, Clone, PartialEq)]
pub struct Parts {
    /// The rule that labels the data.
    pub target: Target,
    /// The network that learns it.
    pub network: Network,
    /// How it is trained.
    pub training: Training,
}

impl Deref for Problem {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.parts
    }
}

/// The sizes follow from the rest, and are NaN where there are none.
impl PartialEq for Problem {
    fn eq(&self, other: &Self) -> bool {
        self.parts == other.parts
    }
}

impl Problem {
    /// Puts the parts together and checks that they make sense together.
    ///
    /// # Errors
    /// [`Error::Invalid`] naming the key, the reason and the remedy.
    pub fn new(target: Target, network: Network, training: Training) -> Result<Self> {
        let (p, k) = (network.width, target.directions());
        let mut sizes = Sizes { d: training.dimension.as_f64(), p: p as f64, k: k as f64, n: f64::NAN, n_b: f64::NAN };
        if p == 0 {
            return Err(Error::invalid("network.width", "a network needs at least one neuron", "write a width ≥ 1"));
        }
        if sizes.d < k as f64 {
            let reason = format!("d = {} cannot hold k = {k} target directions", sizes.d);
            return Err(Error::invalid("training.dimension", reason, "raise the dimension to at least k"));
        }
        target.validate()?;
        network.validate(&sizes)?;
        // At d = ∞ they may grow with d.
        let infinite = training.dimension == Dimension::Infinite;
        let size = |formula: &Formula, key: &str, sizes: &Sizes| match formula.value(sizes) {
            value if infinite && value == f64::INFINITY => Ok(value),
            _ => formula.size(key, sizes),
        };
        if let Some(samples) = &training.samples {
            sizes.n = size(samples, "training.samples", &sizes)?;
        }
        if training.algorithm == Algorithm::Sgd {
            sizes.n_b = size(&training.batch, "training.batch", &sizes)?;
        }
        training.validate(&sizes)?;
        if training.geometry != Geometry::Free && network.has_zero_rows(&sizes) {
            let reason = format!(
                "rows of length 0 have no direction, and geometry = \"{}\" needs one",
                training.geometry.name()
            );
            return Err(Error::invalid(
                "network.first_layer",
                reason,
                "start from rows of positive length, or write geometry = \"free\"",
            ));
        }
        Ok(Self { parts: Parts { target, network, training }, sizes })
    }

    /// The problem after a change of its parts, checked anew.
    ///
    /// # Errors
    /// As for [`Problem::new`].
    pub fn with(&self, change: impl FnOnce(&mut Parts)) -> Result<Self> {
        let mut parts = self.parts.clone();
        change(&mut parts);
        Self::new(parts.target, parts.network, parts.training)
    }

    /// d, p, k, n, n_b as numbers, at this problem's own dimension.
    pub fn sizes(&self) -> &Sizes {
        &self.sizes
    }

    /// The sizes at another dimension: what n and n_b become when d changes, and p where the width depends on d.
    pub fn sizes_at(&self, d: f64) -> Sizes {
        let mut sizes = Sizes { d, n: f64::NAN, n_b: f64::NAN, ..self.sizes };
        if let Some(growth) = &self.network.growth {
            sizes.p = growth.value(&Sizes { p: f64::NAN, ..sizes });
        }
        if let Some(samples) = &self.training.samples {
            sizes.n = samples.value(&sizes);
        }
        if self.training.algorithm == Algorithm::Sgd {
            sizes.n_b = self.training.batch.value(&sizes);
        }
        sizes
    }

    /// p.
    pub fn width(&self) -> usize {
        self.network.width
    }

    /// k.
    pub fn directions(&self) -> usize {
        self.target.directions()
    }

    /// d; `None` when it is infinite.
    pub fn dimension(&self) -> Option<u64> {
        match self.training.dimension {
            Dimension::Finite(d) => Some(d),
            Dimension::Infinite => None,
        }
    }

    /// n_b (1 for a gradient flow, which has no batch).
    pub fn batch(&self) -> usize {
        if self.sizes.n_b.is_nan() { 1 } else { self.sizes.n_b as usize }
    }

    /// n, the size of the stored data set; 0 where data is fresh.
    pub fn samples(&self) -> usize {
        if self.training.data == Data::Reused { self.sizes.n as usize } else { 0 }
    }

    /// Whether n is of any consequence: the data set is stored, or an expression asks for its size.
    pub fn depends_on_samples(&self) -> bool {
        let (training, network) = (&self.training, &self.network);
        let (Duration::Steps(duration) | Duration::Time(duration)) = &training.duration;
        let mut formulas = vec![&training.batch, &training.displacement, duration, &network.output_scale];
        formulas.push(&network.second_layer.rate_ratio);
        formulas.extend(&training.learning_rate);
        let asks = |formula: &&Formula| {
            let value = |n: f64| formula.value(&Sizes { n, ..self.sizes });
            value(f64::NAN).is_nan() && !value(self.sizes.n).is_nan()
        };
        training.data == Data::Reused || formulas.iter().any(asks)
    }

    /// ρ.
    pub fn displacement(&self) -> f64 {
        self.training.displacement.value(&self.sizes)
    }

    /// Whether a batch is looked at more than once before the next one comes.
    pub fn keeps_batches(&self) -> bool {
        self.training.repeats > 1 || self.displacement() != 0.0 || self.training.preprocess.is_linear()
    }

    /// s.
    pub fn output_scale(&self) -> f64 {
        self.network.output_scale.value(&self.sizes)
    }

    /// η; NaN for a gradient flow or an infinite dimension.
    pub fn learning_rate(&self) -> f64 {
        self.training.learning_rate.as_ref().map_or(f64::NAN, |rate| rate.value(&self.sizes))
    }

    /// η_a/η.
    pub fn rate_ratio(&self) -> f64 {
        self.network.second_layer.rate_ratio.value(&self.sizes)
    }

    /// ηs: how much time one step takes.
    pub fn step_time(&self) -> f64 {
        self.learning_rate() * self.output_scale()
    }

    /// Steps in all: as asked for, or the whole number nearest to time/(ηs). At least 1.
    pub fn steps(&self) -> u64 {
        match &self.training.duration {
            Duration::Steps(steps) => steps.value(&self.sizes).round().max(1.0) as u64,
            Duration::Time(time) => (time.value(&self.sizes) / self.step_time()).round().max(1.0) as u64,
        }
    }

    /// Time in all: as asked for, or steps·ηs.
    pub fn time(&self) -> f64 {
        match &self.training.duration {
            Duration::Steps(steps) => steps.value(&self.sizes) * self.step_time(),
            Duration::Time(time) => time.value(&self.sizes),
        }
    }
}

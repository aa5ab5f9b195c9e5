//! How the network is trained.

use crate::{
    error::{Error, Result},
    problem::{Algorithm, Data, Formula, Geometry, Loss, Preprocess, ReuseOrder, Sizes},
};

/// The protocol.
#[derive(Debug, Clone, PartialEq)]
pub struct Training {
    /// Stochastic gradient descent, or its flow.
    pub algorithm: Algorithm,
    /// d.
    pub dimension: Dimension,
    /// Where the samples come from.
    pub data: Data,
    /// n, of a fixed data set.
    pub samples: Option<Formula>,
    /// n_b.
    pub batch: Formula,
    /// η; absent for a gradient flow.
    pub learning_rate: Option<Formula>,
    /// How long.
    pub duration: Duration,
    /// What is minimised.
    pub loss: Loss,
    /// λ_w.
    pub weight_decay: f64,
    /// What keeps the rows on their sphere, if anything.
    pub geometry: Geometry,
    /// How batches are drawn from a fixed data set.
    pub reuse_order: ReuseOrder,
    /// How often in a row each fresh batch is used.
    pub repeats: u64,
    /// ρ: the gradient is taken at `W − ρ∇` on the same samples.
    pub displacement: Formula,
    /// What is subtracted from the labels of each batch.
    pub preprocess: Preprocess,
}

/// d.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dimension {
    /// A number.
    Finite(u64),
    /// Limit views only.
    Infinite,
}

impl Dimension {
    /// As a number, infinite where it is.
    pub fn as_f64(self) -> f64 {
        match self {
            Self::Finite(d) => d as f64,
            Self::Infinite => f64::INFINITY,
        }
    }
}

/// How long to train.
#[derive(Debug, Clone, PartialEq)]
pub enum Duration {
    /// Whole steps.
    Steps(Formula),
    /// t = νηs.
    Time(Formula),
}

impl Training {
    /// One-pass SGD with batch 1, the squared loss and no weight decay.
    pub fn new(dimension: u64, learning_rate: Formula, duration: Duration) -> Self {
        Self {
            algorithm: Algorithm::Sgd,
            dimension: Dimension::Finite(dimension),
            data: Data::Fresh,
            samples: None,
            batch: Formula::number(1.0),
            learning_rate: Some(learning_rate),
            duration,
            loss: Loss::Squared,
            weight_decay: 0.0,
            geometry: Geometry::Free,
            reuse_order: ReuseOrder::Full,
            repeats: 1,
            displacement: Formula::number(0.0),
            preprocess: Preprocess::None,
        }
    }

    pub(super) fn validate(&self, sizes: &Sizes) -> Result<()> {
        if let Dimension::Finite(d) = self.dimension
            && d == 0
        {
            return Err(Error::invalid("training.dimension", "d = 0", "write a dimension ≥ 1"));
        }
        match (&self.duration, self.dimension) {
            (Duration::Time(time), _) => positive("training.time", time, sizes)?,
            (Duration::Steps(steps), Dimension::Finite(_)) => positive("training.steps", steps, sizes)?,
            (Duration::Steps(_), Dimension::Infinite) => {}
        }
        if !(self.weight_decay >= 0.0 && self.weight_decay.is_finite()) {
            let reason = format!("the weight decay is {}", self.weight_decay);
            return Err(Error::invalid("training.weight_decay", reason, "write a number ≥ 0"));
        }
        if self.preprocess != Preprocess::None && self.algorithm == Algorithm::GradientFlow {
            let reason = "a gradient flow has no batch on which to estimate what is subtracted from the labels";
            return Err(Error::invalid("training.preprocess", reason, "write preprocess = \"none\""));
        }
        self.validate_data(sizes)?;
        match (self.algorithm, &self.learning_rate, self.dimension) {
            (Algorithm::Sgd, None, _) => {
                let remedy = "write one, e.g. \"0.5/d\", or algorithm = \"gradient-flow\"";
                Err(Error::invalid("training.learning_rate", "sgd needs a learning rate", remedy))
            }
            (Algorithm::Sgd, Some(rate), Dimension::Finite(_)) => positive("training.learning_rate", rate, sizes),
            (Algorithm::Sgd, Some(_), Dimension::Infinite) => Ok(()),
            (Algorithm::GradientFlow, Some(_), _) => {
                let remedy = "remove learning_rate and batch, or use algorithm = \"sgd\"";
                Err(Error::invalid("training.learning_rate", "a gradient flow has no learning rate", remedy))
            }
            (Algorithm::GradientFlow, None, _) => Ok(()),
        }
    }
}

impl Training {
    /// Data set, batches and looks at them fit together.
    fn validate_data(&self, sizes: &Sizes) -> Result<()> {
        let finite = matches!(self.dimension, Dimension::Finite(_));
        if finite {
            self.displacement.finite("training.displacement", sizes)?;
        }
        if self.repeats == 0 {
            return Err(Error::invalid("training.repeats", "0 repeats", "write a whole number ≥ 1"));
        }
        let displaced = !self.displacement.is_number() || self.displacement.value(sizes) != 0.0;
        if self.algorithm == Algorithm::GradientFlow && (self.repeats > 1 || displaced || self.data == Data::Reused) {
            let reason = "a gradient flow looks at no samples: it has no repeats, no displacement, no data to reuse";
            return Err(Error::invalid("training.algorithm", reason, "use algorithm = \"sgd\""));
        }
        if self.data == Data::Fresh {
            return Ok(());
        }
        if self.samples.is_none() {
            let remedy = "write the size of the data set, e.g. samples = \"3*d\"";
            return Err(Error::invalid("training.samples", "data = \"reused\" needs a data set", remedy));
        }
        if self.repeats > 1 {
            let remedy = "write repeats = 1, or data = \"fresh\"";
            return Err(Error::invalid("training.repeats", "repeats are for fresh batches", remedy));
        }
        let (n, n_b) = (sizes.n, sizes.n_b);
        if n_b > n {
            let reason = format!("a batch of {n_b} does not fit in n = {n} samples");
            return Err(Error::invalid("training.batch", reason, "write batch = \"n\", or less"));
        }
        match self.reuse_order {
            ReuseOrder::Full if finite && n_b != n => {
                let reason = format!("reuse_order = \"full\" looks at all n = {n} samples, the batch is {n_b}");
                let remedy = "write batch = \"n\", or reuse_order = \"cyclic\" or \"with-replacement\"";
                Err(Error::invalid("training.batch", reason, remedy))
            }
            ReuseOrder::Cyclic if finite && n % n_b != 0.0 => {
                let reason = format!("batches of {n_b} do not divide n = {n} samples, and cyclic batches must");
                Err(Error::invalid("training.batch", reason, "choose a batch that divides n"))
            }
            _ => Ok(()),
        }
    }
}

fn positive(key: &str, formula: &Formula, sizes: &Sizes) -> Result<()> {
    let value = formula.finite(key, sizes)?;
    if value > 0.0 {
        return Ok(());
    }
    Err(Error::invalid(key, format!("{} is {value}", formula.named(key)), "write a positive number or expression"))
}

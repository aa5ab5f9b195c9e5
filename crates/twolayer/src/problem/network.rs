//! The network and where it starts.

use faer::Mat;

use crate::{
    error::{Error, Result},
    problem::{Activation, Formula, Sizes, StartMode},
};

/// `f(x) = s Σ_j a_j σ(⟨w_j, x⟩ + b_j)`.
#[derive(Debug, Clone, PartialEq)]
pub struct Network {
    /// p.
    pub width: usize,
    /// p as a function of d, where it is one.
    pub growth: Option<Formula>,
    /// σ.
    pub activation: Activation,
    /// s; 1/p unless said otherwise.
    pub output_scale: Formula,
    /// Where the w_j start.
    pub first_layer: FirstLayer,
    /// Where the a_j start, and whether they move.
    pub second_layer: SecondLayer,
    /// Where the b_j start, and whether they move; `None`: no biases.
    pub bias: Option<Bias>,
    /// One draw for all, or one for each replicate.
    pub start: StartMode,
    /// Seed of the shared draw.
    pub start_seed: u64,
    /// Dimension in which the shared start is drawn; the experiment's own unless given.
    pub start_dimension: Option<u64>,
}

/// Where the rows w_j start.
#[derive(Debug, Clone, PartialEq)]
pub struct FirstLayer {
    /// The law.
    pub placement: Placement,
    /// Multiplies every w_j.
    pub scale: Formula,
    /// Paired neurons: `w_{j+p/2} = w_j`, `a_{j+p/2} = −a_j`, so that f ≡ 0 at the start.
    pub symmetric: bool,
}

/// The law of the first layer.
#[derive(Debug, Clone, PartialEq)]
pub enum Placement {
    /// Rows N(0, I/d).
    Gaussian,
    /// Unit rows, uniform on the sphere.
    Sphere,
    /// Unit rows, mutually orthogonal and orthogonal to the target.
    Orthonormal,
    /// M and Q as given.
    Overlaps {
        /// M, p×k.
        student_teacher: Mat<f64>,
        /// Q, p×p.
        student_student: Mat<f64>,
    },
}

/// Where the a_j start, and whether they move.
#[derive(Debug, Clone, PartialEq)]
pub struct SecondLayer {
    /// The law.
    pub init: Init,
    /// Multiplies every a_j.
    pub scale: Formula,
    /// Whether it is trained.
    pub train: bool,
    /// η_a/η.
    pub rate_ratio: Formula,
}

/// The law of the second layer.
#[derive(Debug, Clone, PartialEq)]
pub enum Init {
    /// 1.
    Ones,
    /// + − + −…
    Alternating,
    /// ±1 with equal chance.
    Signs,
    /// N(0, 1).
    Gaussian,
    /// Uniform on [−1, 1].
    Uniform,
    /// `a_i = −1 + (2i+1)/p`.
    Grid,
    /// Quadrature nodes of the uniform law on [−1, 1], clustered at ±1, each with its weight: for the limit of many
    /// neurons only, where few nodes stand for all.
    Nodes,
    /// As given.
    Values(Vec<f64>),
}

/// Where the b_j start, and whether they move.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bias {
    /// The law.
    pub init: BiasInit,
    /// Whether they are trained, at the rate η of the first layer.
    pub train: bool,
}

/// The law of the biases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BiasInit {
    /// 0.
    Zero,
    /// N(0, 1).
    Gaussian,
    /// Uniform on [−1, 1].
    Uniform,
}

impl Network {
    /// A network of `width` neurons with the defaults of the experiment file: s = 1/p, unit rows on the sphere,
    /// a = 1 fixed, a shared start.
    pub fn new(width: usize, activation: Activation) -> Self {
        Self {
            width,
            growth: None,
            activation,
            output_scale: Formula::number(1.0 / width as f64),
            first_layer: FirstLayer { placement: Placement::Sphere, scale: Formula::number(1.0), symmetric: false },
            second_layer: SecondLayer {
                init: Init::Ones,
                scale: Formula::number(1.0),
                train: false,
                rate_ratio: Formula::number(1.0),
            },
            bias: None,
            start: StartMode::Shared,
            start_seed: 0,
            start_dimension: None,
        }
    }

    /// Whether a neuron starts at w_j = 0.
    pub(super) fn has_zero_rows(&self, sizes: &Sizes) -> bool {
        let given = match &self.first_layer.placement {
            Placement::Overlaps { student_student: q, .. } => (0..q.nrows()).any(|j| q[(j, j)] == 0.0),
            Placement::Gaussian | Placement::Sphere | Placement::Orthonormal => false,
        };
        given || self.first_layer.scale.value(sizes) == 0.0
    }

    /// The largest variance of a field at the start, in the mean of its law: max_j Q_jj.
    fn largest_square(&self, sizes: &Sizes) -> f64 {
        let given = match &self.first_layer.placement {
            Placement::Overlaps { student_student: q, .. } => (0..q.nrows()).map(|j| q[(j, j)]).fold(0.0, f64::max),
            Placement::Gaussian | Placement::Sphere | Placement::Orthonormal => 1.0,
        };
        given * self.first_layer.scale.value(sizes).powi(2)
    }

    /// Standard deviation of the biases at the start, or more.
    pub(crate) fn spread_of_biases(&self) -> f64 {
        match self.bias.map(|bias| bias.init) {
            None | Some(BiasInit::Zero) => 0.0,
            Some(BiasInit::Gaussian | BiasInit::Uniform) => 1.0,
        }
    }

    /// That σ is a function of the preactivations at the start.
    pub(super) fn validate_activation(&self, sizes: &Sizes) -> Result<()> {
        match self.activation.no_function(self.largest_square(sizes), self.spread_of_biases()) {
            Some(why) => {
                let reason = format!("σ(h) = {} is no activation here: {}", self.activation.formula(), why.reason);
                Err(Error::invalid("network.activation", reason, why.remedy))
            }
            None => Ok(()),
        }
    }

    pub(super) fn validate(&self, sizes: &Sizes) -> Result<()> {
        let p = self.width;
        let scale = self.output_scale.finite("network.output_scale", sizes)?;
        if scale <= 0.0 {
            let reason = format!("the output scale is {scale}");
            return Err(Error::invalid("network.output_scale", reason, "write a positive number; signs belong to a_j"));
        }
        if let Some(d) = self.start_dimension
            && (d as f64) < sizes.k
        {
            let reason = format!("a start drawn in {d} dimensions cannot hold k = {} target directions", sizes.k);
            return Err(Error::invalid("network.start_dimension", reason, "raise it to at least k"));
        }
        self.first_layer.scale.finite("network.first_layer", sizes)?;
        self.second_layer.scale.finite("network.second_layer", sizes)?;
        self.second_layer.rate_ratio.finite("network.second_layer", sizes)?;
        if let Init::Values(values) = &self.second_layer.init
            && (values.len() != p || values.iter().any(|a| !a.is_finite()))
        {
            let reason = format!("{} values for p = {p} neurons", values.len());
            return Err(Error::invalid("network.second_layer", reason, "give one finite number per neuron"));
        }
        if self.first_layer.symmetric && p % 2 == 1 {
            let reason = format!("paired neurons need an even width, p = {p}");
            return Err(Error::invalid("network.first_layer", reason, "make the width even, or drop `symmetric`"));
        }
        if self.first_layer.symmetric && matches!(self.first_layer.placement, Placement::Overlaps { .. }) {
            let reason = "symmetric and overlaps exclude each other";
            let remedy = "remove symmetric: M and Q say where every neuron starts";
            return Err(Error::invalid("network.first_layer", reason, remedy));
        }
        if self.first_layer.symmetric
            && let Init::Values(values) = &self.second_layer.init
            && let Some(j) = (0..p / 2).find(|j| values[j + p / 2] != -values[*j])
        {
            let (first, second) = (values[j], values[j + p / 2]);
            let reason = format!("neurons {} and {} are a pair, with a = {first} and {second}", j + 1, j + p / 2 + 1);
            let remedy = "symmetric needs a_{j+p/2} = −a_j: change the values, or drop `symmetric`";
            return Err(Error::invalid("network.second_layer", reason, remedy));
        }
        Ok(())
    }
}

//! What a target hides: information exponent, leap complexity, generative exponent, and the stairs between. (theory.md §7)
//!
//! With U the subspace already known, u and v the coordinates in it and in its complement, a direction is found at leap ℓ
//! by the first Hermite tensor in v that does not vanish:
//!
//! ```text
//! fresh         T_ℓ(u)    = E[g He_ℓ(v) | u]       S_ℓ = E_u mat T_ℓ mat T_ℓᵀ
//! label-aware   G_ℓ(y, u) = E[He_ℓ(v) | y, u]      S̃_ℓ = E mat G_ℓ mat G_ℓᵀ
//! ```
//!
//! New directions are the range of S_ℓ. Zero or not is decided against the error of the estimate, with a margin on both
//! sides; in between the answer is [`End::Undecided`].

mod climb;
mod decisive;
mod function;
mod grid;
mod indices;
mod moment;
mod relevant;
mod sample;
mod series;
mod sight;
mod subspace;
mod symmetry;
mod unexplained;
mod visible;

use faer::Mat;

use crate::{
    error::{Error, Result},
    problem::{Activation, Target},
};
use climb::{Hints, climb};
use function::Function;
use sample::Labels;

pub use moment::{finite, infinite_variance};
pub use sight::{Preactivation, Sight};
pub use symmetry::Reflection;
pub use unexplained::{mean, unexplained};
pub use visible::Blind;

/// The highest leap that is looked for.
pub const HIGHEST: usize = 8;
/// The most directions of a target.
pub const MOST_DIRECTIONS: usize = 6;

/// What a target hides.
#[derive(Debug, Clone)]
pub struct Analysis {
    /// k.
    pub directions: usize,
    /// Directions that g depends on, as unit vectors in `x = P^{−1/2} z` (which is z for P = I).
    pub relevant: Vec<Vec<f64>>,
    /// The stairs that the mean of the label climbs: fresh batches.
    pub fresh: Stairs,
    /// The stairs that the law of the label climbs: reused batches.
    pub label_aware: Stairs,
    /// The fresh stairs of what a network sees, where an activation was given.
    pub visible: Option<Visible>,
    /// Directions that no finite number of steps on a reused batch of n = O(d) finds.
    pub hard: Vec<Vec<f64>>,
    /// Reflections that leave g unchanged and turn hard directions round.
    pub reflections: Vec<Reflection>,
}

/// The fresh stairs of the part of a target that a network sees at its start.
#[derive(Debug, Clone)]
pub struct Visible {
    /// The name of its activation.
    pub activation: String,
    /// Whether neurons start with biases: they were taken into account.
    pub biased: bool,
    /// Degrees at which the target has a component and no neuron has one.
    pub blind: Vec<Blind>,
    /// The stairs.
    pub stairs: Stairs,
}

/// Stairs from nothing known upwards.
#[derive(Debug, Clone)]
pub struct Stairs {
    /// In the order in which they are climbed.
    pub stairs: Vec<Stair>,
    /// How they end.
    pub end: End,
}

/// One stair: the directions found together.
#[derive(Debug, Clone)]
pub struct Stair {
    /// ℓ.
    pub leap: usize,
    /// An orthonormal basis of the new directions, as unit vectors in `x = P^{−1/2} z`.
    pub directions: Vec<Vec<f64>>,
    /// Norm of the decisive coefficient: on fresh stairs ‖E[g He_j(u) ⊗ He_ℓ(v)]‖ for the lowest degree j at which it does
    /// not vanish, `‖C_ℓ‖` on the first; on label-aware stairs √tr S̃_ℓ.
    pub size: f64,
    /// Of `size`.
    pub error: f64,
    /// j; `None` on label-aware stairs, and where no j was found (then `size` is √tr S_ℓ).
    pub known_degree: Option<usize>,
    /// What could hide in a tensor of lower degree that was found to vanish: √(tr S_q/q!) in units of the label's standard
    /// deviation given u (label-aware: of 1). 0 where there is no lower degree.
    pub zero_within: f64,
    /// The angle, in radians, by which the errors of this stair and of those below it may have turned its directions.
    pub turned_by: f64,
    /// How it was computed.
    pub method: Method,
}

/// How a stair was computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Tensor quadrature.
    Quadrature {
        /// Nodes.
        nodes: usize,
    },
    /// Scrambled Sobol samples.
    Samples {
        /// In all replicates.
        samples: usize,
    },
}

/// How stairs end.
#[derive(Debug, Clone)]
pub enum End {
    /// Every direction that g depends on is found.
    Complete,
    /// No tensor of degree up to [`HIGHEST`] finds what is left.
    NeverFound,
    /// The next stair is not decided.
    Undecided(Undecided),
}

/// A tensor that is neither zero nor non-zero at the accuracy reached.
#[derive(Debug, Clone, PartialEq)]
pub struct Undecided {
    /// Number of the stair, from 1.
    pub stair: usize,
    /// ℓ.
    pub degree: usize,
    /// √(λ/ℓ!) of the eigenvalue in question, in the units of [`Stair::zero_within`].
    pub size: f64,
    /// Sizes that would have been called zero.
    pub zero_below: f64,
    /// Sizes that would have been called non-zero.
    pub nonzero_above: f64,
    /// How it was computed.
    pub method: Method,
}

impl Stairs {
    /// The first leap: information or generative exponent; `None` where nothing is found or it is undecided.
    pub fn exponent(&self) -> Option<usize> {
        self.stairs.first().map(|stair| stair.leap)
    }

    /// The largest leap on the way, the leap complexity; `None` where the stairs do not reach every direction.
    pub fn leap_complexity(&self) -> Option<usize> {
        match self.end {
            End::Complete => self.stairs.iter().map(|stair| stair.leap).max(),
            End::NeverFound | End::Undecided(_) => None,
        }
    }

    /// Directions reached by leaps of at most `leap`.
    pub fn reached(&self, leap: usize) -> Vec<Vec<f64>> {
        let stairs = self.stairs.iter().take_while(|stair| stair.leap <= leap);
        stairs.flat_map(|stair| stair.directions.iter().cloned()).collect()
    }

    /// What is not decided, if anything.
    pub fn undecided(&self) -> Option<&Undecided> {
        match &self.end {
            End::Undecided(undecided) => Some(undecided),
            End::Complete | End::NeverFound => None,
        }
    }
}

/// The orthonormal Hermite coefficients `E[g Π_r h_{m_r}(z_r)]` of a target with P = I, up to total degree `degree`, with
/// their multi-indices m; those that are zero within their error are left out.
///
/// # Errors
/// [`Error::Invalid`] where g is constant or not finite.
pub fn hermite_series(target: &Target, degree: usize) -> Result<Vec<(Vec<u8>, f64)>> {
    validate(target)?;
    let (function, scale) = Function::normalised(target)?;
    let expansion = decisive::expand(&function, degree)?;
    Ok(expansion.series.terms().iter().map(|(index, a)| (index.clone(), scale * a)).collect())
}

impl Analysis {
    /// Analyses a target of at most [`MOST_DIRECTIONS`] directions; with an activation also what it can see, at
    /// norm 1 and without biases. Takes milliseconds for smooth targets of few directions, seconds for kinks in many.
    ///
    /// # Errors
    /// [`Error::Invalid`] where g is constant, not finite, or where the noise is negative; [`Error::Refused`] where there
    /// are too many directions.
    pub fn of(target: &Target, activation: Option<&Activation>) -> Result<Self> {
        Self::through(target, activation.map(Sight::of).as_ref())
    }

    /// As [`Analysis::of`], with what a network sees at the norms and biases of its neurons.
    ///
    /// # Errors
    /// As [`Analysis::of`].
    pub fn through(target: &Target, sight: Option<&Sight>) -> Result<Self> {
        validate(target)?;
        let (whole, scale) = Function::normalised(target)?;
        let Prepared { basis, function, hints, reflections } = Prepared::of(&whole)?;
        let place = |stairs: Stairs| stairs.placed(&basis);
        let fresh = climb(&function, Labels::Value, &hints, 0.0)?;
        let label_aware = climb(&function, law(target, scale), &hints, 0.0)?;
        let visible = sight.map(|sight| visible::visible(&function, sight, &fresh)).transpose()?;
        let label_aware = place(label_aware);
        let (hard, reflections) = symmetry::hard(&whole, &basis, &label_aware, &reflections);
        Ok(Self {
            directions: target.directions(),
            relevant: vectors(&basis),
            fresh: place(fresh.times(scale)),
            label_aware,
            visible: visible.map(|visible| Visible { stairs: place(visible.stairs.times(scale)), ..visible }),
            hard,
            reflections,
        })
    }
}

/// The law of the label over `scale`.
fn law(target: &Target, scale: f64) -> Labels {
    Labels::Law { noise: (target.noise / scale / scale).min(f64::MAX) }
}

fn validate(target: &Target) -> Result<()> {
    let k = target.directions();
    if k > MOST_DIRECTIONS {
        return Err(Error::refused(
            "target.expression",
            format!("the target has k = {k} directions, and at most {MOST_DIRECTIONS} are analysed"),
            "number its directions z1, z2, … without gaps, or analyse its parts",
        ));
    }
    if !(target.noise >= 0.0 && target.noise.is_finite()) {
        let reason = format!("the variance of the label noise is {}", target.noise);
        return Err(Error::invalid("target.noise", reason, "write a number ≥ 0"));
    }
    Ok(())
}

/// What every climb starts from.
struct Prepared<'a> {
    /// The directions that g depends on.
    basis: Mat<f64>,
    /// g along them.
    function: Function<'a>,
    hints: Hints,
    reflections: Vec<Reflection>,
}

impl<'a> Prepared<'a> {
    fn of(whole: &Function<'a>) -> Result<Self> {
        let basis = relevant::basis(whole)?;
        let mut function = whole.along(&basis);
        function.smooth = grid::is_smooth(&function);
        let reflections = symmetry::reflections(whole, &basis);
        let mirrors = reflections.iter().map(|reflection| reflection.within(&basis)).collect();
        let hints = Hints { mirrors, sloped: relevant::sloped(&function)? };
        Ok(Self { basis, function, hints, reflections })
    }
}

impl Stairs {
    /// The fresh stairs alone: what the mean of the label climbs. Label noise does not change them.
    ///
    /// # Errors
    /// As [`Analysis::of`].
    pub fn fresh(target: &Target) -> Result<Self> {
        validate(target)?;
        let (whole, scale) = Function::normalised(target)?;
        let Prepared { basis, function, hints, .. } = Prepared::of(&whole)?;
        Ok(climb(&function, Labels::Value, &hints, 0.0)?.times(scale).placed(&basis))
    }

    /// The label-aware stairs alone: what the law of the label climbs, its noise included.
    ///
    /// # Errors
    /// As [`Analysis::of`].
    pub fn label_aware(target: &Target) -> Result<Self> {
        validate(target)?;
        let (whole, scale) = Function::normalised(target)?;
        let Prepared { basis, function, hints, .. } = Prepared::of(&whole)?;
        Ok(climb(&function, law(target, scale), &hints, 0.0)?.placed(&basis))
    }

    /// With directions in the coordinates in which the columns of `basis` are given; those that are an axis within their error
    /// are that axis.
    fn placed(mut self, basis: &Mat<f64>) -> Self {
        for stair in &mut self.stairs {
            let found = matrix(&stair.directions, basis.ncols());
            let near = subspace::nearest_to_axes(&(basis * found));
            stair.directions = vectors(&subspace::on_axes(near, stair.turned_by));
        }
        self
    }

    /// Of a label that is `scale` times as large: fresh stairs.
    fn times(mut self, scale: f64) -> Self {
        for stair in &mut self.stairs {
            stair.size *= scale;
            stair.error *= scale;
        }
        self
    }
}

/// Columns as vectors.
fn vectors(matrix: &Mat<f64>) -> Vec<Vec<f64>> {
    (0..matrix.ncols()).map(|j| (0..matrix.nrows()).map(|i| matrix[(i, j)]).collect()).collect()
}

/// Vectors of length `rows` as columns.
fn matrix(vectors: &[Vec<f64>], rows: usize) -> Mat<f64> {
    Mat::from_fn(rows, vectors.len(), |i, j| vectors[j][i])
}

/// A tensor S_ℓ/ℓ! and what may be said of it.
struct Spectrum {
    /// Eigenvalues, largest first.
    values: Vec<f64>,
    /// Their eigenvectors, in the basis of the complement.
    vectors: Mat<f64>,
    /// At or below: zero.
    zero_below: Vec<f64>,
    /// Above: not zero.
    nonzero_above: Vec<f64>,
    /// √(tr S_ℓ/ℓ!).
    size: f64,
    /// Its error.
    size_error: f64,
    /// √ of what could hide in a zero, in units of the variance.
    resolution: f64,
    /// The resolution that a zero needs.
    required: f64,
    /// Matrices whose squares add up to the square of the error of S_ℓ/ℓ!.
    deviations: Vec<Mat<f64>>,
    /// Units of the eigenvalues: the variance.
    scale: f64,
    method: Method,
}

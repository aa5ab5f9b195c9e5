//! The Gaussian kernel of theory.md §2: the averages over one fresh sample from which every fresh-data limit is built.

mod erf;
mod label;
mod sampled;
mod smoothed;

pub use erf::ErfKernel;
pub use sampled::SampledKernel;
pub use smoothed::SmoothedKernel;

use faer::Mat;

use crate::{error::Result, overlaps::Overlaps, problem::Problem};

/// What the population averages depend on: overlaps, second layer, biases.
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    /// M, Q, P.
    pub overlaps: Overlaps,
    /// a (p).
    pub second_layer: Vec<f64>,
    /// b (p).
    pub bias: Vec<f64>,
}

/// Which averages are asked for, so that nobody pays the p⁴ of [`Moments::noise`] for a risk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Want {
    /// R.
    pub risk: bool,
    /// D, A and E\[g_j\].
    pub drift: bool,
    /// N.
    pub noise: bool,
    /// Only the label-noise part of N, `Δ s² a_j a_l E[σ'_jσ'_l]`; in [`Moments::noise`], instead of all of N.
    pub label_noise: bool,
    /// `E[g gᵀ (λ, z) Ω⁺ (λ, z)ᵀ]`, beside N the second weight of the exact step of a finite dimension.
    pub radial: bool,
}

impl Want {
    /// R only.
    pub const RISK: Self = Self { risk: true, ..Self::NOTHING };
    /// D, A and E\[g_j\] only.
    pub const DRIFT: Self = Self { drift: true, ..Self::NOTHING };
    /// R, D, A, E\[g_j\] and N.
    pub const ALL: Self = Self { risk: true, drift: true, noise: true, ..Self::NOTHING };

    const NOTHING: Self = Self { risk: false, drift: false, noise: false, label_noise: false, radial: false };
}

/// The averages over one fresh sample. With `g_j = s a_j e σ'(h_j)`, e = f − y (squared loss) or −y (correlation
/// loss); label noise included in N, excluded from R, which is ½E(f−g)² whatever the loss.
#[derive(Debug, Clone, PartialEq)]
pub struct Moments {
    /// D_λ = E\[g_j λ_l\], p×p.
    pub drift_student: Mat<f64>,
    /// D_z = E\[g_j z_r\], p×k.
    pub drift_teacher: Mat<f64>,
    /// N = E\[g_j g_l\], p×p.
    pub noise: Mat<f64>,
    /// `E[g_j g_l (λ, z) Ω⁺ (λ, z)ᵀ]`, p×p; 0×0 until it is asked for.
    pub radial: Mat<f64>,
    /// A_j = E\[s e σ(h_j)\], p.
    pub second: Vec<f64>,
    /// E\[g_j\], p.
    pub bias: Vec<f64>,
    /// R = ½E(f−g)².
    pub risk: f64,
    /// Standard error (sampled back ends) or bound (deterministic ones) of `risk`.
    pub risk_error: f64,
    /// The same for the largest entry of D.
    pub drift_error: f64,
    /// The same for the largest entry of N, and of `radial` divided by p + k.
    pub noise_error: f64,
}

impl Moments {
    /// All zero, for p students and k directions.
    pub fn zeros(p: usize, k: usize) -> Self {
        Self {
            drift_student: Mat::zeros(p, p),
            drift_teacher: Mat::zeros(p, k),
            noise: Mat::zeros(p, p),
            radial: Mat::zeros(0, 0),
            second: vec![0.0; p],
            bias: vec![0.0; p],
            risk: 0.0,
            risk_error: 0.0,
            drift_error: 0.0,
            noise_error: 0.0,
        }
    }
}

/// A way to compute [`Moments`].
pub trait Kernel: Sync {
    /// Writes the averages wanted at `state` into `out`; the others are left as they are.
    ///
    /// # Errors
    /// [`Error::Numerical`](crate::Error::Numerical) where Ω is not a covariance.
    fn moments(&self, state: &State, want: Want, out: &mut Moments) -> Result<()>;

    /// What it is and why it is right, for the manifest: `erf, closed form`.
    fn describe(&self) -> String;
}

/// The cheapest kernel for `problem` that meets `tolerance`, the relative accuracy wanted of the risk. (theory.md §6)
///
/// Closed forms of an erf network and an erf committee; else averages over pairs of neurons and functions of z
/// ([`SmoothedKernel`]): closed forms for ReLU, finite series for polynomials, short ones for smooth activations; else
/// averages over samples of all fields.
///
/// # Errors
/// [`Error::Numerical`](crate::Error::Numerical) where P is not a covariance.
pub fn for_problem(problem: &Problem, tolerance: f64) -> Result<Box<dyn Kernel>> {
    if problem.network.bias.is_none()
        && let Some(kernel) = ErfKernel::new(problem)
    {
        return Ok(Box::new(kernel));
    }
    if let Some(kernel) = SmoothedKernel::new(problem, tolerance)? {
        return Ok(Box::new(kernel));
    }
    Ok(Box::new(SampledKernel::new(problem, SampledKernel::points_for(problem, tolerance))))
}

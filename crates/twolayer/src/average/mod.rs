//! The Gaussian kernel of theory.md §2: the averages over one fresh sample from which every fresh-data limit is built.

mod erf;
mod explained;
mod label;
mod latent;
mod mixture;
mod polynomial;
mod replicates;
mod sampled;
mod shared;
mod smoothed;
mod wide;

pub use erf::ErfKernel;
pub use explained::{Explained, Linear};
pub use polynomial::PolynomialKernel;
pub use sampled::SampledKernel;
pub use shared::SharedKernel;
pub use smoothed::{SmoothedKernel, SphereAverages, SphereKernel, SphereState, feature_covariance};
use wide::WideKernel;

use faer::Mat;

use crate::{
    error::Result,
    overlaps::Overlaps,
    problem::{Activation, Problem, Rule},
};

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

/// Which averages are asked for, so that nobody pays the p⁴ of [`Averages::noise`] for a risk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Want {
    /// R.
    pub risk: bool,
    /// D, A and E\[g_j\].
    pub drift: bool,
    /// N.
    pub noise: bool,
    /// Only the label-noise part of N, `Δ s² a_j a_l E[σ'_jσ'_l]`; in [`Averages::noise`], instead of all of N.
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

/// The averages over one fresh sample, and how well they are known. With `g_j = s a_j e σ'(h_j)`, e = f − y (squared loss) or −y (correlation
/// loss); label noise included in N, excluded from R, which is ½E(f−g)² whatever the loss.
///
/// An error is of the size of a standard error, and two of it hold in at least 95 % of cases: from R = 8 replicates
/// `t/2 · (Σ_r ‖x_r − x̄‖²/(R(R−1)))^{½}`, t the 97.5 % point of Student's law with R − 1 degrees of freedom and ‖·‖ the
/// largest entry; where nothing is random, the distance between two rules or a bound.
#[derive(Debug, Clone, PartialEq)]
pub struct Averages {
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
    /// Error of `risk`.
    pub risk_error: f64,
    /// Error of D, in its largest entry.
    pub drift_error: f64,
    /// Error of N, and of `radial` divided by p + k, in their largest entry.
    pub noise_error: f64,
}

impl Averages {
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

/// Neurons up to which the closed form of four erf fields, p⁴ of them, beats the way of wide networks.
const FOUR_FIELDS: usize = 128;

/// A way to compute [`Averages`].
pub trait Kernel: Send + Sync {
    /// Writes the averages wanted at `state` into `out`; the others are left as they are.
    ///
    /// # Errors
    /// [`Error::Numerical`](crate::Error::Numerical) where Ω is not a covariance.
    fn averages(&self, state: &State, want: Want, out: &mut Averages) -> Result<()>;

    /// What it is and why it is right, for the manifest: `erf, closed form`.
    fn describe(&self) -> String;
}

/// The cheapest kernel for `problem` that meets `tolerance`, the relative accuracy wanted of the risk. (theory.md §6)
///
/// Exact algebra where network and target are polynomials; closed forms of an erf network and an erf committee, however it is
/// spelt; else averages over pairs of neurons and functions of z ([`SmoothedKernel`]): closed forms for ReLU, short series for
/// smooth activations; else averages over samples of all fields.
///
/// # Errors
/// [`Error::Numerical`](crate::Error::Numerical) where P is not a covariance.
pub fn for_problem(problem: &Problem, tolerance: f64) -> Result<Box<dyn Kernel>> {
    seeded(problem, tolerance, 0)
}

/// [`for_problem`] with samples of its own for each `seed`, where there are any: two of them tell what samples do to an
/// integration.
///
/// # Errors
/// As for [`for_problem`].
pub fn seeded(problem: &Problem, tolerance: f64, seed: u64) -> Result<Box<dyn Kernel>> {
    if let Some(kernel) = PolynomialKernel::new(problem) {
        return Ok(Box::new(kernel));
    }
    if let Some(kernel) = ErfKernel::seeded(problem, tolerance, seed) {
        return Ok(if problem.width() > FOUR_FIELDS {
            Box::new(WideKernel::new(problem, kernel, seed))
        } else {
            Box::new(kernel)
        });
    }
    if let Some(kernel) = SmoothedKernel::seeded(problem, tolerance, seed)? {
        return Ok(Box::new(kernel));
    }
    let points = SampledKernel::points_for(problem, tolerance);
    Ok(Box::new(WideKernel::new(problem, SampledKernel::seeded(problem, points, seed), seed)))
}

/// Bytes that [`for_problem`] keeps for the averages `want`ed, where they are many.
pub fn bytes(problem: &Problem, tolerance: f64, want: Want) -> f64 {
    let closed = || is_erf(problem) || PolynomialKernel::new(problem).is_some();
    if want.noise && !closed() { SampledKernel::bytes(problem, tolerance) } else { 0.0 }
}

/// Whether the closed form of erf applies.
fn is_erf(problem: &Problem) -> bool {
    let committee = problem.target.rule.as_committee(problem.directions());
    problem.network.bias.is_none()
        && problem.network.activation == Activation::Erf
        && committee.is_some_and(|committee| committee.activation == Activation::Erf)
}

/// Seconds that one evaluation of [`for_problem`] takes, roughly, on a 2.8 GHz Xeon: to predict, not to promise.
pub fn seconds(problem: &Problem, want: Want) -> f64 {
    let (p, k) = (problem.width() as f64, problem.directions() as f64);
    let pairs = p * (p + k);
    let committee = problem.target.rule.as_committee(problem.directions());
    let is = |activation: Activation| committee.as_ref().is_some_and(|committee| committee.activation == activation);
    let is_erf = is_erf(problem);
    if let Some(kernel) = PolynomialKernel::new(problem) {
        return kernel.seconds(want, problem.width());
    }
    let drift = if want.drift { 4.0 } else { 1.0 };
    let means = match (&problem.network.activation, &problem.target.rule) {
        _ if is_erf => 5e-7 + 8e-9 * pairs * if want.drift { 3.0 * (p + k) } else { 1.0 },
        (Activation::Relu, _) if is(Activation::Relu) => 2e-6 + drift * 1e-8 * pairs,
        (Activation::Relu, Rule::Expression(_)) => 2e-6 + drift * (1e-8 * pairs + 2e-4 * p.min(128.0)),
        _ => 4e-5 + drift * (3e-8 * pairs + 1e-5 * p),
    };
    let samples = SampledKernel::points_for(problem, 1e-4) as f64 * 8.0;
    let noise = match want.noise {
        false => 0.0,
        true if is_erf => 4e-9 * pairs * pairs,
        true => samples * (1e-9 * (p + k) * (p + k) + 1e-8 * p),
    };
    means + noise
}

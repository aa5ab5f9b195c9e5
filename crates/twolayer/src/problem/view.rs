//! How one experiment is looked at: by which engine, how often, how precisely.

use crate::problem::{Engine, Terms};

/// A view of a problem.
///
/// ```
/// use twolayer::View;
///
/// let view = View::reduced().replicates(8).seed(3);
/// assert_eq!((view.replicates, view.seed, View::limit().replicates), (8, 3, 1));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct View {
    /// What looks.
    pub engine: Engine,
    /// Independent runs (1 for a limit).
    pub replicates: usize,
    /// Seed of all randomness but a shared start.
    pub seed: u64,
    /// Relative tolerance of integrations and averages.
    pub tolerance: f64,
    /// Terms of the ODE that are kept.
    pub terms: Terms,
    /// The word for the limit that is asked for (`method::registry::word`); `None`: the one that the scaling gives.
    pub method: Option<&'static str>,
}

impl View {
    /// The d → ∞ limit that the scaling gives.
    pub fn limit() -> Self {
        Self::new(Engine::Limit)
    }

    /// 16 simulations in overlaps, exact in law at the problem's own d.
    pub fn reduced() -> Self {
        Self::new(Engine::Reduced)
    }

    /// 16 simulations with d-dimensional weights.
    pub fn direct() -> Self {
        Self::new(Engine::Direct)
    }

    /// With so many independent runs.
    #[must_use]
    pub fn replicates(self, replicates: usize) -> Self {
        Self { replicates, ..self }
    }

    /// With another seed.
    #[must_use]
    pub fn seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// With another relative tolerance of integrations and averages.
    #[must_use]
    pub fn tolerance(self, tolerance: f64) -> Self {
        Self { tolerance, ..self }
    }

    /// A view with the defaults of the experiment file.
    pub fn new(engine: Engine) -> Self {
        let replicates = if engine == Engine::Limit { 1 } else { 16 };
        Self { engine, replicates, seed: 0, tolerance: 1e-4, terms: Terms::Auto, method: None }
    }
}

//! How one experiment is looked at: by which engine, how often, how precisely.

/// A view of a problem.
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

/// What looks at the problem. (theory.md §3)
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// Real weights, real data.
    Direct,
    /// The same law, without d.
    Reduced,
    /// d → ∞.
    Limit,
}

impl Engine {
    /// Its name in the experiment file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Reduced => "reduced",
            Self::Limit => "limit",
        }
    }
}

/// Which terms of the online ODE are kept. (theory.md §5.1)
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Terms {
    /// As the scaling says: `flow` where κ = lim ηs·d/n_b is 0, else `all`.
    Auto,
    /// No η² term: gradient flow.
    Flow,
    /// Of the η² term, only the label noise: D's small-step correction.
    LabelNoise,
    /// All: Saad–Solla.
    All,
    /// The mean of one step at the problem's own d, n_b and η, nothing dropped. (theory.md §2)
    ExactStep,
}

impl View {
    /// A view with the defaults of the experiment file.
    pub fn new(engine: Engine) -> Self {
        let replicates = if engine == Engine::Limit { 1 } else { 16 };
        Self { engine, replicates, seed: 0, tolerance: 1e-4, terms: Terms::Auto, method: None }
    }
}

//! Activations that are Rust code.

use std::{fmt, sync::Arc};

use super::Activation;

/// σ(h) and σ'(h).
type Both = dyn Fn(f64) -> (f64, f64) + Send + Sync;

/// A function that an experiment file cannot write.
#[derive(Clone)]
pub struct Custom {
    name: String,
    both: Arc<Both>,
    kinks: Vec<f64>,
}

impl Activation {
    /// σ as a closure that gives σ(h) and σ'(h), smooth but for [`kinks`](Custom::with_kinks).
    ///
    /// It serves every engine that takes an arbitrary activation; averages over the population then come from Hermite series
    /// where those are short, else from samples, and say their error.
    ///
    /// ```
    /// use twolayer::{Activation, Problem, View};
    ///
    /// # fn main() -> twolayer::Result<()> {
    /// // h/√(1 + h²)
    /// let squash = Activation::from_fn("squash", |h| {
    ///     let root = (1.0 + h * h).sqrt();
    ///     (h / root, root.powi(-3))
    /// });
    /// let problem = Problem::builder()
    ///     .target("tanh(z1)")
    ///     .network(2, squash)
    ///     .dimension(50)
    ///     .learning_rate("1/d")
    ///     .time(1)
    ///     .build()?;
    /// let risk = problem.view(View::limit().tolerance(1e-2))?.run()?.remove(0).risk().to_vec();
    /// assert!(risk[risk.len() - 1] < risk[0]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn from_fn(name: &str, both: impl Fn(f64) -> (f64, f64) + Send + Sync + 'static) -> Self {
        Self::Custom(Custom::new(name, both))
    }
}

impl From<Custom> for Activation {
    fn from(custom: Custom) -> Self {
        Self::Custom(custom)
    }
}

impl Custom {
    /// As for [`Activation::from_fn`].
    pub fn new(name: &str, both: impl Fn(f64) -> (f64, f64) + Send + Sync + 'static) -> Self {
        Self { name: name.into(), both: Arc::new(both), kinks: Vec::new() }
    }

    /// The same, with the places, rising, where σ or one of its derivatives jumps: averages are taken between them.
    #[must_use]
    pub fn with_kinks(self, kinks: Vec<f64>) -> Self {
        Self { kinks, ..self }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn kinks(&self) -> Vec<f64> {
        self.kinks.clone()
    }

    pub(super) fn both(&self, h: f64) -> (f64, f64) {
        (self.both)(h)
    }
}

/// Two are the same where one is a clone of the other.
impl PartialEq for Custom {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.both, &other.both) && self.kinks == other.kinks
    }
}

impl fmt::Debug for Custom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Custom").field("name", &self.name).field("kinks", &self.kinks).finish_non_exhaustive()
    }
}

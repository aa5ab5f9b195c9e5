//! One error type that advises: what is wrong, where, and what to do about it.

use std::{convert::Infallible, ops::Range};

/// `Result` with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What is wrong with one key of a problem, and the remedy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advice {
    /// The key in the words of the experiment file, e.g. `training.batch`.
    pub key: String,
    /// What is wrong, with the numbers.
    pub reason: String,
    /// What to write instead.
    pub remedy: String,
}

impl Advice {
    /// Advice about `key`.
    pub fn new(key: &str, reason: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { key: key.into(), reason: reason.into(), remedy: remedy.into() }
    }
}

impl std::fmt::Display for Advice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {} ({})", self.key, self.reason, self.remedy)
    }
}

/// Everything that can go wrong in the library.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// A text that is not an expression.
    #[error("{reason} at character {} ({remedy})", span.start + 1)]
    Syntax {
        /// Bytes of the expression's text that are at fault.
        span: Range<usize>,
        /// What is wrong.
        reason: String,
        /// What to write instead, naming the nearest known word where there is one.
        remedy: String,
    },
    /// A problem that makes no sense.
    #[error("{0}")]
    Invalid(Advice),
    /// A sensible problem that the engine asked for cannot treat.
    #[error("{0}")]
    Refused(Advice),
    /// A computation that failed: overflow, no convergence.
    #[error("{0}")]
    Numerical(String),
    /// The observer said stop.
    #[error("interrupted")]
    Interrupted,
}

/// What cannot fail gives no error.
impl From<Infallible> for Error {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

impl Error {
    /// An [`Error::Invalid`] about `key`.
    pub fn invalid(key: &str, reason: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::Invalid(Advice::new(key, reason, remedy))
    }

    /// An [`Error::Refused`] about `key`.
    pub fn refused(key: &str, reason: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::Refused(Advice::new(key, reason, remedy))
    }
}

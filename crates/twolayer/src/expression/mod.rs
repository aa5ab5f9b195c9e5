//! Text → program → values over blocks of samples.
//!
//! [`Expression`] is a function of named variables (`z1`, `z2`, … of a target; `h` of an activation; `d, p, k, n, n_b`
//! of a size), compiled once and evaluated over blocks of samples by [`vector`] loops.

pub mod vector;

use std::collections::BTreeMap;

use crate::error::Result;

/// Which names an expression may use beside functions and `pi`.
#[derive(Debug, Clone, Default)]
pub struct Vocabulary {
    /// Variables, in the order in which values are given at evaluation.
    pub variables: Vec<String>,
    /// `Some("z")`: also `z1, z2, …` without end, after `variables`.
    pub indexed: Option<String>,
    /// Constants, replaced by their values when the text is parsed.
    pub constants: BTreeMap<String, f64>,
}

/// A compiled expression.
#[derive(Debug, Clone)]
pub struct Expression {
    source: String,
}

/// Scratch space of an evaluation; make one per thread and reuse it.
#[derive(Debug, Clone, Default)]
pub struct Scratch {}

impl Expression {
    /// Parses and compiles `text`.
    ///
    /// # Errors
    /// [`Error::Syntax`](crate::Error::Syntax) with the bytes at fault and the nearest known word.
    pub fn parse(_text: &str, _vocabulary: &Vocabulary) -> Result<Self> {
        todo!()
    }

    /// The text it was parsed from.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Number of variables an evaluation must supply: `variables.len()`, or more where an indexed one is used
    /// (`z3` alone makes 3).
    pub fn arity(&self) -> usize {
        todo!()
    }

    /// Whether variable `index` occurs.
    pub fn uses(&self, _index: usize) -> bool {
        todo!()
    }

    /// Values at `out.len()` samples: `out[μ] = f(inputs[0][μ], inputs[1][μ], …)`, any number of samples.
    pub fn evaluate(&self, _inputs: &[&[f64]], _out: &mut [f64], _scratch: &mut Scratch) {
        todo!()
    }

    /// The value at one point.
    pub fn value(&self, _inputs: &[f64]) -> f64 {
        todo!()
    }
}

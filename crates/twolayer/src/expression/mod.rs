//! Text → program → values over blocks of samples.
//!
//! [`Expression`] is a function of named variables (`z1`, `z2`, … of a target; `h` of an activation; `d, p, k, n, n_b`
//! of a size), compiled once and evaluated over blocks of samples by [`vector`] loops. Its derivatives are expressions
//! too; a [`Function`] of one variable comes with its own.
//!
//! The language: numbers (`0.5`, `1e-3`), `pi`, names, `+ - * /`, `^` (to the right, and before a sign: `-z1^2` is
//! `-(z1^2)`), parentheses, and the functions `he0` … `he20` (probabilists' Hermite polynomials, not normalised),
//! `erf` (the error function itself), `tanh relu sign abs exp log sqrt sin cos sigmoid`, and `min max` of two.

mod derivative;
mod function;
mod graph;
mod kinks;
mod lexer;
mod operations;
mod parser;
mod polynomial;
mod program;
mod ridge;
#[cfg(test)]
mod tests;
pub mod vector;
mod words;

use std::collections::BTreeMap;

use crate::error::Result;
use graph::{Graph, Id, Node};
use program::Program;

pub use function::Function;
pub(crate) use operations::hermite_and_previous;
pub use polynomial::Polynomial;
pub(crate) use polynomial::{binomial, factorial};
pub use program::Scratch;
pub use ridge::Ridge;
pub use words::list_of_functions;
pub(crate) use words::{hermite_degree, nearest};

/// Which names an expression may use beside functions and `pi`.
#[derive(Debug, Clone, Default)]
pub struct Vocabulary {
    /// Variables, in the order in which values are given at evaluation.
    pub variables: Vec<String>,
    /// `Some("z")`: also `z1, z2, …` (as far as `z4096`), after `variables`.
    pub indexed: Option<String>,
    /// Constants, replaced by their values when the text is parsed.
    pub constants: BTreeMap<String, f64>,
}

/// A compiled expression.
#[derive(Debug, Clone)]
pub struct Expression {
    source: String,
    graph: Graph,
    root: Id,
    program: Program,
    uses: Vec<bool>,
}

/// Equal where they are the same operations on the same numbers, written in the same order.
impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        let of = |expression: &Self| expression.graph.reached_nodes(expression.root);
        of(self) == of(other)
    }
}

impl Expression {
    /// Parses and compiles `text`.
    ///
    /// # Errors
    /// [`Error::Syntax`](crate::Error::Syntax) with the bytes at fault and the nearest known word.
    pub fn parse(text: &str, vocabulary: &Vocabulary) -> Result<Self> {
        let (graph, root) = parser::parse(text, vocabulary)?;
        Ok(Self::of(text.into(), graph, root, vocabulary.variables.len()))
    }

    /// Of at least `arity` variables.
    fn of(source: String, graph: Graph, root: Id, arity: usize) -> Self {
        let reached = graph.reached_from(&[root]);
        let mut uses = vec![false; arity];
        for (id, _) in reached.iter().enumerate().filter(|(_, reached)| **reached) {
            if let Node::Variable(index) = graph.node(id) {
                uses.resize(uses.len().max(index + 1), false);
                uses[index] = true;
            }
        }
        let program = Program::compile(&graph, &[root]);
        Self { source, graph, root, program, uses }
    }

    /// The derivative with respect to variable `index`, exact: `relu' = 1[x > 0]`, `sign' = 0`, `abs' = sign`, and of
    /// `min` and `max` the branch that is taken. It has the arity of the expression itself.
    pub fn derivative(&self, index: usize) -> Self {
        let mut graph = self.graph.clone();
        let root = graph.derivative(self.root, index);
        Self::of(self.source.clone(), graph, root, self.arity())
    }

    /// Its coefficients in products of Hermite polynomials, where it is a polynomial of moderate degree.
    pub fn polynomial(&self) -> Option<Polynomial> {
        self.graph.polynomial(self.root)
    }

    /// The text it was parsed from; a derivative keeps the text of what it is the derivative of.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Number of variables an evaluation must supply: `variables.len()`, or more where an indexed one is used
    /// (`z3` alone makes 3).
    pub fn arity(&self) -> usize {
        self.uses.len()
    }

    /// Whether variable `index` occurs.
    pub fn uses(&self, index: usize) -> bool {
        self.uses.get(index).copied().unwrap_or(false)
    }

    /// Values at `out.len()` samples: `out[μ] = f(inputs[0][μ], inputs[1][μ], …)`, any number of samples; a value does
    /// not depend on how many there are. Allocates only what `scratch` does not have yet.
    ///
    /// # Panics
    /// Where a variable that occurs has fewer values than there are samples.
    pub fn evaluate(&self, inputs: &[&[f64]], out: &mut [f64], scratch: &mut Scratch) {
        self.program.evaluate(inputs, &mut [out], scratch);
    }

    /// The value at one point; for hot loops there is [`Expression::evaluate`].
    ///
    /// # Panics
    /// Where a variable that occurs has no value.
    pub fn value(&self, inputs: &[f64]) -> f64 {
        let inputs: Vec<&[f64]> = inputs.chunks(1).collect();
        let mut out = [f64::NAN];
        self.evaluate(&inputs, &mut out, &mut Scratch::default());
        out[0]
    }
}

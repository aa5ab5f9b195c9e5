//! Expressions in one variable: values and derivatives over slices, in place.

use super::{Expression, Scratch, Vocabulary, program::Program};
use crate::error::Result;

/// A function of one variable, and its exact derivative.
#[derive(Debug, Clone)]
pub struct Function {
    pub(super) expression: Expression,
    /// The value and the derivative.
    pub(super) both: Program,
}

impl Function {
    /// Parses and compiles `text`, in which only the first variable of `vocabulary` is one.
    ///
    /// # Errors
    /// [`Error::Syntax`](crate::Error::Syntax), as of [`Expression::parse`].
    pub fn parse(text: &str, vocabulary: &Vocabulary) -> Result<Self> {
        Ok(Self::of_expression(Expression::parse(text, vocabulary)?))
    }

    /// An expression as a function of its first variable.
    pub fn of_expression(expression: Expression) -> Self {
        let mut graph = expression.graph.clone();
        let derivative = graph.derivative(expression.root, 0);
        let both = Program::compile(&graph, &[expression.root, derivative]);
        Self { expression, both }
    }

    /// The text it was parsed from.
    pub fn source(&self) -> &str {
        self.expression.source()
    }

    /// Its coefficients in Hermite polynomials He_n, not normalised, where it is a polynomial of moderate degree.
    pub fn polynomial(&self) -> Option<Vec<f64>> {
        let polynomial = self.expression.polynomial()?;
        let mut coefficients = vec![0.0; polynomial.degree() + 1];
        polynomial.terms().for_each(|(alpha, c)| coefficients[alpha.first().map_or(0, |n| usize::from(*n))] += c);
        Some(coefficients)
    }

    /// Whether its variable does not occur.
    pub fn is_constant(&self) -> bool {
        !self.expression.uses(0)
    }

    /// `x ← f(x)`. Allocates nothing after the first call on a thread.
    pub fn values(&self, x: &mut [f64]) {
        Scratch::with_own(|scratch| self.expression.program.evaluate_in_place([x], scratch));
    }

    /// `x ← f(x)` and `derivative ← f'(x)`, in one pass over what both need.
    ///
    /// # Panics
    /// Where the two lengths differ.
    pub fn values_and_derivatives(&self, x: &mut [f64], derivative: &mut [f64]) {
        assert_eq!(x.len(), derivative.len(), "one derivative for each value");
        Scratch::with_own(|scratch| self.both.evaluate_in_place([x, derivative], scratch));
    }

    /// Where f or one of its derivatives may jump or diverge, rising, within [−`range`, `range`].
    ///
    /// These are the places where an argument of `relu`, `abs`, `sign`, `log`, `sqrt` or of a power changes its sign, a
    /// denominator does, or the branch of `min` or `max` changes; found to rounding where they lie further apart than
    /// `range`/4096.
    pub fn kinks(&self, range: f64) -> Vec<f64> {
        self.expression.graph.kinks(self.expression.root, range)
    }
}

/// Equal where the expressions are.
impl PartialEq for Function {
    fn eq(&self, other: &Self) -> bool {
        self.expression == other.expression
    }
}

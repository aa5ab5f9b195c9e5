//! What a target hides, told to people and to programs: the block that `twolayer analyze` and a report print.

mod json;
mod protocols;
mod text;
mod words;

use twolayer::{
    Error, Result,
    expression::{Expression, Vocabulary},
    hierarchy::Analysis,
    problem::{Activation, Rule, Target},
};

pub use json::json;
pub use text::text;

/// A target and what it hides.
#[derive(Debug, Clone)]
pub struct Analysed {
    /// g, as a formula.
    pub formula: String,
    /// Δ.
    pub noise: f64,
    /// The stairs.
    pub analysis: Analysis,
}

impl Analysed {
    /// Analyses a target; with an activation also what it sees.
    ///
    /// # Errors
    /// As [`Analysis::of`].
    pub fn of(target: &Target, activation: Option<&Activation>) -> Result<Self> {
        let analysis = Analysis::of(target, activation)?;
        Ok(Self { formula: target.formula(), noise: target.noise, analysis })
    }

    /// Analyses `y = expression + √Δ ξ` for an expression in z1, z2, …
    ///
    /// # Errors
    /// [`Error::Syntax`], [`Error::Invalid`] where no z occurs, and as [`Analysis::of`].
    pub fn of_expression(text: &str, noise: f64, activation: Option<&Activation>) -> Result<Self> {
        let vocabulary = Vocabulary { indexed: Some("z".into()), ..Vocabulary::default() };
        let expression = Expression::parse(text, &vocabulary)?;
        if expression.arity() == 0 {
            let reason = format!("`{text}` has no input: there is nothing to learn");
            return Err(Error::invalid("target.expression", reason, "write a target that depends on z1, z2, …"));
        }
        let mut target = Target::new(Rule::Expression(expression));
        target.noise = noise;
        Self::of(&target, activation)
    }
}

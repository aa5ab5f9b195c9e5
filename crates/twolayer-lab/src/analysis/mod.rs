//! What a target hides, told to people and to programs: the block that `twolayer analyze` and a report print.

mod json;
mod protocols;
mod text;
mod words;

use twolayer::{
    Error, Result,
    expression::{Expression, Vocabulary},
    hierarchy::{Analysis, Sight},
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
    /// Analyses a target, and what a network sees of it.
    ///
    /// # Errors
    /// As [`Analysis::of`].
    pub fn of(target: &Target, sight: Option<&Sight>) -> Result<Self> {
        let analysis = Analysis::through(target, sight)?;
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
        Self::of(&target, activation.map(Sight::of).as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(expression: &str, noise: f64, activation: Option<&str>) -> String {
        let activation = activation.and_then(Activation::named);
        text(&Analysed::of_expression(expression, noise, activation.as_ref()).unwrap())
    }

    #[test]
    fn blocks_for_people() {
        insta::assert_snapshot!("hidden_from_fresh", block("he3(z1)", 0.1, Some("relu")));
        insta::assert_snapshot!("staircase", block("z1 + z1*z2", 0.0, None));
        insta::assert_snapshot!("target_of_reuse", block("tanh(z1 + he3(z2))", 0.0, Some("relu")));
        insta::assert_snapshot!("hard_directions", block("z1*z2*z3 + he3(z4)", 0.0, None));
        insta::assert_snapshot!("undecided", block("exp(he4(z1)/10)", 0.0, None));
        insta::assert_snapshot!("never_found", block("z1 + he9(z2)", 0.0, None));
    }

    #[test]
    fn directions_have_short_names_where_they_can() {
        let half = std::f64::consts::FRAC_1_SQRT_2;
        assert_eq!(words::direction(&[0.0, 1.0]), "z2");
        assert_eq!(words::direction(&[half, -half]), "(z1 − z2)/√2");
        assert_eq!(words::direction(&[0.5, 0.5, -0.5, 0.5]), "(z1 + z2 − z3 + z4)/2");
        assert_eq!(words::direction(&[0.768, -0.641]), "(0.768, −0.641)");
        assert_eq!(words::with_error(0.465807, 1e-6), "0.465807 ± 1e-6");
        assert_eq!(words::with_error(1.2345, 2.3e-2), "1.234 ± 2e-2");
    }
}

//! `twolayer analyze`.

use std::collections::BTreeMap;

use clap::Args;
use twolayer::{Error, problem::Activation};
use twolayer_lab::analysis::{Analysed, json, text};

use crate::{DONE, Failure, diagnostics::draw_in_text, patience::Patience, say};

/// `twolayer analyze`.
#[derive(Args)]
#[command(after_help = "Examples:
  twolayer analyze \"he3(z1)\"
  twolayer analyze \"tanh(z1 + he3(z2))\" --activation relu
  twolayer analyze \"relu(z1) + relu(z2)\" --noise 0.1 --json

The target is an expression in z1, z2, …, standard normal, at most six. docs/exponents.md explains the words.")]
pub struct Arguments {
    /// The target, e.g. "z1 + z1*z2".
    #[arg(value_name = "EXPR", allow_hyphen_values = true)]
    expression: String,
    /// Also say what a network with this activation, a name or an expression in h, can see.
    #[arg(long, value_name = "σ", allow_hyphen_values = true)]
    activation: Option<String>,
    /// Variance Δ of the label noise.
    #[arg(long, value_name = "Δ", default_value_t = 0.0, allow_negative_numbers = true)]
    noise: f64,
    /// Everything as JSON.
    #[arg(long)]
    json: bool,
}

/// Runs the command; the exit code, or what to print.
pub fn analyze(arguments: &Arguments) -> Result<u8, Failure> {
    let _patience = Patience::new("analysing the target");
    let activation = arguments.activation.as_deref().map(activation).transpose()?;
    let analysed = Analysed::of_expression(&arguments.expression, arguments.noise, activation.as_ref())
        .map_err(|error| words(&arguments.expression, &error))?;
    if arguments.json {
        say(&format!("{:#}\n", json(&analysed)));
    } else {
        say(&text(&analysed));
    }
    Ok(DONE)
}

/// A name, or an expression in h.
fn activation(text: &str) -> Result<Activation, Failure> {
    Activation::parse(text, &BTreeMap::new()).map_err(|error| words(text, &error))
}

/// The error, with the place in the expression where there is one.
fn words(expression: &str, error: &Error) -> Failure {
    vec![match error {
        Error::Syntax { span, reason, remedy } => draw_in_text(expression, span.clone(), reason, remedy),
        Error::Invalid(advice) | Error::Refused(advice) if advice.key == "target.noise" => {
            format!("error: --noise: {}\nhelp: {}", advice.reason, advice.remedy)
        }
        Error::Invalid(advice) | Error::Refused(advice) => {
            format!("error: `{expression}`: {}\nhelp: {}", advice.reason, advice.remedy)
        }
        other => format!("error: `{expression}`: {other}"),
    }]
}

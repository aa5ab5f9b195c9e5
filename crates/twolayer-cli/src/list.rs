//! `twolayer list`: what may be written where a name is asked for.

use clap::{Args, ValueEnum};
use twolayer::{expression, problem::Activation};

use crate::{DONE, say};

/// `twolayer list`.
#[derive(Args)]
pub struct Arguments {
    /// What to list.
    what: What,
}

#[derive(Clone, Copy, ValueEnum)]
enum What {
    /// Activations by name, with their formulas.
    Activations,
    /// Functions that expressions may use.
    Functions,
    /// Views of an experiment.
    Engines,
}

const ENGINES: [(&str, &str); 3] = [
    ("direct", "real weights, real data: the ground truth of small sizes"),
    ("reduced", "the same law in a few coordinates per neuron, whatever d: up to d = 10⁹"),
    (
        "limit",
        "d → ∞: online ODE, mean field, giant steps, one leap step or dynamical mean-field theory, as the scaling says",
    ),
];

/// Runs the command; the exit code.
pub fn list(arguments: &Arguments) -> u8 {
    match arguments.what {
        What::Activations => {
            for name in Activation::NAMES {
                let formula = Activation::named(name).map(|activation| activation.formula()).unwrap_or_default();
                let more = if name == "he2" { ", and he0 … he20 (probabilists', not normalised)" } else { "" };
                say(&format!("{name:<10} {formula}{more}\n"));
            }
            say(
                "any expression in h, e.g. \"tanh(h) + 0.1*he2(h)\"\n{ hermite = [c0, c1, …] }, orthonormal coefficients\n",
            );
        }
        What::Functions => {
            say("+ - * / ^\n");
            say(&format!("{}\n", expression::list_of_functions()));
            say("he_q is the probabilists' polynomial, not normalised; erf the error function itself; pi a constant\n");
        }
        What::Engines => ENGINES.iter().for_each(|(name, meaning)| say(&format!("{name:<8} {meaning}\n"))),
    }
    DONE
}

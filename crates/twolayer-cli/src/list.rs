//! `twolayer list`: what may be written where a name is asked for.

use clap::{Args, ValueEnum};
use twolayer::{
    expression,
    problem::{Engine, NamedActivation, Word},
};
use twolayer_file::text::keys::KEYS;

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
    /// Every key of the experiment file that takes a word, and what its words mean.
    Words,
}

/// Runs the command; the exit code.
pub fn list(arguments: &Arguments) -> u8 {
    match arguments.what {
        What::Activations => {
            for (name, formula) in NamedActivation::WORDS {
                say(&format!("{name:<10} {formula}\n"));
            }
            say(
                "he0 … he20 probabilists' Hermite polynomials, not normalised\nany expression in h, e.g. \"tanh(h) + 0.1*he2(h)\"\n{ hermite = [c0, c1, …] }, orthonormal coefficients\n",
            );
        }
        What::Functions => {
            say("+ - * / ^\n");
            say(&format!("{}\n", expression::list_of_functions()));
            say("he_q is the probabilists' polynomial, not normalised; erf the error function itself; pi a constant\n");
        }
        What::Engines => Engine::WORDS.iter().for_each(|(name, meaning)| say(&format!("{name:<8} {meaning}\n"))),
        What::Words => {
            for (key, words) in KEYS.iter().filter_map(|key| Some((key, key.kind.words()?))) {
                say(&format!("{}: {}\n", key.path, key.meaning));
                words.iter().for_each(|(word, meaning)| say(&format!("  {word:<20} {meaning}\n")));
            }
        }
    }
    DONE
}

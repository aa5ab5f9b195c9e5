//! The command `twolayer`: an experiment file in; figures, arrays, a report and a short answer out.

mod changes;
mod check;
mod machine;
mod progress;
mod run;
mod sweep;

use std::{io::Write as _, process::ExitCode};

use clap::{Parser, Subcommand};
use twolayer_lab::diagnostic::Diagnostic;

/// Two-layer networks on high-dimensional Gaussian data: simulation, simulation exact in law at any dimension, and the
/// d → ∞ theory of one experiment, on the same axes.
#[derive(Parser)]
#[command(name = "twolayer", version, after_help = EXAMPLES)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run an experiment and write arrays, figure and report.
    Run(run::Arguments),
    /// Say what a run would do: formulas, scaling, the method of each view and why, seconds and bytes.
    Check(check::Arguments),
}

const EXAMPLES: &str = "\
Examples:
  twolayer check gallery/odes/high-dimensional.toml
  twolayer run gallery/odes/high-dimensional.toml
  twolayer run my.toml --only limit --out results/theory

Exit codes: 0 done; 1 a view did not finish; 2 the file or the command is wrong, nothing written; 130 interrupted.";

/// Done.
const DONE: u8 = 0;
/// It ran, and a view did not finish.
const UNFINISHED: u8 = 1;
/// The file or the command is wrong; nothing was written.
const WRONG: u8 = 2;
/// Interrupted; what was done is kept.
const INTERRUPTED: u8 = 130;

fn main() -> ExitCode {
    let code = match Arguments::parse().command {
        Command::Run(arguments) => run::run(&arguments),
        Command::Check(arguments) => check::check(&arguments),
    };
    ExitCode::from(code.unwrap_or_else(|problems| {
        for problem in problems {
            eprintln!("{problem}\n");
        }
        WRONG
    }))
}

/// What a command could not do, ready to print.
type Failure = Vec<String>;

/// Prints to standard output; a reader that went away (`| head`) is no reason to panic.
fn say(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}

fn words(diagnostics: Vec<Diagnostic>) -> Failure {
    diagnostics.iter().map(ToString::to_string).collect()
}

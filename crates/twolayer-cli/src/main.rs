//! The command `twolayer`: an experiment file in; figures, arrays, a report and a short answer out.

mod again;
mod analyze;
mod changes;
mod check;
mod gallery;
mod list;
mod machine;
mod new;
mod progress;
mod run;
mod sweep;

use std::{
    io::{self, Write as _},
    process::ExitCode,
};

use clap::{CommandFactory, Parser, Subcommand};
use twolayer_file::{diagnostic::Diagnostic, schema};

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
    /// Say what a target hides: exponents, stairs, and which protocol learns which direction.
    Analyze(analyze::Arguments),
    /// The experiments of the papers: list them, print one, run one.
    Gallery(gallery::Arguments),
    /// Draw figure and report of a results directory again.
    Report(again::One),
    /// Print the BibTeX of what a results directory rests on.
    Cite(again::One),
    /// Put views of several results directories side by side, in standard errors.
    Compare(again::Many),
    /// Write a file to start from.
    New(new::Arguments),
    /// What may be written where a name is asked for.
    List(list::Arguments),
    /// Print the JSON schema of the experiment file, for editors.
    Schema,
    /// Print completions for a shell.
    #[command(
        after_help = "Example:\n  twolayer completions bash > ~/.local/share/bash-completion/completions/twolayer"
    )]
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

const EXAMPLES: &str = "\
Examples:
  twolayer check gallery/odes/high-dimensional.toml
  twolayer run gallery/odes/high-dimensional.toml
  twolayer run my.toml --only limit --out results/theory
  twolayer analyze \"tanh(z1 + he3(z2))\" --activation relu
  twolayer gallery
  twolayer new my.toml --like high-dimensional

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
        Command::Analyze(arguments) => analyze::analyze(&arguments),
        Command::Gallery(arguments) => gallery::gallery(arguments),
        Command::Report(arguments) => again::report(&arguments),
        Command::Cite(arguments) => again::cite(&arguments),
        Command::Compare(arguments) => again::compare(&arguments),
        Command::New(arguments) => new::new(&arguments),
        Command::List(arguments) => Ok(list::list(&arguments)),
        Command::Schema => {
            say(&format!("{:#}\n", schema::schema()));
            Ok(DONE)
        }
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Arguments::command(), "twolayer", &mut script);
            say(&String::from_utf8_lossy(&script));
            Ok(DONE)
        }
    };
    ExitCode::from(code.unwrap_or_else(|problems| {
        for problem in problems {
            tell(&format!("{problem}\n"));
        }
        WRONG
    }))
}

/// What a command could not do, ready to print.
type Failure = Vec<String>;

/// Prints to standard output; a reader that went away (`| head`) is no reason to panic.
fn say(text: &str) {
    let _ = io::stdout().write_all(text.as_bytes());
}

/// Prints a line to standard error, in one piece; likewise.
fn tell(line: &str) {
    let _ = io::stderr().write_all(format!("{line}\n").as_bytes());
}

fn words(diagnostics: Vec<Diagnostic>) -> Failure {
    diagnostics.iter().map(ToString::to_string).collect()
}

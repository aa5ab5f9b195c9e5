//! The command `twolayer`: an experiment file in; figures, arrays, a report and a short answer out.

mod again;
mod analyze;
mod changes;
mod check;
mod diagnostics;
mod gallery;
mod interrupt;
mod list;
mod new;
mod patience;
mod progress;
mod run;
mod sweep;
mod terminal;

use std::process::ExitCode;
#[cfg(unix)]
use std::sync::{Arc, atomic::AtomicBool};

use clap::{CommandFactory, Parser, Subcommand};
use twolayer_file::{diagnostic::Diagnostic, schema};

use terminal::{say, tell};

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
    end_without_a_core();
    interrupt::listen();
    let code = match Arguments::try_parse() {
        Ok(arguments) => perform(arguments.command),
        Err(asked) => {
            let written = asked.print();
            if asked.use_stderr() {
                WRONG
            } else {
                terminal::judge(written);
                DONE
            }
        }
    };
    // What was asked for is not there, whatever else went well.
    ExitCode::from(if terminal::failed() && code == DONE { UNFINISHED } else { code })
}

/// An allocation that fails ends with 1, as what does not finish, after the standard library has told its size: it aborts,
/// which would end with a signal.
#[cfg(unix)]
fn end_without_a_core() {
    let always = Arc::new(AtomicBool::new(true));
    // Where it cannot be had, an abort is an abort.
    let _ = signal_hook::flag::register_conditional_shutdown(signal_hook::consts::SIGABRT, UNFINISHED.into(), always);
}

#[cfg(not(unix))]
fn end_without_a_core() {}

/// Runs a command; the exit code.
fn perform(command: Command) -> u8 {
    let code = match command {
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
    code.unwrap_or_else(|problems| {
        for problem in problems {
            tell(&format!("{problem}\n"));
        }
        WRONG
    })
}

/// What a command could not do, ready to print.
type Failure = Vec<String>;

fn words(found: Vec<Diagnostic>) -> Failure {
    found.iter().map(diagnostics::draw).collect()
}

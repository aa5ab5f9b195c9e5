//! `twolayer gallery`: the experiments of the papers.

use std::path::Path;

use clap::{Args, Subcommand};
use twolayer_lab::gallery;

use crate::{DONE, Failure, run, say, words};

/// `twolayer gallery`.
#[derive(Args)]
#[command(after_help = "Examples:
  twolayer gallery
  twolayer gallery show odes/high-dimensional
  twolayer gallery run high-dimensional --only limit

`gallery:NAME` stands for a file in other commands: twolayer check gallery:high-dimensional")]
pub struct Arguments {
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Subcommand)]
enum Action {
    /// Print the file of an experiment.
    Show {
        /// Its name, with or without its folder.
        name: String,
    },
    /// Run an experiment, as `twolayer run gallery:NAME`.
    Run(run::Arguments),
}

/// Runs the command; the exit code, or what to print.
pub fn gallery(arguments: Arguments) -> Result<u8, Failure> {
    match arguments.action {
        None => list(),
        Some(Action::Show { name }) => {
            say(text(&name)?);
        }
        Some(Action::Run(arguments)) => return run::run(&arguments.of_gallery()),
    }
    Ok(DONE)
}

/// The text of an experiment by its name, `gallery:` before it or not.
pub fn text(name: &str) -> Result<&'static str, Failure> {
    let name = name.strip_prefix(gallery::PREFIX).unwrap_or(name);
    let path = format!("{}{name}", gallery::PREFIX);
    gallery::text(name).map_err(|unread| words(vec![unread.about(Path::new(&path))]))
}

fn list() {
    let exhibits = gallery::exhibits();
    let width = exhibits.iter().map(|exhibit| exhibit.name.len()).max().unwrap_or(0);
    for exhibit in exhibits {
        say(&format!("{:<width$}  {}  [{}]\n", exhibit.name, exhibit.title, exhibit.cite.join(", ")));
    }
}

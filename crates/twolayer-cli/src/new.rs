//! `twolayer new`: a file to start from.

use std::{fs::OpenOptions, io::Write as _, path::PathBuf};

use clap::Args;

use crate::{DONE, Failure, gallery, say};

/// `twolayer new`.
#[derive(Args)]
#[command(after_help = "Examples:
  twolayer new my.toml
  twolayer new my.toml --like high-dimensional
  twolayer new --like odes/classical-scatter > my.toml")]
pub struct Arguments {
    /// The file to write, which must not be there; without it the text is printed.
    file: Option<PathBuf>,
    /// Start from this experiment of the gallery.
    #[arg(long, value_name = "NAME")]
    like: Option<String>,
}

/// A small experiment that shows three views in some seconds.
const STARTER: &str = include_str!("starter.toml");

/// Runs the command; the exit code, or what to print.
pub fn new(arguments: &Arguments) -> Result<u8, Failure> {
    let text = match &arguments.like {
        Some(name) => gallery::text(name)?,
        None => STARTER,
    };
    let Some(path) = &arguments.file else {
        say(text);
        return Ok(DONE);
    };
    let written = OpenOptions::new().write(true).create_new(true).open(path).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    written.map_err(|error| {
        let help = if error.kind() == std::io::ErrorKind::AlreadyExists {
            "choose another name: a file that is there is not replaced"
        } else {
            "check the path and the disk"
        };
        vec![format!("error: {} cannot be written: {error}\nhelp: {help}", path.display())]
    })?;
    say(&format!("{} is written; next: twolayer check {0}, then twolayer run {0}\n", path.display()));
    Ok(DONE)
}

//! `twolayer report`, `cite`, `compare`: what can be done with results that are there.

use std::path::PathBuf;

use clap::Args;
use twolayer_lab::{
    across::{self, Table},
    results::{self, Results, Unreadable},
};

use crate::{DONE, Failure, say, tell};

/// `twolayer report` and `twolayer cite`.
#[derive(Args)]
pub struct One {
    /// A directory that `twolayer run` has written.
    #[arg(value_name = "DIR")]
    directory: PathBuf,
}

/// `twolayer compare`.
#[derive(Args)]
#[command(after_help = "Example:
  twolayer compare results/small results/large

Every view of one directory is compared with every view of the others at their common times: root mean square and maximum of
z = difference/√(se² + e²), and a p-value. Of two sweeps, points with equal swept values are compared, views of one name.
Keys whose values differ are named.")]
pub struct Many {
    /// Directories that `twolayer run` has written; of a sweep, all its points.
    #[arg(value_name = "DIR", required = true)]
    directories: Vec<PathBuf>,
}

/// Draws figure and report of a directory again.
pub fn report(arguments: &One) -> Result<u8, Failure> {
    let mut say_it = |line: String| tell(&format!("warning: {line}"));
    let drawn = results::redraw(&arguments.directory, &mut say_it).map_err(failure)?;
    let what = if drawn == 1 { "figure and report".into() } else { format!("figures and reports of {drawn} points") };
    say(&format!("{what} drawn again: {}\n", arguments.directory.join("figure.svg").display()));
    Ok(DONE)
}

/// Prints the BibTeX of a directory.
pub fn cite(arguments: &One) -> Result<u8, Failure> {
    let points = results::points(&arguments.directory).map_err(failure)?;
    let mut entries: Vec<String> = Vec::new();
    for point in points {
        for entry in Results::open(&point).map_err(failure)?.citations() {
            if !entries.contains(&entry) {
                entries.push(entry);
            }
        }
    }
    say(&entries.join("\n"));
    Ok(DONE)
}

/// Compares views of several directories, and prints each comparison as soon as it is there.
pub fn compare(arguments: &Many) -> Result<u8, Failure> {
    let pairings = across::pairings(&arguments.directories).map_err(failure)?;
    if let ([alone], []) = (&arguments.directories[..], &pairings[..]) {
        let reason = format!("error: {} holds one experiment, whose views are compared in its report", alone.display());
        return Err(vec![format!("{reason}\nhelp: name two directories, or that of a sweep")]);
    }
    let mut table = Table::new(&pairings);
    for pairing in &pairings {
        pairing.compare(&mut |comparison| say(&table.row(comparison))).map_err(failure)?;
    }
    say(&table.end());
    Ok(DONE)
}

fn failure(error: Unreadable) -> Failure {
    let help = match &error {
        Unreadable::Store(_) => "give a directory that `twolayer run` has written",
        Unreadable::Experiment { .. } => "run the experiment again with this version",
    };
    vec![format!("error: {error}\nhelp: {help}")]
}

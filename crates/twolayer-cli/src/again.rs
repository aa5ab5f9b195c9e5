//! `twolayer report`, `cite`, `compare`: what can be done with results that are there.

use std::path::{Path, PathBuf};

use clap::Args;
use twolayer_lab::{
    across::{self, Table},
    results::{self, Results, Unreadable},
    run::{Denied, hold},
    store::Error,
};

use crate::{DONE, Failure, UNFINISHED, say, tell};

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
    let directory = &arguments.directory;
    opened(|| {
        let mut notes = Vec::new();
        note(directory)?;
        // Nothing is made where there are no results.
        results::points(directory)?;
        let command = format!("twolayer report {}", directory.display());
        let lock = match hold(directory, &command, &mut notes) {
            Err(Denied::Store(error)) => return Err(error.into()),
            lock => lock,
        };
        let _lock = match lock {
            Ok(lock) => lock,
            Err(denied) => return Ok(Err(vec![format!("error: {denied}")])),
        };
        let mut say_it = |line: String| tell(&format!("warning: {line}"));
        notes.into_iter().for_each(&mut say_it);
        let drawn = results::redraw(directory, &mut say_it)?;
        let what =
            if drawn == 1 { "figure and report".into() } else { format!("figures and reports of {drawn} points") };
        say(&format!("{what} drawn again: {}\n", directory.join("figure.svg").display()));
        Ok(Ok(DONE))
    })
}

/// Prints the BibTeX of a directory.
pub fn cite(arguments: &One) -> Result<u8, Failure> {
    opened(|| {
        note(&arguments.directory)?;
        let mut entries: Vec<String> = Vec::new();
        for point in results::points(&arguments.directory)? {
            for entry in Results::open(&point)?.citations() {
                if !entries.contains(&entry) {
                    entries.push(entry);
                }
            }
        }
        say(&entries.join("\n"));
        Ok(Ok(DONE))
    })
}

/// Compares views of several directories, and prints each comparison as soon as it is there.
pub fn compare(arguments: &Many) -> Result<u8, Failure> {
    opened(|| {
        arguments.directories.iter().try_for_each(|directory| note(directory))?;
        let pairings = across::pairings(&arguments.directories)?;
        if let ([alone], []) = (&arguments.directories[..], &pairings[..]) {
            let reason =
                format!("error: {} holds one experiment, whose views are compared in its report", alone.display());
            return Ok(Err(vec![format!("{reason}\nhelp: name two directories, or that of a sweep")]));
        }
        let mut table = Table::new(&pairings);
        for pairing in &pairings {
            pairing.compare(&mut |comparison| say(&table.row(comparison)))?;
        }
        say(&table.end());
        Ok(Ok(DONE))
    })
}

/// Says that results were written before there were hashes.
fn note(directory: &Path) -> Result<(), Unreadable> {
    let old = results::without_hashes(directory)?;
    if let Some(first) = old.first() {
        let more = if old.len() > 1 { format!(" and {} more", old.len() - 1) } else { String::new() };
        let why = "keeps no hashes of its arrays, as version 0.1.0 wrote it: only their checksums are compared";
        tell(&format!("note: {}{more} {why}", first.display()));
    }
    Ok(())
}

/// What a command on results ends with: results that are there and damaged are no fault of the command.
fn opened(command: impl FnOnce() -> Result<Result<u8, Failure>, Unreadable>) -> Result<u8, Failure> {
    match command() {
        Ok(result) => result,
        Err(error @ Unreadable::Store(Error::Damaged { .. } | Error::InTheWay { .. })) => {
            tell(&format!("error: {error}"));
            Ok(UNFINISHED)
        }
        Err(error) => {
            let help = match &error {
                Unreadable::Store(_) => "give a directory that `twolayer run` has written",
                Unreadable::Experiment { .. } => "run the experiment again with this version",
            };
            Err(vec![format!("error: {error}\nhelp: {help}")])
        }
    }
}

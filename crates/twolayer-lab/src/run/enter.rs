//! Before a run: whether it may write into the directory, and that no other does.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    rc::Rc,
};

use twolayer_file::Study;

use crate::{
    results::{DRAWN, DRAWN_OF_SWEEP},
    store::{self, Error, Held, Holder, Lock, Locking, Owner, Writes},
    task::Tasks,
};

/// Names that are told.
const MOST_TOLD: usize = 5;

/// How a run meets what is there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Mode {
    /// It begins.
    Begin,
    /// It goes on.
    Resume,
    /// What runs have left is removed first.
    Overwrite,
    /// One of several jobs, side by side.
    Job,
}

/// The right to write into a directory, until it is dropped.
#[derive(Debug)]
pub struct Entry {
    /// Whether the directory may hold tasks of this very study.
    pub again: bool,
    /// What the user should know.
    pub notes: Vec<String>,
    _lock: Option<Lock>,
}

/// Why a run may not write there. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum Denied {
    /// The root of a file system.
    #[error("{} is the root of a file system\nhelp: name a directory of its own with --out", .0.display())]
    Root(PathBuf),
    /// Another run is at it.
    #[error(
        "{} is in use by another run: {}\nhelp: wait for its end, or choose another directory with --out",
        place.display(),
        told(&.holders.iter().map(Holder::in_words).collect::<Vec<_>>(), "; ")
    )]
    InUse {
        /// The directory.
        place: PathBuf,
        /// Who.
        holders: Vec<Holder>,
    },
    /// This experiment, begun.
    #[error(
        "{} holds an unfinished run of this experiment: {done} of {of} tasks are finished\n\
         help: --resume goes on from there, --overwrite starts anew",
        place.display()
    )]
    Unfinished {
        /// The directory.
        place: PathBuf,
        /// Finished tasks.
        done: usize,
        /// All tasks.
        of: usize,
    },
    /// Another experiment.
    #[error(
        "{} holds the results of another experiment: {other}; {this}\n\
         help: choose another directory with --out, or pass --overwrite to remove what is there",
        place.display()
    )]
    Other {
        /// The directory.
        place: PathBuf,
        /// What it holds, in words.
        other: String,
        /// What this is, in words.
        this: String,
    },
    /// Files of someone else.
    #[error(
        "{} holds what no run of this program has written, as far as can be told, where this one would write: {}\n\
         help: choose another directory with --out, or move these away",
        place.display(),
        told(&.files.iter().map(|file| file.display().to_string()).collect::<Vec<_>>(), ", ")
    )]
    Foreign {
        /// The directory.
        place: PathBuf,
        /// They.
        files: Vec<PathBuf>,
    },
    /// The system refused.
    #[error(transparent)]
    Store(#[from] Error),
}

fn told(words: &[String], between: &str) -> String {
    let rest = words.len().saturating_sub(MOST_TOLD);
    let more = if rest > 0 { format!(" and {rest} more") } else { String::new() };
    format!("{}{more}", words[..words.len() - rest].join(between))
}

/// Locks `out` for a run of `study` by `command`, and makes sure that it holds nothing that the run would harm. With
/// [`Mode::Overwrite`] what runs have left there is gone after.
///
/// # Errors
/// [`Denied`].
pub fn enter(
    out: &Path,
    study: &Study,
    tasks: &Tasks,
    owner: &Owner<'_>,
    mode: Mode,
    command: &str,
) -> Result<Entry, Denied> {
    if fs::canonicalize(out).is_ok_and(|place| place.parent().is_none()) {
        return Err(Denied::Root(out.into()));
    }
    store::create_directory(out)?;
    let mut notes = Vec::new();
    let lock = locked(out, mode == Mode::Job, command, &mut notes)?;
    let writes = writes(study, tasks);
    let again = may_write(out, study, owner, mode, &mut notes)?;
    let files = store::in_the_way(out, owner, &writes)?;
    if !files.is_empty() {
        return Err(Denied::Foreign { place: out.into(), files });
    }
    if mode == Mode::Overwrite {
        store::clear(out, owner, &writes)?;
    }
    Ok(Entry { again, notes, _lock: lock })
}

/// Locks `out`, which is there, for `command` alone.
///
/// # Errors
/// [`Denied::InUse`], [`Denied::Store`].
pub fn hold(out: &Path, command: &str, notes: &mut Vec<String>) -> Result<Option<Lock>, Denied> {
    locked(out, false, command, notes)
}

fn locked(out: &Path, shared: bool, command: &str, notes: &mut Vec<String>) -> Result<Option<Lock>, Denied> {
    match store::lock(out, shared, command)? {
        Locking::Held(lock) => Ok(Some(lock)),
        Locking::Busy(holders) => Err(Denied::InUse { place: out.into(), holders }),
        Locking::Without(why) => {
            let place = out.display();
            notes.push(format!(
                "{place} cannot be locked ({why}): make sure that no other run writes into it meanwhile"
            ));
            Ok(None)
        }
    }
}

/// Whether the directory holds tasks of this very study to go on from.
fn may_write(
    out: &Path,
    study: &Study,
    owner: &Owner<'_>,
    mode: Mode,
    notes: &mut Vec<String>,
) -> Result<bool, Denied> {
    if mode == Mode::Overwrite {
        return Ok(false);
    }
    let (place, again) = (out.to_path_buf(), mode != Mode::Begin);
    match store::held(out, owner)? {
        Held::Nothing | Held::Finished => Ok(again),
        Held::Damaged(reason) => {
            notes.push(format!("{}: {reason}: made again", out.join("manifest.json").display()));
            Ok(again)
        }
        Held::Unfinished { .. } if again => Ok(true),
        Held::Unfinished { done, of } => Err(Denied::Unfinished { place, done, of }),
        Held::Other(other) => {
            let this = store::in_words(&study.title(), study.path());
            let this = if other == this { "with other values or views".into() } else { format!("this is {this}") };
            Err(Denied::Other { place, other, this })
        }
    }
}

/// All names that a run may write.
fn writes(study: &Study, tasks: &Tasks) -> Writes {
    let names = |list: &[&str]| list.iter().map(ToString::to_string).collect::<BTreeSet<_>>();
    let of_point = |point: usize| {
        let arrays = tasks.of_point(point).iter().filter(|task| task.replicate == 0);
        let arrays = arrays.flat_map(|task| task.files.iter().cloned());
        arrays.chain(names(&DRAWN)).collect::<BTreeSet<_>>()
    };
    if !study.is_sweep() {
        return Writes { here: of_point(0), points: Vec::new() };
    }
    let mut points: Vec<(String, Rc<BTreeSet<String>>)> = Vec::new();
    for (number, point) in study.points().iter().enumerate() {
        let here = of_point(number);
        let names = match points.last() {
            Some((_, before)) if **before == here => before.clone(),
            _ => Rc::new(here),
        };
        points.push((point.directory.clone(), names));
    }
    Writes { here: names(&DRAWN_OF_SWEEP), points }
}

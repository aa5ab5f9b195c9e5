//! Results on disk: one `<view>.npz` for each view, one `manifest.json` with the hash of each file, every file whole or
//! absent; nothing of anyone else's replaced or removed.
//!
//! NumPy opens the arrays with one line, `numpy.load("limit.npz")["M"]`.

mod arrays;
mod commit;
mod held;
mod index;
mod layout;
mod ledger;
mod lock;
mod manifest;
mod marker;
mod npz;
mod owner;
mod part;
mod parts;
mod sealed;
mod whole;

use std::{
    borrow::Cow,
    path::{Path, PathBuf},
};
use twolayer::agree::Agreement;
use twolayer_file::experiment::NamedView;

use crate::outcome::Outcome;

pub use commit::Commit;
pub use held::{Held, begin, held, in_words, remove_parts};
pub use index::{Index, PointRecord, ViewSummary};
pub(crate) use layout::array_names;
pub use layout::{SCHEMA, part_directory};
pub use ledger::{Writes, clear, in_the_way};
pub use lock::{Holder, Lock, Locking, lock};
pub use manifest::{Manifest, Provenance, ReplicateRecord, Run, ViewRecord, fingerprint};
pub use marker::Marker;
pub use npz::read_view;
pub use owner::Owner;
pub use part::Part;
pub use parts::Parts;
pub use whole::{create_directory, write_bytes};

/// What can go wrong with a results directory; every message names the path.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The system refused: no such directory, no permission, disk full.
    #[error("{}: cannot {action}: {source} ({})", path.display(), remedy(source))]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What was being done: `write 1.2 MB`, `read`.
        action: Cow<'static, str>,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is there, and is not what it should be.
    #[error("{}: {reason} ({remedy})", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
        /// What makes it right.
        remedy: String,
    },
    /// A file of someone else has the name of one that would be written.
    #[error(
        "{}: no run of this program has written it, and this one would (move it away, or choose another directory with \
         --out)",
        path.display()
    )]
    InTheWay {
        /// The file.
        path: PathBuf,
    },
    /// A view's name is also its file's.
    #[error("view `{view}`: no file can have this name (use letters, digits, spaces, - and _)")]
    Name {
        /// The view.
        view: String,
    },
    /// Replicates of one view that do not share an axis or a shape cannot be stacked into one array.
    #[error("view `{view}`: {reason}")]
    Shape {
        /// The view.
        view: String,
        /// What differs.
        reason: String,
    },
}

impl Error {
    fn io(path: &Path, action: &'static str) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Io { path, action: action.into(), source }
    }

    /// Whether the disk is full.
    pub fn is_full(&self) -> bool {
        use std::io::ErrorKind::{QuotaExceeded, StorageFull};
        matches!(self, Self::Io { source, .. } if matches!(source.kind(), StorageFull | QuotaExceeded))
    }

    fn damaged(path: &Path, reason: impl ToString) -> Self {
        let remedy = "run the experiment again, or restore the file".into();
        Self::Damaged { path: path.into(), reason: reason.to_string(), remedy }
    }

    /// The same, with what makes it right where a file is damaged.
    fn remedied(self, remedy: String) -> Self {
        match self {
            Self::Damaged { path, reason, .. } => Self::Damaged { path, reason, remedy },
            other => other,
        }
    }
}

fn remedy(error: &std::io::Error) -> &'static str {
    use std::io::ErrorKind::*;
    match error.kind() {
        StorageFull | QuotaExceeded => "free some space, or choose another directory with --out",
        PermissionDenied | ReadOnlyFilesystem => "choose a directory that you may write to with --out",
        NotFound => "check the path",
        NotADirectory | AlreadyExists => "a file is in the way: remove it, or choose another directory with --out",
        _ => "check the path and the disk",
    }
}

/// Writes `<view>.npz` for each view and `manifest.json` into `directory`, which is made where it is missing.
///
/// # Errors
/// [`Error`], naming the path.
pub fn save(
    directory: &Path,
    views: &[NamedView],
    outcomes: &[Outcome],
    run: Run,
    agreement: Vec<Agreement>,
) -> Result<Manifest, Error> {
    let mut manifest = Manifest::new(run, records(views, outcomes), agreement);
    let mut commit = Commit::new(directory)?;
    views.iter().zip(outcomes).try_for_each(|(view, outcome)| commit.view(&view.name, outcome))?;
    commit.finish(&mut manifest, &Owner::default())?;
    Ok(manifest)
}

/// How each view was computed.
pub fn records(views: &[NamedView], outcomes: &[Outcome]) -> Vec<ViewRecord> {
    views.iter().zip(outcomes).map(|(view, outcome)| ViewRecord::new(view, outcome)).collect()
}

/// Reads back what [`save`] wrote.
///
/// # Errors
/// [`Error`], naming the path.
pub fn load(directory: &Path) -> Result<(Manifest, Vec<Outcome>), Error> {
    let manifest = Manifest::read(directory)?;
    let outcomes =
        manifest.views.iter().map(|record| read_view(directory, &manifest, record)).collect::<Result<_, _>>()?;
    Ok((manifest, outcomes))
}

#[cfg(test)]
mod tests;

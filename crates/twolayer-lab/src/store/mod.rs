//! Results on disk: one `<view>.npz` for each view, one `manifest.json`, every file whole or absent.
//!
//! NumPy opens the arrays with one line, `numpy.load("limit.npz")["M"]`.

mod held;
mod index;
mod manifest;
mod npz;
mod part;
mod parts;
mod whole;

use std::{
    borrow::Cow,
    path::{Path, PathBuf},
};
use twolayer_file::experiment::NamedView;

use crate::{compare::Agreement, outcome::Outcome};

pub use held::{Held, Marker, begin, clear, held, in_words, part_directory, remove_parts};
pub use index::{Index, PointRecord, ViewSummary};
pub use manifest::{Manifest, Provenance, ReplicateRecord, Run, SCHEMA, ViewRecord, fingerprint, status_code};
pub use npz::{read_view, write_view};
pub use part::Part;
pub use parts::Parts;
pub use whole::{create_directory, probe, write_bytes};

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
    #[error("{}: {reason} (run the experiment again, or restore the file)", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
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
        Self::Damaged { path: path.into(), reason: reason.to_string() }
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

/// Writes `<view>.npz` for each view, then `manifest.json`, into `directory`, which is made where it is missing.
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
    create_directory(directory)?;
    write_arrays(directory, views, outcomes)?;
    let manifest = Manifest::new(run, records(views, outcomes), agreement);
    manifest.write(directory)?;
    Ok(manifest)
}

/// Writes `<view>.npz` for each view.
///
/// # Errors
/// [`Error`], naming the path.
pub fn write_arrays(directory: &Path, views: &[NamedView], outcomes: &[Outcome]) -> Result<(), Error> {
    views.iter().zip(outcomes).try_for_each(|(view, outcome)| write_view(directory, &view.name, outcome))
}

/// How each view was computed.
pub fn records(views: &[NamedView], outcomes: &[Outcome]) -> Vec<ViewRecord> {
    views.iter().zip(outcomes).map(|(view, outcome)| ViewRecord::new(view, outcome)).collect()
}

/// Removes the arrays of views that are not among `views`, left by an earlier run, and the temporary files of a run
/// that was killed.
///
/// # Errors
/// [`Error::Io`].
pub fn remove_strangers(directory: &Path, views: &[NamedView]) -> Result<(), Error> {
    let entries = std::fs::read_dir(directory).map_err(Error::io(directory, "read the directory"))?;
    for path in entries.flatten().map(|entry| entry.path()) {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let ours = views.iter().any(|view| name == format!("{}.npz", view.name));
        if (name.ends_with(".npz") && !ours) || is_temporary(&name) {
            std::fs::remove_file(&path).map_err(Error::io(&path, "remove"))?;
        }
    }
    Ok(())
}

/// Whether [`write_bytes`] writes under such a name before it renames.
fn is_temporary(name: &str) -> bool {
    let stem = name.strip_prefix('.').and_then(|rest| rest.rsplit_once('.')).map(|(stem, _)| stem);
    stem.is_some_and(|stem| {
        [".npz", ".part", ".json", ".svg", ".png", ".html"].iter().any(|ending| stem.ends_with(ending))
    })
}

/// Reads back what [`save`] wrote.
///
/// # Errors
/// [`Error`], naming the path.
pub fn load(directory: &Path) -> Result<(Manifest, Vec<Outcome>), Error> {
    let manifest = Manifest::read(directory)?;
    let outcomes = manifest.views.iter().map(|record| read_view(directory, record)).collect::<Result<_, _>>()?;
    Ok((manifest, outcomes))
}

#[cfg(test)]
mod tests;

//! What a results directory holds, so that no experiment is written over another.

use std::{fs, path::Path};

use super::{
    Error, Manifest, Marker, Owner,
    layout::{MANIFEST, MARKER, part_directory},
    owner::is_ours_damaged,
    parts, sealed,
    whole::{create_directory, is_there, remove, write_bytes},
};

/// What a results directory holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Held {
    /// Nothing of this program's, as far as can be told.
    Nothing,
    /// This experiment, complete.
    Finished,
    /// This experiment, with a manifest that is damaged: why.
    Damaged(String),
    /// This experiment, with so many of its tasks finished.
    Unfinished {
        /// Finished tasks.
        done: usize,
        /// All tasks.
        of: usize,
    },
    /// Another experiment, in words: `“Title” (file.toml)`.
    Other(String),
}

/// What `directory` holds, as seen by `owner`. A marker of `parts/` that is damaged or missing is replaced by what the
/// parts themselves say.
///
/// # Errors
/// [`Error::Io`] where it cannot be read.
pub fn held(directory: &Path, owner: &Owner<'_>) -> Result<Held, Error> {
    let parts = part_directory(directory);
    match Marker::read(&parts)? {
        Some(marker) if marker.identity == owner.identity => return count(&parts, owner, marker.tasks),
        Some(marker) => return Ok(Held::Other(in_words(&marker.title, &marker.file))),
        None if parts::any_of(&parts, owner)? => return count(&parts, owner, owner.tasks.len()),
        None => {}
    }
    if !is_there(&directory.join(MANIFEST)) {
        return Ok(Held::Nothing);
    }
    match Manifest::read(directory) {
        Ok(manifest) if manifest.provenance.identity == owner.identity => Ok(Held::Finished),
        Ok(manifest) => {
            let title = manifest.experiment["title"].as_str().unwrap_or_default();
            Ok(Held::Other(in_words(title, &manifest.provenance.file)))
        }
        Err(Error::Damaged { reason, .. }) if is_ours_damaged(directory, owner) => Ok(Held::Damaged(reason)),
        Err(Error::Damaged { .. }) => Ok(Held::Nothing),
        Err(error) => Err(error),
    }
}

/// An experiment in words: `“Title” (file.toml)`, as far as there are any.
pub fn in_words(title: &str, file: &Path) -> String {
    match (title, file.as_os_str().is_empty()) {
        ("", _) => file.display().to_string(),
        (title, true) => format!("“{title}”"),
        (title, false) => format!("“{title}” ({})", file.display()),
    }
}

fn count(parts: &Path, owner: &Owner<'_>, of: usize) -> Result<Held, Error> {
    let in_parts = parts::count(parts)?;
    // Of points that are put together the parts are gone.
    let out = parts.parent().unwrap_or(parts);
    let entries = fs::read_dir(out).map_err(Error::io(out, "read the directory"))?;
    let assembled = entries.flatten().filter_map(|entry| Manifest::read(&entry.path()).ok());
    let of_points =
        assembled.filter(|manifest| manifest.provenance.identity == owner.identity && manifest.is_complete());
    let runs = of_points.map(|manifest| manifest.views.iter().map(|view| view.replicate_status.len()).sum::<usize>());
    Ok(Held::Unfinished { done: (in_parts + runs.sum::<usize>()).min(of), of })
}

/// Makes `directory` and its `parts/`, and marks them as `marker`'s.
///
/// # Errors
/// [`Error::Io`].
pub fn begin(directory: &Path, marker: &Marker) -> Result<(), Error> {
    let parts = part_directory(directory);
    create_directory(&parts)?;
    let text = sealed::seal(marker).map_err(|error| Error::damaged(&parts.join(MARKER), error))?;
    write_bytes(&parts, MARKER, text.as_bytes())
}

/// Removes what is of `owner`, or of the run that the marker names, in `directory/parts`, and the directory unless
/// something else is in it.
///
/// # Errors
/// [`Error::Io`].
pub fn remove_parts(directory: &Path, owner: &Owner<'_>) -> Result<(), Error> {
    let parts = part_directory(directory);
    if !parts.is_dir() || parts::are_foreign(directory, owner)? {
        return Ok(());
    }
    parts::remove_all(&parts, owner)?;
    remove(&parts.join(MARKER))?;
    // Someone else's file in it keeps it.
    let _ = fs::remove_dir(&parts);
    Ok(())
}

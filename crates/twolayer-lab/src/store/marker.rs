//! The marker of `parts/`: whose tasks it holds.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{
    Error,
    layout::{MARKER, SCHEMA, part_directory},
    sealed,
};

/// Says whose tasks `parts/` holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Marker {
    /// [`SCHEMA`].
    pub schema: u32,
    /// Of all that the results depend on.
    pub identity: String,
    /// The experiment's title.
    pub title: String,
    /// The experiment file.
    pub file: PathBuf,
    /// How many tasks there are in all.
    pub tasks: usize,
}

impl Marker {
    /// The marker of an experiment.
    pub fn new(identity: &str, title: &str, file: &Path, tasks: usize) -> Self {
        Self { schema: SCHEMA, identity: identity.into(), title: title.into(), file: file.into(), tasks }
    }

    /// The marker in `parts`; none where there is none that is whole.
    pub(super) fn read(parts: &Path) -> Result<Option<Self>, Error> {
        let path = parts.join(MARKER);
        if !path.is_file() {
            return Ok(None);
        }
        match sealed::read(&path, &["schema", "identity", "title", "file", "tasks"]) {
            Ok(opened) => Ok(Some(opened.content)),
            Err(Error::Damaged { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// The identity that the marker of `directory/parts` tells.
pub(super) fn identity(directory: &Path) -> Option<String> {
    Marker::read(&part_directory(directory)).ok().flatten().map(|marker| marker.identity)
}

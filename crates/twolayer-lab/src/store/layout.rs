//! What stands where in a results directory: the names that its files have.

use std::path::{Path, PathBuf};

/// Version of the manifest's layout: raised when a key changes its meaning, not when one is added.
pub const SCHEMA: u32 = 1;

/// A manifest or an index is no larger: that of 10 000 points has 10 MB.
pub(super) const MOST_BYTES: u64 = 1 << 28;

/// The name of a manifest.
pub(super) const MANIFEST: &str = "manifest.json";

/// Its name until the files that it lists are in place.
pub(super) const PENDING: &str = ".manifest.json.next";

/// The directory of finished tasks, inside that of the results. It is removed when everything is assembled.
const PARTS: &str = "parts";

/// The name of the file in it that tells whose tasks they are.
pub(super) const MARKER: &str = "experiment.json";

/// The name of a view's arrays.
pub(crate) fn array_name(view: &str) -> String {
    format!("{view}.npz")
}

/// `directory/parts`.
pub fn part_directory(directory: &Path) -> PathBuf {
    directory.join(PARTS)
}

/// Whether `name` leads to no other directory.
pub(super) fn is_plain(name: &str) -> bool {
    !name.is_empty() && name != "." && name != ".." && !name.contains(['/', '\\', '\0'])
}

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

/// The second words of the names of a view's files, as [`Observable::place`](twolayer::record::Observable::place) has them.
pub(super) const WORDS: [Option<&str>; 2] = [None, Some("readout")];

/// The name of a file of a view's arrays; `word` is the second word of its name, where it has one.
pub(super) fn array_name(view: &str, word: Option<&str>) -> String {
    match word {
        Some(word) => format!("{view}.{word}.npz"),
        None => format!("{view}.npz"),
    }
}

/// The names of all files of a view's arrays, with a readout or without.
pub(crate) fn array_names(view: &str, readout: bool) -> Vec<String> {
    let words = WORDS.iter().filter(|word| word.is_none() || readout);
    words.map(|word| array_name(view, *word)).collect()
}

/// `directory/parts`.
pub fn part_directory(directory: &Path) -> PathBuf {
    directory.join(PARTS)
}

/// Whether `name` leads to no other directory.
pub(super) fn is_plain(name: &str) -> bool {
    !name.is_empty() && name != "." && name != ".." && !name.contains(['/', '\\', '\0'])
}

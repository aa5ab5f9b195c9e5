//! Whose a results directory is, where its manifest may be damaged.

use std::{collections::HashSet, path::Path};

use super::{
    Index, Manifest,
    layout::{MANIFEST, MOST_BYTES},
    whole,
};

/// Whose results are looked for: the run's identity, its tasks, and words that its manifest carries.
#[derive(Debug, Clone, Default)]
pub struct Owner<'a> {
    /// Of all that the results depend on.
    pub identity: &'a str,
    /// The names of its tasks.
    pub tasks: HashSet<&'a str>,
    /// The word for all tasks of its first point.
    pub word: String,
}

impl Owner<'_> {
    /// Whether a manifest that is damaged was this run's: one of two words of 32 digits is whole.
    fn signed(&self, text: &str) -> bool {
        let quoted = |word: &str| !word.is_empty() && text.contains(&format!("\"{word}\""));
        quoted(self.identity) || quoted(&self.word)
    }
}

/// Whether the manifest of `directory`, which is damaged, was written by `owner`, or the index of the sweep around it
/// lists the directory.
pub(super) fn is_ours_damaged(directory: &Path, owner: &Owner<'_>) -> bool {
    let text = whole::read(&directory.join(MANIFEST), MOST_BYTES).unwrap_or_default();
    owner.signed(&String::from_utf8_lossy(&text)) || is_listed(directory, owner)
}

fn is_listed(directory: &Path, owner: &Owner<'_>) -> bool {
    let (Some(around), Some(name)) = (directory.parent(), directory.file_name()) else { return false };
    let same = |manifest: Manifest| manifest.provenance.identity == owner.identity && manifest.views.is_empty();
    Manifest::read(around).is_ok_and(same)
        && Index::read(around).is_ok_and(|index| index.points.iter().any(|point| *point.directory == *name))
}

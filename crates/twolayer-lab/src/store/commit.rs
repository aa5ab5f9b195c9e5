//! All files of one results directory, put in place together.
//!
//! They are written under temporary names; then the manifest, with the hash of each, under the name of what is coming;
//! then each gets its name, and the manifest as the last. Killed in between, the directory holds the old manifest, whose
//! hashes no longer fit, or the new one: results of two runs are never taken for one.

use std::{
    collections::BTreeSet,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

use super::{
    Error, Manifest, Owner,
    ledger::{MANIFEST, PENDING, ledger},
    npz,
    whole::{Staged, create_directory, is_there, remove, remove_temporaries, stage},
};
use crate::outcome::Outcome;

/// Files that wait for their names.
#[derive(Debug)]
pub struct Commit {
    directory: PathBuf,
    staged: Vec<Staged>,
}

impl Commit {
    /// Into `directory`, which is made where it is missing.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn new(directory: &Path) -> Result<Self, Error> {
        create_directory(directory)?;
        Ok(Self { directory: directory.into(), staged: Vec::new() })
    }

    /// The arrays of a view.
    ///
    /// # Errors
    /// [`Error::Name`]; [`Error::Shape`] where its replicates do not share their axis; [`Error::Io`].
    pub fn view(&mut self, name: &str, outcome: &Outcome) -> Result<(), Error> {
        self.staged.push(npz::stage_view(&self.directory, name, outcome)?);
        Ok(())
    }

    /// Another file.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn file(&mut self, name: &str, bytes: &[u8]) -> Result<(), Error> {
        let staged = stage(&self.directory, name, bytes.len() as u64, |file| file.write_all(bytes))?;
        self.staged.push(staged);
        Ok(())
    }

    /// Puts everything in place, `manifest` last: of the files that it lists already, and of these. What an earlier
    /// manifest lists, and this one does not, is removed.
    ///
    /// # Errors
    /// [`Error::InTheWay`] where a name is taken by a file that no earlier manifest lists, nothing is changed then;
    /// [`Error::Io`].
    pub fn finish(self, manifest: &mut Manifest, owner: &Owner<'_>) -> Result<(), Error> {
        let directory = &self.directory;
        for staged in &self.staged {
            manifest.files.insert(staged.name.clone(), staged.sha256()?);
        }
        let new = manifest.names();
        let old = ledger(directory, owner, &new);
        let written = self.staged.iter().map(|staged| staged.name.as_str()).chain([MANIFEST, PENDING]);
        if let Some(name) = written.into_iter().find(|name| is_there(&directory.join(name)) && !old.contains(*name)) {
            return Err(Error::InTheWay { path: directory.join(name) });
        }
        manifest.write_as(directory, PENDING)?;
        for name in old.iter().filter(|name| !new.contains(*name) && *name != MANIFEST && *name != PENDING) {
            remove(&directory.join(name))?;
        }
        self.staged.into_iter().try_for_each(Staged::place)?;
        let known: BTreeSet<String> = old.union(&new).cloned().chain([MANIFEST.into(), PENDING.into()]).collect();
        remove_temporaries(directory, &known)?;
        let (pending, target) = (directory.join(PENDING), directory.join(MANIFEST));
        fs::rename(pending, &target).map_err(Error::io(&target, "write"))
    }
}

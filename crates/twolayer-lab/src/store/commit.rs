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
    layout::{MANIFEST, PENDING},
    ledger::ledger,
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
        self.staged.extend(npz::stage_view(&self.directory, name, outcome)?);
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

#[cfg(test)]
mod tests {
    use serde_json::json;
    use twolayer::problem::Engine;
    use twolayer_file::experiment::NamedView;

    use super::*;
    use crate::{
        fabricated::{self, Sizes},
        store::{self, Run, Writes},
    };

    const SIZES: Sizes = Sizes { p: 2, k: 1 };

    fn outcome(seed: u64) -> Outcome {
        fabricated::simulation(SIZES, &fabricated::log_times(4, 0.01, 10.0), 2, 0.1, seed)
    }

    fn views(names: &[&str]) -> Vec<NamedView> {
        names.iter().map(|name| fabricated::view(name, Engine::Reduced, SIZES, 100)).collect()
    }

    fn manifest(names: &[&str], seed: u64) -> Manifest {
        let outcomes: Vec<Outcome> = names.iter().map(|_| outcome(seed)).collect();
        let run = Run {
            experiment: json!({ "title": seed }),
            source: String::new(),
            version: "0.1.0".into(),
            command: "twolayer run t.toml".into(),
            threads: 1,
            started: 0.0,
            seconds: 0.0,
        };
        Manifest::new(run, store::records(&views(names), &outcomes), Vec::new())
    }

    fn staged(directory: &Path, names: &[&str], seed: u64) -> Commit {
        let mut commit = Commit::new(directory).unwrap();
        names.iter().for_each(|name| commit.view(name, &outcome(seed)).unwrap());
        commit.file("report.html", format!("of {seed}").as_bytes()).unwrap();
        commit
    }

    fn names(directory: &Path) -> Vec<String> {
        let entries = fs::read_dir(directory).unwrap();
        let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    const OLD: [&str; 2] = ["a", "gone"];
    const NEW: [&str; 2] = ["a", "b"];

    /// Results of an older run, and a newer one that was killed with so many of its files in place.
    fn killed(directory: &Path, placed: usize) {
        staged(directory, &OLD, 1).finish(&mut manifest(&OLD, 1), &Owner::default()).unwrap();
        let (commit, mut manifest) = (staged(directory, &NEW, 2), manifest(&NEW, 2));
        for staged in &commit.staged {
            manifest.files.insert(staged.name.clone(), staged.sha256().unwrap());
        }
        manifest.write_as(directory, PENDING).unwrap();
        for (i, staged) in commit.staged.into_iter().enumerate() {
            if i < placed { staged.place().unwrap() } else { staged.leave() }
        }
    }

    #[test]
    fn killed_anywhere_nothing_is_mixed_and_the_next_run_puts_it_right() {
        for placed in 0..=3 {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path();
            killed(path, placed);
            // The old results, or an error that names the file.
            match store::load(path) {
                Ok((manifest, _)) => assert!(placed == 0 && manifest.experiment["title"] == 1),
                Err(error) => assert!(placed > 0 && error.to_string().contains("a.npz"), "{error}"),
            }
            staged(path, &NEW, 2).finish(&mut manifest(&NEW, 2), &Owner::default()).unwrap();
            assert_eq!(names(path), ["a.npz", "b.npz", "manifest.json", "report.html"], "{placed}");
            assert_eq!(store::load(path).unwrap().0.experiment["title"], 2);
            assert_eq!(fs::read_to_string(path.join("report.html")).unwrap(), "of 2");
        }
    }

    #[test]
    fn killed_anywhere_all_of_it_can_be_removed_and_nothing_else_is() {
        for placed in 0..=3 {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path();
            killed(path, placed);
            for mine in ["c.npz", ".a.npz.backup"] {
                fs::write(path.join(mine), "mine").unwrap();
            }
            let writes = Writes { here: manifest(&NEW, 2).names(), points: Vec::new() };
            store::clear(path, &Owner::default(), &writes).unwrap();
            assert_eq!(names(path), [".a.npz.backup", "c.npz"], "{placed}");
        }
    }

    /// Not even where nobody has asked before.
    #[test]
    fn a_foreign_file_is_not_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path();
        staged(path, &OLD, 1).finish(&mut manifest(&OLD, 1), &Owner::default()).unwrap();
        fs::write(path.join("b.npz"), "mine").unwrap();
        let error = staged(path, &NEW, 2).finish(&mut manifest(&NEW, 2), &Owner::default()).unwrap_err();
        assert!(matches!(&error, Error::InTheWay { path } if path.ends_with("b.npz")), "{error}");
        assert_eq!(names(path), ["a.npz", "b.npz", "gone.npz", "manifest.json", "report.html"]);
        assert_eq!(store::load(path).unwrap().0.experiment["title"], 1);
        assert_eq!(fs::read(path.join("b.npz")).unwrap(), b"mine");
    }
}

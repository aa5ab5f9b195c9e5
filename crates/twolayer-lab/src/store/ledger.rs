//! What is ours in a results directory: only that may be replaced or removed.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    rc::Rc,
};

use super::{
    Error, Index, Manifest, Owner, held,
    layout::{MANIFEST, PENDING, is_plain, part_directory},
    marker,
    owner::is_ours_damaged,
    parts,
    whole::{self, is_there, remove, remove_temporaries},
};
use twolayer_file::hash;

/// What a run writes into a results directory.
#[derive(Debug, Clone, Default)]
pub struct Writes {
    /// Names in the directory itself, the manifest apart.
    pub here: BTreeSet<String>,
    /// Directories of points, and names in each.
    pub points: Vec<(String, Rc<BTreeSet<String>>)>,
}

/// Names of files in `directory` that a run of this program has written: those that its manifest lists; those that the
/// manifest of a run which was killed lists, if they are what it says; where the manifest is damaged and `owner`'s, those
/// that the owner `writes`.
pub(super) fn ledger(directory: &Path, owner: &Owner<'_>, writes: &BTreeSet<String>) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    match Manifest::read(directory) {
        Ok(manifest) => names = manifest.names(),
        Err(Error::Damaged { .. }) if is_ours_damaged(directory, owner) => names.clone_from(writes),
        Err(_) => {}
    }
    if !names.is_empty() {
        names.insert(MANIFEST.into());
    }
    if let Ok(manifest) = Manifest::read_as(directory, PENDING) {
        let is = |name: &str, hash: &String| {
            whole::open(&directory.join(name))
                .and_then(|mut file| hash::sha256_of(&mut file))
                .is_ok_and(|it| it == *hash)
        };
        names.extend(manifest.files.iter().filter(|(name, hash)| is(name, hash)).map(|(name, _)| name.clone()));
        names.insert(PENDING.into());
    }
    names.retain(|name| is_plain(name) && fs::symlink_metadata(directory.join(name)).is_ok_and(|it| !it.is_dir()));
    names
}

/// What stands where this run would write, and is not this program's.
///
/// # Errors
/// [`Error::Io`].
pub fn in_the_way(out: &Path, owner: &Owner<'_>, writes: &Writes) -> Result<Vec<PathBuf>, Error> {
    let mut found = Vec::new();
    let mut look = |directory: &Path, names: &BTreeSet<String>| {
        let ours = ledger(directory, owner, names);
        let all = names.iter().map(String::as_str).chain([MANIFEST, PENDING]);
        found.extend(
            all.filter(|name| !ours.contains(*name)).map(|name| directory.join(name)).filter(|it| is_there(it)),
        );
    };
    look(out, &writes.here);
    for (point, names) in &writes.points {
        look(&out.join(point), names);
    }
    for path in writes.points.iter().map(|(point, _)| out.join(point)) {
        if is_there(&path) && !path.is_dir() {
            found.push(path);
        }
    }
    if parts::are_foreign(out, owner)? {
        found.push(part_directory(out));
    }
    Ok(found)
}

/// Removes what runs of this program have written into `directory`: the files of its manifest, the points of a sweep,
/// its parts. Other files stay. What tells that the rest is ours goes last.
///
/// # Errors
/// [`Error::Io`].
pub fn clear(directory: &Path, owner: &Owner<'_>, writes: &Writes) -> Result<(), Error> {
    for (point, names) in points(directory, writes) {
        let inner = directory.join(point);
        remove_files(&inner, owner, &names)?;
        // Someone else's file in it keeps it.
        let _ = fs::remove_dir(&inner);
    }
    remove_files(directory, owner, &writes.here)?;
    held::remove_parts(directory, owner)
}

/// The directories of points in `directory`: those that its index lists, and those whose manifest says that they are
/// points of the same run, under the name that they have.
fn points(directory: &Path, writes: &Writes) -> Vec<(String, Rc<BTreeSet<String>>)> {
    let manifest = Manifest::read(directory).map(|manifest| manifest.provenance.identity).ok();
    let identities = [manifest, marker::identity(directory)];
    let ours = |path: &Path| {
        let of = |manifest: Manifest| {
            let from = manifest.provenance;
            identities.iter().flatten().any(|known| *known == from.identity)
                && path.file_name().is_some_and(|name| *name == *from.directory)
        };
        Manifest::read(path).is_ok_and(of) || Manifest::read_as(path, PENDING).is_ok_and(of)
    };
    let mut names: BTreeSet<String> = Index::read(directory)
        .map(|index| index.points.into_iter().map(|point| point.directory).collect())
        .unwrap_or_default();
    let inner = fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path());
    let inner = inner.filter(|path| path.is_dir() && ours(path));
    names.extend(inner.filter_map(|path| Some(path.file_name()?.to_str()?.to_string())));
    let writes = |name: &String| writes.points.iter().find(|(point, _)| point == name).map(|(_, names)| names.clone());
    (names.into_iter().filter(|name| is_plain(name) && name.contains('=') && directory.join(name).is_dir()))
        .map(|name| (name.clone(), writes(&name).unwrap_or_default()))
        .collect()
}

fn remove_files(directory: &Path, owner: &Owner<'_>, writes: &BTreeSet<String>) -> Result<(), Error> {
    let names = ledger(directory, owner, writes);
    let last = [PENDING, MANIFEST];
    for name in names.iter().map(String::as_str).filter(|name| !last.contains(name)) {
        remove(&directory.join(name))?;
    }
    let known = names.union(writes).cloned().chain(last.map(String::from)).collect();
    remove_temporaries(directory, &known)?;
    last.into_iter().filter(|name| names.contains(*name)).try_for_each(|name| remove(&directory.join(name)))
}

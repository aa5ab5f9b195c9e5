//! Files that are whole or absent: written under a temporary name beside the target, synchronised, renamed.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{self, BufWriter, Read as _, Seek as _, Write},
    path::{Path, PathBuf},
};

use tempfile::TempPath;
use twolayer::method::human_bytes;

use super::Error;
use twolayer_file::hash;

/// How the name of a temporary file ends.
const ENDING: &str = ".twolayer";

/// Random letters in it.
const RANDOM: usize = 6;

/// Makes `directory` and its parents.
///
/// # Errors
/// [`Error::Io`].
pub fn create_directory(directory: &Path) -> Result<(), Error> {
    fs::create_dir_all(directory).map_err(Error::io(directory, "create the directory"))
}

/// Writes `bytes` as `directory/name`, whole or not at all.
///
/// # Errors
/// [`Error::Io`]; a file that was there before is then untouched.
pub fn write_bytes(directory: &Path, name: &str, bytes: &[u8]) -> Result<(), Error> {
    stage(directory, name, bytes.len() as u64, |file| file.write_all(bytes))?.place()
}

/// A file that is written, and has a temporary name still; gone when it is dropped.
#[derive(Debug)]
pub(super) struct Staged {
    pub(super) name: String,
    temporary: TempPath,
    target: PathBuf,
    action: String,
}

impl Staged {
    /// SHA-256 of the content.
    pub(super) fn sha256(&self) -> Result<String, Error> {
        let hash = || hash::sha256_of(&mut File::open(&self.temporary)?);
        hash().map_err(Error::io(&self.target, "read back"))
    }

    /// Gives it its name.
    pub(super) fn place(self) -> Result<(), Error> {
        let failed = |source| Error::Io { path: self.target.clone(), action: self.action.into(), source };
        self.temporary.persist(&self.target).map_err(|failure| failed(failure.error))
    }

    /// Leaves it under its temporary name, as a kill does.
    #[cfg(test)]
    pub(super) fn leave(self) {
        self.temporary.keep().unwrap();
    }
}

/// Lets `fill` write what shall be `directory/name`, of about so many `bytes`.
pub(super) fn stage(
    directory: &Path,
    name: &str,
    bytes: u64,
    fill: impl FnOnce(&mut BufWriter<&mut File>) -> io::Result<()>,
) -> Result<Staged, Error> {
    let (target, action) = (directory.join(name), format!("write {}", human_bytes(bytes as f64)));
    let attempt = || -> io::Result<TempPath> {
        // In the same directory, so that the rename does not cross file systems.
        let prefix = format!(".{name}.");
        let mut builder = tempfile::Builder::new();
        let mut temporary =
            readable(builder.prefix(&prefix).suffix(ENDING).rand_bytes(RANDOM)).tempfile_in(directory)?;
        let mut buffered = BufWriter::with_capacity(1 << 16, temporary.as_file_mut());
        fill(&mut buffered)?;
        buffered.flush()?;
        drop(buffered);
        // Else a power cut may leave the new name with none of the data.
        temporary.as_file().sync_all()?;
        temporary.as_file_mut().rewind()?;
        Ok(temporary.into_temp_path())
    };
    match attempt() {
        Ok(temporary) => Ok(Staged { name: name.into(), temporary, target, action }),
        Err(source) => Err(Error::Io { path: target, action: action.into(), source }),
    }
}

/// The name whose temporary file `name` is: `limit.npz` of `.limit.npz.a1B2c3.twolayer`.
pub(super) fn temporary_of(name: &str) -> Option<&str> {
    let (stem, random) = name.strip_prefix('.')?.strip_suffix(ENDING)?.rsplit_once('.')?;
    (random.len() == RANDOM && random.bytes().all(|byte| byte.is_ascii_alphanumeric())).then_some(stem)
}

/// Removes the temporary files of `names` that a run which was killed has left.
pub(super) fn remove_temporaries(directory: &Path, names: &BTreeSet<String>) -> Result<(), Error> {
    let entries = fs::read_dir(directory).map_err(Error::io(directory, "read the directory"))?;
    for entry in entries.flatten() {
        let name = entry.file_name();
        if name.to_str().and_then(temporary_of).is_some_and(|stem| names.contains(stem)) {
            remove(&entry.path())?;
        }
    }
    Ok(())
}

/// Opens a file to read. What is no file, a device or a pipe, might have no end.
pub(super) fn open(path: &Path) -> io::Result<File> {
    if fs::metadata(path)?.is_file() { File::open(path) } else { Err(io::Error::other("it is no file")) }
}

/// All bytes of a file that has at most so many.
pub(super) fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open(path)?.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(io::Error::other(format!("it has more than {}", human_bytes(most as f64))));
    }
    Ok(bytes)
}

/// Removes a file, if it is there.
pub(super) fn remove(path: &Path) -> Result<(), Error> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::io(path, "remove")(error)),
        _ => Ok(()),
    }
}

/// Whether anything has this name, a link that leads nowhere included.
pub(super) fn is_there(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

/// Temporary files are private by default; results are as readable as the user's umask says.
#[cfg(unix)]
fn readable<'a, 'b>(builder: &'a mut tempfile::Builder<'b, 'b>) -> &'a mut tempfile::Builder<'b, 'b> {
    use std::os::unix::fs::PermissionsExt;
    builder.permissions(fs::Permissions::from_mode(0o666))
}

#[cfg(not(unix))]
fn readable<'a, 'b>(builder: &'a mut tempfile::Builder<'b, 'b>) -> &'a mut tempfile::Builder<'b, 'b> {
    builder
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_temporary_name_is_told_from_any_other() {
        assert_eq!(temporary_of(".limit.npz.a1B2c3.twolayer"), Some("limit.npz"));
        for other in [
            ".limit.npz.backup",
            "limit.npz.a1B2c3.twolayer",
            ".limit.npz.a1B2c3",
            ".limit.npz.a1B2c34.twolayer",
            ".twolayer",
            ".a.twolayer",
            ".limit.npz.a1-2c3.twolayer",
        ] {
            assert_eq!(temporary_of(other), None, "{other}");
        }
        let directory = tempfile::tempdir().unwrap();
        let staged = stage(directory.path(), "limit.npz", 1, |file| file.write_all(b"x")).unwrap();
        let name = staged.temporary.file_name().unwrap().to_str().unwrap();
        assert_eq!(temporary_of(name), Some("limit.npz"));
    }
}

//! Files that are whole or absent: written under a temporary name beside the target, synchronised, renamed.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::Path,
};

use twolayer::method::human_bytes;

use super::Error;

/// Makes `directory` and its parents.
///
/// # Errors
/// [`Error::Io`].
pub fn create_directory(directory: &Path) -> Result<(), Error> {
    fs::create_dir_all(directory).map_err(Error::io(directory, "create the directory"))
}

/// Tries whether `directory` can be written to, and leaves nothing there.
///
/// # Errors
/// [`Error::Io`].
pub fn probe(directory: &Path) -> Result<(), Error> {
    tempfile::tempfile_in(directory).map(drop).map_err(Error::io(directory, "write to the directory"))
}

/// Writes `bytes` as `directory/name`, whole or not at all.
///
/// # Errors
/// [`Error::Io`]; a file that was there before is then untouched.
pub fn write_bytes(directory: &Path, name: &str, bytes: &[u8]) -> Result<(), Error> {
    write_whole(directory, name, bytes.len() as u64, |file| file.write_all(bytes))
}

/// Lets `fill` write `directory/name`, of about so many `bytes`, whole or not at all.
pub(super) fn write_whole(
    directory: &Path,
    name: &str,
    bytes: u64,
    fill: impl FnOnce(&mut BufWriter<&mut File>) -> io::Result<()>,
) -> Result<(), Error> {
    let path = directory.join(name);
    let attempt = || -> io::Result<()> {
        // In the same directory, so that the rename does not cross file systems.
        let mut temporary = readable(tempfile::Builder::new().prefix(&format!(".{name}."))).tempfile_in(directory)?;
        let mut buffered = BufWriter::with_capacity(1 << 16, temporary.as_file_mut());
        fill(&mut buffered)?;
        buffered.flush()?;
        drop(buffered);
        // Else a power cut may leave the new name with none of the data.
        temporary.as_file().sync_all()?;
        temporary.persist(&path).map_err(|failure| failure.error)?;
        Ok(())
    };
    let action = || format!("write {}", human_bytes(bytes as f64)).into();
    attempt().map_err(|source| Error::Io { path: path.clone(), action: action(), source })
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

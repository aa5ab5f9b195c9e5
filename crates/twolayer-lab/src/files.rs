//! The files that experiments are read from: those of the disk, and those of the gallery inside the program.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::Path,
};

use twolayer_file::{Diagnostic, Request, Study, Unread};

use crate::gallery;

/// An experiment file is no larger.
const MOST_BYTES: u64 = 16 << 20;

/// Reads the experiment file at `path`, of which `-` is standard input, or the experiment of the gallery that `gallery:NAME`
/// names.
///
/// # Errors
/// Every fault found, each with its place and remedy: never empty.
pub fn read(path: &Path, request: &Request) -> Result<Study, Vec<Diagnostic>> {
    Study::read(path, request, &load)
}

fn load(path: &Path) -> Result<Vec<u8>, Unread> {
    if let Some(name) = path.to_str().and_then(|path| path.strip_prefix(gallery::PREFIX)) {
        return gallery::text(name).map(|text| text.as_bytes().to_vec());
    }
    let bytes = if is_standard_input(path) { bounded(io::stdin().lock()) } else { of_file(path) };
    bytes.map_err(|error| Unread {
        reason: format!("{} cannot be read: {error}", path.display()),
        remedy: "give the path of an experiment file".into(),
    })
}

/// Whether a path stands for what comes from standard input.
pub fn is_standard_input(path: &Path) -> bool {
    path == Path::new("-")
}

fn of_file(path: &Path) -> io::Result<Vec<u8>> {
    if is_device(&fs::metadata(path)?) {
        return Err(io::Error::other("it is a device"));
    }
    bounded(File::open(path)?)
}

/// The bytes of a file or of a pipe, of which there must be an end.
fn bounded(source: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    source.take(MOST_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(io::Error::other(format!("it has more than {} MB", MOST_BYTES >> 20)));
    }
    Ok(bytes)
}

#[cfg(unix)]
fn is_device(it: &fs::Metadata) -> bool {
    use std::os::unix::fs::FileTypeExt;
    it.file_type().is_char_device() || it.file_type().is_block_device()
}

#[cfg(not(unix))]
fn is_device(_: &fs::Metadata) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_cannot_be_read_is_named() {
        let read = |path: &Path| read(path, &Request::default());
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("experiment.toml");
        let missing = read(&path).unwrap_err();
        assert!(missing[0].reason.contains("cannot be read") && missing[0].reason.contains("experiment.toml"));
        fs::write(&path, b"title = \"caf\xe9\"").unwrap();
        assert_eq!(read(&path).unwrap_err()[0].reason, "byte 13 is not UTF-8 text");
        let stranger = read(Path::new("gallery:odes/high-dimensionl")).unwrap_err();
        assert!(stranger[0].remedy.contains("odes/high-dimensional"), "{stranger:?}");
        assert!(read(Path::new("gallery:odes/high-dimensional")).is_ok());
    }
}

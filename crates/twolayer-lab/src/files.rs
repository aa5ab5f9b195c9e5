//! The files that experiments are read from: those of the disk, and those of the gallery inside the program.

use std::{fs, path::Path};

use twolayer_file::{Diagnostic, Request, Study, Unread};

use crate::gallery;

/// Reads the experiment file at `path`, or the experiment of the gallery that `gallery:NAME` names.
///
/// # Errors
/// Every fault found, each with its place and remedy: never empty.
pub fn read(path: &Path, request: &Request) -> Result<Study, Vec<Diagnostic>> {
    Study::read(path, request, &load)
}

fn load(path: &Path) -> Result<Vec<u8>, Unread> {
    match path.to_str().and_then(|path| path.strip_prefix(gallery::PREFIX)) {
        Some(name) => gallery::text(name).map(|text| text.as_bytes().to_vec()),
        None => fs::read(path).map_err(|error| Unread {
            reason: format!("{} cannot be read: {error}", path.display()),
            remedy: "give the path of an experiment file".into(),
        }),
    }
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

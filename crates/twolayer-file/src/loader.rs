//! Where the contents of files come from: this crate has no file system of its own.

use std::path::Path;

use crate::diagnostic::Diagnostic;

/// Why a file is not there, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    /// What hindered it.
    pub reason: String,
    /// What to write instead.
    pub remedy: String,
}

impl Unread {
    /// The same, about the file at `path`.
    pub fn about(self, path: &Path) -> Diagnostic {
        Diagnostic::about_file(path, self.reason, self.remedy)
    }
}

/// Gives the contents of files by their paths: a directory, the gallery inside a program, what a page has been handed.
/// Every closure of this signature is one.
pub trait Loader {
    /// The bytes of the file at `path`.
    ///
    /// # Errors
    /// Why they cannot be had.
    fn load(&self, path: &Path) -> Result<Vec<u8>, Unread>;
}

impl<F: Fn(&Path) -> Result<Vec<u8>, Unread>> Loader for F {
    fn load(&self, path: &Path) -> Result<Vec<u8>, Unread> {
        self(path)
    }
}

//! A directory to run the command in.

#![allow(dead_code)] // Each test file uses its own part.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use assert_cmd::cargo::cargo_bin;
use tempfile::TempDir;

/// The command under test.
pub fn program() -> Command {
    Command::new(cargo_bin!("twolayer"))
}

/// A directory with `experiment.toml` in it.
pub struct Desk {
    directory: TempDir,
}

impl Desk {
    pub fn new(text: &str) -> Self {
        let directory = TempDir::new().unwrap();
        fs::write(directory.path().join("experiment.toml"), text).unwrap();
        Self { directory }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = program();
        command.current_dir(self.directory.path()).args(arguments);
        command
    }

    pub fn call(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }
}

/// Text that may not be UTF-8.
pub fn words(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Every array file below `directory`, by its path there.
pub fn arrays(directory: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).unwrap().flatten() {
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        if path.is_dir() {
            files.extend(arrays(&path).into_iter().map(|(inner, bytes)| (format!("{name}/{inner}"), bytes)));
        } else if name.ends_with(".npz") {
            files.push((name, fs::read(&path).unwrap()));
        }
    }
    files.sort();
    files
}

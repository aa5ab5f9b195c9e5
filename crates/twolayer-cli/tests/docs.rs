//! Every command of the README and the docs is run as it stands: lines that begin with `$ ` in ```console blocks, page by
//! page, each page in a directory of its own.

#![allow(clippy::unwrap_used)] // A test that cannot go on fails there.

use std::{env, fs, path::Path, process::Command};

/// The commands of a page, in order.
fn commands(page: &str) -> Vec<&str> {
    let mut inside = false;
    let mut found = Vec::new();
    for line in page.lines() {
        if line.starts_with("```") {
            inside = !inside && line == "```console";
        } else if inside && let Some(command) = line.strip_prefix("$ ") {
            found.push(command);
        }
    }
    found
}

#[test]
fn every_command_of_the_docs_runs() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let program = Path::new(env!("CARGO_BIN_EXE_twolayer")).parent().unwrap();
    let path = format!("{}:{}", program.display(), env::var("PATH").unwrap_or_default());
    let mut pages: Vec<_> = fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().path()).collect();
    pages.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    pages.push(root.join("README.md"));
    pages.sort();
    let mut run = 0;
    for page in pages {
        let directory = tempfile::tempdir().unwrap();
        for command in commands(&fs::read_to_string(&page).unwrap()) {
            let output = Command::new("bash")
                .args(["-c", command])
                .current_dir(directory.path())
                .env("PATH", &path)
                .output()
                .unwrap();
            let (said, told) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
            assert!(output.status.success(), "{}: $ {command}\n{said}{told}", page.display());
            run += 1;
        }
    }
    assert!(run >= 15, "only {run} commands found");
}

#[test]
fn the_book_has_every_page() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    let summary = fs::read_to_string(docs.join("SUMMARY.md")).unwrap();
    for entry in fs::read_dir(&docs).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if name.ends_with(".md") && name != "SUMMARY.md" {
            assert!(summary.contains(&format!("({name})")), "docs/SUMMARY.md does not name {name}");
        }
    }
    for line in summary.lines() {
        if let Some((_, rest)) = line.split_once("](") {
            let name = rest.trim_end_matches(')');
            assert!(docs.join(name).exists(), "docs/SUMMARY.md names {name}, which is not there");
        }
    }
}

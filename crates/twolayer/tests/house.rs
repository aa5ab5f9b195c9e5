//! The rules of the house, read off the sources: no import up the floors, no circle between rooms, no long file, no long
//! function, no arrow between crates that the plan does not have.

#![allow(clippy::unwrap_used)] // A test that cannot go on fails there.

#[path = "house/circles.rs"]
mod circles;
#[path = "house/imports.rs"]
mod imports;
#[path = "house/text.rs"]
mod text;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use imports::Tree;

/// The rooms of the library, floor by floor; a file imports from floors below its own, and from rooms of its own floor
/// where no circle closes.
const FLOORS: &[&[&str]] = &[
    &["error", "lanes", "observer", "random", "citation"],
    &["expression", "gaussian", "overlaps", "solve"],
    &["problem", "record"],
    &["signal", "average", "hierarchy"],
    &["frame", "probe", "readout"],
    &["simulate", "method"],
    &["agree", "paper"],
];

/// What each crate may import of ours.
const ARROWS: &[(&str, &[&str])] = &[
    ("twolayer", &[]),
    ("twolayer-plot", &[]),
    ("twolayer-file", &["twolayer"]),
    ("twolayer-view", &["twolayer", "twolayer-file", "twolayer-plot"]),
    ("twolayer-lab", &["twolayer", "twolayer-file", "twolayer-plot", "twolayer-view"]),
    ("twolayer-cli", &["twolayer", "twolayer-file", "twolayer-plot", "twolayer-view", "twolayer-lab"]),
    ("twolayer-python", &["twolayer", "twolayer-file", "twolayer-plot", "twolayer-view", "twolayer-lab"]),
    ("twolayer-web", &["twolayer", "twolayer-file", "twolayer-view"]),
];

const MOST_LINES: usize = 500;
const MOST_LINES_OF_A_FUNCTION: usize = 80;

fn crates() -> Vec<PathBuf> {
    let all = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut crates: Vec<PathBuf> = fs::read_dir(all).unwrap().map(|entry| entry.unwrap().path()).collect();
    crates.retain(|path| path.join("Cargo.toml").is_file());
    crates.sort();
    crates
}

fn sources(directory: &Path, into: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(directory) else { return };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push(path);
        }
    }
}

#[test]
fn no_import_goes_up_the_floors() {
    let tree = Tree::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    let floor = |room: &str| FLOORS.iter().position(|rooms| rooms.contains(&room));
    let mut faults = BTreeSet::new();
    for (file, imported) in tree.imports() {
        let (Some(room), Some(other)) = (file.first(), imported.first()) else { continue };
        match (floor(room), floor(other)) {
            (Some(own), Some(below)) if below <= own => {}
            (Some(_), Some(_)) => {
                faults.insert(format!("{} imports {}, which is above it", file.join("::"), imported.join("::")));
            }
            _ if room == "testing" => {}
            (None, _) => {
                faults.insert(format!("{room} is on no floor"));
            }
            (_, None) => {
                faults.insert(format!("{} imports {other}, which is on no floor", file.join("::")));
            }
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn no_circle_closes_between_rooms() {
    let mut faults = Vec::new();
    for path in crates() {
        let tree = Tree::read(&path.join("src"));
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        faults.extend(circles::circles(&tree.imports()).into_iter().map(|circle| format!("{name}: {circle}")));
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn crates_import_along_the_arrows() {
    let mut faults = Vec::new();
    for path in crates() {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let manifest = fs::read_to_string(path.join("Cargo.toml")).unwrap();
        let section = manifest.split("\n[").find(|section| section.starts_with("dependencies]")).unwrap_or_default();
        let ours = section.lines().filter_map(|line| line.split(['.', ' ', '=']).next());
        let Some((_, allowed)) = ARROWS.iter().find(|(known, _)| *known == name) else {
            faults.push(format!("{name} is in no plan"));
            continue;
        };
        let wrong = ours.filter(|word| word.starts_with("twolayer") && !allowed.contains(word));
        faults.extend(wrong.map(|other| format!("{name} depends on {other}")));
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn files_and_functions_are_short() {
    let mut faults = Vec::new();
    for path in crates() {
        let mut files = Vec::new();
        ["src", "tests", "benches", "examples"].iter().for_each(|part| sources(&path.join(part), &mut files));
        for file in files {
            let source = fs::read_to_string(&file).unwrap();
            let lines = source.lines().count();
            let shown = file.strip_prefix(path.parent().unwrap()).unwrap().display();
            if lines > MOST_LINES {
                faults.push(format!("{shown}: {lines} lines"));
            }
            let long = text::functions(&text::bare(&source)).into_iter();
            let long = long.filter(|function| function.lines > MOST_LINES_OF_A_FUNCTION);
            faults.extend(long.map(|f| format!("{shown}:{}: fn {} has {} lines", f.line, f.name, f.lines)));
        }
    }
    faults.sort();
    assert!(faults.is_empty(), "{faults:#?}");
}

/// The reader itself, on sources with every fault.
#[test]
fn faults_are_seen() {
    let files = BTreeMap::from([
        (vec![], "pub mod low; pub mod high; pub use high::Tall;".to_string()),
        (
            vec!["low"],
            "mod left; mod right; pub use right::Thing;\n#[cfg(test)]\nmod tests { use crate::high::X; }".into(),
        ),
        (vec!["low", "left"], "// use crate::high::Never;\nuse super::{Thing, right::{self as r, Other}};".into()),
        (vec!["low", "right"], "fn f() { let x = \"crate::high::No\"; super::left::go('{', \"}\") }".into()),
        (vec!["high"], "use std::fmt;\nuse crate::{\n    low::Thing,\n    Tall,\n};".into()),
    ]);
    let tree = Tree::of(files.into_iter().map(|(path, text)| (path.into_iter().map(String::from).collect(), text)));
    let found: BTreeSet<String> =
        tree.imports().into_iter().map(|(from, to)| format!("{} {}", from.join("::"), to.join("::"))).collect();
    let expected = [" high", "high low::right", "low low::right", "low::left low::right", "low::right low::left"];
    assert_eq!(found.into_iter().collect::<Vec<_>>(), expected);
    assert_eq!(circles::circles(&tree.imports()), ["low::left → low::right → low::left"]);
    let source = "impl<'a> A<'a> {\n    fn one(&'a self) -> char {\n        '}' // }\n    }\n}\nfn two();\n";
    let found: Vec<_> = text::functions(&text::bare(source)).into_iter().map(|f| (f.name, f.line, f.lines)).collect();
    assert_eq!(found, [("one".to_string(), 2, 3)]);
}

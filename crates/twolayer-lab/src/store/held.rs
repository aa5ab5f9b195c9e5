//! What a results directory holds, so that no experiment is written over another.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::{Error, Index, Manifest, SCHEMA, create_directory, parts, write_bytes};

/// The directory of finished tasks, inside that of the results. It is removed when everything is assembled.
const PARTS: &str = "parts";

const MARKER: &str = "experiment.json";

/// Says whose tasks `parts/` holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Marker {
    /// [`SCHEMA`].
    pub schema: u32,
    /// Of all that the results depend on.
    pub identity: String,
    /// The experiment's title.
    pub title: String,
    /// The experiment file.
    pub file: PathBuf,
    /// How many tasks there are in all.
    pub tasks: usize,
}

/// What a results directory holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Held {
    /// Nothing of this program's.
    Nothing,
    /// This experiment, complete.
    Finished,
    /// This experiment, with so many of its tasks finished.
    Unfinished {
        /// Finished tasks.
        done: usize,
        /// All tasks.
        of: usize,
    },
    /// Another experiment, in words: `“Title” (file.toml)`.
    Other(String),
}

/// `directory/parts`.
pub fn part_directory(directory: &Path) -> PathBuf {
    directory.join(PARTS)
}

/// What `directory` holds, as seen by the experiment of this identity.
///
/// # Errors
/// [`Error::Io`] where it cannot be read.
pub fn held(directory: &Path, identity: &str) -> Result<Held, Error> {
    let parts = part_directory(directory);
    let marker = parts.join(MARKER);
    match fs::read_to_string(&marker) {
        Ok(text) => {
            let Ok(found) = serde_json::from_str::<Marker>(&text) else {
                return Ok(Held::Other(format!("an experiment unknown, as {} is damaged", marker.display())));
            };
            let other = || Held::Other(in_words(&found.title, &found.file));
            return if found.identity == identity { count(&parts, identity, found.tasks) } else { Ok(other()) };
        }
        Err(error) if error.kind() != io::ErrorKind::NotFound && error.kind() != io::ErrorKind::NotADirectory => {
            return Err(Error::io(&marker, "read")(error));
        }
        Err(_) => {}
    }
    if !directory.join("manifest.json").exists() {
        return Ok(Held::Nothing);
    }
    Ok(match Manifest::read(directory) {
        Ok(manifest) if manifest.provenance.identity == identity => Held::Finished,
        Ok(manifest) => {
            let title = manifest.experiment["title"].as_str().unwrap_or_default();
            Held::Other(in_words(title, &manifest.provenance.file))
        }
        Err(error) => Held::Other(format!("an experiment unknown ({error})")),
    })
}

/// An experiment in words: `“Title” (file.toml)`, as far as there are any.
pub fn in_words(title: &str, file: &Path) -> String {
    match (title, file.as_os_str().is_empty()) {
        ("", _) => file.display().to_string(),
        (title, true) => format!("“{title}”"),
        (title, false) => format!("“{title}” ({})", file.display()),
    }
}

fn count(directory: &Path, identity: &str, of: usize) -> Result<Held, Error> {
    let entries = |directory: &Path| fs::read_dir(directory).map_err(Error::io(directory, "read the directory"));
    let in_parts = parts::count(directory)?;
    // Of points that are put together the parts are gone.
    let out = directory.parent().unwrap_or(directory);
    let assembled = entries(out)?.flatten().filter_map(|entry| Manifest::read(&entry.path()).ok());
    let of_points = assembled.filter(|manifest| manifest.provenance.identity == identity && manifest.is_complete());
    let runs = of_points.map(|manifest| manifest.views.iter().map(|view| view.replicate_status.len()).sum::<usize>());
    Ok(Held::Unfinished { done: (in_parts + runs.sum::<usize>()).min(of), of })
}

/// Makes `directory` and its `parts/`, and marks them as `marker`'s.
///
/// # Errors
/// [`Error::Io`].
pub fn begin(directory: &Path, marker: &Marker) -> Result<(), Error> {
    let parts = part_directory(directory);
    create_directory(&parts)?;
    let text = serde_json::to_string_pretty(marker).map_err(|error| Error::damaged(&parts.join(MARKER), error))?;
    write_bytes(&parts, MARKER, (text + "\n").as_bytes())
}

impl Marker {
    /// The marker of an experiment.
    pub fn new(identity: &str, title: &str, file: &Path, tasks: usize) -> Self {
        Self { schema: SCHEMA, identity: identity.into(), title: title.into(), file: file.into(), tasks }
    }
}

/// Removes what this program wrote into `directory`: arrays, manifest, index, figure, report, parts, and the points of
/// a sweep that the index names. Other files stay.
///
/// # Errors
/// [`Error::Io`].
pub fn clear(directory: &Path) -> Result<(), Error> {
    let points = Index::read(directory).map(|index| index.points).unwrap_or_default();
    for point in points.iter().filter(|point| !point.directory.contains(['/', '\\']) && point.directory.contains('=')) {
        let inner = directory.join(&point.directory);
        if inner.is_dir() {
            clear(&inner)?;
            // Someone else's file in it keeps it.
            let _ = fs::remove_dir(&inner);
        }
    }
    super::remove_strangers(directory, &[])?;
    for name in ["manifest.json", "index.json", "figure.svg", "figure.png", "figure.pdf", "report.html"] {
        let path = directory.join(name);
        if path.exists() {
            fs::remove_file(&path).map_err(Error::io(&path, "remove"))?;
        }
    }
    remove_parts(directory)
}

/// Removes `directory/parts`.
///
/// # Errors
/// [`Error::Io`].
pub fn remove_parts(directory: &Path) -> Result<(), Error> {
    let parts = part_directory(directory);
    match fs::remove_dir_all(&parts) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::io(&parts, "remove")(error)),
        _ => Ok(()),
    }
}

//! What damage is done to: the experiments of the gallery, and the results of a small run, whose bytes are the same at
//! every start.

use std::{collections::HashSet, fs, path::PathBuf};

use serde_json::Value;
use tempfile::TempDir;
use twolayer::method::Machine;
use twolayer_file::{Request, Study, hash, text::keys::KEYS};
use twolayer_lab::{
    gallery,
    run::{About, Mode, Session, Unwatched, enter},
    task::{Tasks, once},
};

pub const EXPERIMENT: &str = include_str!("experiment.toml");

/// Less than a case may take, so that what a plan accepts is no fault.
pub const MACHINE: Machine = Machine { memory: 128e6, cores: 2 };

/// Everything that targets start from.
pub struct Bench {
    /// Experiment files.
    pub files: Vec<&'static str>,
    /// Paths of all keys.
    pub keys: Vec<&'static str>,
    /// Where a case may write.
    pub directory: TempDir,
    /// The results: names and bytes.
    pub results: Vec<(String, Vec<u8>)>,
    /// The manifest, without its seal.
    pub manifest: Value,
    /// The file of its tasks, as it was before the results were put together, and their names.
    pub part: Vec<u8>,
    pub tasks: Vec<String>,
}

impl Bench {
    pub fn new() -> Self {
        let out = tempfile::tempdir().unwrap();
        let study = Study::parse(EXPERIMENT, "a.toml".as_ref(), &Request::default())
            .unwrap_or_else(|faults| panic!("{}", faults[0]));
        let tasks = Tasks::new(&study, &MACHINE).unwrap();
        let owner = tasks.owner();
        let _entry = enter(out.path(), &study, &tasks, &owner, Mode::Begin, "twolayer run a.toml").unwrap();
        let session = Session::new(&study, &tasks, &owner, out.path(), MACHINE).unwrap();
        session.work(once(&tasks.all), 1, &Unwatched).unwrap();
        let part = parts(&out.path().join("parts"));
        let about = About { command: "twolayer run a.toml".into(), threads: 1 };
        session.finish(&about, &mut |_| {}, &mut |_| {}).unwrap();
        let read = |name: &str| (name.to_string(), fs::read(out.path().join(name)).unwrap());
        let results = ["limit.npz", "reduced.npz", "direct.npz"].map(read).to_vec();
        let text = fs::read_to_string(out.path().join("manifest.json")).unwrap();
        let mut manifest: Value = serde_json::from_str(&text).unwrap();
        manifest.as_object_mut().unwrap().remove("sha256");
        timeless(&mut manifest);
        Self {
            files: gallery::FILES.iter().map(|(_, text)| *text).chain([EXPERIMENT]).collect(),
            keys: KEYS.iter().map(|key| key.path).collect(),
            directory: tempfile::tempdir().unwrap(),
            results,
            manifest,
            part,
            tasks: once(&tasks.all).into_iter().map(|task| task.name).collect(),
        }
    }

    /// A directory with the results, and `manifest` as its manifest.
    pub fn lay_out(&self, manifest: &[u8]) -> PathBuf {
        let out = self.directory.path().join("out");
        if !out.exists() {
            fs::create_dir_all(&out).unwrap();
            self.results.iter().for_each(|(name, bytes)| fs::write(out.join(name), bytes).unwrap());
        }
        fs::write(out.join("manifest.json"), manifest).unwrap();
        out
    }

    /// The names of the tasks.
    pub fn wanted(&self) -> HashSet<&str> {
        self.tasks.iter().map(String::as_str).collect()
    }
}

/// The manifest as 0.1.0 would have written it: without hashes, so that nothing but its content is checked.
pub fn unsealed(manifest: &Value) -> Value {
    let mut manifest = manifest.clone();
    if let Some(members) = manifest.as_object_mut() {
        members.retain(|key, _| key != "files" && key != "sha256");
    }
    manifest
}

/// JSON with the hash of its own bytes, as the program writes it.
pub fn sealed(value: &Value) -> Vec<u8> {
    let text = serde_json::to_string_pretty(value).unwrap();
    let body = format!("{},\n  \"sha256\": \"", text.trim_end_matches('}').trim_end());
    let digits = hash::sha256(body.as_bytes());
    format!("{body}{digits}\"\n}}\n").into_bytes()
}

/// All files of finished tasks, one after the other, each with the times that it tells set to one.
fn parts(directory: &std::path::Path) -> Vec<u8> {
    let entries = fs::read_dir(directory).unwrap().flatten().map(|entry| entry.path());
    let mut paths: Vec<PathBuf> = entries.filter(|path| path.extension().is_some_and(|end| end == "part")).collect();
    paths.sort();
    paths.iter().flat_map(|path| split(&fs::read(path).unwrap())).flat_map(|mut part| part.bytes()).collect()
}

/// A part in its pieces.
pub struct Pieces {
    pub header: Value,
    pub numbers: Vec<u8>,
}

const MAGIC: &[u8] = b"twolayer part 1\n";

impl Pieces {
    /// As the program writes it, with the checksum that fits.
    pub fn bytes(&mut self) -> Vec<u8> {
        timeless(&mut self.header);
        let mut bytes = MAGIC.to_vec();
        bytes.extend(self.header.to_string().bytes());
        bytes.push(b'\n');
        bytes.extend(&self.numbers);
        let checksum = hash::checksum(&bytes);
        bytes.extend(checksum.to_le_bytes());
        bytes
    }
}

/// The parts of a file that is whole.
pub fn split(mut bytes: &[u8]) -> Vec<Pieces> {
    let mut found = Vec::new();
    while let Some(rest) = bytes.strip_prefix(MAGIC) {
        let line = rest.iter().position(|byte| *byte == b'\n').unwrap();
        let header: Value = serde_json::from_slice(&rest[..line]).unwrap();
        let lengths = header["arrays"].as_array().unwrap().iter().map(|array| array[1].as_u64().unwrap() as usize);
        let end = line + 1 + 8 * lengths.sum::<usize>();
        found.push(Pieces { header, numbers: rest[line + 1..end].to_vec() });
        bytes = &rest[end + 8..];
    }
    found
}

/// Times are set to one: they differ from start to start.
fn timeless(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (key, member) in members {
                match &key[..] {
                    "started" | "seconds" | "core_seconds" if member.is_number() => *member = 1.5.into(),
                    // Their hashes know the time too.
                    "report.html" => *member = "0".repeat(64).into(),
                    _ => timeless(member),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(timeless),
        _ => {}
    }
}

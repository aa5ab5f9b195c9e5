//! Nothing of anyone else's is lost: whatever stands in a directory before a run, each file that no run has written is
//! the same after, byte for byte. And nothing damaged is read as good.

#![allow(clippy::unwrap_used, clippy::expect_used)] // A test that cannot go on fails there.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use proptest::prelude::*;
use twolayer::method::Machine;
use twolayer_file::{Request, Study};
use twolayer_lab::{
    results::{self, Results},
    run::{About, Denied, Mode, Session, Unwatched, enter},
    store::load,
    task::{Tasks, once, share},
};

const ONE: &str = r#"title = "One"
[target]
expression = "z1"
[network]
width = 1
activation = "erf"
[training]
dimension = 20
learning_rate = "0.5/d"
time = 0.5
[record]
points = 3
[[view]]
engine = "limit"
[[view]]
engine = "reduced"
replicates = 2
"#;

/// Another experiment, with other views.
fn other() -> String {
    ONE.replace("title = \"One\"", "title = \"Other\"").replace("\"reduced\"", "\"direct\"").replace("= 20", "= 10")
}

fn swept(text: &str) -> String {
    format!("{text}[sweep]\n\"training.dimension\" = [10, 30]\n")
}

const MACHINE: Machine = Machine { memory: 1e9, cores: 1 };

/// A run as the command does it; of a job, the first of two.
fn run(out: &Path, text: &str, mode: Mode) -> Result<Vec<String>, Denied> {
    let study = Study::parse(text, Path::new("a.toml"), &Request::default()).unwrap();
    let tasks = Tasks::new(&study, &MACHINE).unwrap();
    let owner = tasks.owner();
    let entry = enter(out, &study, &tasks, &owner, mode, "twolayer run a.toml")?;
    let mut told = entry.notes.clone();
    let mut session = Session::new(&study, &tasks, &owner, out, MACHINE)?;
    let mut wanted = once(&tasks.all);
    if mode == Mode::Job {
        wanted = share(wanted, 1, 2);
    }
    if entry.again {
        wanted = session.unfinished(wanted, &mut |line| told.push(line))?;
    }
    session.work(wanted, 1, &Unwatched).unwrap();
    if mode != Mode::Job {
        let about = About { command: "twolayer run a.toml".into(), threads: 1 };
        session.finish(&about, &mut |_| {}, &mut |line| told.push(line)).unwrap();
    }
    Ok(told)
}

/// Every file below `directory`.
fn files(directory: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for path in fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.insert(path.clone(), fs::read(&path).unwrap());
        }
    }
    found
}

/// Names that a run writes, names that look like them, and names of others.
const NAMES: [&str; 30] = [
    "limit.npz",
    "reduced.npz",
    "direct.npz",
    "notes.npz",
    "report.html",
    "figure.svg",
    "figure.png",
    "figure.pdf",
    "manifest.json",
    "index.json",
    "experiment.toml",
    ".limit.npz.backup",
    ".limit.npz.a1B2c3",
    ".a1B2c3.twolayer",
    ".twolayer.lock",
    ".manifest.json.next",
    "parts/experiment.json",
    "parts/mine.txt",
    "parts/x.part",
    "parts/0123456789abcdef0123456789abcdef.part",
    "parts/.x.part.a1B2c3.twolayer",
    "parts/deep/a.part",
    "parts",
    "dimension=10/limit.npz",
    "dimension=10/mine.txt",
    "dimension=10",
    "dimension=30/report.html",
    "dimension=30/manifest.json",
    "dimension=99/limit.npz",
    "deep/er/limit.npz",
];

fn contents() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 1..40),
        Just(b"{}".to_vec()),
        Just(b"{ \"schema\": 1, \"title\": \"\" }".to_vec()),
        Just(b"PK\x03\x04 an archive of someone else's".to_vec()),
        Just(b"twolayer part 1\n{}\n".to_vec()),
    ]
}

fn modes() -> impl Strategy<Value = Mode> {
    prop::sample::select(vec![Mode::Begin, Mode::Resume, Mode::Overwrite, Mode::Job])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, max_shrink_iters: 20, ..ProptestConfig::default() })]

    #[test]
    fn what_others_have_written_is_the_same_after(
        before in prop::option::of((any::<bool>(), any::<bool>(), modes())),
        foreign in prop::collection::vec((prop::sample::select(NAMES.to_vec()), contents()), 0..5),
        (same, sweep, mode) in (any::<bool>(), any::<bool>(), modes()),
    ) {
        let directory = tempfile::tempdir().unwrap();
        let out = directory.path();
        let text = |same: bool, sweep: bool| {
            let text = if same { ONE.to_string() } else { other() };
            if sweep { swept(&text) } else { text }
        };
        if let Some((same, sweep, mode)) = before {
            run(out, &text(same, sweep), mode).unwrap();
        }
        let mut theirs = BTreeMap::new();
        for (name, bytes) in foreign {
            let path = out.join(name);
            if !path.exists() && fs::create_dir_all(path.parent().unwrap()).is_ok() && fs::write(&path, &bytes).is_ok() {
                theirs.insert(path, bytes);
            }
        }
        let all = files(out);
        match run(out, &text(same, sweep), mode) {
            // A run that is denied changes nothing at all.
            Err(_) => prop_assert!(files(out) == all),
            Ok(_) if mode == Mode::Job => {}
            Ok(_) if sweep => prop_assert_eq!(results::points(out).unwrap().len(), 2),
            Ok(_) => {
                Results::open(out).unwrap();
            }
        }
        for (path, bytes) in &theirs {
            prop_assert!(fs::read(path).is_ok_and(|now| now == *bytes), "{} is not what it was", path.display());
        }
        // Nothing of a finished run is left but what its manifest and index list.
        if theirs.is_empty() && mode != Mode::Job && files(out) != all {
            let ours = |path: &PathBuf| {
                let manifest = twolayer_lab::store::Manifest::read(path.parent().unwrap()).unwrap();
                let name = path.file_name().unwrap().to_str().unwrap();
                name == "manifest.json" || manifest.files.contains_key(name)
            };
            let mut left: Vec<PathBuf> = files(out).into_keys().collect();
            left.retain(|path| !ours(path));
            prop_assert!(left.is_empty(), "{left:?}");
        }
    }
}

fn finished(text: &str) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    run(directory.path(), text, Mode::Begin).unwrap();
    directory
}

/// One bit of every third byte, and a cut at every thirtieth: every reader refuses and names the file, and a resume makes it
/// again, with the same arrays.
#[test]
fn no_turned_bit_is_read_as_good() {
    let directory = finished(ONE);
    let out = directory.path();
    let whole = files(out);
    let mut flips = 0;
    for name in ["limit.npz", "reduced.npz", "manifest.json"] {
        let path = out.join(name);
        let bytes = &whole[&path];
        let mut try_with = |damaged: &[u8]| {
            fs::write(&path, damaged).unwrap();
            let error = Results::open(out).expect_err(name).to_string();
            assert!(error.contains(name) && error.contains("--resume"), "{error}");
            flips += 1;
        };
        for at in (0..bytes.len()).step_by(3) {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1 << (at % 8);
            try_with(&damaged);
            if at % 30 == 0 {
                try_with(&bytes[..at]);
            }
        }
        // A word of 32 digits that tells whose manifest it is must be left.
        let mut damaged = bytes.clone();
        damaged[bytes.len() / 3] ^= 1;
        fs::write(&path, damaged).unwrap();
        let told = run(out, ONE, Mode::Resume).unwrap();
        assert!(told.iter().any(|line| line.contains(name)), "{told:?}");
        for name in ["limit.npz", "reduced.npz"] {
            assert!(fs::read(out.join(name)).unwrap() == whole[&out.join(name)]);
        }
        Results::open(out).unwrap();
        fs::write(&path, bytes).unwrap();
        if name == "manifest.json" {
            Results::open(out).unwrap();
        }
    }
    println!("{flips} damaged files, none read as good");
    fs::remove_file(out.join("limit.npz")).unwrap();
    assert!(Results::open(out).unwrap_err().to_string().contains("limit.npz: the file is missing"));
}

#[test]
fn a_damaged_index_is_an_error_and_made_again() {
    let directory = finished(&swept(ONE));
    let out = directory.path();
    let path = out.join("index.json");
    let bytes = fs::read(&path).unwrap();
    for at in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 1 << (at % 8);
        fs::write(&path, damaged).unwrap();
        let error = results::points(out).unwrap_err().to_string();
        assert!(error.contains("index.json") && error.contains("--resume"), "{error}");
    }
    run(out, &swept(ONE), Mode::Resume).unwrap();
    assert!(fs::read(&path).unwrap() == bytes);
    // So is the manifest of a point, whatever is left of it.
    let point = out.join("dimension=10");
    let whole = files(&point);
    fs::write(point.join("manifest.json"), "{").unwrap();
    let told = run(out, &swept(ONE), Mode::Resume).unwrap();
    assert!(told.iter().any(|line| line.contains("dimension=10/manifest.json")), "{told:?}");
    assert!(fs::read(point.join("limit.npz")).unwrap() == whole[&point.join("limit.npz")]);
}

/// The marker damaged in every byte, or gone: the parts are found all the same.
#[test]
fn a_damaged_marker_blocks_no_whole_part() {
    let directory = tempfile::tempdir().unwrap();
    let out = directory.path();
    run(out, &swept(ONE), Mode::Job).unwrap();
    let marker = out.join("parts/experiment.json");
    let bytes = fs::read(&marker).unwrap();
    let study = Study::parse(&swept(ONE), Path::new("a.toml"), &Request::default()).unwrap();
    let tasks = Tasks::new(&study, &MACHINE).unwrap();
    let owner = tasks.owner();
    for at in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 1 << (at % 8);
        fs::write(&marker, damaged).unwrap();
        let held = twolayer_lab::store::held(out, &owner).unwrap();
        assert!(matches!(held, twolayer_lab::store::Held::Unfinished { done: 3, of: 6 }), "{held:?}");
    }
    let told = run(out, &swept(ONE), Mode::Resume).unwrap();
    assert!(told.is_empty(), "{told:?}");
    assert!(!out.join("parts").exists());
    // Another experiment, or this one without a word, does not take them.
    run(out, &other(), Mode::Overwrite).unwrap();
    assert!(!out.join("dimension=10").exists() && out.join("direct.npz").exists());
}

/// What 0.1.0 wrote: no hash in the manifest, and no hash of the manifest.
#[test]
fn results_without_hashes_open_and_their_checksums_count() {
    let directory = finished(ONE);
    let out = directory.path();
    let manifest = out.join("manifest.json");
    assert!(results::without_hashes(out).unwrap().is_empty());
    let text = fs::read_to_string(&manifest).unwrap();
    let mut value: serde_json::Value = serde_json::from_str(&text).unwrap();
    value.as_object_mut().unwrap().retain(|key, _| key != "files" && key != "sha256");
    fs::write(&manifest, value.to_string()).unwrap();
    // 0.1.0 drew none.
    fs::remove_file(out.join("figure.pdf")).unwrap();
    let expected = Results::open(out).unwrap();
    assert_eq!(results::without_hashes(out).unwrap(), [out]);
    // The data of the first array, `step`, begins with the zero of the first entry.
    let path = out.join("limit.npz");
    let bytes = fs::read(&path).unwrap();
    let name = bytes.windows(6).position(|window| window == b"\x93NUMPY").unwrap();
    let header = usize::from(u16::from_le_bytes([bytes[name + 8], bytes[name + 9]]));
    for at in 0..16 {
        let mut damaged = bytes.clone();
        damaged[name + 10 + header + at] ^= 1 << (at % 8);
        fs::write(&path, damaged).unwrap();
        let error = Results::open(out).unwrap_err().to_string();
        assert!(error.contains("limit.npz: array `step`") && error.contains("--resume"), "{error}");
    }
    fs::write(&path, &bytes).unwrap();
    // Drawn again, resumed, written over: as any other.
    expected.redraw(&mut |_| {}).unwrap();
    // Of a manifest without names nobody knows whose this is, and a run would refuse to replace it.
    fs::remove_file(out.join("figure.pdf")).unwrap();
    run(out, ONE, Mode::Resume).unwrap();
    Results::open(out).unwrap();
    fs::write(&manifest, value.to_string()).unwrap();
    run(out, &other(), Mode::Overwrite).unwrap();
    assert!(!out.join("reduced.npz").exists() && load(out).is_ok());
}

/// What `report` draws is the run's from then on, with 0.1.0's results too: no later run finds a stranger in its way.
#[test]
fn what_a_report_draws_belongs_to_the_run() {
    for mode in [Mode::Begin, Mode::Resume, Mode::Overwrite] {
        for swept_too in [false, true] {
            let text = if swept_too { swept(ONE) } else { ONE.to_string() };
            let directory = finished(&text);
            let out = directory.path();
            let mut places = vec![out.to_path_buf()];
            if swept_too {
                places.extend(results::points(out).unwrap());
            }
            for place in &places {
                let manifest = place.join("manifest.json");
                let mut value: serde_json::Value = serde_json::from_slice(&fs::read(&manifest).unwrap()).unwrap();
                value.as_object_mut().unwrap().retain(|key, _| key != "files" && key != "sha256");
                fs::write(&manifest, value.to_string()).unwrap();
                // 0.1.0 drew none.
                fs::remove_file(place.join("figure.pdf")).unwrap();
            }
            results::redraw(out, &mut |_| {}).unwrap();
            assert!(places.iter().all(|place| place.join("figure.pdf").exists()));
            run(out, &text, mode).unwrap();
            run(out, &other(), Mode::Overwrite).unwrap();
            assert!(!out.join("reduced.npz").exists() && !out.join("dimension=10").exists() && load(out).is_ok());
        }
    }
}

/// Views that the file leaves to the program, of which one is refused: what is opened again has the others' names.
#[test]
fn what_was_left_out_is_not_there_again() {
    let text = ONE.split("[[view]]").next().unwrap().replace("= 20", "= 2").replace("\"z1\"", "\"z1 + z2\"");
    let directory = finished(&text);
    let results = Results::open(directory.path()).unwrap();
    let names: Vec<&str> = results.experiment.views.iter().map(|view| &view.name[..]).collect();
    let kept: Vec<&str> = results.manifest.views.iter().map(|view| &view.name[..]).collect();
    assert_eq!(names, kept);
    assert!(names.contains(&"direct") && !names.contains(&"reduced"), "{names:?}");
    results.redraw(&mut |_| {}).unwrap();
}

/// A manifest of the time before hashes, of which a word is another: results of another shape are none.
#[test]
fn results_that_are_not_those_of_their_experiment_are_refused() {
    let directory = finished(ONE);
    let out = directory.path();
    let manifest = out.join("manifest.json");
    let whole: serde_json::Value = serde_json::from_slice(&fs::read(&manifest).unwrap()).unwrap();
    let open = |change: &dyn Fn(&mut serde_json::Value)| {
        let mut value = whole.clone();
        value.as_object_mut().unwrap().retain(|key, _| key != "files" && key != "sha256");
        change(&mut value);
        fs::write(&manifest, value.to_string()).unwrap();
        Results::open(out).map(|_| ()).map_err(|error| error.to_string())
    };
    assert_eq!(open(&|_| {}), Ok(()));
    let refused = |reason: &str, change: &dyn Fn(&mut serde_json::Value)| {
        let error = open(change).unwrap_err();
        assert!(error.contains(reason), "{error}");
    };
    refused("1 of the views whose results are here, 2", &|value| value["views"][0]["name"] = "direct".into());
    refused("[p, k] = [2, 1], its results [1, 1]", &|value| {
        value["source"] = ONE.replace("width = 1", "width = 2").into();
    });
    refused("are valid", &|value| {
        value["views"][1]["replicate_status"][0]["valid"] = u64::MAX.into();
    });
}

/// Pipes and devices with the names of our files: every command answers, and they are there after.
#[cfg(unix)]
#[test]
fn what_has_no_end_is_not_read() {
    use std::{os::unix::fs::symlink, process::Command};
    let names = ["manifest.json", ".manifest.json.next", "limit.npz", ".twolayer.lock", "parts/x.part", "index.json"];
    for name in names {
        for pipe in [true, false] {
            let directory = tempfile::tempdir().unwrap();
            let out = directory.path();
            if !pipe {
                run(out, ONE, Mode::Job).unwrap();
            }
            let path = out.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            if pipe {
                assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
            } else {
                symlink("/dev/zero", &path).unwrap();
            }
            for mode in [Mode::Begin, Mode::Resume, Mode::Overwrite, Mode::Job] {
                let _ = run(out, ONE, mode);
                let _ = Results::open(out);
                let _ = results::points(out);
                assert!(fs::symlink_metadata(&path).is_ok_and(|it| !it.is_file()), "{name} {pipe} {mode:?}");
            }
        }
    }
}

#[test]
fn the_root_is_no_place_for_results() {
    assert!(matches!(run(Path::new("/"), ONE, Mode::Overwrite), Err(Denied::Root(_))));
    assert!(matches!(run(Path::new("/usr/.."), ONE, Mode::Begin), Err(Denied::Root(_))));
}

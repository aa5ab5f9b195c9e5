use std::io::Read;

use serde_json::json;
use twolayer::{
    problem::Engine,
    record::{
        OBSERVABLES, Status, Trajectory,
        observable::{
            BOUND_LAZY, BOUND_LEARNT, CROSSING_STEP, GRADIENT_NORM, GRADIENT_TEACHER, READOUT_SAMPLES, READOUT_STEP,
            RIDGE, RISK, STUDENT_STUDENT, STUDENT_TEACHER, TEST_ERROR, TEST_ERROR_ERROR, TIME, TRAIN_ERROR,
            TRAINING_RISK,
        },
    },
};

use super::*;
use crate::fabricated::{self, Sizes};

const SIZES: Sizes = Sizes { p: 3, k: 2 };

fn bits(array: &[f64]) -> Vec<u64> {
    array.iter().map(|x| x.to_bits()).collect()
}

/// Equal bit for bit, NaN included.
fn assert_same(a: &Trajectory, b: &Trajectory) {
    assert_eq!((a.width, a.directions, &a.status, a.valid), (b.width, b.directions, &b.status, b.valid));
    let arrays = |run: &Trajectory| OBSERVABLES.iter().map(|array| run.get(array).map(bits)).collect::<Vec<_>>();
    assert_eq!(arrays(a), arrays(b));
}

/// A full record, and one with a replicate that diverged half way.
fn outcomes() -> (Vec<NamedView>, Vec<Outcome>) {
    let times = fabricated::log_times(12, 0.01, 10.0);
    let limit = fabricated::limit(SIZES, &times, 1e-6);
    let mut simulation = fabricated::simulation(SIZES, &times, 4, 0.1, 7);
    for run in &mut simulation.trajectories {
        let risk = run.of(&RISK).iter().map(|r| r + 0.25).collect();
        run.set(&TRAINING_RISK, risk);
        run.set(&STUDENT_STUDENT, (0..times.len() * 9).map(|i| (i as f64).sin()).collect());
    }
    let broken = &mut simulation.trajectories[2];
    broken.status = Status::Diverged { at: 3100.0 };
    broken.cut(6);
    let views = vec![
        fabricated::view("limit", Engine::Limit, SIZES, 1000),
        fabricated::view("reduced", Engine::Reduced, SIZES, 1000),
    ];
    (views, vec![limit, simulation])
}

fn run() -> Run {
    Run {
        experiment: json!({ "title": "T", "training": { "dimension": 1000 } }),
        source: "title = \"T\"\n".into(),
        version: "0.1.0".into(),
        command: "twolayer run t.toml --seed 0".into(),
        threads: 2,
        started: 1.7e9,
        seconds: 3.5,
    }
}

#[test]
fn what_is_saved_is_loaded_bit_for_bit() {
    let directory = tempfile::tempdir().unwrap();
    let (views, outcomes) = outcomes();
    let manifest = save(directory.path(), &views, &outcomes, run(), Vec::new()).unwrap();
    let (again, back) = load(directory.path()).unwrap();
    assert_eq!(again, manifest);
    assert_eq!(again.views[1].status, "diverged");
    assert_eq!(again.views[1].replicate_status[2].at, Some(3100.0));
    assert_eq!(again.views[0].max_risk_error, Some(1e-6));
    for (a, b) in outcomes.iter().zip(&back) {
        assert_eq!((&a.method, &a.reason, &a.kernel, a.seconds), (&b.method, &b.reason, &b.kernel, b.seconds));
        assert_eq!(a.trajectories.len(), b.trajectories.len());
        for (a, b) in a.trajectories.iter().zip(&b.trajectories) {
            assert_same(a, b);
        }
    }
    let left: Vec<_> = std::fs::read_dir(directory.path()).unwrap().map(|f| f.unwrap().file_name()).collect();
    assert_eq!(left.len(), 3, "temporary files were left behind: {left:?}");
}

/// A readout has a file of its own, with its own names, shapes and hash.
#[test]
fn a_readout_is_kept_in_a_file_of_its_own() {
    let directory = tempfile::tempdir().unwrap();
    let (views, mut outcomes) = outcomes();
    for (r, run) in outcomes[1].trajectories.iter_mut().enumerate() {
        run.set(&READOUT_STEP, vec![0.0, 1.0]);
        run.set(&READOUT_SAMPLES, vec![10.0, 20.0, 30.0]);
        run.set(&RIDGE, vec![0.1]);
        for (i, errors) in [&TRAIN_ERROR, &TEST_ERROR, &TEST_ERROR_ERROR].into_iter().enumerate() {
            run.set(errors, (0..6).map(|x| (100 * r + 10 * i + x) as f64).collect());
        }
        run.set(&BOUND_LAZY, vec![0.3, 0.2, 0.1]);
        run.set(&BOUND_LEARNT, (0..6).map(f64::from).collect());
    }
    outcomes[1].trajectories[3].of_mut(&TEST_ERROR)[5] = f64::NAN;
    let manifest = save(directory.path(), &views, &outcomes, run(), Vec::new()).unwrap();
    let names: Vec<&String> = manifest.files.keys().collect();
    assert_eq!(names, ["limit.npz", "reduced.npz", "reduced.readout.npz"]);
    assert_eq!(manifest.views[1].files(), ["reduced.npz", "reduced.readout.npz"]);
    assert_eq!(
        manifest.views[1].arrays["readout.test_error"],
        ["replicate", "readout_step", "readout_samples", "ridge"]
    );
    let (_, back) = load(directory.path()).unwrap();
    for (a, b) in outcomes[1].trajectories.iter().zip(&back[1].trajectories) {
        assert_same(a, b);
    }
    let path = directory.path().join("reduced.readout.npz");
    let mut archive = zip::ZipArchive::new(std::fs::File::open(&path).unwrap()).unwrap();
    let mut found = Vec::new();
    for i in 0..archive.len() {
        let mut entry = archive.by_index(i).unwrap();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        let text = String::from_utf8_lossy(&bytes[..128]).replace(' ', "");
        let shape =
            text.split_once("'shape':(").unwrap().1.split_once(')').unwrap().0.trim_end_matches(',').to_string();
        found.push((entry.name().unwrap().into_owned(), shape));
    }
    let expected = [
        ("step.npy", "2"),
        ("samples.npy", "3"),
        ("ridge.npy", "1"),
        ("train_error.npy", "4,2,3,1"),
        ("test_error.npy", "4,2,3,1"),
        ("test_error_error.npy", "4,2,3,1"),
        ("bound_lazy.npy", "3"),
        ("bound_learnt.npy", "2,3"),
    ];
    assert_eq!(found, expected.map(|(name, shape)| (name.to_string(), shape.to_string())));
    // What the manifest lists must be there, as it was.
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[200] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let error = load(directory.path()).unwrap_err().to_string();
    assert!(error.contains("reduced.readout.npz") && error.contains("another hash"), "{error}");
    std::fs::remove_file(&path).unwrap();
    assert!(load(directory.path()).unwrap_err().to_string().contains("the file is missing"));
    // A run without one removes it with the old results.
    std::fs::write(&path, "").unwrap();
    let plain = [1, 1].map(|_| outcomes[0].clone());
    save(directory.path(), &views, &plain, run(), Vec::new()).unwrap();
    assert!(!path.exists());
}

#[test]
fn gradients_and_crossings_are_kept_where_they_are_recorded() {
    let directory = tempfile::tempdir().unwrap();
    let (views, mut outcomes) = outcomes();
    let (steps, p, k) = (outcomes[1].trajectories[0].len() - 1, SIZES.p, SIZES.k);
    for (r, run) in outcomes[1].trajectories.iter_mut().enumerate() {
        run.set(&GRADIENT_TEACHER, (0..steps * p * k).map(|i| (i + r) as f64).collect());
        run.set(&GRADIENT_NORM, (0..steps * p).map(|i| (i * r) as f64).collect());
        run.set(&CROSSING_STEP, vec![12.5 + r as f64, f64::NAN]);
    }
    save(directory.path(), &views, &outcomes, run(), Vec::new()).unwrap();
    let (_, back) = load(directory.path()).unwrap();
    let recorded = |run: &Trajectory| {
        let gradients = [run.get(&GRADIENT_TEACHER), run.get(&GRADIENT_NORM)].map(|array| array.map(bits));
        (gradients, bits(run.of(&CROSSING_STEP)))
    };
    for (a, b) in outcomes[1].trajectories.iter().zip(&back[1].trajectories) {
        assert_eq!(recorded(a), recorded(b));
        assert_same(a, b);
    }
    assert_eq!(recorded(&back[0].trajectories[0]), ([None, None], vec![]));
}

/// The format itself, byte by byte: what `numpy.load` needs, without our own reader.
#[test]
fn arrays_are_c_ordered_doubles_with_the_shapes_of_the_contract() {
    let directory = tempfile::tempdir().unwrap();
    let (views, outcomes) = outcomes();
    save(directory.path(), &views, &outcomes, run(), Vec::new()).unwrap();
    let file = std::fs::File::open(directory.path().join("reduced.npz")).unwrap();
    let mut archive = zip::ZipArchive::new(file).unwrap();
    let mut found = Vec::new();
    for i in 0..archive.len() {
        let mut entry = archive.by_index(i).unwrap();
        assert_eq!(entry.compression(), zip::CompressionMethod::Stored);
        let name = entry.name().unwrap().into_owned();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        assert_eq!(&bytes[..8], b"\x93NUMPY\x01\x00");
        let header = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
        assert_eq!(header % 64, 0, "data must be aligned");
        let text = std::str::from_utf8(&bytes[10..header]).unwrap().replace(' ', "");
        assert!(text.contains("'descr':'<f8'") && text.contains("'fortran_order':False"), "{text}");
        let shape = text.split_once("'shape':(").unwrap().1.split_once(')').unwrap().0.to_string();
        let sizes: Vec<usize> = shape.split(',').filter(|n| !n.is_empty()).map(|n| n.parse().unwrap()).collect();
        assert_eq!(bytes.len() - header, 8 * sizes.iter().product::<usize>());
        let numbers: Vec<f64> = bytes[header..].chunks(8).map(|x| f64::from_le_bytes(x.try_into().unwrap())).collect();
        match name.as_str() {
            "a.npy" => assert!(numbers[..6 * 3].iter().all(|a| *a == 1.0)),
            "bias.npy" => assert!(numbers[..6 * 3].iter().all(|b| *b == 0.0)),
            "status.npy" => assert_eq!(numbers, [0.0, 0.0, 2.0, 0.0]),
            "valid.npy" => assert_eq!(numbers, [13.0, 13.0, 6.0, 13.0]),
            _ => {}
        }
        if name == "M.npy" {
            let at = |r: usize, t: usize, j: usize, l: usize| header + 8 * (((r * 13 + t) * 3 + j) * 2 + l);
            let number = |at: usize| f64::from_le_bytes(bytes[at..at + 8].try_into().unwrap());
            assert_eq!(number(at(1, 5, 2, 1)), outcomes[1].trajectories[1].of(&STUDENT_TEACHER)[(5 * 3 + 2) * 2 + 1]);
        }
        found.push((name.trim_end_matches(".npy").to_string(), sizes));
    }
    let expected: [(&str, &[usize]); 13] = [
        ("step", &[13]),
        ("time", &[13]),
        ("samples", &[13]),
        ("gradients", &[13]),
        ("risk", &[4, 13]),
        ("training_risk", &[4, 13]),
        ("M", &[4, 13, 3, 2]),
        ("Q", &[4, 13, 3, 3]),
        ("Q_diag", &[4, 13, 3]),
        ("a", &[4, 13, 3]),
        ("bias", &[4, 13, 3]),
        ("status", &[4]),
        ("valid", &[4]),
    ];
    assert_eq!(found, expected.map(|(name, shape)| (name.to_string(), shape.to_vec())));
}

#[test]
fn numpy_opens_the_arrays() {
    let numpy = |script: &str| std::process::Command::new("python3").arg("-c").arg(script).output();
    if !numpy("import numpy").is_ok_and(|output| output.status.success()) {
        eprintln!("SKIPPED: python3 with numpy is not here; the format itself is tested byte by byte above");
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let (views, outcomes) = outcomes();
    save(directory.path(), &views, &outcomes, run(), Vec::new()).unwrap();
    let path = directory.path().join("reduced.npz");
    let script = format!("import numpy; a = numpy.load({path:?}); print(a['M'].shape, repr(float(a['M'][1,5,2,1])))");
    let output = numpy(&script).unwrap();
    let expected = outcomes[1].trajectories[1].of(&STUDENT_TEACHER)[(5 * 3 + 2) * 2 + 1];
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(printed.starts_with("(4, 13, 3, 2) "), "{printed}{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(printed.split_whitespace().last().unwrap().parse::<f64>().unwrap(), expected);
}

#[test]
fn replicates_with_other_shapes_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let (_, mut outcomes) = outcomes();
    let short = &mut outcomes[1].trajectories[1];
    short.set(&TIME, short.of(&TIME)[1..].to_vec());
    let error = npz::stage_view(directory.path(), "reduced", &outcomes[1]).unwrap_err();
    assert!(matches!(error, Error::Shape { .. }), "{error}");
}

#[test]
fn a_view_cannot_be_written_outside_its_directory() {
    let directory = tempfile::tempdir().unwrap();
    let (_, outcomes) = outcomes();
    for name in ["../elsewhere", "a/b", "", ".hidden", "c:\\d"] {
        assert!(matches!(npz::stage_view(directory.path(), name, &outcomes[0]), Err(Error::Name { .. })), "{name}");
    }
    assert!(npz::stage_view(directory.path(), "reduced, d = 1000", &outcomes[0]).is_ok());
}

#[test]
fn errors_name_the_path_and_the_remedy() {
    let directory = tempfile::tempdir().unwrap();
    let (views, outcomes) = outcomes();
    let file = directory.path().join("taken");
    std::fs::write(&file, "x").unwrap();
    let error = save(&file, &views, &outcomes, run(), Vec::new()).unwrap_err().to_string();
    assert!(error.contains("taken") && error.contains("a file is in the way"), "{error}");
    let error = load(&directory.path().join("nowhere")).unwrap_err().to_string();
    assert!(
        error.contains("nowhere") && error.contains("manifest.json") && error.contains("check the path"),
        "{error}"
    );
    // A target that is someone else's.
    std::fs::create_dir(directory.path().join("manifest.json")).unwrap();
    let error = save(directory.path(), &views, &outcomes, run(), Vec::new()).unwrap_err().to_string();
    assert!(error.contains("manifest.json: no run of this program has written it"), "{error}");
}

#[test]
fn a_full_disk_is_named() {
    // Writing to /dev/full fails as on a full disk; only its message is at stake here.
    let full = Error::Io {
        path: "results/limit.npz".into(),
        action: "write 1.2 MB".into(),
        source: std::io::Error::from(std::io::ErrorKind::StorageFull),
    };
    let message = full.to_string();
    assert!(
        message.starts_with("results/limit.npz: cannot write 1.2 MB:") && message.contains("free some space"),
        "{message}"
    );
}

#[test]
fn damaged_results_are_told_from_missing_ones() {
    let directory = tempfile::tempdir().unwrap();
    let (views, outcomes) = outcomes();
    save(directory.path(), &views, &outcomes, run(), Vec::new()).unwrap();
    let path = directory.path().join("limit.npz");
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    let error = load(directory.path()).unwrap_err();
    assert!(matches!(error, Error::Damaged { .. }) && error.to_string().contains("limit.npz"), "{error}");
    std::fs::write(directory.path().join("manifest.json"), "{\"schema\": 99}").unwrap();
    assert!(load(directory.path()).unwrap_err().to_string().contains("schema 99"));
}

#[test]
fn the_fingerprint_is_fnv_1a() {
    // Published test vector: FNV-1a 64 of "a"; a JSON string carries its quotes, so hash a bare number instead.
    assert_eq!(fingerprint(&json!(0)), format!("{:016x}", (0xcbf29ce484222325_u64 ^ 0x30).wrapping_mul(0x100000001b3)));
    assert_ne!(fingerprint(&json!({ "a": 1 })), fingerprint(&json!({ "a": 2 })));
}

//! Sweeps as a user meets them, and everything that can end one early: after `--resume` the results are those of an
//! undisturbed run, bit for bit.

#![allow(clippy::unwrap_used, clippy::expect_used)] // A test that cannot go on fails there.

mod desk;

use std::{
    collections::HashSet,
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    thread::sleep,
    time::{Duration, Instant},
};

use desk::{Desk, arrays, words};
use serde_json::Value;
use twolayer_lab::store::{Held, Index, Manifest, Parts, held, load};

const SWEEP: &str = r#"title = "A small sweep"
[target]
committee = { units = 2, activation = "erf" }
noise = 0.1
[network]
width = 3
activation = "erf"
[training]
dimension = 50
learning_rate = "0.5/d"
time = 20
[record]
points = 12
[[view]]
engine = "limit"
[[view]]
engine = "reduced"
replicates = 4
[[view]]
engine = "direct"
replicates = 3
[sweep]
"training.dimension" = [50, 200, 400]
"#;

fn finish(desk: &Desk, out: &str, flags: &[&str]) -> String {
    let output = desk.call(&[&["run", "experiment.toml", "--out", out], flags].concat());
    assert_eq!(output.status.code(), Some(0), "{}{}", words(&output.stdout), words(&output.stderr));
    words(&output.stderr)
}

/// Arrays and index: all that does not say when it was computed.
fn results(directory: &Path) -> (Vec<(String, Vec<u8>)>, Vec<u8>) {
    (arrays(directory), fs::read(directory.join("index.json")).unwrap())
}

/// The files of finished tasks.
fn part_files(directory: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(directory.join("parts")) else { return Vec::new() };
    let name = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().into_owned();
    let paths = entries.flatten().map(|entry| entry.path());
    let mut paths: Vec<_> = paths.filter(|p| name(p).ends_with(".part") && !name(p).starts_with('.')).collect();
    paths.sort();
    paths
}

/// The finished tasks; none of their files is damaged.
fn parts(directory: &Path) -> (Parts, HashSet<String>) {
    let parts = Parts::new(&directory.join("parts"));
    if directory.join("parts").exists() {
        parts.find(&HashSet::new(), &mut |line| panic!("{line}")).unwrap();
    }
    let tasks = parts.tasks();
    (parts, tasks)
}

/// Every file that has its final name is whole.
fn assert_whole(directory: &Path) {
    let (parts, tasks) = parts(directory);
    for task in tasks {
        assert!(parts.read(&task).unwrap().is_some(), "{task}");
    }
    for (name, _) in arrays(directory) {
        let point = directory.join(&name);
        let point = point.parent().unwrap();
        if point.join("manifest.json").exists() {
            load(point).unwrap();
        }
    }
}

/// Nothing temporary, no parts: what a finished run leaves.
fn assert_clean(directory: &Path) {
    for entry in fs::read_dir(directory).unwrap().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        assert!(!name.starts_with('.') && name != "parts", "{name} was left behind");
        if entry.path().is_dir() {
            assert_clean(&entry.path());
        }
    }
}

#[test]
fn a_sweep_writes_each_point_and_one_index() {
    let desk = Desk::new(&SWEEP.replace("time = 20", "time = 2"));
    let output = desk.call(&["run", "experiment.toml", "--out", "out"]);
    assert_eq!(output.status.code(), Some(0), "{}", words(&output.stderr));
    let answer = words(&output.stdout);
    for needed in ["A small sweep", "dimension=200", "3 points over training.dimension", "index.json", "agree"] {
        assert!(answer.contains(needed), "{needed} is not in: {answer}");
    }
    let out = desk.path("out");
    let index = Index::read(&out).unwrap();
    assert_eq!((index.keys, index.points.len()), (vec!["training.dimension".to_string()], 3));
    for (point, d) in index.points.iter().zip([50, 200, 400]) {
        assert_eq!((point.status.as_str(), &point.values["training.dimension"]), ("done", &Value::from(d)));
        let directory = out.join(&point.directory);
        for name in ["limit.npz", "reduced.npz", "direct.npz", "figure.svg", "figure.png", "report.html"] {
            assert!(directory.join(name).exists(), "{name}");
        }
        let (manifest, outcomes) = load(&directory).unwrap();
        assert_eq!(manifest.views[1].dimension, Some(d));
        let last: Vec<f64> = outcomes[1].trajectories.iter().map(|run| run.risk[run.len() - 1]).collect();
        let mean = last.iter().sum::<f64>() / last.len() as f64;
        assert!((point.views[1].final_risk.unwrap() - mean).abs() < 1e-15);
    }
    assert!(Manifest::read(&out).unwrap().command.contains("twolayer run experiment.toml"));
    assert_clean(&out);
    // Nothing is left to do, and nothing changes.
    let before = results(&out);
    let told = finish(&desk, "out", &["--resume"]);
    assert!(told.contains("24 of 24 tasks are finished already"), "{told}");
    assert!(results(&out) == before);
}

/// Twenty times killed without warning, at moments drawn at random, about four times in each directory.
#[test]
fn killed_at_any_moment_it_goes_on_to_the_same_results() {
    let desk = Desk::new(SWEEP);
    let clock = Instant::now();
    finish(&desk, "whole", &[]);
    let mut whole = clock.elapsed().as_secs_f64();
    let expected = results(&desk.path("whole"));
    assert_eq!(expected.0.len(), 9);
    let mut random: u64 = 0x9e37_79b9_7f4a_7c15 ^ u64::from(std::process::id());
    let (mut killed, mut here, mut directory) = (0, 0, 0);
    while killed < 20 || here > 0 {
        let out = format!("killed-{directory}");
        let mut ended = here == 4 || killed == 20;
        if !ended {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let part = (random >> 40) as f64 / (1 << 24) as f64;
            let mut child = desk.command(&["run", "experiment.toml", "--out", &out, "--resume"]);
            let mut child = child.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            sleep(Duration::from_secs_f64(part * whole));
            child.kill().unwrap();
            // It may have come to its end before: then the next moments are drawn earlier.
            ended = child.wait().unwrap().code().is_some();
            if ended {
                whole = (0.9 * whole).max(0.2);
            } else {
                (killed, here) = (killed + 1, here + 1);
            }
            if desk.path(&out).exists() {
                assert_whole(&desk.path(&out));
            }
        }
        if ended {
            let told = finish(&desk, &out, &["--resume"]);
            assert!(!told.contains("damaged"), "{told}");
            assert!(results(&desk.path(&out)) == expected, "not bit for bit");
            assert_clean(&desk.path(&out));
            (here, directory) = (0, directory + 1);
        }
    }
}

#[test]
fn jobs_of_an_array_leave_parts_and_a_resume_puts_them_together() {
    let desk = Desk::new(&SWEEP.replace("time = 20", "time = 2"));
    finish(&desk, "whole", &[]);
    for job in ["3/3", "1/3", "2/3"] {
        let told = finish(&desk, "out", &["--task", job]);
        assert!(told.contains("8 of 24 tasks"), "{told}");
    }
    let out = desk.path("out");
    assert_eq!(parts(&out).1.len(), 24);
    assert!((3..=12).contains(&part_files(&out).len()), "cheap tasks share files, each job has its own");
    assert!(!out.join("index.json").exists() && arrays(&out).is_empty(), "a job writes parts only");
    // A file that was damaged meanwhile is not believed.
    let files = part_files(&out);
    let bytes = fs::read(&files[0]).unwrap();
    fs::write(&files[0], &bytes[..bytes.len() - 100]).unwrap();
    let mut bytes = fs::read(&files[1]).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 4;
    fs::write(&files[1], bytes).unwrap();
    let told = finish(&desk, "out", &["--resume"]);
    assert_eq!(told.matches("is damaged").count(), 2, "{told}");
    let kept = told.lines().find_map(|line| line.strip_suffix(" of 24 tasks are finished already")).unwrap();
    assert!((1..=22).contains(&kept.parse::<usize>().unwrap()), "{told}");
    assert!(results(&out) == results(&desk.path("whole")));
    // So is an array file of a finished point.
    let array = out.join("dimension=200/reduced.npz");
    let bytes = fs::read(&array).unwrap();
    fs::write(&array, &bytes[..bytes.len() / 2]).unwrap();
    let told = finish(&desk, "out", &["--resume"]);
    assert!(told.contains("reduced.npz") && told.contains("16 of 24"), "{told}");
    assert!(results(&out) == results(&desk.path("whole")));
}

#[cfg(unix)]
#[test]
fn control_c_keeps_finished_points_and_a_resume_goes_on() {
    let desk = Desk::new(SWEEP);
    finish(&desk, "whole", &[]);
    let child = desk.command(&["run", "experiment.toml", "--out", "out"]).stdout(Stdio::piped()).spawn().unwrap();
    sleep(Duration::from_millis(400));
    let pressed = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(pressed.success());
    let code = child.wait_with_output().unwrap().status.code();
    assert!(code == Some(130) || code == Some(0), "{code:?}");
    let index = Index::read(&desk.path("out")).unwrap();
    assert_eq!(index.points.len(), 3);
    if code == Some(130) {
        // Without a flag it is refused, and both flags are named.
        let refused = desk.call(&["run", "experiment.toml", "--out", "out"]);
        let message = words(&refused.stderr);
        assert_eq!(refused.status.code(), Some(2), "{message}");
        for needed in ["unfinished run of this experiment", "of 24 tasks", "--resume", "--overwrite"] {
            assert!(message.contains(needed), "{needed} is not in: {message}");
        }
    }
    finish(&desk, "out", &["--resume"]);
    assert!(results(&desk.path("out")) == results(&desk.path("whole")));
    assert_clean(&desk.path("out"));
}

#[test]
fn a_directory_of_another_experiment_is_refused_with_both_names() {
    let desk = Desk::new(&SWEEP.replace("time = 20", "time = 1"));
    finish(&desk, "out", &["--task", "1/8"]);
    let refused = |arguments: &[&str]| {
        let output = desk.call(&[&["run", "experiment.toml", "--out", "out"], arguments].concat());
        assert_eq!(output.status.code(), Some(2), "{}", words(&output.stdout));
        words(&output.stderr)
    };
    let message = refused(&["--set", "title=Another one", "--set", "target.noise=0.3", "--resume"]);
    for needed in ["“A small sweep” (experiment.toml)", "“Another one” (experiment.toml)", "--overwrite", "--out"]
    {
        assert!(message.contains(needed), "{needed} is not in: {message}");
    }
    let message = refused(&["--set", "target.noise=0.3"]);
    assert!(message.contains("with other values or views"), "{message}");
    fs::write(desk.path("out/mine.txt"), "not the program's").unwrap();
    finish(&desk, "out", &["--set", "target.noise=0.3", "--overwrite"]);
    assert!(desk.path("out/mine.txt").exists());
    // The points of the sweep that was there go with it.
    finish(&desk, "out", &["--set", "training.dimension=30", "--overwrite"]);
    assert!(!desk.path("out/dimension=50").exists() && desk.path("out/limit.npz").exists());
    let manifest = Manifest::read(&desk.path("out")).unwrap();
    assert!(matches!(held(&desk.path("out"), &manifest.provenance.identity).unwrap(), Held::Finished));
    assert!(manifest.command.contains("--set training.dimension=30"), "{}", manifest.command);
    // The same experiment once more, from what the manifest says.
    let (study, point) = twolayer_lab::results::study(&manifest).unwrap();
    assert_eq!(study.experiment(point).unwrap().resolved.json, manifest.experiment);
}

#[test]
fn a_quick_run_says_so_on_its_figure() {
    let desk = Desk::new(&SWEEP[..SWEEP.find("[sweep]").unwrap()]);
    finish(&desk, "out", &["--quick"]);
    let (manifest, outcomes) = load(&desk.path("out")).unwrap();
    assert_eq!(manifest.views[1].dimension, Some(5), "p + k");
    assert_eq!(outcomes[1].trajectories.len(), 4, "as few as can tell anything");
    assert!(manifest.command.contains("--quick"));
    assert!(fs::read_to_string(desk.path("out/figure.svg")).unwrap().contains("quick: a tenth of the sizes"));
}

/// Needs the right to mount a file system of its own.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_a_clear_error_and_loses_nothing() {
    use std::process::Command;
    let desk = Desk::new(&SWEEP.replace("points = 12", "points = 2000\nspacing = \"linear\""));
    let disk = desk.path("disk");
    fs::create_dir(&disk).unwrap();
    let mount = |options: &str| {
        let arguments = ["-t", "tmpfs", "-o", options, "tmpfs"];
        Command::new("mount").args(arguments).arg(&disk).output().is_ok_and(|output| output.status.success())
    };
    if !mount("size=1500k") {
        eprintln!("*** SKIPPED: a_full_disk_is_a_clear_error_and_loses_nothing: no right to mount a tmpfs ***");
        return;
    }
    struct Unmount<'a>(&'a Path);
    impl Drop for Unmount<'_> {
        fn drop(&mut self) {
            let _ = Command::new("umount").arg(self.0).status();
        }
    }
    let _unmount = Unmount(&disk);
    let output = desk.call(&["run", "experiment.toml", "--out", "disk/out"]);
    let message = words(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{message}");
    for needed in ["disk/out/parts/", "cannot write", "MB", "free some space", "--resume"] {
        assert!(message.contains(needed), "{needed} is not in: {message}");
    }
    let out = desk.path("disk/out");
    let kept = parts(&out).1.len();
    assert!(kept > 0 && kept < 24, "{kept}");
    assert_whole(&out);
    assert!(mount("remount,size=100m"));
    let told = finish(&desk, "disk/out", &["--resume"]);
    assert!(told.contains(&format!("{kept} of 24 tasks are finished already")), "{told}");
    finish(&desk, "whole", &[]);
    assert!(results(&out) == results(&desk.path("whole")));
}

/// Peak memory of a sweep of 16 points is that of 4, although their arrays together are 12 × 5 MB larger.
#[cfg(target_os = "linux")]
#[test]
fn memory_does_not_grow_with_the_number_of_points() {
    let text = SWEEP
        .replace("width = 3", "width = 64")
        .replace("time = 20", "steps = 80")
        .replace("points = 12", "points = 80")
        .replace("[[view]]\nengine = \"limit\"\n", "")
        .replace("replicates = 4", "replicates = 2");
    let text = &text[..text.find("[[view]]\nengine = \"direct\"").unwrap()];
    let desk = Desk::new(text);
    let peak = |points: usize| {
        let dimensions: Vec<String> = (0..points).map(|i| (100 + i).to_string()).collect();
        let setting = format!("sweep.training.dimension=[{}]", dimensions.join(", "));
        let out = format!("out-{points}");
        let mut command = desk.command(&["run", "experiment.toml", "--out", &out, "--set", &setting, "--threads", "2"]);
        let mut child = command.stdout(Stdio::null()).spawn().unwrap();
        let status = format!("/proc/{}/status", child.id());
        let mut peak = 0.0_f64;
        while child.try_wait().unwrap().is_none() {
            let text = fs::read_to_string(&status).unwrap_or_default();
            let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            let kibibytes = line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse::<f64>().ok());
            peak = peak.max(kibibytes.unwrap_or(0.0) / 1024.0);
            sleep(Duration::from_millis(10));
        }
        assert!(child.wait().unwrap().success());
        let bytes: usize = arrays(&desk.path(&out)).iter().map(|(_, bytes)| bytes.len()).sum();
        (peak, bytes as f64 / (1 << 20) as f64)
    };
    let ((few, small), (many, large)) = (peak(4), peak(16));
    println!("peak {few:.0} MB for {small:.0} MB of arrays, {many:.0} MB for {large:.0} MB");
    assert!(large - small > 40.0);
    assert!(many - few < 0.3 * (large - small), "{few} MB, then {many} MB");
}

/// A thousand replicates of less than a millisecond: not a synchronised file for each.
#[test]
fn cheap_replicates_share_files() {
    let text = SWEEP.replace("time = 20", "time = 0.1").replace("replicates = 4", "replicates = 1000");
    let desk = Desk::new(&text[..text.find("[[view]]\nengine = \"direct\"").unwrap()]);
    finish(&desk, "out", &["--task", "1/1"]);
    let (files, tasks) = (part_files(&desk.path("out")).len(), parts(&desk.path("out")).1.len());
    assert!(tasks == 1001 && files <= 40, "{tasks} tasks in {files} files");
    let clock = Instant::now();
    finish(&desk, "out", &["--resume"]);
    finish(&desk, "whole", &[]);
    println!("{:.2} s", clock.elapsed().as_secs_f64());
    assert!(arrays(&desk.path("out")) == arrays(&desk.path("whole")));
    assert_clean(&desk.path("out"));
}

//! What comes from files and goes to the terminal, and inputs without measure.

#![allow(clippy::unwrap_used, clippy::expect_used)] // A test that cannot go on fails there.

mod desk;

use std::{
    fs::{self, File},
    io::Write as _,
    process::{Command, Output, Stdio},
    time::Instant,
};

use desk::{Desk, words};

/// A title that writes to the clipboard, colours, overwrites its line and turns what follows.
const STEERING: &str = r#"title = "\u001b]52;c;aGVsbG8=\u0007\u001b[31mred\r\u202Egnp\u009b2J"
note = "\u001b[2J\u2066"
cite = ["\u001b[1mcite\u0007"]
[target]
expression = "z1"
[network]
width = 2
activation = "relu"
[training]
dimension = 20
learning_rate = "1/d"
time = 0.1
[[view]]
engine = "limit"
[[view]]
engine = "reduced"
replicates = 2
"#;

fn steers(c: char) -> bool {
    (c.is_control() && c != '\n' && c != '\t') || "\u{202e}\u{2066}\u{200f}\u{feff}".contains(c)
}

fn assert_plain(output: &Output, what: &str) {
    for text in [words(&output.stdout), words(&output.stderr)] {
        assert!(!text.contains(steers), "{what}: {text:?}");
    }
}

#[test]
fn nothing_of_a_file_steers_the_terminal() {
    let desk = Desk::new(STEERING);
    let swept = format!("{STEERING}[sweep]\n\"training.dimension\" = [10, 20]\n");
    fs::write(desk.path("swept.toml"), swept).unwrap();
    let faults = [
        "\"\\u001b[31m\\u202e\" = 1\n",
        "[network]\n\"\\u009b\" = \"\\u0007\"\n",
        "title = \"\u{1b}[31m\"\n",
        "\u{202e} =",
    ];
    let steps: [&[&str]; 11] = [
        &["check", "experiment.toml"],
        &["check", "experiment.toml", "--json"],
        &["run", "experiment.toml", "--out", "out"],
        &["run", "experiment.toml", "--out", "out2", "--seed", "3"],
        &["run", "experiment.toml", "--out", "out", "--set", "target.noise=0.5"],
        &["report", "out"],
        &["cite", "out"],
        &["compare", "out", "out2"],
        &["run", "swept.toml", "--out", "swept"],
        &["run", "experiment.toml", "--set", "title=\u{1b}[31m\u{202e}", "--only", "\u{1b}[1m"],
        &["analyze", "\u{1b}[31m + z1"],
    ];
    let mut shown = 0;
    for step in steps {
        let output = desk.call(step);
        assert_plain(&output, &format!("{step:?}"));
        shown += usize::from(words(&output.stdout).contains("\\u001b[31mred\\u000d\\u202egnp\\u009b2J"));
    }
    assert!(shown >= 3, "the title is shown by check, run and the sweep, escaped: {shown}");
    for fault in faults {
        fs::write(desk.path("wrong.toml"), fault).unwrap();
        let output = desk.call(&["check", "wrong.toml"]);
        assert_eq!(output.status.code(), Some(2));
        assert_plain(&output, fault);
    }
    // What is escaped in JSON is the same JSON.
    let json = desk.call(&["check", "experiment.toml", "--json"]).stdout;
    let value: serde_json::Value = serde_json::from_slice(&json).unwrap();
    assert!(value.to_string().contains("\u{202e}gnp"), "{value}");
}

#[test]
fn lines_of_messages_are_cut() {
    let desk = Desk::new(&format!("title = \"x\"\n{} = 1\n", "a".repeat(5000)));
    let told = words(&desk.call(&["check", "experiment.toml"]).stderr);
    assert!(told.contains('…') && told.lines().all(|line| line.chars().count() <= 220), "{told}");
}

/// Every command that prints; a run and its files are there all the same.
#[cfg(target_os = "linux")]
#[test]
fn what_cannot_be_printed_is_an_error() {
    let desk = Desk::new(STEERING);
    assert!(desk.call(&["run", "experiment.toml", "--out", "out"]).status.success());
    assert!(desk.call(&["run", "experiment.toml", "--out", "out2", "--seed", "2"]).status.success());
    let commands: [&[&str]; 16] = [
        &["--help"],
        &["--version"],
        &["run", "--help"],
        &["list", "activations"],
        &["list", "functions"],
        &["list", "engines"],
        &["schema"],
        &["completions", "bash"],
        &["gallery"],
        &["check", "experiment.toml"],
        &["check", "experiment.toml", "--json"],
        &["analyze", "z1"],
        &["run", "experiment.toml", "--out", "out3"],
        &["report", "out"],
        &["cite", "out"],
        &["compare", "out", "out2"],
    ];
    for command in commands {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let output = desk.command(command).stdout(full).output().unwrap();
        let told = words(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{command:?}: {told}");
        assert_eq!(told.matches("standard output cannot be written").count(), 1, "{command:?}: {told}");
        // A reader that went away is none.
        let mut child = desk.command(command).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        let told = words(&output.stderr);
        assert!(
            matches!(output.status.code(), Some(0 | 2)) && !told.contains("cannot be written"),
            "{command:?}: {told}"
        );
        fs::remove_dir_all(desk.path("out3")).ok();
    }
}

#[cfg(unix)]
#[test]
fn inputs_without_an_end_are_refused() {
    let desk = Desk::new(&format!("# {}\n", "x".repeat(17 << 20)));
    for command in ["check", "run"] {
        for (path, reason) in
            [("experiment.toml", "more than 16 MB"), ("/dev/zero", "a device"), (".", "cannot be read")]
        {
            let output = desk.call(&[command, path]);
            let told = words(&output.stderr);
            assert!(output.status.code() == Some(2) && told.contains(reason), "{told}");
        }
        let mut child =
            desk.command(&[command, "/dev/stdin"]).stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut pipe = child.stdin.take().unwrap();
        while pipe.write_all(&[b'#'; 1 << 16]).is_ok() {}
        let output = child.wait_with_output().unwrap();
        let told = words(&output.stderr);
        assert!(output.status.code() == Some(2) && told.contains("more than 16 MB"), "{told}");
    }
}

/// As of the file, with its name: `-`.
#[test]
fn check_reads_standard_input() {
    let desk = Desk::new(STEERING);
    let of = |command: &[&str], text: &str| {
        let mut child = desk.command(command);
        let mut child = child.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // Where the command does not read it, the pipe is closed.
        let _ = child.stdin.take().unwrap().write_all(text.as_bytes());
        child.wait_with_output().unwrap()
    };
    let (piped, file) = (of(&["check", "-", "--json"], STEERING), desk.call(&["check", "experiment.toml", "--json"]));
    let parsed = |output: &Output| serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap();
    let [piped, file] = [&piped, &file].map(|output| (output.status.code(), parsed(output)["hash"].clone()));
    assert_eq!((piped.0, &piped.1), (Some(0), &file.1));
    let wrong = of(&["check", "-"], &STEERING.replace("width", "widht"));
    let told = words(&wrong.stderr);
    assert!(
        wrong.status.code() == Some(2) && told.contains("--> -:") && told.contains("did you mean `width`?"),
        "{told}"
    );
    let endless = of(&["check", "-"], &"#".repeat(17 << 20));
    assert!(endless.status.code() == Some(2) && words(&endless.stderr).contains("more than 16 MB"));
    let run = of(&["run", "-"], STEERING);
    assert!(run.status.code() == Some(2) && words(&run.stderr).contains("`twolayer check -` reads standard input"));
    assert!(!desk.path("results").exists());
}

/// Within two seconds of the processor, which is what is left of them on a machine that does other things.
#[cfg(target_os = "linux")]
#[test]
fn monsters_are_answered_soon() {
    let plain = STEERING.replace("\"relu\"", "\"erf\"");
    let keys: String = (0..50_000).map(|i| format!("k{i} = 1\n")).collect();
    let numbers: Vec<String> = (10..100_010).map(|d| d.to_string()).collect();
    let word = "w".repeat(1 << 20);
    let views = "[[view]]\nengine = \"limit\"\n";
    let monsters = [
        format!("{}{}", plain.split("[[view]]").next().unwrap(), views.repeat(20_000)),
        plain.replace("[network]\n", &format!("[network]\n{keys}")),
        format!("{keys}{plain}"),
        plain.replace("width = 2", &format!("{word} = 2")),
        plain.replace("\"erf\"", &format!("{word:?}")),
        plain.replace("\"z1\"", &format!("{word:?}")),
        plain.replace("\"limit\"", &format!("{word:?}")),
        format!("{plain}[sweep]\n\"training.dimension\" = [{}]\n", numbers.join(", ")),
    ];
    for (i, monster) in monsters.iter().enumerate() {
        let desk = Desk::new(monster);
        let clock = Instant::now();
        let script = "\"$0\" check experiment.toml >out.txt 2>&1; echo $?; times";
        let output = Command::new("bash")
            .args(["-c", script])
            .arg(assert_cmd::cargo::cargo_bin!("twolayer"))
            .current_dir(desk.path(""))
            .output()
            .unwrap();
        let answer = words(&output.stdout);
        let mut lines = answer.lines();
        let told = fs::read_to_string(desk.path("out.txt")).unwrap();
        assert_eq!(lines.next(), Some("2"), "monster {i}: {}", told.chars().take(500).collect::<String>());
        assert!(told.len() < 60_000, "monster {i}: {} bytes are told", told.len());
        // `times` tells of the shell, then of what it has run: minutes and seconds, of the user and the system.
        let seconds: f64 = (lines.nth(1).unwrap().split_whitespace())
            .map(|time| {
                let (minutes, seconds) = time.trim_end_matches('s').split_once('m').unwrap();
                60.0 * minutes.parse::<f64>().unwrap() + seconds.parse::<f64>().unwrap()
            })
            .sum();
        println!("monster {i}: {seconds} s of the processor, {:.2} s", clock.elapsed().as_secs_f64());
        assert!(seconds < 2.0, "monster {i}: {seconds} s");
    }
}

/// With little room to allocate in, a run is refused, or ends with 1 and the size that was asked for: never with a signal.
#[cfg(target_os = "linux")]
#[test]
fn without_memory_there_is_no_abort() {
    let text = STEERING.replace("dimension = 20", "dimension = 3000").replace("width = 2", "width = 300");
    let desk = Desk::new(&text);
    let mut codes = Vec::new();
    for kibibytes in [40_000, 60_000, 80_000, 100_000, 150_000, 200_000, 300_000] {
        let script = format!("ulimit -v {kibibytes}; exec \"$0\" run experiment.toml --threads 1 --overwrite --quiet");
        let output = Command::new("bash")
            .args(["-c", &script])
            .arg(assert_cmd::cargo::cargo_bin!("twolayer"))
            .current_dir(desk.path(""))
            .output()
            .unwrap();
        let told = words(&output.stderr);
        match output.status.code() {
            Some(0) => {}
            Some(1) => assert!(told.contains("memory"), "{kibibytes} kB: {told}"),
            Some(2) => assert!(told.contains("memory") || told.contains("MB"), "{kibibytes} kB: {told}"),
            // The loader of the system had no room for the program itself.
            Some(126 | 127) => {}
            code => panic!("{kibibytes} kB: {code:?}: {told}"),
        }
        codes.push(output.status.code());
    }
    println!("{codes:?}");
    assert!(codes.iter().any(|code| matches!(code, Some(1 | 2))), "{codes:?}");
}

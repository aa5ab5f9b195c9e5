//! Ten files with a fault each, as a reader of the terminal sees them.

#![allow(clippy::unwrap_used)] // A test that cannot go on fails there.

use std::fs;

use assert_cmd::Command;

const GOOD: &str = r#"title = "A file without faults"

[target]
expression = "tanh(z1) + z2"
noise = 0.1

[network]
width = 4
activation = "erf"

[training]
dimension = 1000
batch = 2
learning_rate = "0.5/d"
time = 10
"#;

/// What `twolayer check` tells about the good file where `from` becomes `to`.
fn told(from: &str, to: &str) -> String {
    assert!(GOOD.contains(from), "{from}");
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("my.toml"), GOOD.replacen(from, to, 1)).unwrap();
    let run = Command::new(env!("CARGO_BIN_EXE_twolayer"))
        .args(["check", "my.toml"])
        .current_dir(directory.path())
        .output()
        .unwrap();
    assert_eq!((run.status.code(), run.stdout), (Some(2), Vec::new()), "{to}");
    String::from_utf8(run.stderr).unwrap()
}

#[test]
fn ten_bad_files() {
    let all = [
        ("width = 4", "widht = 4"),
        ("tanh(z1) + z2", "tnah(z1) + z2"),
        ("0.5/d", "0.5/q"),
        ("width = 4", "width = = 4"),
        ("batch = 2", "batch = \"n\""),
        ("[training]", "[trainig]"),
        ("batch = 2", "loss = \"sqared\""),
        ("noise = 0.1", "overlaps = [[1, 2],\n  [2, 1]]"),
        ("batch = 2", "preprocess = \"median\""),
        ("title = \"A", "\t\"é\" = \"\\u001b[31mred\"\ntitle = \"A"),
    ];
    insta::assert_snapshot!(all.map(|(from, to)| told(from, to)).join("----\n"));
}

#[test]
fn a_slip_on_the_command_line_is_shown_in_it() {
    let run = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_twolayer")).args(arguments).output().unwrap();
        String::from_utf8(output.stderr).unwrap()
    };
    let expression = run(&["analyze", "z1 + tnah(z2)"]);
    let setting = run(&["check", "gallery:odes/high-dimensional", "--set", "network.widht=3"]);
    let name = run(&["check", "gallery:odes/high-dimensionl"]);
    insta::assert_snapshot!([expression, setting, name].join("----\n"));
}

//! Whatever a file holds, the reader answers with an experiment or with diagnostics; it does not panic.

#![allow(clippy::unwrap_used, clippy::expect_used)] // A test that cannot go on fails there.

use std::path::Path;

use proptest::prelude::*;
use twolayer_file::{Request, Study, parse};

const GOOD: &str = r#"title = "Mutate me"
cite = ["2302.05882"]
[constants]
gamma = 0.5
[target]
committee = { units = 2, activation = "erf", output_scale = "1/k" }
overlaps = [[1, 0.5], [0.5, 1]]
noise = 1e-3
[network]
width = "2*k"
activation = "relu"
first_layer = { overlaps = { M = [[0, 0], [0, 0], [0, 0], [0, 0]], Q = [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]] } }
second_layer = { init = "alternating", train = true, rate_ratio = 2 }
[training]
dimension = 100
learning_rate = "gamma/d"
steps = "10*d"
[record]
points = 50
spacing = "linear"
[[view]]
engine = "limit"
terms = "label-noise"
[[view]]
engine = "reduced"
dimension = 1000
override = { "training.batch" = 2, constants.gamma = 0.1 }
[[figure]]
y = "scatter"
at = [0, 1]
[sweep]
"training.dimension" = [100, 200]
[[sweep.together]]
"constants.gamma" = [0.5, 1]
target.noise = [0, "0.1"]
"#;

/// Pieces that mean something, so that mutants get past the TOML parser.
const PIECES: [&str; 24] = [
    "\"",
    "'",
    "\n",
    "[",
    "]",
    "{",
    "}",
    "=",
    ".",
    "-1",
    "0",
    "1e300",
    "nan",
    "true",
    "\"infinite\"",
    "\"d\"",
    "é",
    "view",
    "[[view]]\n",
    "override",
    "\"gradient-flow\"",
    "1979-05-27",
    "[sweep]\n",
    "[[sweep.together]]\n",
];

fn survives(text: &str) {
    if let Err(faults) = parse(text, Path::new("mutant.toml")) {
        assert!(!faults.is_empty());
        for fault in faults {
            assert!(fault.line >= 1 && fault.line <= text.matches('\n').count() + 1);
            assert!(text.get(fault.span.clone()).is_some(), "{fault}");
            assert!(fault.to_string().contains("help: "), "{fault}");
        }
    }
}

#[test]
fn the_file_that_is_mutated_is_good() {
    let faults = parse(GOOD, Path::new("good.toml")).err().unwrap_or_default();
    assert_eq!(faults.iter().map(ToString::to_string).collect::<String>(), "");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_text(text in ".{0,200}") {
        survives(&text);
    }

    #[test]
    fn lines_in_any_order(order in Just(GOOD.lines().collect::<Vec<_>>()).prop_shuffle(), keep in 0..46usize) {
        survives(&order[..keep.min(order.len())].join("\n"));
    }

    #[test]
    fn mutants(edits in prop::collection::vec((0..GOOD.len(), 0..12usize, 0..PIECES.len() + 1), 1..4)) {
        let mut text = GOOD.to_string();
        for (at, cut, piece) in edits {
            let start = text.floor_char_boundary(at.min(text.len()));
            let end = text.ceil_char_boundary((start + cut).min(text.len()));
            text.replace_range(start..end, PIECES.get(piece).unwrap_or(&""));
        }
        survives(&text);
    }
}

proptest! {
    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let study = Study::read(Path::new("bytes.toml"), &Request::default(), &|_: &Path| Ok(bytes.clone()));
        for fault in study.err().unwrap_or_default() {
            prop_assert!(fault.to_string().contains("help: "));
        }
    }
}

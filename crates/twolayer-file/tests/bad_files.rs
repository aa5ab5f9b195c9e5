//! Every way a file can be wrong names the file, the line, the reason and the remedy.

#![allow(clippy::unwrap_used, clippy::expect_used)] // A test that cannot go on fails there.

use std::path::Path;

use twolayer::Advice;
use twolayer_file::{
    Request, Study, Unread,
    diagnostic::{Diagnostic, Severity},
    parse,
};

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

const LIMIT: &str = "[[view]]\nengine = \"limit\"\n";

fn faults(text: &str) -> Vec<Diagnostic> {
    parse(text, Path::new("experiment.toml")).err().unwrap_or_default()
}

/// What a reader sees when `from` in the good file becomes `to` (`""`: `to` is put at the end).
fn render(from: &str, to: &str) -> String {
    assert!(GOOD.contains(from), "{from} is not in the good file");
    let text = if from.is_empty() { format!("{GOOD}\n{to}") } else { GOOD.replacen(from, to, 1) };
    let faults = faults(&text);
    assert!(!faults.is_empty(), "{to} was accepted");
    told(&faults)
}

/// Place, reason and remedy of each, and the characters that are marked.
fn told(faults: &[Diagnostic]) -> String {
    let each = faults.iter().map(|fault| format!("{fault}\n  marked: {}", &fault.source_line[fault.marked()]));
    each.collect::<Vec<_>>().join("\n\n")
}

#[test]
fn the_good_file_is_good() {
    assert_eq!(faults(GOOD), []);
}

fn snapshot(name: &str, cases: &[(&str, &str)]) {
    let rendered: Vec<String> = cases.iter().map(|(from, to)| render(from, to)).collect();
    insta::assert_snapshot!(name, rendered.join("\n\n----\n\n"));
}

#[test]
fn words_and_types() {
    snapshot(
        "words_and_types",
        &[
            ("width = 4", "widht = 4"),
            ("batch = 2", "first_layer = \"sphere\""),
            ("[training]", "[trainig]"),
            ("title", "batch = 3\ntitle"),
            ("width = 4", "width = [4]"),
            ("activation = \"erf\"", "activation = \"erf\"\nsecond_layer = { train = \"yes\" }"),
            ("batch = 2", "loss = \"sqared\""),
            ("activation = \"erf\"", "activation = \"erf\"\nfirst_layer = \"sphre\""),
            ("activation = \"erf\"", "activation = \"rleu\""),
            ("width = 4", "width = 4\nwidth = 5"),
            ("width = 4", "width = = 4"),
            ("", "[[view]]\nengine = \"limit\"\nreplicates = -3"),
            ("", "[view]\nengine = \"limit\""),
            ("", "[constants]\nd = 3\nepsilon = \"small\""),
        ],
    );
}

/// The words are the library's; the place is the exact characters inside the string, or all of it where it has escapes.
#[test]
fn slips_in_expressions_are_shown_inside_the_string() {
    for (from, to, line, at_fault) in [
        ("tanh(z1) + z2", "tnah(z1) + z2", 4, "tnah"),
        ("tanh(z1) + z2", "tanh(z0) + z2", 4, "z0"),
        ("\"erf\"", "\" erf(h) + 2h\"", 9, "2h"),
        ("\"erf\"", "\" rleu \"", 9, "rleu"),
        ("0.5/d", "0.5/q", 14, "q"),
        ("\"0.5/d\"", "\"0.5/\\u0071\"", 14, "\"0.5/\\u0071\""),
        ("\"0.5/d\"", "\"\"\"\n0.5/q\"\"\"", 15, "q"),
        ("0.5/d", "0.5/n", 14, "\"0.5/n\""),
    ] {
        let text = GOOD.replacen(from, to, 1);
        let faults = faults(&text);
        let found: Vec<_> = faults.iter().map(|fault| (fault.line, &text[fault.span.clone()])).collect();
        assert_eq!(found, [(line, at_fault)], "{to}");
    }
}

#[test]
fn activations_and_biases() {
    snapshot(
        "activations_and_biases",
        &[
            ("activation = \"erf\"", "activation = \"tanhh(h)\""),
            ("activation = \"erf\"", "activation = \"tanh(x)\""),
            ("activation = \"erf\"", "activation = \"h + 0.1*z1\""),
            ("activation = \"erf\"", "activation = \"softmax\""),
            ("activation = \"erf\"", "activation = \"2*pi\""),
            ("activation = \"erf\"", "activation = \"relu(h\""),
            ("activation = \"erf\"", "activation = {}"),
            ("activation = \"erf\"", "activation = { hermite = [0, \"1\"] }"),
            ("activation = \"erf\"", "activation = { hermite = [1] }"),
            ("activation = \"erf\"", "activation = { hermit = [0, 1] }"),
            ("activation = \"erf\"", "activation = 2"),
            ("expression = \"tanh(z1) + z2\"", "committee = { units = 2, activation = \"he3(h) + z2\" }"),
            ("expression = \"tanh(z1) + z2\"", "committee = { units = 2, activation = { hermite = [] } }"),
            ("expression = \"tanh(z1) + z2\"", "hermite = []"),
            ("expression = \"tanh(z1) + z2\"", "hermite = \"he2\""),
            ("noise = 0.1", "hermite = [0, 1]"),
            ("width = 4", "width = 4\nbias = \"gausian\""),
            ("width = 4", "width = 4\nbias = { init = \"ones\" }"),
            ("width = 4", "width = 4\nbias = { train = true }"),
            ("width = 4", "width = 4\nbias = 1"),
            ("width = 4", "width = 4\nfirst_layer = { symmetric = true }\nsecond_layer = { values = [1, 2, -1, 2] }"),
        ],
    );
}

#[test]
fn data_sets_without_a_meaning() {
    snapshot(
        "data_sets_without_a_meaning",
        &[
            ("batch = 2", "data = \"reused\""),
            ("batch = 2", "data = \"reused\"\nsamples = 100\nbatch = 200"),
            ("batch = 2", "data = \"reused\"\nsamples = 100\nbatch = 30\nreuse_order = \"cyclic\""),
            ("batch = 2", "data = \"reused\"\nsamples = 100\nbatch = 30"),
            ("batch = 2", "data = \"reused\"\nsamples = 100\nbatch = \"n\"\nrepeats = 2"),
            ("batch = 2", "batch = \"n\""),
        ],
    );
}

#[test]
fn problems_without_a_meaning() {
    snapshot(
        "problems_without_a_meaning",
        &[
            ("expression = \"tanh(z1) + z2\"\n", ""),
            ("noise = 0.1", "committee = { units = 2, activation = \"erf\" }"),
            ("expression = \"tanh(z1) + z2\"", "committee = { activation = \"erf\" }"),
            ("width = 4\nactivation = \"erf\"\n", ""),
            ("learning_rate = \"0.5/d\"\n", ""),
            ("time = 10", "time = 10\nsteps = 5"),
            ("time = 10\n", ""),
            ("batch = 2", "batch = 0"),
            ("noise = 0.1", "noise = -0.1"),
            ("noise = 0.1", "overlaps = [[1, 2], [2, 1]]"),
            ("noise = 0.1", "overlaps = [[1, 0], [1]]"),
            ("noise = 0.1", "overlaps = [[1]]"),
            ("dimension = 1000", "dimension = 1"),
            ("width = 4", "width = 3\nfirst_layer = { kind = \"gaussian\", symmetric = true }"),
            ("width = 4", "width = 1\nfirst_layer = { overlaps = { M = [[1, 0.5]], Q = [[1]] } }"),
            ("width = 4", "width = 2\nfirst_layer = { overlaps = { M = [[0.5, 0]], Q = [[1, 0], [0, 1]] } }"),
            ("width = 4", "width = 4\nsecond_layer = { values = [1, -1] }"),
            ("batch = 2\nlearning_rate = \"0.5/d\"", "algorithm = \"gradient-flow\"\nlearning_rate = 0.1"),
        ],
    );
}

#[test]
fn views_without_a_meaning() {
    snapshot(
        "views_without_a_meaning",
        &[
            ("", "[[view]]\nname = \"anonymous\""),
            ("", "[[view]]\nengine = \"direct\"\ndimension = \"infinite\""),
            (
                "dimension = 1000\nbatch = 2\nlearning_rate = \"0.5/d\"\ntime = 10\n",
                "dimension = \"infinite\"\nlearning_rate = \"0.5/d\"\ntime = 10\n[[view]]\nengine = \"reduced\"",
            ),
            (
                "dimension = 1000\nbatch = 2\nlearning_rate = \"0.5/d\"\ntime = 10\n",
                "dimension = \"infinite\"\nlearning_rate = 0.1\ntime = 10\n[[view]]\nengine = \"reduced\"\ndimension = 9",
            ),
            ("", "[[view]]\nengine = \"direct\"\noverride = { \"training.algorithm\" = \"gradient-flow\" }"),
            ("", "[[view]]\nengine = \"direct\"\nname = \"a\"\n[[view]]\nengine = \"limit\"\nname = \"A\""),
            ("", "[[view]]\nengine = \"direct\"\nname = \"../a\""),
            ("", "[[view]]\nengine = \"direct\"\nterms = \"all\"\ntolerance = 0"),
            ("", "[[view]]\nengine = \"limit\"\noverride = { \"training.bacth\" = 1 }"),
            ("", "[[view]]\nengine = \"limit\"\noverride = { \"view.seed\" = 1, \"constants.gamma\" = 2 }"),
            ("", "[[view]]\nengine = \"limit\"\noverride = { \"training.batch\" = 0 }"),
            ("", "[[view]]\nengine = \"limit\"\ndimension = 1"),
            ("", "[[view]]\nengine = \"limit\"\ndimension = 5\noverride = { \"training.dimension\" = 6 }"),
        ],
    );
}

#[test]
fn readouts_without_a_meaning() {
    snapshot(
        "readouts_without_a_meaning",
        &[
            ("", "[readout]\nridge = 0"),
            ("", "[readout]\nridge = [1e-3, -1]"),
            ("", "[readout]\nsamples = []"),
            ("", "[readout]\nsamples = [\"d\", true]"),
            ("", "[readout]\nsamples = \"-d\""),
            ("", "[readout]\ndata = \"same\"\nsamples = 50"),
            ("", "[readout]\ndata = \"old\""),
            ("", "[readout]\nat = \"start\""),
            ("", "[readout]\ntest_samples = 1"),
        ],
    );
}

#[test]
fn sweeps_without_a_meaning() {
    snapshot(
        "sweeps_without_a_meaning",
        &[
            ("", "[sweep]\n\"training.dimensoin\" = [1000, 2000]"),
            ("", "[sweep]\ntraining.dimension = 1000"),
            ("", "[sweep]\n\"training.dimension\" = []"),
            ("", "[sweep]\ntraining = { loss = [\"squared\", \"sqared\"], batch = [1, true] }"),
            ("", "[sweep]\n\"training.batch\" = [1, 2, 1]"),
            ("", "[sweep]\n\"constants.rate\" = [0.1, 0.2]"),
            ("", "[sweep]\nrate = [0.1, 0.2]"),
            ("", "[sweep]\ntitle = [\"a\", \"b\"]"),
            ("", "[[sweep.together]]\n\"network.width\" = [2, 4, 8]\n\"target.noise\" = [0.1, 0.2]"),
            ("", "[[sweep.together]]\n\"network.width\" = [2, 4, 2]\n\"target.noise\" = [0.1, 0.1, 0.1]"),
            ("", "[sweep.together]\n\"network.width\" = [2, 4]"),
            ("", "[sweep]\n\"network.width\" = [2, 4]\n[[sweep.together]]\n\"network.width\" = [2, 4]"),
            ("", "[sweep]\n\"training.steps\" = [2, 4]\n\"training.time\" = [1, 2]"),
            // At one point only: the value itself, or another key because of it.
            ("", "[sweep]\n\"training.dimension\" = [1000, 1]"),
            ("", "[sweep]\n\"training.learning_rate\" = [\"0.5/d\", \"0.5/q\"]"),
            (
                "learning_rate = \"0.5/d\"\ntime = 10",
                "learning_rate = \"rate/d\"\ntime = 10\n[constants]\nrate = 1\n[sweep]\n\"constants.rate\" = [1, -1]",
            ),
            // At all of them: said once, of the file.
            ("noise = 0.1", "noise = -1\n[sweep]\n\"training.dimension\" = [1000, 2000]"),
            ("", "[constants]\np = 3\n[sweep]\n\"constants.p\" = [3, 4]"),
        ],
    );
}

#[test]
fn records_without_a_meaning() {
    snapshot(
        "records_without_a_meaning",
        &[
            ("", "[record]\nspacing = \"cubic\"\nQ = \"half\"\ngradients = 1"),
            ("", "[record]\nfirst = 0"),
            ("", "[record]\ncrossings = [{ quantity = \"risk\" }]"),
            ("", "[record]\ncrossings = [{ quantity = \"rsik\", level = 0.5 }]"),
            ("", "[record]\ncrossings = [{ quantity = \"cosine:3\", level = 0.5, stopp = true }]"),
            ("", "[record]\ncrossings = [{ quantity = \"cosine:3\", level = 0.5 }]"),
            ("", "[record]\ncrossings = [{ quantity = \"cosine\", level = 1.5, stop = true }]"),
        ],
    );
}

#[test]
fn settings_without_a_meaning() {
    let told: Vec<String> = [
        "training.batch=0",
        "training.batch",
        "=3",
        "nosuch.key=3",
        "trainig.batch=3",
        "network.widht=3",
        "network.activation=rleu",
        "training.learning_rate=0.5/q",
        "training=3",
        "view.reducd.replicates=3",
        "constants.gamma=3",
        "network.second_layer.values=[1,2",
        "sweep.training.dimension=10",
    ]
    .iter()
    .map(|setting| {
        let request = Request { settings: vec!["title=\"first\"".into(), setting.to_string()], ..Request::default() };
        let faults = Study::parse(GOOD, Path::new("experiment.toml"), &request).unwrap_err();
        told(&faults)
    })
    .collect();
    insta::assert_snapshot!("settings_without_a_meaning", told.join("\n\n----\n\n"));
}

#[test]
fn their_defaults_are_accepted() {
    for (from, to) in [
        (
            "batch = 2",
            "geometry = \"free\"\nrepeats = 1\ndisplacement = 0.0\ndisplacement_of = \"batch\"\npreprocess = \"none\"\nreuse_order = \"full\"",
        ),
        ("activation", "bias = \"none\"\nactivation"),
        ("", "[record]\ngradients = false\ncrossings = []"),
        ("", "[[view]]\nengine = \"limit\"\nmethod = \"ode\""),
        ("", "[[figure]]\nx = \"step\"\ndirections = \"axes\""),
    ] {
        let text = if from.is_empty() { format!("{GOOD}\n{to}") } else { GOOD.replacen(from, to, 1) };
        assert_eq!(faults(&text), [], "{to}");
    }
}

/// All at once: a reader mends a file in one go.
#[test]
fn all_faults_are_reported_in_the_order_of_the_file() {
    let text = GOOD.replace("width", "widht").replace("batch = 2", "batch = true\nloss = 3");
    let lines: Vec<usize> = faults(&text).iter().map(|fault| fault.line).collect();
    assert_eq!(lines, [8, 13, 14]);
    let text = GOOD.replace("z2", "q").replace("0.5/d", "0.5/q").replace("erf", "rleu");
    let lines: Vec<usize> = faults(&text).iter().map(|fault| fault.line).collect();
    assert_eq!(lines, [4, 9, 14]);
}

#[test]
fn late_advice_points_at_the_key_that_caused_it() {
    let text = format!(
        "{GOOD}{LIMIT}[[view]]\nengine = \"reduced\"\ndimension = 3\noverride = {{ \"training.learning_rate\" = 0.1 }}\n"
    );
    let experiment = parse(&text, Path::new("experiment.toml")).unwrap();
    let at = |view, key| {
        let fault = experiment.diagnose(view, &Advice::new(key, "reason", "remedy"), Severity::Warning);
        (fault.line, text[fault.span].to_string())
    };
    assert_eq!(at(0, "training.learning_rate"), (14, "\"0.5/d\"".into()));
    assert_eq!(at(1, "training.learning_rate"), (21, "0.1".into()));
    assert_eq!(at(0, "training.dimension"), (12, "1000".into()));
    assert_eq!(at(1, "training.dimension"), (20, "3".into()));
    assert_eq!(at(1, "view"), (18, "[[view]]".into()));
    assert_eq!(at(0, "view.engine"), (17, "\"limit\"".into()));
    assert_eq!(at(0, "view.tolerance"), (16, "[[view]]".into()), "not written: the header");
    assert_eq!(at(0, "training.loss"), (11, "training".into()), "not written: the section");
    assert_eq!(at(0, "record.points").0, 1, "no section: the file");
}

#[test]
fn a_file_that_is_not_there_or_not_text_is_a_diagnostic() {
    let read = |found: Result<&[u8], &str>| {
        let unread = |reason: &str| Unread { reason: reason.into(), remedy: "look elsewhere".into() };
        let load = |_: &Path| found.map(<[u8]>::to_vec).map_err(unread);
        Study::read(Path::new("experiment.toml"), &Request::default(), &load)
    };
    let missing = read(Err("there is nothing")).unwrap_err();
    assert_eq!(missing[0].to_string(), "experiment.toml: error: there is nothing\n  help: look elsewhere");
    let latin = read(Ok(b"title = \"\xff\"")).unwrap_err();
    assert!(latin[0].to_string().contains("byte 10 is not UTF-8"), "{}", latin[0]);
    assert!(read(Ok(GOOD.as_bytes())).is_ok());
}

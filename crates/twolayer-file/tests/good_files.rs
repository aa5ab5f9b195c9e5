//! Defaults, overrides, names, and the files of the gallery.

#![allow(clippy::unwrap_used, clippy::expect_used)] // A test that cannot go on fails there.

use std::path::Path;

use twolayer::problem::{
    Activation, Algorithm, Bias, BiasInit, Dimension, Duration, Engine, Init, Placement, Rule, Spacing, StartMode,
    Terms,
};
use twolayer_file::{
    Request, Study,
    experiment::{Axis, Experiment, Quantity, Scale},
    parse,
};

const SHORT: &str = r#"
[target]
expression = "tanh(z1 + he3(z2))"
[network]
width = 2
activation = "relu"
second_layer = { init = "alternating", scale = "1/sqrt(p)" }
output_scale = "1"
[training]
dimension = 500
batch = "3*d"
learning_rate = "0.6"
steps = 6
"#;

fn experiment(text: &str) -> Experiment {
    parse(text, Path::new("experiment.toml")).unwrap_or_else(|faults| {
        panic!("{}", faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"));
    })
}

#[test]
fn a_short_file_gets_the_defaults_of_the_reference() {
    let experiment = experiment(SHORT);
    let engines: Vec<_> =
        experiment.views.iter().map(|v| (v.name.as_str(), v.view.engine, v.view.replicates)).collect();
    let expected = [("limit", Engine::Limit, 1), ("reduced", Engine::Reduced, 16), ("direct", Engine::Direct, 16)];
    assert_eq!(engines, expected);
    let view = &experiment.views[1];
    assert_eq!((view.view.seed, view.view.tolerance, view.view.terms), (0, 1e-4, Terms::Auto));
    assert_eq!((view.record.points, view.record.spacing, view.record.first), (200, Spacing::Log, None));
    let problem = &view.problem;
    assert_eq!((problem.directions(), problem.width(), problem.batch(), problem.steps()), (2, 2, 1500, 6));
    assert_eq!((problem.output_scale(), problem.learning_rate(), problem.target.noise), (1.0, 0.6, 0.0));
    let network = &problem.network;
    assert!(matches!(network.first_layer.placement, Placement::Sphere) && !network.first_layer.symmetric);
    assert_eq!((&network.second_layer.init, network.second_layer.train), (&Init::Alternating, false));
    assert!((network.second_layer.scale.value(problem.sizes()) - 0.5f64.sqrt()).abs() < 1e-15);
    assert_eq!((network.start, network.start_seed, network.start_dimension), (StartMode::Shared, 0, Some(500)));
    assert_eq!((problem.rate_ratio(), problem.training.weight_decay), (1.0, 0.0));
    let drawn: Vec<_> = experiment.figures.iter().map(|figure| (figure.y, figure.x.clone())).collect();
    assert_eq!(drawn, [(Quantity::Risk, Axis::Step), (Quantity::Overlap, Axis::Step)]);
}

/// The committee and the network divide by their sizes unless told otherwise.
#[test]
fn output_scales_default_to_one_over_the_size() {
    let text = SHORT
        .replace("expression = \"tanh(z1 + he3(z2))\"", "committee = { units = 4, activation = \"erf\" }")
        .replace("output_scale = \"1\"", "");
    let problem = &experiment(&text).views[0].problem;
    assert_eq!(problem.output_scale(), 0.5);
    assert!(matches!(&problem.target.rule, Rule::Committee { weights, .. } if weights[..] == [0.25; 4]));
}

/// A list, an expression in r, or one number; the same target spelt out is the same committee.
#[test]
fn committees_have_weights() {
    let committee = |rest: &str| {
        let rule = format!("committee = {{ units = 3, activation = \"erf\", {rest} }}");
        experiment(&SHORT.replace("expression = \"tanh(z1 + he3(z2))\"", &rule)).views[0].problem.target.rule.clone()
    };
    for (rest, expected) in [
        ("weights = [1, 0.5, -2]", [1.0 / 3.0, 0.5 / 3.0, -2.0 / 3.0]),
        ("weights = \"r^-1\", output_scale = 1", [1.0, 0.5, 1.0 / 3.0]),
        ("weights = \"k - r\", output_scale = \"2/k\"", [4.0 / 3.0, 2.0 / 3.0, 0.0]),
        ("weights = 2, output_scale = 1", [2.0; 3]),
    ] {
        let Rule::Committee { weights, .. } = committee(rest) else { panic!("a committee") };
        assert!(weights.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-15), "{rest}: {weights:?}");
    }
}

#[test]
fn activations_by_expression_and_by_coefficients() {
    let of = |text: &str| experiment(text).views[0].problem.clone();
    let problem = of(&format!(
        "{}\n[constants]\nc = 0.1\n",
        SHORT.replace("\"relu\"", "\"tanh(h) + c*he2(h)\"").replace("width = 2", "width = 2\nbias = \"uniform\"")
    ));
    let mut h = [0.5];
    problem.network.activation.values(&mut h);
    assert!((h[0] - (0.5f64.tanh() + 0.1 * (0.25 - 1.0))).abs() < 1e-15);
    assert_eq!(problem.network.activation.formula(), "tanh(h) + c*he2(h)");
    assert_eq!(problem.network.bias, Some(Bias { init: BiasInit::Uniform, train: false }));

    let problem = of(&SHORT
        .replace("expression = \"tanh(z1 + he3(z2))\"", "hermite = [0, 0.5, 1]")
        .replace("\"relu\"", "{ hermite = [0, 1, 0.25] }\nbias = { init = \"gaussian\", train = true }"));
    assert_eq!(problem.network.activation, Activation::series(vec![0.0, 1.0, 0.25]));
    assert_eq!(problem.network.bias, Some(Bias { init: BiasInit::Gaussian, train: true }));
    assert_eq!(problem.directions(), 1);
    assert_eq!(problem.target.formula(), "σ(z1), σ(h) = 0.5 h_1(h) + h_2(h), h_q = He_q/√q!");

    for (activation, expected) in [
        ("\"h^3\"", Activation::parse("h^3", &[].into()).unwrap()),
        ("{ hermite = [0, 1] }", Activation::series(vec![0.0, 1.0])),
        ("\"he3\"", Activation::Hermite(3)),
    ] {
        let committee = format!("committee = {{ units = 3, activation = {activation} }}");
        let problem = of(&SHORT.replace("expression = \"tanh(z1 + he3(z2))\"", &committee));
        let Rule::Committee { activation, weights } = &problem.target.rule else { panic!("a committee") };
        assert_eq!(weights.len(), 3);
        assert_eq!(*activation, expected);
    }
    for bias in ["\"none\"", "{}", "{ init = \"none\" }"] {
        let problem = of(&SHORT.replace("width = 2", &format!("width = 2\nbias = {bias}")));
        assert_eq!(problem.network.bias, None);
    }
}

#[test]
fn views_override_by_path_and_share_the_start() {
    let text = format!(
        "{SHORT}[constants]\nrate = 0.5\n{}",
        r#"
[[view]]
engine = "reduced"
dimension = 20000
override = { "target.noise" = 0.2, "network.first_layer" = "gaussian", "network.second_layer" = { values = [1, 2] }, "training.time" = "3*rate", "constants.rate" = 2 }
[[view]]
engine = "reduced"
[view.override]
target.expression = "z1"
network.first_layer.scale = 0.5
[[view]]
engine = "limit"
override = { "training.algorithm" = "gradient-flow", "training.time" = 1, "target.committee" = { units = 3, activation = "erf" } }
"#
    );
    let experiment = experiment(&text);
    let names: Vec<_> = experiment.views.iter().map(|view| view.name.as_str()).collect();
    assert_eq!(names, ["reduced", "reduced-2", "limit"]);
    let [first, second, flow] = &experiment.views[..] else { panic!("three views") };
    assert_eq!((first.problem.dimension(), first.problem.batch()), (Some(20000), 60000));
    assert_eq!(first.problem.network.start_dimension, Some(500), "the start of all views is drawn in one dimension");
    assert_eq!(first.problem.target.noise, 0.2);
    assert_eq!(first.problem.network.second_layer.init, Init::Values(vec![1.0, 2.0]));
    assert!(matches!(first.problem.network.first_layer.placement, Placement::Gaussian));
    assert!(matches!(&first.problem.training.duration, Duration::Time(_)), "time takes the place of steps");
    assert_eq!(first.problem.time(), 6.0);
    assert_eq!(first.overrides[0], ("target.noise".into(), "0.2".into()));
    assert_eq!((second.problem.directions(), second.problem.steps()), (1, 6));
    assert_eq!(second.problem.network.first_layer.scale.value(second.problem.sizes()), 0.5);
    assert_eq!(flow.problem.training.algorithm, Algorithm::GradientFlow);
    assert!(flow.problem.training.learning_rate.is_none(), "a flow leaves the file's learning rate behind");
    assert_eq!((flow.problem.directions(), flow.problem.network.second_layer.init.clone()), (3, Init::Alternating));
}

#[test]
fn names_that_are_given_are_not_taken_again() {
    let views =
        "[[view]]\nengine = \"limit\"\n[[view]]\nengine = \"limit\"\nname = \"limit\"\n[[view]]\nengine = \"limit\"\n";
    let experiment = experiment(&format!("{SHORT}{views}"));
    let names: Vec<_> = experiment.views.iter().map(|view| view.name.as_str()).collect();
    assert_eq!(names, ["limit-2", "limit", "limit-3"]);
}

#[test]
fn without_a_dimension_only_the_limit_looks() {
    let text = SHORT.replace("dimension = 500", "dimension = \"infinite\"").replace("batch = \"3*d\"\n", "");
    let text = text.replace("steps = 6", "time = 6");
    let experiment = experiment(&text);
    assert_eq!(experiment.views.len(), 1);
    assert_eq!(experiment.views[0].problem.training.dimension, Dimension::Infinite);
    assert_eq!(experiment.figures[0].x, Axis::Time);
}

#[test]
fn the_resolved_experiment_has_every_key_and_numbers_as_evaluated() {
    let resolved = experiment(SHORT).resolved;
    let view = &resolved.json["views"][1];
    assert_eq!(view["training"]["batch"], serde_json::json!({ "expression": "3*d", "value": 1500.0 }));
    assert_eq!(view["training"]["learning_rate"], 0.6);
    assert_eq!(view["training"]["loss"], "squared");
    assert_eq!(view["target"]["overlaps"], serde_json::json!([[1.0, 0.0], [0.0, 1.0]]));
    assert_eq!(view["network"]["first_layer"]["kind"], "sphere");
    assert_eq!(view["network"]["second_layer"]["init"], "alternating");
    assert_eq!((&view["view"]["name"], &view["view"]["replicates"]), (&"reduced".into(), &16.into()));
    assert!(view["target"].get("committee").is_none());
    insta::assert_snapshot!("resolved_short_file", serde_json::to_string_pretty(&resolved.json).unwrap());
}

#[test]
fn the_hash_knows_what_results_depend_on() {
    let hash = |text: &str| experiment(text).resolved.hash;
    let same = hash(SHORT);
    assert_eq!(hash(&format!("title = \"Another caption\"\n{SHORT}")), same);
    assert_eq!(hash(&SHORT.replace("batch = \"3*d\"\n", "").replace("steps", "batch = \"3*d\"\nsteps")), same);
    assert_eq!(
        hash(&SHORT.replace("\"sphere\"", "").replace("[network]", "[network]\nfirst_layer = \"sphere\"")),
        same
    );
    assert_eq!(hash(&SHORT.replace("width = 2", "width = 2.0").replace("\"0.6\"", "0.6")), same);
    assert_ne!(hash(&SHORT.replace("0.6", "0.61")), same);
    assert_ne!(hash(&SHORT.replace("\"3*d\"", "1500")), same, "the limit reads the expression");
    assert_ne!(hash(&format!("{SHORT}[[view]]\nengine = \"limit\"\nseed = 1\n")), same);
}

/// Runs are told apart, resumed and found again by it: another value means that every earlier result is a stranger's.
#[test]
fn the_hash_of_an_experiment_stays() {
    assert_eq!(experiment(SHORT).resolved.hash, "2090f504fb9f5804");
}

/// A value may come again beside another one.
#[test]
fn lists_that_vary_together_may_repeat_values() {
    let text = format!(
        "{SHORT}[[sweep.together]]\n\"training.dimension\" = [500, 500, 1000]\n\"target.noise\" = [0, 0.1, 0.1]\n"
    );
    let study = Study::parse(&text, Path::new("f.toml"), &Request::default()).unwrap_or_else(|f| panic!("{}", f[0]));
    let names: Vec<_> = study.points().iter().map(|point| point.directory.as_str()).collect();
    assert_eq!(names, ["dimension=500,noise=0", "dimension=500,noise=0.1", "dimension=1000,noise=0.1"]);
}

#[test]
fn points_of_a_sweep_have_directories_of_their_own() {
    let text = format!(
        "{SHORT}[sweep]\n\"training.dimension\" = [500, 1000]\n\"network.second_layer\" = [{{ init = \"ones\" }}, \
         {{ init = \"gaussian\" }}]\n[[sweep.together]]\n\"target.expression\" = [\"z1+z2\", \"z1/z2\", \"z1*z2\"]\n\
         \"target.noise\" = [0, \"1e-1\", 0.2]\n"
    );
    let study = Study::parse(&text, Path::new("f.toml"), &Request::default()).unwrap_or_else(|f| panic!("{}", f[0]));
    let names: Vec<_> = study.points().iter().map(|point| point.directory.as_str()).collect();
    assert_eq!(names.len(), 12);
    assert_eq!(
        names[..4],
        [
            "dimension=500,second_layer=__init____ones___,expression=z1+z2,noise=0",
            "dimension=500,second_layer=__init____ones___,expression=z1_z2,noise=1e-1",
            "dimension=500,second_layer=__init____ones___,expression=z1_z2,noise=0.2",
            "dimension=500,second_layer=__init____gaussian___,expression=z1+z2,noise=0",
        ]
    );
    assert_eq!(study.keys(), ["training.dimension", "network.second_layer", "target.expression", "target.noise"]);
    let point = study.experiment(1).unwrap();
    assert_eq!(
        point.point_in_words().unwrap(),
        "dimension=500, second_layer={ init = \"ones\" }, expression=z1/z2, noise=1e-1"
    );
    assert_eq!(point.title, "(dimension=500, second_layer={ init = \"ones\" }, expression=z1/z2, noise=1e-1)");
    // Two values of which one name is made.
    let text = format!("{SHORT}[sweep]\n\"target.expression\" = [\"z1*z2\", \"z1/z2\"]\n");
    let study = Study::parse(&text, Path::new("f.toml"), &Request::default()).unwrap_or_else(|f| panic!("{}", f[0]));
    let names: Vec<_> = study.points().iter().map(|point| point.directory.as_str()).collect();
    assert_eq!(names, ["expression=z1_z2", "expression=z1_z2-2"]);
}

#[test]
fn figures_as_written() {
    let text = format!(
        "{SHORT}[[figure]]\ny = \"scatter\"\nat = [0, 2]\n[[figure]]\ny = \"2*risk\"\nx = \"time\"\ny_scale = \"log\"\n"
    );
    let figures = experiment(&text).figures;
    assert_eq!((figures[0].y, &figures[0].at), (Quantity::Scatter, &vec![0.0, 2.0]));
    assert_eq!((figures[1].y, figures[1].x.clone(), figures[1].x_scale), (Quantity::TwiceRisk, Axis::Time, None));
    assert_eq!(figures[1].y_scale, Some(Scale::Log));
}

#[test]
fn the_gallery_reads() {
    let gallery = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../gallery/odes");
    let read = |name: &str| experiment(&std::fs::read_to_string(gallery.join(name)).unwrap());
    let scatter = read("classical-scatter.toml");
    assert_eq!((scatter.views[0].view.terms, scatter.views[1].problem.steps()), (Terms::LabelNoise, 6_000_000));
    let high = read("high-dimensional.toml");
    // γ/p = ηd·s: 1, then a quarter.
    for (name, dimension, ratio, noise, time) in [
        ("ode", 1_000.0, 1.0, 0.01, 100.0),
        ("reduced-1e5", 100_000.0, 1.0, 0.01, 10.0),
        ("quarter-reduced-1e4", 10_000.0, 0.25, 0.1, 100.0),
    ] {
        let problem = &high.views.iter().find(|view| view.name == name).unwrap().problem;
        assert_eq!((problem.sizes().d, problem.time(), problem.target.noise), (dimension, time, noise), "{name}");
        assert!((problem.step_time() * dimension - ratio).abs() < 1e-12, "{name}");
        assert_eq!(problem.network.start_dimension, Some(1000), "{name}");
    }
}

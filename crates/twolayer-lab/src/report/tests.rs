use serde_json::json;
use twolayer::problem::Engine;

use super::*;
use twolayer_file::experiment::Quantity;

use crate::{
    compare::compare,
    fabricated::{self, Sizes},
    figure::{draw, svg},
    store::{Run, save},
};

const SIZES: Sizes = Sizes { p: 4, k: 2 };

fn page(hostile: bool) -> String {
    let times = fabricated::log_times(60, 0.01, 30.0);
    let views = vec![
        fabricated::view("limit", Engine::Limit, SIZES, 1000),
        fabricated::view("reduced", Engine::Reduced, SIZES, 100_000),
    ];
    let mut outcomes = vec![fabricated::limit(SIZES, &times, 1e-6), fabricated::simulation(SIZES, &times, 16, 0.05, 1)];
    outcomes[1].advice = vec!["at d = 1000 that is 0.5/d; if it should shrink with d, write \"0.5/d\"".into()];
    let figures = vec![fabricated::figure(Quantity::Risk), fabricated::figure(Quantity::Scatter)];
    let mut experiment = fabricated::experiment(views, figures);
    if hostile {
        let text = "</pre></script><script>alert(1)</script>&\"'";
        for field in [&mut experiment.title, &mut experiment.note, &mut experiment.source] {
            *field = text.into();
        }
        experiment.cite = vec![text.into()];
        experiment.views[0].name = "</script><script>alert(1)</script>".into();
        outcomes[0].method = text.into();
    }
    let agreement = compare(&experiment.views, &outcomes);
    let run = Run {
        experiment: json!({ "title": experiment.title }),
        source: experiment.source.clone(),
        version: "0.1.0".into(),
        command: "twolayer run odes/saad-solla.toml --seed 0".into(),
        threads: 2,
        started: 1.7e9,
        seconds: 3.5,
    };
    let directory = tempfile::tempdir().unwrap();
    // The view's name is also a file's: only its harmless form can be saved.
    let names: Vec<String> = experiment.views.iter().map(|view| view.name.clone()).collect();
    experiment.views[0].name = "limit".into();
    let mut manifest = save(directory.path(), &experiment.views, &outcomes, run, agreement).unwrap();
    experiment.views[0].name.clone_from(&names[0]);
    manifest.views[0].name.clone_from(&names[0]);
    html(&experiment, &outcomes, &manifest, &svg(&draw(&experiment, &outcomes, "0.1.0")))
}

/// An experiment of one view, and its manifest.
fn saved() -> (Experiment, Manifest) {
    let views = vec![fabricated::view("limit", Engine::Limit, SIZES, 1000)];
    let outcomes = vec![fabricated::limit(SIZES, &fabricated::log_times(3, 0.01, 1.0), 1e-6)];
    let experiment = fabricated::experiment(views, Vec::new());
    let run = Run {
        experiment: json!({}),
        source: String::new(),
        version: String::new(),
        command: String::new(),
        threads: 1,
        started: 0.0,
        seconds: 0.0,
    };
    let directory = tempfile::tempdir().unwrap();
    let manifest = save(directory.path(), &experiment.views, &outcomes, run, Vec::new()).unwrap();
    (experiment, manifest)
}

#[test]
fn the_page_holds_everything_and_needs_nothing() {
    let page = page(false);
    for needed in [
        "<svg xmlns",
        "When do the neurons specialise?",
        "limit and reduced agree",
        "ode, all terms",
        "erf, closed form",
        "largest numerical error of the risk 1.00e-6",
        "if it should shrink with d",
        "title = &quot;One pass &amp; two &lt;neurons&gt;&quot;",
        "twolayer run odes/saad-solla.toml --seed 0",
        "eprint = {2302.05882}",
        "saad1995online",
        "langsrud2005rotation",
        "symmetric plateau of the risk",
        "a stretch of time: p =",
        "Local slopes",
        "y = 0.5 · Σ<sub>r≤2</sub> σ(z<sub>r</sub>)",
        "id=\"neurons\"",
    ] {
        assert!(page.contains(needed), "missing: {needed}");
    }
    for (start, _) in page.match_indices("http") {
        let link = &page[start..(start + 40).min(page.len())];
        let harmless = ["http://www.w3.org/", "https://arxiv.org/abs/", "https://github.com/twolayer"];
        assert!(harmless.iter().any(|prefix| link.starts_with(prefix)), "loads from the network? {link}");
    }
    assert!(!page.contains("src=\"") && !page.contains("<link") && !page.contains("@import"));
}

#[test]
fn nothing_from_the_file_becomes_markup() {
    let page = page(true);
    assert!(!page.contains("<script>alert"), "script injected");
    assert_eq!(page.matches("</script>").count(), 2, "a script was closed early");
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
}

/// Id and title of every method that has a manifest, and the keys of what it cites.
#[test]
fn every_method_is_cited() {
    let (experiment, mut manifest) = saved();
    for (id, title, keys) in [
        ("direct", "direct", ""),
        ("reduced-fresh", "reduced, fresh batches", ""),
        ("reduced-reused", "reduced, reused batches", "lu2021householder"),
        ("mean-field", "mean field, gradient flow", "arnaboldi2023high"),
        ("ode", "ode, gradient flow", "saad1995online goldt2019dynamics"),
        ("giant-step", "giant steps", "dandi2023how"),
        ("leap-step", "leap step", "dandi2023how"),
        ("dmft", "dynamical mean-field theory", "dandi2024benefits lu2021householder"),
    ] {
        // Manifests of version 0.1.0 have no id.
        for id in [id, ""] {
            let view = &mut manifest.views[0];
            (view.method_id, view.method) = (id.into(), title.into());
            let entries = citations(&experiment, &manifest.views[..1], "0.2.0");
            let cited: Vec<&str> = entries.iter().filter_map(|entry| entry.split(['{', ',']).nth(1)).collect();
            let expected = format!("{} {keys} twolayer", "arnaboldi2023high");
            assert_eq!(
                cited.join(" ").split_whitespace().collect::<Vec<_>>(),
                expected.split_whitespace().collect::<Vec<_>>()
            );
        }
    }
}

/// `cargo test -p twolayer-lab sample_report -- --ignored --nocapture`, then look at it.
#[test]
#[ignore = "writes a page to look at"]
fn sample_report() {
    let path = std::env::temp_dir().join("twolayer-report.html");
    std::fs::write(&path, page(false)).unwrap();
    eprintln!("{}", path.display());
}

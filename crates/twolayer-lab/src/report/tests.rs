use serde_json::json;
use twolayer::problem::Engine;
use twolayer_plot::svg;

use super::*;
use crate::{
    compare::compare,
    experiment::Quantity,
    fabricated::{self, Sizes},
    figure::draw,
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

#[test]
fn known_papers_have_authors_and_unknown_ones_a_number() {
    for arxiv in ["2402.03220", "2305.18270", "2303.00055", "2302.05882", "1906.08632", "2405.15459", "2101.07464"] {
        let entry = bibtex(arxiv);
        assert!(entry.contains("author = {") && entry.contains(arxiv), "{entry}");
        assert_eq!(entry.matches('{').count(), entry.matches('}').count());
    }
    assert!(bibtex("2106.12345").contains("https://arxiv.org/abs/2106.12345"));
}

/// `cargo test -p twolayer-lab sample_report -- --ignored --nocapture`, then look at it.
#[test]
#[ignore = "writes a page to look at"]
fn sample_report() {
    let path = std::env::temp_dir().join("twolayer-report.html");
    std::fs::write(&path, page(false)).unwrap();
    eprintln!("{}", path.display());
}

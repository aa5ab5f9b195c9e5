//! BibTeX of the papers that experiments come from, and of the methods that runs use.

use twolayer::{
    citation::{LANGSRUD_2005, bibtex_of_arxiv},
    method::registry,
};
use twolayer_file::experiment::Experiment;

use crate::store::ViewRecord;

/// Everything a run should cite, each once: the papers of `cite`, those of the methods that computed its `views`, the test
/// behind its verdicts, and the program.
pub fn citations(experiment: &Experiment, views: &[ViewRecord], version: &str) -> Vec<String> {
    let mut entries: Vec<String> = experiment.cite.iter().map(|arxiv| bibtex_of_arxiv(arxiv)).collect();
    for view in views {
        let name = if view.method_id.is_empty() { &view.method } else { &view.method_id };
        let papers = registry::named(name).map_or(&[][..], |method| method.citations);
        entries.extend(papers.iter().map(|paper| paper.bibtex()));
    }
    if views.len() > 1 {
        entries.push(LANGSRUD_2005.bibtex());
    }
    entries.push(format!(
        "@software{{twolayer,\n  title = {{twolayer}},\n  version = {{{version}}},\n  url = {{{}}}\n}}\n",
        env!("CARGO_PKG_REPOSITORY")
    ));
    let mut seen: Vec<String> = Vec::new();
    entries.into_iter().for_each(|entry| {
        if !seen.contains(&entry) {
            seen.push(entry)
        }
    });
    seen
}

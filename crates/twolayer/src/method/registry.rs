//! Every way to compute a view, one line each. A new one is its file, and its line here.

use super::Entry;

/// In the order in which they are asked.
pub static METHODS: &[Entry] = &[
    super::simulation::direct::ENTRY,
    super::simulation::fresh::ENTRY,
    super::simulation::reused::ENTRY,
    super::single_index::FINITE,
    super::single_index::AVERAGED,
    super::mean_field::ENTRY,
    super::ode::ENTRY,
    super::giant_step::ENTRY,
    super::leap_step::ENTRY,
    super::dmft::ENTRY,
];

/// The method of this id; or, in manifests that have none, of this title.
pub fn named(id_or_title: &str) -> Option<&'static Entry> {
    let titled = |entry: &&Entry| {
        let rest = id_or_title.strip_prefix(entry.title);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(", "))
    };
    METHODS.iter().find(|entry| entry.id == id_or_title).or_else(|| METHODS.iter().find(titled))
}

/// The words of `view.method`, each once, `auto` not among them.
pub fn words() -> Vec<&'static str> {
    let mut words: Vec<&str> = METHODS.iter().filter_map(|entry| entry.word).collect();
    words.dedup();
    words
}

/// The word of `view.method` that `text` is.
pub fn word(text: &str) -> Option<&'static str> {
    words().into_iter().find(|word| *word == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What leaves the program: manifests and hashes rest on the ids, experiment files on the words.
    #[test]
    fn ids_titles_words_and_citations_are_those_that_were_published() {
        let mut listed: Vec<_> = METHODS
            .iter()
            .map(|entry| {
                let cited: Vec<&str> = entry.citations.iter().map(|paper| paper.key).collect();
                (entry.id, entry.title, entry.engine.name(), entry.word.unwrap_or("-"), cited.join(" "))
            })
            .collect();
        let expected = [
            ("direct", "direct", "direct", "-", ""),
            ("reduced-fresh", "reduced, fresh batches", "reduced", "-", ""),
            ("reduced-reused", "reduced, reused batches", "reduced", "-", "lu2021householder"),
            (
                "single-index-finite",
                "single-index flow of the network's neurons",
                "limit",
                "single-index-finite",
                "berthier2023learning",
            ),
            ("single-index", "single-index flow of many neurons", "limit", "single-index", "berthier2023learning"),
            ("mean-field", "mean field", "limit", "mean-field", "arnaboldi2023high"),
            ("ode", "ode", "limit", "ode", "saad1995online goldt2019dynamics"),
            ("giant-step", "giant steps", "limit", "giant-step", "dandi2023how"),
            ("leap-step", "leap step", "limit", "giant-step", "dandi2023how"),
            ("dmft", "dynamical mean-field theory", "limit", "dmft", "dandi2024benefits lu2021householder"),
        ];
        let expected = expected.map(|(id, title, engine, word, cited)| (id, title, engine, word, cited.to_string()));
        // More may come.
        listed.retain(|line| expected.iter().any(|known| known.0 == line.0));
        assert_eq!(listed, expected);
        let published = ["single-index-finite", "single-index", "mean-field", "ode", "giant-step", "dmft"];
        assert!(published.iter().all(|word| words().contains(word)), "{:?}", words());
        assert_eq!((word("dmft"), word("auto")), (Some("dmft"), None));
    }

    #[test]
    fn methods_are_found_by_id_and_by_the_titles_of_old_manifests() {
        let id = |name| named(name).map(|entry| entry.id);
        assert_eq!(id("ode, gradient flow"), Some("ode"));
        assert_eq!(id("reduced, reused batches"), Some("reduced-reused"));
        assert_eq!(id("dynamical mean-field theory"), Some("dmft"));
        assert_eq!(id("leap-step"), Some("leap-step"));
        assert_eq!(id("odes"), None);
    }
}

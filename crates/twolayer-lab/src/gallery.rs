//! The experiments of the papers, as files inside the program.

use toml::de::DeTable;
use twolayer_file::{
    Unread,
    text::{
        nearest,
        tree::{Node, Table},
    },
};

/// How a path says that it names an experiment of the gallery: `gallery:odes/high-dimensional`.
pub const PREFIX: &str = "gallery:";

/// Name and text of every experiment, by name.
pub const FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/gallery.rs"));

/// An experiment of the gallery, and what it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exhibit {
    /// Its name: `odes/high-dimensional`.
    pub name: &'static str,
    /// The title of its file.
    pub title: String,
    /// The arXiv numbers of its papers.
    pub cite: Vec<String>,
}

/// All experiments, by name.
pub fn exhibits() -> Vec<Exhibit> {
    FILES
        .iter()
        .map(|(name, text)| {
            let table = DeTable::parse(text).map(|table| Table::new(table.get_ref())).unwrap_or_default();
            let node = |key: &str| table.get(key).map(|entry| &entry.node);
            let title = node("title").and_then(Node::text).unwrap_or(name).to_string();
            let papers = node("cite").and_then(Node::array).unwrap_or_default();
            let cite = papers.iter().filter_map(Node::text).map(String::from).collect();
            Exhibit { name, title, cite }
        })
        .collect()
}

/// The text of an experiment, by its name, with or without its folder.
///
/// # Errors
/// The nearest name, or all that the name could mean.
pub fn text(name: &str) -> Result<&'static str, Unread> {
    let wanted = |full: &str| full == name || full.rsplit_once('/').is_some_and(|(_, last)| last == name);
    let found: Vec<_> = FILES.iter().filter(|(full, _)| wanted(full)).collect();
    let fault = |reason: String, remedy: String| Unread { reason, remedy };
    match found[..] {
        [(_, text)] => Ok(text),
        [] => {
            let remedy = match nearest(name, FILES.iter().map(|(full, _)| *full)) {
                Some(near) => format!("did you mean `{near}`? `twolayer gallery` lists all of them"),
                None => "`twolayer gallery` lists all of them".into(),
            };
            Err(fault(format!("the gallery has no experiment `{name}`"), remedy))
        }
        _ => {
            let names: Vec<&str> = found.iter().map(|(full, _)| *full).collect();
            let reason = format!("`{name}` could be any of {}", names.join(", "));
            Err(fault(reason, "write its folder too".into()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    use twolayer_file::parse;

    #[test]
    fn every_experiment_of_the_gallery_is_right_and_has_a_title() {
        assert!(FILES.len() >= 2);
        for exhibit in exhibits() {
            let path = format!("{PREFIX}{}", exhibit.name);
            let text = text(exhibit.name).unwrap();
            let experiment = parse(text, Path::new(&path)).unwrap_or_else(|faults| panic!("{path}: {}", faults[0]));
            assert!(!exhibit.title.is_empty() && experiment.title.starts_with(&exhibit.title), "{path}");
            assert!(!exhibit.cite.is_empty(), "{path}");
        }
    }

    #[test]
    fn a_name_without_its_folder_will_do_and_a_wrong_one_gets_advice() {
        assert!(text("high-dimensional").is_ok());
        let wrong = text("odes/high-dimensionl").unwrap_err();
        assert!(wrong.remedy.contains("odes/high-dimensional"), "{wrong:?}");
    }
}

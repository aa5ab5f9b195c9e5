//! Keys and values of the experiment file that no engine of this version treats: recognised, and refused in words.
//! An engine that arrives deletes its lines here.

use super::tree::{Node, Value};

/// A key, the values of it that are refused, and what to write meanwhile.
#[derive(Debug)]
pub struct Later {
    /// Its dotted path.
    pub path: &'static str,
    /// Which of its values are refused.
    pub values: Values,
    /// What to write meanwhile.
    pub remedy: &'static str,
}

/// Values of a key that are refused.
#[derive(Debug, Clone, Copy)]
pub enum Values {
    /// All.
    All,
    /// All but these.
    AllBut(&'static [&'static str]),
    /// These.
    Only(&'static [&'static str]),
}
use Values::{All, AllBut, Only};

const fn later(path: &'static str, values: Values, remedy: &'static str) -> Later {
    Later { path, values, remedy }
}

/// What is refused.
#[rustfmt::skip]
pub const LATER: &[Later] = &[
    later("training.preprocess", AllBut(&["none"]), "write preprocess = \"none\""),
    later("readout", All, "remove the section"),
    later("figure.y", Only(&["readout", "spectrum"]), "draw risk, 2*risk, overlap, cosine, scatter or histogram"),
];

/// The remedy, where `node` is a value of the key `path` that is refused.
pub fn remedy(path: &str, node: &Node) -> Option<&'static str> {
    let later = LATER.iter().find(|later| later.path == path)?;
    let refused = match later.values {
        All => true,
        AllBut(values) => !values.iter().any(|value| is(node, value)),
        Only(values) => values.iter().any(|value| is(node, value)),
    };
    refused.then_some(later.remedy)
}

/// Whether `node` says `word`, as a string, a number, a switch or an empty array.
fn is(node: &Node, word: &str) -> bool {
    match &node.value {
        Value::Text(text) => text.trim() == word,
        Value::Array(items) => items.is_empty() && word == "[]",
        Value::Switch(switch) => switch.to_string() == word,
        _ => node.number().is_some_and(|number| word.parse() == Ok(number)),
    }
}

/// "… is part of the experiment file, but …", for what is written as `key = value`.
pub fn reason(path: &str, written: &str) -> String {
    let short = written.len() <= 40 && !written.contains('\n') && !written.starts_with('[');
    let what = if !path.contains('.') {
        format!("[{path}]")
    } else if short {
        format!("`{path} = {written}`")
    } else {
        format!("`{path}`")
    };
    let lacking = if path.starts_with("figure") { "cannot draw it" } else { "has no engine for it" };
    format!("{what} is part of the experiment file, but this version {lacking} yet")
}

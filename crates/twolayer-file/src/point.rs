//! What the command line changes, and the points of a sweep: their values, in words and as names of directories.

use serde::{Deserialize, Serialize};

use crate::{hash, text::keys::last};

/// The longest name of a directory that all file systems take, with room for a number.
const LONGEST_NAME: usize = 200;

/// What the command line changes.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Request {
    /// `key=value`, in order.
    pub settings: Vec<String>,
    /// A tenth of the sizes.
    pub quick: bool,
    /// The seed of every view.
    pub seed: Option<u64>,
    /// The views to keep; all where there is none.
    pub only: Vec<String>,
}

impl Request {
    /// Whether the run may be shorter than the file says, whose figures were written for its own end.
    pub fn may_end_early(&self) -> bool {
        let shortens =
            |setting: &String| ["training.steps", "training.time"].iter().any(|key| setting.starts_with(key));
        self.quick || self.settings.iter().any(shortens)
    }

    /// Whether the view of this name is to be looked at.
    pub fn asks_for(&self, name: &String) -> bool {
        self.only.is_empty() || self.only.contains(name)
    }
}

/// One point of a sweep.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Point {
    /// The swept keys and their values, as written.
    pub values: Vec<(String, String)>,
    /// The name of its directory: `dimension=1000,noise=0.1`.
    pub directory: String,
}

/// `dimension=1000, noise=0.1`; keys with the same last word in full.
pub fn in_words(values: &[(String, String)]) -> String {
    let words = values.iter().map(|(key, value)| format!("{}={value}", label(key, values)));
    words.collect::<Vec<_>>().join(", ")
}

/// The last word of a swept key, or all of it where two end in the same one.
fn label<'a>(key: &'a str, values: &[(String, String)]) -> &'a str {
    let alone = values.iter().filter(|(other, _)| last(other) == last(key)).count() == 1;
    if alone { last(key) } else { key }
}

/// A name for the directory of a point, in characters that no shell and no file system minds.
pub fn directory(values: &[(String, String)]) -> String {
    let plain = |c: char| if c.is_alphanumeric() || "._+-".contains(c) { c } else { '_' };
    let word = |(key, value): &(String, String)| {
        format!("{}={}", label(key, values), value.chars().map(plain).collect::<String>())
    };
    let name = values.iter().map(word).collect::<Vec<_>>().join(",");
    if name.len() <= LONGEST_NAME {
        return name;
    }
    let cut = name.floor_char_boundary(LONGEST_NAME - 17);
    format!("{}-{}", &name[..cut], hash::short(name.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_are_readable_and_different() {
        let values =
            |pairs: &[(&str, &str)]| pairs.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect::<Vec<_>>();
        let name = |pairs: &[(&str, &str)]| directory(&values(pairs));
        assert_eq!(name(&[("training.dimension", "1000"), ("target.noise", "1e-4")]), "dimension=1000,noise=1e-4");
        assert_eq!(name(&[("training.batch", "3*d")]), "batch=3_d");
        assert_eq!(
            name(&[("network.second_layer.scale", "1"), ("network.first_layer.scale", "2")]),
            "network.second_layer.scale=1,network.first_layer.scale=2"
        );
        let long = "z1 + ".repeat(100);
        let (a, b) = (name(&[("target.expression", &long)]), name(&[("target.expression", &format!("{long}z2"))]));
        assert!(a.len() <= LONGEST_NAME && a != b, "{a}");
    }
}

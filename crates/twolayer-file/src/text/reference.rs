//! The reference of the experiment file, written from the table that the reader itself uses.

use std::fmt::Write as _;

use super::{
    keys::{Default, KEYS, Kind},
    later::{LATER, Values},
};

/// The reference as Markdown: one table for each section, every key with what it takes, its default and its meaning.
pub fn reference() -> String {
    let mut text = String::from(INTRODUCTION);
    text.push_str(HEAD);
    for key in KEYS {
        if matches!(key.kind, Kind::Section | Kind::Tables) {
            let brackets = if key.kind == Kind::Tables { ("[[", "]]") } else { ("[", "]") };
            let _ = write!(text, "\n## `{}{}{}`: {}\n{HEAD}", brackets.0, key.path, brackets.1, key.meaning);
            continue;
        }
        let default = match key.default {
            Default::Required => "required".to_string(),
            Default::Toml(toml) => format!("`{toml}`"),
            Default::Absent => String::new(),
        };
        let _ = writeln!(
            text,
            "| `{}` | {} | {default} | {}{} |",
            key.path,
            key.kind.expected().replace('|', "\\|"),
            key.meaning.replace('|', "\\|"),
            not_yet(key.path)
        );
    }
    text
}

const INTRODUCTION: &str = "\
# The experiment file

Generated from the reader's own table of keys; the tests check that it is fresh. Expressions may use `d`, `p`, `k`, `n`
(data-set size), `n_b` (batch) and the names in `[constants]`; sizes are rounded to the nearest integer. Functions:
`+ - * / ^`, `he0` … `he20` (probabilists', not normalised), `erf` (the error function itself), `tanh relu sign abs exp log
sqrt sin cos sigmoid min max`, `pi`. An activation called `erf` is erf(h/√2).
";

const HEAD: &str = "\n| key | takes | default | meaning |\n|---|---|---|---|\n";

/// What of a key this version refuses.
fn not_yet(path: &str) -> String {
    let Some(later) = LATER.iter().find(|later| later.path == path) else { return String::new() };
    match later.values {
        Values::All => " (no engine yet)".into(),
        Values::AllBut(values) => format!(" (so far only {})", values.join(", ")),
        Values::Only(values) => format!(" (not yet: {})", values.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use std::{env, fs, path::Path};

    /// `TWOLAYER_WRITE_REFERENCE=1` writes it.
    #[test]
    fn the_reference_in_the_docs_is_fresh() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/experiment-file.md");
        let fresh = super::reference();
        if env::var_os("TWOLAYER_WRITE_REFERENCE").is_some() {
            fs::write(&path, &fresh).unwrap();
        }
        let written = fs::read_to_string(&path).unwrap_or_default();
        assert!(written == fresh, "docs/experiment-file.md is stale: run the tests with TWOLAYER_WRITE_REFERENCE=1");
    }
}

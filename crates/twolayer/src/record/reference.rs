//! The documentation of result files, written from the tables that they are written from.

use std::fmt::Write as _;

use super::{ENDINGS, OBSERVABLES, When};

/// The arrays of result files as a Markdown table.
pub fn arrays() -> String {
    let mut text = String::from("| array | shape | unit | holds | given by |\n|---|---|---|---|---|\n");
    for observable in OBSERVABLES {
        let when = match observable.when {
            When::Always => "every run",
            When::If(words, _) => words,
        };
        let (name, shape, unit, meaning) = (observable.name, observable.shape(), observable.unit, observable.meaning);
        let _ = writeln!(text, "| `{name}` | {shape} | {unit} | {meaning} | {when} |");
    }
    text.push_str("| `status` | (R) | 1 | how a replicate ended, as below | every run |\n");
    text.push_str("| `valid` | (R) | entry | a replicate's entries from `valid` on are NaN | every run |\n");
    text
}

/// The ends of a replicate as a Markdown table.
pub fn endings() -> String {
    let mut text = String::from("| status | word | meaning |\n|---|---|---|\n");
    for ending in &ENDINGS {
        let _ = writeln!(text, "| {} | {} | {} |", ending.code, ending.word, ending.meaning);
    }
    text
}

#[cfg(test)]
mod tests {
    use std::{env, fs, path::Path};

    /// The two tables of the page are these; with `TWOLAYER_WRITE_REFERENCE=1` they are written.
    #[test]
    fn the_page_on_results_is_fresh() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/results.md");
        let page = fs::read_to_string(&path).unwrap();
        let mut fresh = page.clone();
        for (name, table) in [("arrays", super::arrays()), ("endings", super::endings())] {
            let marks = [format!("<!-- {name} -->\n"), format!("<!-- end of {name} -->\n")];
            let (before, rest) = fresh.split_once(&marks[0]).unwrap();
            let (_, after) = rest.split_once(&marks[1]).unwrap();
            fresh = [before, &marks[0], "\n", &table, "\n", &marks[1], after].concat();
        }
        if env::var_os("TWOLAYER_WRITE_REFERENCE").is_some() {
            fs::write(&path, &fresh).unwrap();
            return;
        }
        assert!(page == fresh, "docs/results.md is stale: run the tests with TWOLAYER_WRITE_REFERENCE=1");
    }
}

//! What is wrong with an experiment file, where, and what to write instead.

use std::{
    fmt,
    ops::Range,
    path::{Path, PathBuf},
};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// Nothing can run.
    Error,
    /// It runs; the reader should know.
    Warning,
}

/// One fault of a file, the place, and the remedy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// The file.
    pub file: PathBuf,
    /// Line, from 1; 0 where the fault is not at a place in the text (a file that cannot be read).
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// Bytes of the text that are at fault.
    pub span: Range<usize>,
    /// What is wrong.
    pub reason: String,
    /// What to write instead.
    pub remedy: String,
    /// The line of the text where the span starts.
    pub source_line: String,
}

impl Diagnostic {
    /// An error about a file as a whole.
    pub fn about_file(path: &Path, reason: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            file: path.into(),
            line: 0,
            column: 0,
            span: 0..0,
            reason: reason.into(),
            remedy: remedy.into(),
            source_line: String::new(),
        }
    }

    /// Bytes of [`Self::source_line`] that are at fault: as many of the span as stand on it.
    pub fn marked(&self) -> Range<usize> {
        let before = self.source_line.chars().take(self.column.saturating_sub(1));
        let start: usize = before.map(char::len_utf8).sum();
        start..(start + self.span.len()).min(self.source_line.len())
    }
}

/// A file and its text: what spans are relative to.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// Where it was read.
    pub path: &'a Path,
    /// What it says; after it, one line for each `--set key=value`.
    pub text: &'a str,
    /// Bytes of `text` that are the file.
    pub file: usize,
}

impl<'a> Source<'a> {
    /// A file without settings.
    pub fn new(path: &'a Path, text: &'a str) -> Self {
        Self { path, text, file: text.len() }
    }

    /// A diagnostic about the bytes `span`, which are clipped to the text; about a setting, it names the setting in
    /// place of a line.
    pub fn diagnostic(
        &self,
        severity: Severity,
        span: Range<usize>,
        reason: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Diagnostic {
        let text = self.text;
        let start = text.floor_char_boundary(span.start);
        let end = text.ceil_char_boundary(span.end).max(start);
        let line_start = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
        let line_end = text[start..].find('\n').map_or(text.len(), |newline| start + newline);
        if start > self.file {
            let place = format!("{} --set {}", self.path.display(), &text[line_start..line_end]);
            let about = Diagnostic::about_file(Path::new(&place), reason, remedy);
            return Diagnostic { severity, span: start..end, ..about };
        }
        Diagnostic {
            severity,
            file: self.path.into(),
            line: text[..start].matches('\n').count() + 1,
            column: text[line_start..start].chars().count() + 1,
            span: start..end,
            reason: reason.into(),
            remedy: remedy.into(),
            source_line: text[line_start..line_end].trim_end_matches('\r').into(),
        }
    }
}

/// Characters of a line that are shown.
const LONGEST_LINE: usize = 200;

/// Characters before the fault that are shown of a line that is longer.
const BEFORE: usize = 80;

/// Lines that one line of a message may take.
const MOST_LINES: usize = 8;

/// `text` in lines that are not too long: broken between words, and with words that are longer cut off.
pub fn cut(text: &str) -> String {
    text.split('\n').map(broken).collect::<Vec<_>>().join("\n")
}

fn broken(line: &str) -> String {
    if line.chars().nth(LONGEST_LINE).is_none() {
        return line.to_string();
    }
    let mut lines = vec![String::new()];
    for word in line.split(' ') {
        let word = match word.char_indices().nth(LONGEST_LINE - 1) {
            Some((end, _)) => format!("{}…", &word[..end]),
            None => word.to_string(),
        };
        match lines.last_mut() {
            Some(last) if last.is_empty() || last.chars().count() + 1 + word.chars().count() <= LONGEST_LINE => {
                *last += if last.is_empty() { "" } else { " " };
                *last += &word;
            }
            _ => lines.push(word),
        }
        if lines.len() > MOST_LINES {
            lines[MOST_LINES] = "…".into();
            break;
        }
    }
    lines.join("\n")
}

impl Diagnostic {
    /// The line at fault in three parts, before, at and after what is marked: of a long line, what stands around the fault.
    pub fn excerpt(&self) -> [String; 3] {
        let marked = self.marked();
        let (line, is_long) = (&self.source_line, self.source_line.chars().nth(LONGEST_LINE).is_some());
        let [before, at, after] = [&line[..marked.start], &line[marked.clone()], &line[marked.end..]];
        if !is_long {
            return [before, at, after].map(String::from);
        }
        let skipped = before.chars().count().saturating_sub(BEFORE);
        let before: String = before.chars().skip(skipped).collect();
        let room = LONGEST_LINE - before.chars().count();
        let first = |text: &str, most: usize| text.chars().take(most).collect::<String>();
        let (start, end) = (first(at, room), first(after, room.saturating_sub(at.chars().count())));
        let whole = start.len() + end.len() == at.len() + after.len();
        [format!("{}{before}", if skipped > 0 { "…" } else { "" }), start, end + if whole { "" } else { "…" }]
    }
}

/// In words: `f.toml:3:7: error: reason`, and the remedy on a line of its own.
impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        write!(f, "{}", self.file.display())?;
        if self.line > 0 {
            write!(f, ":{}:{}", self.line, self.column)?;
        }
        write!(f, ": {word}: {}\n  help: {}", cut(&self.reason), cut(&self.remedy))
    }
}

impl std::error::Error for Diagnostic {}

#[cfg(test)]
mod tests {
    use super::*;

    /// Spans come from other crates: whatever they are, the answer is a place in the text.
    #[test]
    fn spans_are_clipped_to_whole_characters_of_the_text() {
        let source = Source::new(Path::new("f.toml"), "a = \"é\"\nb");
        let at = |span| {
            let found = source.diagnostic(Severity::Error, span, "reason", "remedy");
            (found.line, found.column, found.span)
        };
        assert_eq!(at(6..7), (1, 6, 5..7), "half a character");
        assert_eq!(at(7..8), (1, 7, 7..8), "columns count characters");
        assert_eq!(at(9..99), (2, 1, 9..10));
        assert_eq!(at(99..100), (2, 2, 10..10));
    }

    #[test]
    fn a_setting_is_named_in_place_of_a_line() {
        let source = Source { path: Path::new("f.toml"), text: "a = 1\nb=2\nc=3\n", file: 5 };
        let drawn = source.diagnostic(Severity::Error, 12..13, "reason", "remedy").to_string();
        assert_eq!(drawn, "f.toml --set c=3: error: reason\n  help: remedy");
    }

    #[test]
    fn long_lines_are_cut_around_the_fault() {
        let text = format!("{} = {}", "a".repeat(500), "9".repeat(1_000_000));
        let source = Source::new(Path::new("f.toml"), &text);
        let found = source.diagnostic(Severity::Error, 503..text.len(), "r".repeat(1000), "known here ".repeat(100));
        assert!(found.to_string().lines().all(|line| line.chars().count() <= 230), "{found}");
        assert_eq!(found.to_string().matches("known").count(), 100, "prose is broken, not cut");
        let [before, at, after] = found.excerpt();
        assert!(before.starts_with("…aaa") && before.ends_with("a = ") && before.chars().count() == 81, "{before}");
        assert_eq!((at, &after[..]), ("9".repeat(120), "…"));
    }

    #[test]
    fn what_is_marked_stands_on_the_line() {
        let text = "\té = [1,\n2]";
        let source = Source::new(Path::new("f.toml"), text);
        let found = source.diagnostic(Severity::Warning, 6..text.len(), "reason", "remedy");
        assert_eq!(&found.source_line[found.marked()], "[1,");
        assert_eq!(found.to_string(), "f.toml:1:6: warning: reason\n  help: remedy");
        let beyond = source.diagnostic(Severity::Error, 99..99, "reason", "remedy");
        assert_eq!((&beyond.source_line[..], beyond.marked()), ("2]", 2..2));
    }
}

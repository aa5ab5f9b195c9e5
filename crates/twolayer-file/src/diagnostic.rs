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

/// One fault of a file, the place, and the remedy; `Display` draws it for a terminal without colours.
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
fn cut(text: &str) -> String {
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
    /// The line at fault and its column there, from 0: of a long line, what stands around the fault.
    fn window(&self) -> (String, usize) {
        let column = self.column.saturating_sub(1);
        if self.source_line.chars().nth(LONGEST_LINE).is_none() {
            return (self.source_line.clone(), column);
        }
        let skipped = column.saturating_sub(BEFORE);
        let mut rest = self.source_line.chars().skip(skipped);
        let shown: String = rest.by_ref().take(LONGEST_LINE).collect();
        let [before, after] = [skipped > 0, rest.next().is_some()].map(|more| if more { "…" } else { "" });
        (format!("{before}{shown}{after}"), column - skipped + usize::from(skipped > 0))
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        writeln!(f, "{word}: {}", cut(&self.reason))?;
        if self.line == 0 {
            writeln!(f, "  --> {}", cut(&self.file.display().to_string()))?;
        } else {
            let number = self.line.to_string();
            let gutter = " ".repeat(number.len());
            // Tabs are kept, so that the caret stands under its character whatever a tab's width.
            let (line, column) = self.window();
            let before = line.chars().take(column);
            let indent: String = before.map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
            let rest = line.chars().skip(column);
            let carets = rest.scan(0, |bytes, c| {
                *bytes += c.len_utf8();
                Some(*bytes)
            });
            let carets = "^".repeat(carets.take_while(|bytes| *bytes <= self.span.len()).count().max(1));
            writeln!(f, "{gutter}--> {}:{}:{}", self.file.display(), self.line, self.column)?;
            writeln!(f, "{gutter} |")?;
            writeln!(f, "{number} | {line}")?;
            writeln!(f, "{gutter} | {indent}{carets}")?;
        }
        write!(f, "help: {}", cut(&self.remedy))
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
        assert_eq!(drawn, "error: reason\n  --> f.toml --set c=3\nhelp: remedy");
    }

    #[test]
    fn long_lines_are_cut_around_the_fault() {
        let text = format!("{} = {}", "a".repeat(500), "9".repeat(1_000_000));
        let source = Source::new(Path::new("f.toml"), &text);
        let drawn = source
            .diagnostic(Severity::Error, 503..text.len(), "r".repeat(1000), "known here ".repeat(100))
            .to_string();
        assert!(drawn.lines().all(|line| line.chars().count() <= 220), "{drawn}");
        assert_eq!(drawn.matches("known").count(), 100, "prose is broken, not cut: {drawn}");
        let line = drawn.lines().nth(3).unwrap();
        assert!(line.starts_with("1 | …aaa") && line.contains("a = 999") && line.ends_with('…'), "{line}");
        let caret = drawn.lines().nth(4).unwrap().chars().position(|c| c == '^').unwrap();
        assert_eq!(line.chars().position(|c| c == '9').unwrap(), caret);
    }

    #[test]
    fn the_caret_stands_under_its_character() {
        let text = "\té = [1,\n2]";
        let source = Source::new(Path::new("f.toml"), text);
        let drawn = source.diagnostic(Severity::Warning, 6..text.len(), "reason", "remedy").to_string();
        let expected = "warning: reason\n --> f.toml:1:6\n  |\n1 | \té = [1,\n  | \t    ^^^\nhelp: remedy";
        assert_eq!(drawn, expected);
    }
}

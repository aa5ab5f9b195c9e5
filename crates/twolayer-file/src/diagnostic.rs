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

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        writeln!(f, "{word}: {}", self.reason)?;
        if self.line == 0 {
            writeln!(f, "  --> {}", self.file.display())?;
        } else {
            let number = self.line.to_string();
            let gutter = " ".repeat(number.len());
            // Tabs are kept, so that the caret stands under its character whatever a tab's width.
            let before = self.source_line.chars().take(self.column - 1);
            let indent: String = before.map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
            let rest = self.source_line.chars().skip(self.column - 1);
            let carets = rest.scan(0, |bytes, c| {
                *bytes += c.len_utf8();
                Some(*bytes)
            });
            let carets = "^".repeat(carets.take_while(|bytes| *bytes <= self.span.len()).count().max(1));
            writeln!(f, "{gutter}--> {}:{}:{}", self.file.display(), self.line, self.column)?;
            writeln!(f, "{gutter} |")?;
            writeln!(f, "{number} | {}", self.source_line)?;
            writeln!(f, "{gutter} | {indent}{carets}")?;
        }
        write!(f, "help: {}", self.remedy)
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
    fn the_caret_stands_under_its_character() {
        let text = "\té = [1,\n2]";
        let source = Source::new(Path::new("f.toml"), text);
        let drawn = source.diagnostic(Severity::Warning, 6..text.len(), "reason", "remedy").to_string();
        let expected = "warning: reason\n --> f.toml:1:6\n  |\n1 | \té = [1,\n  | \t    ^^^\nhelp: remedy";
        assert_eq!(drawn, expected);
    }
}

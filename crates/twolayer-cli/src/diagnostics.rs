//! Diagnostics, drawn for the terminal: the one place where what is wrong takes its shape.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use twolayer_file::diagnostic::{Diagnostic, Severity, cut};

use crate::terminal::printable;

/// The diagnostic with its line.
pub fn draw(diagnostic: &Diagnostic) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let path = printable(&cut(&diagnostic.file.display().to_string())).into_owned();
    let reason = cut(&diagnostic.reason);
    let title = level.primary_title(&reason);
    // What a terminal would obey is escaped before places in the line are counted.
    let [before, at, after] = diagnostic.excerpt().map(|part| printable(&part).into_owned());
    let (shown, marked) = (format!("{before}{at}{after}"), before.len()..before.len() + at.len());
    let remedy = cut(&diagnostic.remedy);
    let fault = if diagnostic.line == 0 {
        title.element(Origin::path(path))
    } else {
        let marked = AnnotationKind::Primary.span(marked);
        let line = Snippet::source(&shown).line_start(diagnostic.line);
        title.element(line.path(path).annotation(marked))
    };
    render(&[fault, help(&remedy)])
}

/// What is wrong with a text of the command line, and where in it.
pub fn draw_in_text(text: &str, span: Range<usize>, reason: &str, remedy: &str) -> String {
    let span = text.floor_char_boundary(span.start)..text.ceil_char_boundary(span.end);
    let marked = AnnotationKind::Primary.span(span);
    let line = Snippet::source(text).line_numbering(false).annotation(marked);
    render(&[Level::ERROR.primary_title(reason).element(line), help(remedy)])
}

fn help(remedy: &str) -> Group<'_> {
    // A primary title, whose text is shown as it stands, control characters and all.
    Group::with_title(Level::HELP.primary_title(remedy))
}

fn render(groups: &[Group<'_>]) -> String {
    // Without colours: what is printed is escaped, and that of files is in it.
    Renderer::plain().render(groups)
}

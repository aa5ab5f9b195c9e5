//! Diagnostics, drawn for the terminal: the one place where what is wrong takes its shape.

use std::{
    env,
    io::{self, IsTerminal as _},
    ops::Range,
};

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use twolayer_file::diagnostic::{Diagnostic, Severity};

/// The diagnostic with its line, in colours where standard error is a terminal that shows them.
pub fn draw(diagnostic: &Diagnostic) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let path = diagnostic.file.display().to_string();
    let title = level.primary_title(&diagnostic.reason);
    let fault = if diagnostic.line == 0 {
        title.element(Origin::path(path))
    } else {
        let marked = AnnotationKind::Primary.span(diagnostic.marked());
        let line = Snippet::source(&diagnostic.source_line).line_start(diagnostic.line);
        title.element(line.path(path).annotation(marked))
    };
    render(&[fault, help(&diagnostic.remedy)])
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
    let colours = io::stderr().is_terminal() && env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let renderer = if colours { Renderer::styled() } else { Renderer::plain() };
    renderer.render(groups)
}

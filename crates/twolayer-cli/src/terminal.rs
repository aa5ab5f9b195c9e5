//! What is printed. Text of experiment files, results and command lines goes through here, so that none of it can steer
//! the terminal.

use std::{
    borrow::Cow,
    io::{self, ErrorKind, Write as _},
    sync::atomic::{AtomicBool, Ordering},
};

/// Whether standard output could not be written.
static FAILED: AtomicBool = AtomicBool::new(false);

/// Prints to standard output. A reader that went away (`| head`) is no fault; a full disk is one, told once and
/// remembered for [`failed`].
pub fn say(text: &str) {
    let written = io::stdout().write_all(printable(text).as_bytes());
    judge(written);
}

/// Prints a line to standard error, in one piece; that it cannot is told to nobody.
pub fn tell(line: &str) {
    let _ = io::stderr().write_all(format!("{}\n", printable(line)).as_bytes());
}

/// Whether anything for standard output was lost, but for a reader that went away.
pub fn failed() -> bool {
    judge(io::stdout().flush());
    FAILED.load(Ordering::Relaxed)
}

/// Remembers that standard output could not be written.
pub fn judge(written: io::Result<()>) {
    if let Err(error) = written
        && error.kind() != ErrorKind::BrokenPipe
        && !FAILED.swap(true, Ordering::Relaxed)
    {
        tell(&format!("error: standard output cannot be written: {error}"));
    }
}

/// `text` with every character that a terminal obeys instead of showing it (but for newlines and tabs), and every mark
/// that turns or hides what stands around it, written as `\u001b`, as JSON does.
pub fn printable(text: &str) -> Cow<'_, str> {
    if !text.contains(is_hidden) {
        return text.into();
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_hidden(c) { shown += &format!("\\u{:04x}", u32::from(c)) } else { shown.push(c) }
    }
    shown.into()
}

fn is_hidden(c: char) -> bool {
    // Bidirectional marks, embeddings, overrides and isolates; separators of lines; what has no width.
    let mark = matches!(c, '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}');
    mark || (c.is_control() && c != '\n' && c != '\t')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_steers_the_terminal() {
        let steering = "\u{1b}]52;c;aGVsbG8=\u{7}\u{1b}[31mred\r\u{202e}gnp\u{9b}2J\u{7f}\u{2066}\u{feff}";
        let shown = "\\u001b]52;c;aGVsbG8=\\u0007\\u001b[31mred\\u000d\\u202egnp\\u009b2J\\u007f\\u2066\\ufeff";
        assert_eq!(printable(steering), shown);
        let plain = "η = 0.5/d\t“Title”\nπ ± 2e-8 → ∞ 漢字 é \u{e9}\u{301}";
        assert!(matches!(printable(plain), Cow::Borrowed(same) if same == plain));
    }
}

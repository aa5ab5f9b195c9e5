//! Rust sources as text: without comments, strings and test modules, and cut into functions.

/// The source with every comment, string and character replaced by spaces, line by line as before.
pub fn bare(source: &str) -> String {
    let chars: Vec<char> = source.chars().collect();
    let mut out = String::with_capacity(source.len());
    let mut i = 0;
    while i < chars.len() {
        let end = match chars[i] {
            '/' if chars.get(i + 1) == Some(&'/') => line_end(&chars, i),
            '/' if chars.get(i + 1) == Some(&'*') => comment_end(&chars, i),
            '"' => string_end(&chars, i),
            'r' if !follows_word(&chars, i) => raw_end(&chars, i).unwrap_or(i),
            '\'' => character_end(&chars, i).unwrap_or(i),
            _ => i,
        };
        if end == i {
            out.push(chars[i]);
            i += 1;
        } else {
            out.extend(chars[i..end].iter().map(|c| if *c == '\n' { '\n' } else { ' ' }));
            i = end;
        }
    }
    out
}

fn follows_word(chars: &[char], i: usize) -> bool {
    i > 0 && (chars[i - 1].is_alphanumeric() || chars[i - 1] == '_') && chars[i - 1] != 'b'
}

fn line_end(chars: &[char], i: usize) -> usize {
    chars[i..].iter().position(|c| *c == '\n').map_or(chars.len(), |n| i + n)
}

fn comment_end(chars: &[char], mut i: usize) -> usize {
    let mut depth = 0;
    while i < chars.len() {
        match (chars[i], chars.get(i + 1)) {
            ('/', Some('*')) => (depth, i) = (depth + 1, i + 2),
            ('*', Some('/')) => (depth, i) = (depth - 1, i + 2),
            _ => i += 1,
        }
        if depth == 0 {
            return i;
        }
    }
    chars.len()
}

fn string_end(chars: &[char], mut i: usize) -> usize {
    i += 1;
    while i < chars.len() && chars[i] != '"' {
        i += if chars[i] == '\\' { 2 } else { 1 };
    }
    (i + 1).min(chars.len())
}

/// `r"…"`, `r#"…"#`; `None` for a word that begins with r.
fn raw_end(chars: &[char], i: usize) -> Option<usize> {
    let hashes = chars[i + 1..].iter().take_while(|c| **c == '#').count();
    let mut at = i + 1 + hashes;
    if chars.get(at) != Some(&'"') {
        return None;
    }
    loop {
        at += 1;
        let closes = chars.get(at)? == &'"' && chars[at + 1..].iter().take_while(|c| **c == '#').count() >= hashes;
        if closes {
            return Some(at + 1 + hashes);
        }
    }
}

/// `'x'`, `'\n'`; `None` for a lifetime.
fn character_end(chars: &[char], i: usize) -> Option<usize> {
    if chars.get(i + 1)? == &'\\' {
        return chars[i + 3..].iter().position(|c| *c == '\'').map(|n| i + 4 + n);
    }
    (chars.get(i + 2)? == &'\'').then_some(i + 3)
}

/// The end of the item at `from` in bare text: past its closing brace or its semicolon.
pub fn item_end(text: &str, from: usize) -> usize {
    let mut depth = 0;
    for (n, c) in text[from..].char_indices() {
        match c {
            '{' | '(' | '[' => depth += 1,
            '}' | ')' | ']' => depth -= 1,
            _ => {}
        }
        if depth == 0 && matches!(c, '}' | ';') {
            return from + n + 1;
        }
    }
    text.len()
}

/// Bare text without the items that only tests see, and the modules among these that are files of their own.
pub fn without_tests(text: &str) -> (String, Vec<String>) {
    const MARK: &str = "#[cfg(test)]";
    let (mut kept, mut modules, mut at) = (String::new(), Vec::new(), 0);
    while let Some(n) = text[at..].find(MARK) {
        let start = at + n;
        kept += &text[at..start];
        let end = item_end(text, start + MARK.len());
        let item = text[start + MARK.len()..end].trim();
        if let Some(name) = item.strip_suffix(';').and_then(|item| item.split("mod ").nth(1)) {
            modules.push(name.trim().to_string());
        }
        at = end;
    }
    (kept + &text[at..], modules)
}

/// A function with a body.
pub struct Function {
    pub name: String,
    /// Its first line, from 1.
    pub line: usize,
    pub lines: usize,
}

/// All functions of bare text.
pub fn functions(text: &str) -> Vec<Function> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices("fn ") {
        if text[..at].chars().next_back().is_some_and(|c| c.is_alphanumeric() || c == '_') {
            continue;
        }
        let name: String = text[at + 3..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        let end = item_end(text, at);
        if !name.is_empty() && text[..end].ends_with('}') {
            let line = text[..at].matches('\n').count() + 1;
            found.push(Function { name, line, lines: text[at..end].matches('\n').count() + 1 });
        }
    }
    found
}

//! Text → tokens.

use std::ops::Range;

use crate::error::{Error, Result};

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Kind {
    Number(f64),
    /// A name, or the beginning of a call.
    Word,
    /// One of `+ - * / ^ ( ) ,`.
    Symbol(char),
    /// After the last token.
    End,
}

/// A token, and the bytes it was read from.
#[derive(Debug, Clone)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) span: Range<usize>,
}

/// The tokens of `text`, with [`Kind::End`] at the end.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut start = 0;
    while let Some(first) = text[start..].chars().next() {
        let rest = &text[start..];
        let length = match first {
            _ if first.is_whitespace() => {
                start += first.len_utf8();
                continue;
            }
            '0'..='9' | '.' => number_length(rest),
            _ if first.is_alphabetic() || first == '_' => {
                rest.find(|c: char| !(c.is_alphabetic() || c.is_ascii_digit() || c == '_')).unwrap_or(rest.len())
            }
            _ => first.len_utf8(),
        };
        let span = start..start + length;
        let kind = match first {
            '0'..='9' | '.' => Kind::Number(number(&text[span.clone()], &span)?),
            '+' | '-' | '*' | '/' | '^' | '(' | ')' | ',' => Kind::Symbol(first),
            _ if first.is_alphabetic() || first == '_' => Kind::Word,
            _ => {
                let reason = format!("`{first}` has no meaning in an expression");
                return Err(Error::Syntax { span, reason, remedy: "the operators are + - * / ^ and ( )".into() });
            }
        };
        start = span.end;
        tokens.push(Token { kind, span });
    }
    tokens.push(Token { kind: Kind::End, span: text.len()..text.len() });
    Ok(tokens)
}

/// Digits and points, and an exponent where digits follow the `e`.
fn number_length(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    let digits = |from: usize| bytes[from..].iter().take_while(|b| b.is_ascii_digit()).count();
    let mantissa = bytes.iter().take_while(|b| b.is_ascii_digit() || **b == b'.').count();
    if !matches!(bytes.get(mantissa), Some(b'e' | b'E')) {
        return mantissa;
    }
    let sign = usize::from(matches!(bytes.get(mantissa + 1), Some(b'+' | b'-')));
    match digits(mantissa + 1 + sign) {
        0 => mantissa,
        exponent => mantissa + 1 + sign + exponent,
    }
}

fn number(text: &str, span: &Range<usize>) -> Result<f64> {
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(number),
        Ok(_) => {
            let reason = format!("`{text}` is larger than the largest number, 1.8e308");
            Err(Error::Syntax { span: span.clone(), reason, remedy: "write a smaller number".into() })
        }
        Err(_) => {
            let reason = format!("`{text}` is not a number");
            Err(Error::Syntax { span: span.clone(), reason, remedy: "write it like 0.5 or 1e-3".into() })
        }
    }
}

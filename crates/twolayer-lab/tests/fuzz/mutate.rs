//! Damage: to bytes, to text that has lines and values, to JSON.

use serde_json::{Map, Value, json};

use super::dice::Dice;

/// Values that mean something, and values that should not.
pub const VALUES: [&str; 48] = [
    "0",
    "1",
    "-1",
    "2",
    "3",
    "0.5",
    "1e-3",
    "-0.0",
    "1e300",
    "-1e308",
    "1e-320",
    "nan",
    "inf",
    "-inf",
    "9223372036854775807",
    "-9223372036854775808",
    "18446744073709551616",
    "0x7f",
    "true",
    "false",
    "\"\"",
    "\"d\"",
    "\"p\"",
    "\"3*d\"",
    "\"1/d\"",
    "\"0.5/d\"",
    "\"d^2\"",
    "\"sqrt(d)\"",
    "\"k/0\"",
    "\"n_b\"",
    "\"n\"",
    "\"infinite\"",
    "\"auto\"",
    "\"z1\"",
    "\"he3(z1)+z2\"",
    "\"relu\"",
    "\"tanh(h)\"",
    "\"h^0.5\"",
    "[]",
    "[1]",
    "[1, 2, 3]",
    "[0.5, nan]",
    "[[1, 0], [0, 1]]",
    "[[1, 2], [2, 1]]",
    "[\"a\", 1]",
    "{}",
    "{ a = 1 }",
    "1979-05-27",
];

/// Pieces that mean something to TOML, JSON or expressions.
const PIECES: [&str; 30] = [
    "\"",
    "'",
    "\n",
    "[",
    "]",
    "{",
    "}",
    "=",
    ".",
    ",",
    "-",
    "0",
    "9",
    "e",
    "(",
    ")",
    "^",
    "*",
    "/",
    "é",
    "\u{202e}",
    "\u{1b}",
    "\0",
    "[[view]]\n",
    "[sweep]\n",
    "[[figure]]\n",
    "\"\"\"",
    "'''",
    "#",
    "\\u0000",
];

/// A few bytes turned, cut, doubled or put in.
pub fn bytes(dice: &mut Dice, bytes: &mut Vec<u8>) {
    for _ in 0..dice.few(4) {
        let at = dice.below(bytes.len() + 1);
        let end = (at + dice.few(40)).min(bytes.len());
        match dice.below(6) {
            0 | 1 if at < bytes.len() => bytes[at] ^= 1 << dice.below(8),
            2 => drop(bytes.drain(at..end)),
            3 => {
                let piece = bytes[at..end].to_vec();
                let to = dice.below(bytes.len() + 1);
                bytes.splice(to..to, piece);
            }
            4 => bytes.truncate(at),
            _ => {
                let piece = dice.of(&PIECES).as_bytes().to_vec();
                bytes.splice(at..end.min(at + 1), piece);
            }
        }
    }
}

/// Lines moved, doubled, lost or taken from `donor`, values and keys replaced, pieces put in.
pub fn text(dice: &mut Dice, text: &str, donor: &str, keys: &[&str]) -> String {
    let mut lines: Vec<String> = text.lines().map(String::from).collect();
    for _ in 0..dice.few(5) {
        let at = dice.below(lines.len());
        match dice.below(10) {
            0..=3 => replace_value(dice, lines.get_mut(at)),
            4 => {
                let line = format!("{} = {}", dice.of(keys), dice.of(&VALUES));
                lines.insert(if dice.one_in(2) { 0 } else { at }, line);
            }
            5 if !lines.is_empty() => drop(lines.remove(at)),
            6 if !lines.is_empty() => {
                let line = lines[at].clone();
                lines.insert(dice.below(lines.len()), line);
            }
            7 => {
                let other: Vec<&str> = donor.lines().collect();
                let from = dice.below(other.len());
                let to = (from + dice.few(8)).min(other.len());
                lines.splice(at..at, other[from..to].iter().map(ToString::to_string));
            }
            8 => {
                let other = dice.below(lines.len());
                if !lines.is_empty() {
                    lines.swap(at, other);
                }
            }
            _ => pieces(dice, lines.get_mut(at)),
        }
    }
    lines.join("\n") + "\n"
}

fn replace_value(dice: &mut Dice, line: Option<&mut String>) {
    let Some(line) = line else { return };
    let Some(equals) = line.find('=') else { return };
    line.truncate(equals + 1);
    *line += " ";
    *line += dice.of(&VALUES);
}

fn pieces(dice: &mut Dice, line: Option<&mut String>) {
    let Some(line) = line else { return };
    let start = line.floor_char_boundary(dice.below(line.len() + 1));
    let end = line.ceil_char_boundary((start + dice.below(6)).min(line.len()));
    let piece = if dice.one_in(40) { dice.of(&PIECES).repeat(2000) } else { dice.of(&PIECES).to_string() };
    line.replace_range(start..end, &piece);
}

/// Members replaced, lost, renamed or moved.
pub fn json(dice: &mut Dice, value: &mut Value) {
    for _ in 0..dice.few(3) {
        let steps = 1 + dice.below(7);
        damage(dice, value, steps);
    }
}

fn damage(dice: &mut Dice, value: &mut Value, steps: usize) {
    match value {
        Value::Object(members) if steps > 0 && !members.is_empty() => {
            let key = members.keys().nth(dice.below(members.len())).cloned().unwrap_or_default();
            if steps == 1 && dice.one_in(6) {
                rename(dice, members, &key);
            } else if let Some(member) = members.get_mut(&key) {
                damage(dice, member, steps - 1);
            }
        }
        Value::Array(items) if steps > 0 && !items.is_empty() => {
            let at = dice.below(items.len());
            match dice.below(8) {
                0 => drop(items.remove(at)),
                1 => items.push(items[at].clone()),
                _ => damage(dice, &mut items[at], steps - 1),
            }
        }
        // Half way down is worth little where there is more below.
        Value::Object(_) | Value::Array(_) if !dice.one_in(4) => {}
        other => *other = stranger(dice),
    }
}

fn rename(dice: &mut Dice, members: &mut Map<String, Value>, key: &str) {
    if let Some(value) = members.remove(key)
        && dice.one_in(2)
    {
        members.insert(format!("{key}x"), value);
    }
}

fn stranger(dice: &mut Dice) -> Value {
    match dice.below(16) {
        0 => Value::Null,
        1 => json!(-1),
        2 => json!(0),
        3 => json!(1e308),
        4 => json!(u64::MAX),
        5 => json!(i64::MIN),
        6 => json!(1_u64 << 61),
        7 => json!(""),
        8 => json!("../../x"),
        9 => json!("é\u{202e}\u{1b}[2J\0"),
        10 => json!("x".repeat(5000)),
        11 => json!([]),
        12 => json!({}),
        13 => json!(7),
        14 => json!(["risk", 3]),
        _ => json!("interrupted"),
    }
}

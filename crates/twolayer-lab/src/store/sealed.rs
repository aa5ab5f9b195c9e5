//! JSON that knows whether it is whole: its last member is the SHA-256 of every byte before it.

use std::{fs, path::Path};

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::{
    Error,
    layout::{MOST_BYTES, SCHEMA},
    whole,
};
use twolayer_file::hash;

/// What stands between the content and its hash, and behind it.
const BEFORE: &str = ",\n  \"sha256\": \"";
const BEHIND: &str = "\"\n}\n";

/// Digits of a SHA-256.
const DIGITS: usize = 64;

/// What was read, and whether it carried its hash.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Opened<T> {
    pub(super) content: T,
    pub(super) sealed: bool,
}

/// The text of `value`, which is an object with members, with its hash as one more.
pub(super) fn seal<T: Serialize>(value: &T) -> Result<String, serde_json::Error> {
    let text = serde_json::to_string_pretty(value)?;
    let body = format!("{}{BEFORE}", text.trim_end_matches('}').trim_end());
    let hash = hash::sha256(body.as_bytes());
    Ok(format!("{body}{hash}{BEHIND}"))
}

/// Reads what [`seal`] gave, or what 0.1.0 wrote: an object with no other keys than `first`.
///
/// # Errors
/// [`Error::Io`]; [`Error::Damaged`] where a byte is another than was written, as far as that can be told.
pub(super) fn read<T: DeserializeOwned>(path: &Path, first: &[&str]) -> Result<Opened<T>, Error> {
    if fs::metadata(path).is_ok_and(|it| !it.is_file()) {
        return Err(Error::damaged(path, "it is no file"));
    }
    let bytes = whole::read(path, MOST_BYTES).map_err(Error::io(path, "read"))?;
    open(&bytes, first).map_err(|reason| Error::damaged(path, reason))
}

fn open<T: DeserializeOwned>(bytes: &[u8], first: &[&str]) -> Result<Opened<T>, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "it is no text: damaged")?;
    let sealed = is_sealed(text);
    let value: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let old = || value.as_object().is_some_and(|members| members.keys().all(|key| first.contains(&key.as_str())));
    match (value.get("schema").and_then(Value::as_u64), sealed || old()) {
        (None, _) => return Err("no `schema`: not a file of this program".into()),
        (Some(schema), _) if schema != u64::from(SCHEMA) => {
            return Err(format!("schema {schema}, this program reads {}", SCHEMA));
        }
        (_, false) => return Err("its content has another hash than it says: damaged".into()),
        _ => {}
    }
    let content = serde_json::from_value(value).map_err(|error| error.to_string())?;
    Ok(Opened { content, sealed })
}

fn is_sealed(text: &str) -> bool {
    let Some(text) = text.strip_suffix(BEHIND) else { return false };
    let Some((body, hash)) = text.len().checked_sub(DIGITS).and_then(|at| text.split_at_checked(at)) else {
        return false;
    };
    body.ends_with(BEFORE) && hash::sha256(body.as_bytes()) == hash
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const KEYS: [&str; 3] = ["schema", "title", "of"];

    fn open(bytes: &[u8]) -> Result<Opened<Value>, String> {
        super::open(bytes, &KEYS)
    }

    #[test]
    fn a_sealed_object_is_read_back_and_an_older_one_too() {
        let value = json!({ "schema": 1, "title": "ü", "of": {} });
        let opened = open(seal(&value).unwrap().as_bytes()).unwrap();
        assert!(opened.sealed && opened.content["title"] == "ü" && opened.content["of"] == json!({}));
        let old = open(value.to_string().as_bytes()).unwrap();
        assert!(!old.sealed && old.content == value);
    }

    /// Every bit turned, cut off anywhere: an error.
    #[test]
    fn no_bit_may_turn() {
        let value = json!({ "schema": 1, "title": "sha256", "of": { "sha256": 1.5 } });
        let text = seal(&value).unwrap();
        for at in 0..text.len() {
            assert!(open(&text.as_bytes()[..at]).is_err(), "cut at {at}");
            for bit in 0..8 {
                let mut bytes = text.clone().into_bytes();
                bytes[at] ^= 1 << bit;
                assert!(open(&bytes).is_err(), "bit {bit} of byte {at}");
            }
        }
    }
}

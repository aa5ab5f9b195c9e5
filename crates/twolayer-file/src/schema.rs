//! The JSON schema of the experiment file, for editors, from the reader's own table of keys.

use serde_json::{Map, Value, json};

use crate::text::keys::{Default, Key, Kind, children};

/// The schema, draft 2020-12.
pub fn schema() -> Value {
    let mut schema = table("");
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema".into();
    schema["title"] = "twolayer experiment".into();
    schema
}

/// An object with the keys whose parent is `parent`.
fn table(parent: &str) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for (word, key) in children(parent) {
        properties.insert(word.into(), property(key));
        if key.default == Default::Required {
            required.push(word);
        }
    }
    let mut object = json!({ "type": "object", "properties": properties, "additionalProperties": false });
    if !required.is_empty() {
        object["required"] = required.into();
    }
    object
}

fn property(key: &Key) -> Value {
    let any = |kinds: &[Value]| json!({ "anyOf": kinds });
    let text = || json!({ "type": "string" });
    let number = || json!({ "type": "number" });
    let array = |items: Value| json!({ "type": "array", "items": items });
    let mut value = match key.kind {
        Kind::Section | Kind::Table => table(key.path),
        Kind::Tables | Kind::List => array(table(key.path)),
        Kind::Constants | Kind::Override | Kind::Sweep => json!({ "type": "object" }),
        Kind::TableOr(_) | Kind::Activation => any(&[text(), table(key.path)]),
        Kind::Text | Kind::Rule | Kind::WordOrPath(_) => text(),
        Kind::Word(_) | Kind::Method => one_of(key.kind),
        Kind::WordOrMatrix(_) => any(&[one_of(key.kind), array(array(number()))]),
        Kind::Switch => json!({ "type": "boolean" }),
        Kind::Whole(least) => json!({ "type": "integer", "minimum": least }),
        Kind::Number => number(),
        Kind::Expr | Kind::Dimension => any(&[number(), text()]),
        Kind::Texts => array(text()),
        Kind::Numbers => array(number()),
        Kind::Weights => any(&[array(number()), number(), text()]),
        Kind::Matrix => array(array(number())),
        Kind::Exprs => any(&[number(), text(), array(any(&[number(), text()]))]),
    };
    value["description"] = described(key).into();
    match key.default {
        Default::Word(word) => value["default"] = word.into(),
        // Expressions by default are text in TOML too.
        Default::Toml(toml) => {
            if let Ok(default) = serde_json::from_str::<Value>(toml) {
                value["default"] = default;
            }
        }
        Default::Required | Default::Absent => {}
    }
    value
}

fn one_of(kind: Kind) -> Value {
    json!({ "enum": kind.words().unwrap_or_default().iter().map(|(word, _)| *word).collect::<Vec<_>>() })
}

/// What a key means, and each of its words: an editor shows both.
fn described(key: &Key) -> String {
    let Some(words) = key.kind.words() else { return key.meaning.into() };
    let each = words.iter().map(|(word, meaning)| format!("\n{word}: {meaning}"));
    format!("{}{}", key.meaning, each.collect::<String>())
}

#[cfg(test)]
mod tests {
    use std::{env, fs, path::Path};

    use super::schema;

    /// `TWOLAYER_WRITE_REFERENCE=1` writes it.
    #[test]
    fn the_schema_in_the_docs_is_fresh() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/experiment-schema.json");
        let fresh = format!("{:#}\n", schema());
        if env::var_os("TWOLAYER_WRITE_REFERENCE").is_some() {
            fs::write(&path, &fresh).unwrap();
        }
        let written = fs::read_to_string(&path).unwrap_or_default();
        assert!(
            written == fresh,
            "docs/experiment-schema.json is stale: run the tests with TWOLAYER_WRITE_REFERENCE=1"
        );
    }

    #[test]
    fn the_schema_knows_nested_keys_their_words_and_what_is_required() {
        let schema = schema();
        let training = &schema["properties"]["training"];
        assert_eq!(training["required"], serde_json::json!(["dimension"]));
        let loss = &training["properties"]["loss"];
        assert_eq!(loss["enum"], serde_json::json!(["squared", "correlation"]));
        assert_eq!(loss["default"], "squared");
        let view = &schema["properties"]["view"]["items"];
        assert_eq!(view["required"], serde_json::json!(["engine"]));
        assert_eq!(view["additionalProperties"], false);
        let methods = &view["properties"]["method"];
        let words: Vec<_> = methods["enum"].as_array().unwrap().iter().filter_map(|word| word.as_str()).collect();
        assert!(words[0] == "auto" && words.contains(&"ode") && words.contains(&"giant-step"), "{words:?}");
        let directions = &schema["properties"]["figure"]["items"]["properties"]["directions"];
        assert_eq!(directions["anyOf"][0]["enum"], serde_json::json!(["axes", "stairs"]));
        assert_eq!(directions["default"], "axes");
        let data = training["properties"]["data"]["description"].as_str().unwrap();
        assert_eq!(data.lines().nth(2), Some("reused: a fixed set of n samples: multi-pass"));
    }
}

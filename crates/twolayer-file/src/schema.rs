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
        Kind::Word(words) => json!({ "enum": words }),
        Kind::Switch => json!({ "type": "boolean" }),
        Kind::Whole(least) => json!({ "type": "integer", "minimum": least }),
        Kind::Number => number(),
        Kind::Expr | Kind::Dimension => any(&[number(), text()]),
        Kind::Texts => array(text()),
        Kind::Numbers => array(number()),
        Kind::Weights => any(&[array(number()), number(), text()]),
        Kind::Matrix => array(array(number())),
        Kind::Any => json!({}),
    };
    value["description"] = key.meaning.into();
    // Expressions by default are text in TOML too.
    if let Default::Toml(toml) = key.default
        && let Ok(default) = serde_json::from_str::<Value>(toml)
    {
        value["default"] = default;
    }
    value
}

#[cfg(test)]
mod tests {
    use super::schema;

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
    }
}

//! Specifications and numbers as bytes that are the same everywhere.

use serde_json::Value;

/// JSON whose objects have sorted keys, whatever map `serde_json` was compiled with.
pub(crate) fn canonical_json(value: &impl serde::Serialize) -> String {
    let value = serde_json::to_value(value).expect("specifications have string keys only");
    let mut text = String::new();
    write(&value, &mut text);
    text
}

fn write(value: &Value, text: &mut String) {
    match value {
        Value::Object(map) => {
            let mut keys: Vec<&String> = map.keys().collect();
            keys.sort_unstable();
            text.push('{');
            for (index, key) in keys.into_iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                text.push_str(&Value::from(key.as_str()).to_string());
                text.push(':');
                write(&map[key], text);
            }
            text.push('}');
        }
        Value::Array(values) => {
            text.push('[');
            for (index, value) in values.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                write(value, text);
            }
            text.push(']');
        }
        scalar => text.push_str(&scalar.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_sorted() {
        let value = serde_json::json!({"b": [1, {"d": null, "c": "x\"y"}], "a": 0.1_f32});
        assert_eq!(
            canonical_json(&value),
            r#"{"a":0.10000000149011612,"b":[1,{"c":"x\"y","d":null}]}"#
        );
    }
}

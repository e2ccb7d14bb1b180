use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;

const DOCUMENT: &str = include_str!("openapi.json");

/// `GET /v2/docs/openapi.json`: what is answered, for tools that read OpenAPI.
pub(super) async fn document() -> impl IntoResponse {
    let document = DOCUMENT.replacen(
        "\"VERSION\"",
        concat!("\"", env!("CARGO_PKG_VERSION"), "\""),
        1,
    );
    ([(CONTENT_TYPE, "application/json")], document)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;

    fn document() -> Value {
        serde_json::from_str(DOCUMENT).expect("the document is JSON")
    }

    #[test]
    fn it_has_the_paths_that_are_answered() {
        // Axum tells its paths to nobody but `Debug`, in quotes.
        let routes = format!("{:?}{:?}", super::super::routes(), crate::observe::routes());
        let quoted = routes.split('"').skip(1).step_by(2);
        let answered: BTreeSet<&str> = quoted
            .filter(|text| text.starts_with('/') && !text.contains("__private"))
            .map(|path| if path == "/v2/" { "/v2" } else { path })
            .collect();
        let document = document();
        let paths = document["paths"].as_object().expect("there are paths");
        let documented: BTreeSet<&str> = paths.keys().map(String::as_str).collect();
        assert_eq!(documented, answered);
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let document = document();
        let mut references = BTreeSet::new();
        collect(&document, &mut references);
        assert!(references.len() > 10);
        for reference in references {
            let pointer = reference.trim_start_matches('#');
            assert!(document.pointer(pointer).is_some(), "{reference}");
        }
    }

    fn collect(value: &Value, references: &mut BTreeSet<String>) {
        match value {
            Value::Object(object) => {
                if let Some(Value::String(reference)) = object.get("$ref") {
                    references.insert(reference.clone());
                }
                for value in object.values() {
                    collect(value, references);
                }
            }
            Value::Array(array) => {
                for value in array {
                    collect(value, references);
                }
            }
            _ => {}
        }
    }
}

//! Which models there are, and which are loaded: the protocol's extension `model_repository`.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Names, Refusal, Shelves, split};
use crate::{Error, ModelState, Models};

#[derive(Default, Deserialize)]
struct Wanted {
    /// Only those that are served.
    #[serde(default)]
    ready: bool,
}

pub(super) async fn index(
    State(shared): Shelves,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Value>, Refusal> {
    let body = shared.read(&headers, None, body).await?;
    let wanted: Wanted = if body.is_empty() {
        Wanted::default()
    } else {
        let read = serde_json::from_slice(&body);
        read.map_err(|error| {
            Refusal::bad(format!("expected {{\"ready\": true}} or nothing: {error}"))
        })?
    };
    let index = shared.models.blocking(|models| Ok(models.index())).await?;
    let entries = index
        .into_iter()
        .filter(|entry| !wanted.ready || entry.state == ModelState::Ready)
        .map(|entry| {
            let mut value = json!({ "name": entry.name, "state": entry.state.name() });
            for (key, text) in [("version", entry.version), ("reason", entry.reason)] {
                if !text.is_empty() {
                    value[key] = Value::String(text);
                }
            }
            value
        });
    Ok(Json(entries.collect()))
}

pub(super) async fn load(State(shared): Shelves, names: Names) -> Result<(), Refusal> {
    let (model, _) = split(names)?;
    let load = move |models: &Models| models.load(&model);
    Ok(shared.models.blocking(load).await?)
}

pub(super) async fn unload(State(shared): Shelves, names: Names) -> Result<(), Refusal> {
    let (model, _) = split(names)?;
    let unload = move |models: &Models| Ok(models.unload(&model)?);
    Ok(shared.models.blocking(unload).await?)
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        let status = StatusCode::from_u16(error.kind().http_status());
        match error {
            Error::Model(error) => error.into(),
            error => Self::new(
                status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
                error.to_string(),
            ),
        }
    }
}

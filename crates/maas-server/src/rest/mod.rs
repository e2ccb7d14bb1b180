//! The protocol over HTTP with JSON: its paths.

mod refusal;

use std::collections::HashMap;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::Duration;

use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use maas_core::TensorSpec;
use maas_service::{InferResponse, Readiness, ServeError, Service};
use serde_json::{Value, json};

pub(crate) use refusal::Refusal;

use crate::hub::{Shelf, Shelved};
use crate::wire::{read, write};

/// What all connections share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) name: String,
    pub(crate) shelf: Shelf,
    pub(crate) body_limit: usize,
    pub(crate) body_timeout: Duration,
    pub(crate) draining: AtomicBool,
}

type Names = Result<Path<HashMap<String, String>>, PathRejection>;
type Shelves = State<Arc<Shared>>;

pub(crate) fn router(shared: Arc<Shared>) -> Router {
    let model = "/v2/models/{model}";
    let version = "/v2/models/{model}/versions/{version}";
    let mut router = Router::new()
        .route("/v2", get(server_metadata))
        .route("/v2/", get(server_metadata))
        .route("/v2/health/live", get(live))
        .route("/v2/health/ready", get(ready));
    for path in [model, version] {
        router = router
            .route(path, get(model_metadata))
            .route(&format!("{path}/ready"), get(model_ready))
            .route(&format!("{path}/infer"), post(infer));
    }
    router
        .fallback(unknown_path)
        .method_not_allowed_fallback(wrong_verb)
        .with_state(shared)
}

async fn unknown_path(request: Request) -> Refusal {
    Refusal::new(
        StatusCode::NOT_FOUND,
        format!("nothing is at {}", request.uri().path()),
    )
}

async fn wrong_verb(request: Request) -> Refusal {
    let message = format!(
        "{} is not allowed at {}",
        request.method(),
        request.uri().path()
    );
    Refusal::new(StatusCode::METHOD_NOT_ALLOWED, message)
}

async fn server_metadata(State(shared): Shelves) -> Json<Value> {
    Json(json!({ "name": shared.name, "version": env!("CARGO_PKG_VERSION"), "extensions": [] }))
}

async fn live() -> Json<Value> {
    Json(json!({ "live": true }))
}

async fn ready(State(shared): Shelves) -> Result<Json<Value>, Refusal> {
    shared.check_draining()?;
    for (name, shelved) in shared.shelf.all() {
        check_ready(name, shelved)?;
    }
    Ok(Json(json!({ "ready": true })))
}

async fn model_ready(State(shared): Shelves, names: Names) -> Result<Json<Value>, Refusal> {
    let (model, version) = split(names)?;
    let (name, shelved) = shared.shelf.find(&model, version.as_deref())?;
    shared.check_draining()?;
    check_ready(name, shelved)?;
    Ok(Json(json!({ "name": &**name, "ready": true })))
}

async fn model_metadata(State(shared): Shelves, names: Names) -> Result<Json<Value>, Refusal> {
    let (model, version) = split(names)?;
    let (name, shelved) = shared.shelf.find(&model, version.as_deref())?;
    let versions: Vec<&str> = shared
        .shelf
        .versions(&model)?
        .1
        .iter()
        .rev()
        .map(|shelved| &*shelved.version)
        .collect();
    let description = shelved.service.describe();
    let tensors = |specs: &[TensorSpec]| -> Vec<Value> {
        let tensor = |spec: &TensorSpec| json!({ "name": spec.name(), "datatype": spec.dtype().name(), "shape": spec.shape() });
        specs.iter().map(tensor).collect()
    };
    let mut metadata = json!({
        "name": &**name,
        "versions": versions,
        "platform": description.platform,
        "inputs": tensors(description.signature.inputs()),
        "outputs": tensors(description.signature.outputs()),
    });
    if !description.properties.is_empty() {
        metadata["properties"] = json!(description.properties);
    }
    Ok(Json(metadata))
}

async fn infer(
    State(shared): Shelves,
    names: Names,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refusal> {
    let (model, version) = split(names)?;
    let (name, shelved) = shared.shelf.find(&model, version.as_deref())?;
    shared.check_draining()?;
    check_headers(&headers)?;
    let body = shared.read(&headers, body).await?;
    let request = read::request(&body, name, &shelved.version)?;
    drop(body);
    let response = guarded(shelved.service.infer(request)).await?;
    let body = write::response(&response).map_err(|reason| unwritable(&reason))?;
    Ok(([(CONTENT_TYPE, "application/json")], body).into_response())
}

/// The service's answer; a panic of the service fails this request alone.
async fn guarded(
    answer: impl Future<Output = Result<InferResponse, ServeError>>,
) -> Result<InferResponse, Refusal> {
    let mut answer = pin!(answer);
    let polled =
        poll_fn(
            |context| match catch_unwind(AssertUnwindSafe(|| answer.as_mut().poll(context))) {
                Ok(poll) => poll.map(Ok),
                Err(_) => Poll::Ready(Err(Refusal::new(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "the service panicked",
                ))),
            },
        );
    Ok(polled.await??)
}

fn unwritable(reason: &write::Unwritable) -> Refusal {
    let status = match reason {
        write::Unwritable::Type { .. } => StatusCode::NOT_IMPLEMENTED,
        write::Unwritable::Value { .. } => StatusCode::INTERNAL_SERVER_ERROR,
    };
    Refusal::new(status, format!("the answer cannot be sent: {reason}"))
}

fn check_headers(headers: &HeaderMap) -> Result<(), Refusal> {
    if headers.contains_key("inference-header-content-length") {
        return Err(Refusal::unsupported(
            "binary tensor data is not supported: send the tensors as JSON, without Inference-Header-Content-Length",
        ));
    }
    match headers.get(CONTENT_ENCODING) {
        Some(encoding) if !encoding.as_bytes().eq_ignore_ascii_case(b"identity") => {
            Err(Refusal::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "compressed bodies are not supported: send the body without Content-Encoding",
            ))
        }
        _ => Ok(()),
    }
}

impl Shared {
    fn check_draining(&self) -> Result<(), Refusal> {
        if self.draining.load(Ordering::Acquire) {
            return Err(Refusal::unavailable("the server is shutting down"));
        }
        Ok(())
    }

    async fn read(&self, headers: &HeaderMap, body: Body) -> Result<Bytes, Refusal> {
        let too_large = || {
            let message = format!(
                "the body is too large: at most {} bytes are taken",
                self.body_limit
            );
            Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, message)
        };
        let announced = headers
            .get(CONTENT_LENGTH)
            .and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
        if announced.is_some_and(|length| length > self.body_limit as u64) {
            return Err(too_large());
        }
        let reading = Limited::new(body, self.body_limit).collect();
        match tokio::time::timeout(self.body_timeout, reading).await {
            Ok(Ok(body)) => Ok(body.to_bytes()),
            Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large()),
            Ok(Err(_)) => Err(Refusal::bad("the body broke off")),
            Err(_) => Err(Refusal::new(
                StatusCode::REQUEST_TIMEOUT,
                "the body came too slowly",
            )),
        }
    }
}

fn check_ready(name: &str, shelved: &Shelved) -> Result<(), Refusal> {
    let state = match shelved.service.ready() {
        Readiness::Ready => return Ok(()),
        Readiness::Loading => "is being loaded",
        Readiness::Draining => "is shutting down",
        Readiness::Overloaded { .. } => "has too much to do",
        _ => "is down",
    };
    Err(Refusal::unavailable(format!(
        "model `{name}`, version `{}`, {state}",
        shelved.version
    )))
}

fn split(names: Names) -> Result<(String, Option<String>), Refusal> {
    let Path(mut names) = names.map_err(|rejection| Refusal::bad(rejection.body_text()))?;
    let model = names.remove("model").unwrap_or_default();
    Ok((model, names.remove("version")))
}

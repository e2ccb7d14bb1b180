//! The protocol over HTTP with JSON: its paths.

mod answer;
mod body;
mod metadata;
mod openapi;
mod refusal;
mod repository;
mod statistics;
mod terms;

use std::collections::HashMap;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::http::header::CONTENT_LENGTH;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Extension, Router};
use bytes::Bytes;
use maas_service::{Protocol, Readiness};

pub(crate) use metadata::tensors;
pub(crate) use refusal::Refusal;

use crate::access::Caller;
use crate::shared::Shared;
use crate::wire::{Form, Rejection, read, urgency, write};

type Names = Result<Path<HashMap<String, String>>, PathRejection>;
type Shelves = State<Arc<Shared>>;

pub(crate) fn router(shared: Arc<Shared>) -> Router {
    routes().with_state(shared)
}

fn routes() -> Router<Arc<Shared>> {
    let model = "/v2/models/{model}";
    let version = "/v2/models/{model}/versions/{version}";
    let mut router = Router::new()
        .route("/v2", get(metadata::server))
        .route("/v2/", get(metadata::server))
        .route("/v2/health/live", get(metadata::live))
        .route("/v2/health/ready", get(metadata::ready))
        .route("/v2/models", get(metadata::models))
        .route("/v2/models/stats", get(statistics::all))
        .route("/v2/docs/openapi.json", get(openapi::document));
    for path in [model, version] {
        router = router
            .route(path, get(metadata::model))
            .route(&format!("{path}/ready"), get(metadata::model_ready))
            .route(&format!("{path}/config"), get(metadata::config))
            .route(&format!("{path}/stats"), get(statistics::model))
            .route(&format!("{path}/infer"), post(infer));
    }
    // The repository's name is not looked at: there is one.
    for path in ["/v2/repository", "/v2/repository/{repository}"] {
        router = router
            .route(&format!("{path}/index"), post(repository::index))
            .route(
                &format!("{path}/models/{{model}}/load"),
                post(repository::load),
            )
            .route(
                &format!("{path}/models/{{model}}/unload"),
                post(repository::unload),
            );
    }
    router
        .fallback(unknown_path)
        .method_not_allowed_fallback(wrong_verb)
}

pub(crate) async fn unknown_path(request: Request) -> Refusal {
    Refusal::new(
        StatusCode::NOT_FOUND,
        format!("nothing is at {}", request.uri().path()),
    )
}

pub(crate) async fn wrong_verb(request: Request) -> Refusal {
    let message = format!(
        "{} is not allowed at {}",
        request.method(),
        request.uri().path()
    );
    Refusal::new(StatusCode::METHOD_NOT_ALLOWED, message)
}

async fn infer(
    State(shared): Shelves,
    names: Names,
    caller: Option<Extension<Caller>>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refusal> {
    let (model, version) = split(names)?;
    let hosted = shared.models.find(&model)?;
    let header_length = body::header_length(&headers)?;
    let body = shared.read(&headers, header_length, body).await?;
    let (mut request, form) = match header_length {
        Some(0) => {
            let signature = &hosted.status(version.as_deref())?.description.signature;
            let request = read::raw_request(body, signature, &hosted.name, version.as_deref())?;
            (request, Form::binary())
        }
        _ => read::request(&body, header_length, &hosted.name, version.as_deref())?,
    };
    request.protocol = Protocol::Http;
    urgency(&mut request).map_err(Rejection::from)?;
    terms::apply(&headers, caller.as_deref(), &mut request)?;
    let response = shared.infer(&hosted, request).await?;
    let message = write::response(&response, &form).map_err(|reason| unwritable(&reason))?;
    Ok(answer::answer(message, &headers).await)
}

fn unwritable(reason: &write::Unwritable) -> Refusal {
    let status = match reason {
        write::Unwritable::Type { .. } => StatusCode::NOT_IMPLEMENTED,
        write::Unwritable::Value { .. } => StatusCode::INTERNAL_SERVER_ERROR,
    };
    Refusal::new(status, format!("the answer cannot be sent: {reason}"))
}

impl Shared {
    fn check_draining(&self) -> Result<(), Refusal> {
        if self.is_draining() {
            return Err(Refusal::unavailable("the server is shutting down"));
        }
        Ok(())
    }

    async fn read(
        &self,
        headers: &HeaderMap,
        header_length: Option<usize>,
        body: Body,
    ) -> Result<Bytes, Refusal> {
        let coding = body::coding(headers)?;
        let announced = headers
            .get(CONTENT_LENGTH)
            .and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
        if announced.is_some_and(|length| length > self.body_limit as u64) {
            return Err(body::too_large(self.body_limit));
        }
        let text = header_length.unwrap_or(0);
        let reading = body::read(body, self.body_limit, text);
        let slow = |_| Refusal::new(StatusCode::REQUEST_TIMEOUT, "the body came too slowly");
        let body = tokio::time::timeout(self.body_timeout, reading)
            .await
            .map_err(slow)??;
        match coding {
            Some(coding) => body::unpack(body, coding, self.body_limit, text).await,
            None => Ok(body),
        }
    }
}

fn check_ready(model: &str, readiness: Readiness) -> Result<(), Refusal> {
    let state = match readiness {
        Readiness::Ready => return Ok(()),
        Readiness::Loading => "is being loaded",
        Readiness::Draining => "is shutting down",
        Readiness::Overloaded { .. } => "has too much to do",
        _ => "is down",
    };
    Err(Refusal::unavailable(format!("model `{model}` {state}")))
}

/// The model's name and the version, if the path has one.
fn split(names: Names) -> Result<(String, Option<String>), Refusal> {
    let Path(mut names) = names.map_err(|rejection| Refusal::bad(rejection.body_text()))?;
    let model = names.remove("model").unwrap_or_default();
    Ok((model, names.remove("version")))
}

//! The protocol over HTTP with JSON: its paths.

mod answer;
mod body;
mod infer;
mod metadata;
mod openapi;
mod refusal;
mod repository;
mod statistics;
mod terms;

use std::collections::HashMap;
use std::pin::pin;
use std::sync::Arc;

use axum::Router;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::http::header::CONTENT_LENGTH;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::routing::{get, post};
use bytes::Bytes;
use hyper::body::Body;

pub(crate) use infer::{Target, infer};
pub(crate) use metadata::tensors;
pub(crate) use refusal::Refusal;

use crate::guard::within;
use crate::shared::Shared;

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
            .route(&format!("{path}/infer"), post(infer::routed));
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
    unknown(request.uri())
}

fn unknown(at: &Uri) -> Refusal {
    let message = format!("nothing is at {}", at.path());
    Refusal::new(StatusCode::NOT_FOUND, message)
}

pub(crate) async fn wrong_verb(request: Request) -> Refusal {
    let message = format!(
        "{} is not allowed at {}",
        request.method(),
        request.uri().path()
    );
    Refusal::new(StatusCode::METHOD_NOT_ALLOWED, message)
}

impl Shared {
    async fn read(
        &self,
        headers: &HeaderMap,
        header_length: Option<usize>,
        body: impl Body<Data = Bytes> + Unpin,
    ) -> Result<Bytes, Refusal> {
        let coding = body::coding(headers)?;
        let announced = headers
            .get(CONTENT_LENGTH)
            .and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
        if announced.is_some_and(|length| length > self.body_limit as u64) {
            return Err(body::too_large(self.body_limit));
        }
        let text = header_length.unwrap_or(0);
        let reading = pin!(body::read(body, self.body_limit, text));
        let slow = || Refusal::new(StatusCode::REQUEST_TIMEOUT, "the body came too slowly");
        let body = within(self.body_timeout, reading)
            .await
            .ok_or_else(slow)??;
        match coding {
            Some(coding) => body::unpack(body, coding, self.body_limit, text).await,
            None => Ok(body),
        }
    }
}

/// The model's name and the version, if the path has one.
fn split(names: Names) -> Result<(String, Option<String>), Refusal> {
    let Path(mut names) = names.map_err(|rejection| Refusal::bad(rejection.body_text()))?;
    let model = names.remove("model").unwrap_or_default();
    Ok((model, names.remove("version")))
}

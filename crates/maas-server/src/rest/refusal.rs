//! Errors as the protocol's clients see them.

use std::time::Duration;

use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use maas_service::{Readiness, ServeError};

use crate::shared::Unready;
use crate::told::told;
use crate::wire::Rejection;

/// A request that is not answered: a status, and what `{"error": ..}` says.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) message: String,
    /// Seconds until it is worth asking again.
    retry_after: Option<u64>,
}

impl Refusal {
    pub(crate) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        let retry_after = (status == StatusCode::SERVICE_UNAVAILABLE).then_some(1);
        Self {
            status,
            message: message.into(),
            retry_after,
        }
    }

    pub(crate) fn bad(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// Says that it is worth asking again after this time.
    pub(crate) fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait.as_secs_f64().ceil().max(1.0) as u64);
        self
    }

    pub(crate) fn unavailable(message: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, message)
    }
}

impl From<Rejection> for Refusal {
    fn from(rejection: Rejection) -> Self {
        let status = match rejection {
            Rejection::Malformed(_) => StatusCode::BAD_REQUEST,
            Rejection::Unsupported(_) => StatusCode::NOT_IMPLEMENTED,
        };
        Self::new(status, rejection.into_reason())
    }
}

impl From<ServeError> for Refusal {
    fn from(error: ServeError) -> Self {
        let status = StatusCode::from_u16(error.kind().http_status())
            .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let refusal = Self::new(status, told(&error));
        match error.retry_after() {
            Some(wait) => refusal.retry_after(wait),
            None => refusal,
        }
    }
}

impl From<Unready> for Refusal {
    fn from(unready: Unready) -> Self {
        let (model, readiness) = match unready {
            Unready::Draining => return Self::unavailable("the server is shutting down"),
            Unready::Starting => return Self::unavailable("the models are being loaded"),
            Unready::Model(model, readiness) => (model, readiness),
        };
        let state = match readiness {
            Readiness::Loading => "is being loaded",
            Readiness::Draining => "is shutting down",
            Readiness::Overloaded { .. } => "has too much to do",
            _ => "is down",
        };
        Self::unavailable(format!("model `{model}` {state}"))
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = serde_json::json!({ "error": self.message }).to_string();
        let mut response = (self.status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(seconds) = self.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

//! Requests that are denied, as their protocol says it.

use std::time::Duration;

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use crate::protocol::is_grpc;
use crate::rest::Refusal;
use crate::wire::PUSHBACK;

#[derive(Debug)]
pub(crate) enum Denial {
    NoKey,
    WrongKey,
    Scope,
    /// Nobody may change models from elsewhere, unless a key says that he may.
    AdminOff,
    /// A browser's page of another site may be behind it.
    Far,
    TooMany {
        wait: Duration,
    },
}

const GRPC: &str = "application/grpc";

impl Denial {
    fn message(&self) -> &'static str {
        match self {
            Self::NoKey => "a key is needed: send Authorization: Bearer KEY or X-API-Key: KEY",
            Self::WrongKey => "the key is unknown",
            Self::Scope => "the key may not change models: one of an admin is needed",
            Self::AdminOff => {
                "models cannot be changed from here: the server listens to the network and has no key of an admin"
            }
            Self::Far => {
                "models cannot be changed by pages of other sites, nor under a name that is not this machine's: such as localhost"
            }
            Self::TooMany { .. } => "too many requests with this key",
        }
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::NoKey | Self::WrongKey => StatusCode::UNAUTHORIZED,
            Self::Scope | Self::AdminOff | Self::Far => StatusCode::FORBIDDEN,
            Self::TooMany { .. } => StatusCode::TOO_MANY_REQUESTS,
        }
    }

    /// `UNAUTHENTICATED`, `PERMISSION_DENIED` and `RESOURCE_EXHAUSTED`.
    fn grpc_status(&self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::NoKey | Self::WrongKey => "16",
            Self::Scope | Self::AdminOff | Self::Far => "7",
            Self::TooMany { .. } => "8",
        })
    }

    pub(crate) fn answer(&self, request: &Parts) -> Response {
        if is_grpc(&request.headers) {
            return self.in_grpc();
        }
        let mut refusal = Refusal::new(self.status(), self.message());
        if let Self::TooMany { wait } = self {
            refusal = refusal.retry_after(*wait);
        }
        let mut response = refusal.into_response();
        if self.status() == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static("Bearer realm=\"maas\"");
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
        response
    }

    /// An answer of gRPC without messages has its status in the headers.
    fn in_grpc(&self) -> Response {
        let mut response = Response::new(Body::empty());
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(GRPC));
        headers.insert("grpc-status", self.grpc_status());
        headers.insert("grpc-message", HeaderValue::from_static(self.message()));
        if let Self::TooMany { wait } = self {
            let milliseconds = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
            headers.insert(PUSHBACK, HeaderValue::from(milliseconds.saturating_add(1)));
        }
        response
    }
}

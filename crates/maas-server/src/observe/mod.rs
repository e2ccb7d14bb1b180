//! What operators see of a server: metrics, spans and ids of requests.

mod carried;
mod exposition;
mod front;
mod insides;
mod metrics;
mod page;
mod process;
mod request_id;
mod status;
mod trace;
mod traffic;
mod triton;

pub(crate) use carried::carried;
pub(crate) use front::{Front, record, warn_of};
pub(crate) use traffic::Traffic;

use std::sync::Arc;

use axum::Router;
use axum::routing::get;

use crate::rest::wrong_verb;
use crate::shared::Shared;

/// The paths for operators, beside those of the protocol.
pub(crate) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/", get(page::page))
        .route("/status", get(status::status))
        .route("/metrics", get(metrics::metrics))
        .method_not_allowed_fallback(wrong_verb)
}

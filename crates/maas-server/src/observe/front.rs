use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, Request};
use axum::response::Response;
use hyper::body::Incoming;
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use tracing::field::Empty;
use tracing::{Span, info_span};

use super::request_id::{REQUEST_ID, RequestIds};
use super::trace::TraceParent;
use crate::shared::Shared;

/// The paths, and before them what is done for every request: it gets an id and a span, and its answer is counted.
#[derive(Clone, Debug)]
pub(crate) struct Front {
    paths: TowerToHyperService<Router>,
    shared: Arc<Shared>,
    ids: Arc<RequestIds>,
}

impl Front {
    pub(crate) fn new(paths: Router, shared: Arc<Shared>) -> Self {
        Self {
            paths: TowerToHyperService::new(paths),
            shared,
            ids: Arc::new(RequestIds::new()),
        }
    }
}

impl Service<Request<Incoming>> for Front {
    type Response = Response;
    type Error = Infallible;
    type Future = Answering;

    fn call(&self, request: Request<Incoming>) -> Answering {
        let id = self.ids.of(request.headers());
        let span = span(&request, &id);
        let answering = span.in_scope(|| self.paths.call(request));
        Answering {
            answering,
            begun: (!span.is_disabled()).then(Instant::now),
            span,
            id: Some(id),
            shared: Arc::clone(&self.shared),
        }
    }
}

pub(crate) struct Answering {
    answering: <TowerToHyperService<Router> as Service<Request<Incoming>>>::Future,
    span: Span,
    /// When the request came, if somebody wants to know.
    begun: Option<Instant>,
    id: Option<HeaderValue>,
    shared: Arc<Shared>,
}

impl Future for Answering {
    type Output = Result<Response, Infallible>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let _within = this.span.enter();
        let Ok(mut response) = ready!(Pin::new(&mut this.answering).poll(context));
        this.shared.traffic.answered(response.status());
        if let Some(id) = this.id.take() {
            response.headers_mut().insert(REQUEST_ID, id);
        }
        if let Some(begun) = this.begun {
            log(&response, begun);
        }
        Poll::Ready(Ok(response))
    }
}

/// Notes in the span of the current request which model it asked.
pub(crate) fn record(model: &str, version: Option<&str>) {
    let span = Span::current();
    span.record("model", model).record("version", version);
}

fn span(request: &Request<Incoming>, id: &HeaderValue) -> Span {
    let span = info_span!(
        "request",
        protocol = protocol(request),
        method = %request.method(),
        path = request.uri().path(),
        request_id = id.to_str().unwrap_or_default(),
        trace_id = Empty,
        parent_id = Empty,
        model = Empty,
        version = Empty,
    );
    if !span.is_disabled()
        && let Some(header) = request.headers().get("traceparent")
        && let Some(parent) = header.to_str().ok().and_then(TraceParent::parse)
    {
        span.record("trace_id", parent.trace_id);
        span.record("parent_id", parent.parent_id);
    }
    span
}

fn protocol(request: &Request<Incoming>) -> &'static str {
    let content_type = request.headers().get(CONTENT_TYPE);
    match content_type {
        Some(value) if value.as_bytes().starts_with(b"application/grpc") => "grpc",
        _ => "http",
    }
}

fn log(response: &Response, begun: Instant) {
    let status = response.status().as_u16();
    let latency_ms = begun.elapsed().as_secs_f64() * 1e3;
    if response.status().is_server_error() {
        tracing::warn!(status, latency_ms, "answered");
    } else {
        tracing::info!(status, latency_ms, "answered");
    }
}

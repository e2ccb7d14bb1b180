use std::future::{Future, ready};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use axum::Router;
use axum::http::{HeaderValue, Method, Request};
use axum::response::{IntoResponse, Response};
use hyper::body::Incoming;
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use maas_service::{ErrorKind, ServeError};
use tracing::field::Empty;
use tracing::level_filters::LevelFilter;
use tracing::{Level, Span, info_span};

use super::carried::{Carried, TRACEPARENT, carrying};
use super::request_id::{REQUEST_ID, RequestIds};
use super::trace::TraceParent;
use crate::access::Access;
#[cfg(feature = "grpc")]
use crate::grpc::Calls;
use crate::net::Quiet;
use crate::protocol::is_grpc;
use crate::rest::{Target, infer};
use crate::shared::Shared;
use crate::told::with_causes;

/// What requests are logged under, which not everybody wants who wants the rest.
const REQUESTS: &str = "maas_server::requests";

/// What is done for every request before it goes its way: it gets an id and a span, it is told who asks, and its answer is
/// counted.
#[derive(Debug)]
pub(crate) struct Front {
    ids: RequestIds,
    access: Access,
    #[cfg(feature = "grpc")]
    calls: Calls,
    paths: TowerToHyperService<Router>,
    shared: Arc<Shared>,
}

impl Front {
    pub(crate) fn new(access: Access, paths: Router, shared: Arc<Shared>) -> Self {
        Self {
            ids: RequestIds::new(),
            access,
            #[cfg(feature = "grpc")]
            calls: Calls::new(&shared),
            paths: TowerToHyperService::new(paths),
            shared,
        }
    }

    pub(crate) fn call(&self, request: Request<Incoming>) -> Answering {
        let id = self.ids.of(request.headers());
        let span = span(&request, &id);
        let carried = Carried::of(request.headers(), id);
        Answering {
            answer: span.in_scope(|| self.answer(request)),
            begun: (!span.is_disabled()).then(Instant::now),
            span,
            carried: Some(carried),
            shared: Arc::clone(&self.shared),
        }
    }

    /// Calls and inferences go straight to their answer, and all else by the router.
    fn answer(&self, request: Request<Incoming>) -> Answer {
        let (mut head, body) = request.into_parts();
        let caller = match self.access.judge(&head) {
            Ok(caller) => caller,
            Err(denial) => return Box::pin(ready(denial.answer(&head))),
        };
        #[cfg(feature = "grpc")]
        if is_grpc(&head.headers) {
            if let Some(caller) = caller {
                head.extensions.insert(caller);
            }
            return Box::pin(self.calls.answer(Request::from_parts(head, body)));
        }
        if head.method == Method::POST && Target::of(head.uri.path()).is_some() {
            let shared = Arc::clone(&self.shared);
            let body = Quiet::new(body, head.version);
            return Box::pin(
                async move { infer(&shared, caller, head, body).await.into_response() },
            );
        }
        if let Some(caller) = caller {
            head.extensions.insert(caller);
        }
        let answer = self.paths.call(Request::from_parts(head, body));
        Box::pin(async {
            let Ok(response) = answer.await;
            response
        })
    }
}

/// What answers a request, in memory of its own: it is large, and is handed on several times before it begins.
type Answer = Pin<Box<dyn Future<Output = Response> + Send>>;

pub(crate) struct Answering {
    answer: Answer,
    span: Span,
    /// When the request came, if somebody wants to know.
    begun: Option<Instant>,
    carried: Option<Carried>,
    shared: Arc<Shared>,
}

impl Future for Answering {
    type Output = Response;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Response> {
        let this = &mut *self;
        let _within = this.span.enter();
        let answer = &mut this.answer;
        let poll = carrying(&mut this.carried, || answer.as_mut().poll(context));
        let mut response = ready!(poll);
        this.shared.traffic.answered(response.status());
        if let Some(carried) = this.carried.take() {
            response.headers_mut().insert(REQUEST_ID, carried.id);
        }
        if let Some(begun) = this.begun {
            log(&response, begun);
        }
        Poll::Ready(response)
    }
}

/// Notes in the span of the current request which model it asked.
pub(crate) fn record(model: &str, version: Option<&str>) {
    if LevelFilter::current() < Level::INFO {
        return;
    }
    let span = Span::current();
    span.record("model", model).record("version", version);
}

/// Logs an error that is neither its client's fault nor one of too many requests, with what its client is not told.
pub(crate) fn warn_of(model: &str, error: &ServeError) {
    let is_elsewhere = matches!(
        error,
        ServeError::Unreachable { .. } | ServeError::Untrusted { .. }
    );
    if is_elsewhere || error.kind() == ErrorKind::Internal {
        tracing::warn!(model, error = with_causes(error), "failed");
    }
}

fn span(request: &Request<Incoming>, id: &HeaderValue) -> Span {
    let span = info_span!(
        target: REQUESTS,
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
        && let Some(header) = request.headers().get(TRACEPARENT)
        && let Some(parent) = header.to_str().ok().and_then(TraceParent::parse)
    {
        span.record("trace_id", parent.trace_id);
        span.record("parent_id", parent.parent_id);
    }
    span
}

fn protocol(request: &Request<Incoming>) -> &'static str {
    if is_grpc(request.headers()) {
        "grpc"
    } else {
        "http"
    }
}

fn log(response: &Response, begun: Instant) {
    let status = response.status().as_u16();
    let latency_ms = begun.elapsed().as_secs_f64() * 1e3;
    tracing::info!(target: REQUESTS, status, latency_ms, "answered");
}

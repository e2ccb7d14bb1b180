//! What is a call of gRPC, and what is told to those who send something else to its paths.

use std::task::{Context, Poll};

use axum::http::header::{ALLOW, CONTENT_TYPE};
use axum::http::{HeaderValue, Method, Request, StatusCode, Version};
use axum::response::{IntoResponse, Response};
use futures_util::future::{Either, MapOk, Ready, TryFutureExt, ready};
use tower_service::Service;

use crate::protocol::is_grpc;
use crate::rest::Refusal;

/// A service that takes calls of gRPC alone. Others speak HTTP, by which they are refused.
#[derive(Clone, Debug)]
pub(super) struct Strict<S>(pub(super) S);

impl<S, B> Service<Request<B>> for Strict<S>
where
    S: Service<Request<B>, Response: IntoResponse>,
{
    type Response = Response;
    type Error = S::Error;
    type Future =
        Either<Ready<Result<Response, S::Error>>, MapOk<S::Future, fn(S::Response) -> Response>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        match refusal(&request) {
            Some(refused) => Either::Left(ready(Ok(refused))),
            None => Either::Right(self.0.call(request).map_ok(IntoResponse::into_response)),
        }
    }
}

fn refusal<B>(request: &Request<B>) -> Option<Response> {
    if request.method() != Method::POST {
        let message = format!("{} is not allowed: gRPC is POST", request.method());
        let mut refused = Refusal::new(StatusCode::METHOD_NOT_ALLOWED, message).into_response();
        refused
            .headers_mut()
            .insert(ALLOW, HeaderValue::from_static("POST"));
        return Some(refused);
    }
    if !is_grpc(request.headers()) {
        let found = match request.headers().get(CONTENT_TYPE) {
            Some(found) => format!("found {found:?}"),
            None => "found none".to_owned(),
        };
        let message = format!("Content-Type must be application/grpc here, {found}");
        return Some(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message).into_response());
    }
    if request.version() < Version::HTTP_2 {
        let message = "gRPC needs HTTP/2";
        return Some(Refusal::new(StatusCode::HTTP_VERSION_NOT_SUPPORTED, message).into_response());
    }
    None
}

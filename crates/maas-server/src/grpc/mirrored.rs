use std::task::{Context, Poll};

use axum::http::{HeaderMap, Request};
use tower_service::Service;

/// Has a service answer compressed only who asks compressed. Most clients say that they can read compressed answers, few
/// want them: compressing takes more time than it saves on a local network.
#[derive(Clone, Debug)]
pub(super) struct Mirrored<S>(pub(super) S);

impl<S: Service<Request<B>>, B> Service<Request<B>> for Mirrored<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> S::Future {
        if !is_compressed(request.headers()) {
            request.headers_mut().remove("grpc-accept-encoding");
        }
        self.0.call(request)
    }
}

fn is_compressed(headers: &HeaderMap) -> bool {
    let encoding = headers.get("grpc-encoding");
    encoding.is_some_and(|encoding| encoding != "identity")
}

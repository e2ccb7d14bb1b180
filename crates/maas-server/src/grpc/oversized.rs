//! Messages that are longer than the limit, by gRPC's own status for them.

use std::task::{Context, Poll};

use axum::http::{HeaderValue, Request, Response};
use futures_util::future::{MapOk, TryFutureExt};
use tonic::Status;
use tower_service::Service;

/// A service that says `RESOURCE_EXHAUSTED` of a message that is too long, where tonic says `OUT_OF_RANGE`, which nobody else
/// says here.
#[derive(Clone, Debug)]
pub(super) struct Oversized<S>(pub(super) S);

impl<S, B, A> Service<Request<B>> for Oversized<S>
where
    S: Service<Request<B>, Response = Response<A>>,
{
    type Response = Response<A>;
    type Error = S::Error;
    type Future = MapOk<S::Future, fn(Response<A>) -> Response<A>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        self.0.call(request).map_ok(renamed)
    }
}

const OUT_OF_RANGE: &str = "11";
const RESOURCE_EXHAUSTED: &str = "8";

fn renamed<A>(mut response: Response<A>) -> Response<A> {
    if let Some(status) = response.headers_mut().get_mut(Status::GRPC_STATUS)
        && status == OUT_OF_RANGE
    {
        *status = HeaderValue::from_static(RESOURCE_EXHAUSTED);
    }
    response
}

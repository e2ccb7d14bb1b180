//! Messages that have to come in their time.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::http::Request;
use bytes::Buf;
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::{Sleep, sleep};
use tonic::Status;
use tower_service::Service;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A service whose callers have so long to send what they ask. Calls whose requests are streams last as long as they like.
#[derive(Clone, Debug)]
pub(super) struct Timely<S> {
    service: S,
    limit: Duration,
}

/// The call whose requests are a stream.
const STREAM: &str = "/inference.GRPCInferenceService/ModelStreamInfer";

impl<S> Timely<S> {
    pub(super) fn new(service: S, limit: Duration) -> Self {
        Self { service, limit }
    }
}

impl<S: Service<Request<Timed<B>>>, B> Service<Request<B>> for Timely<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.service.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> S::Future {
        let limit = (request.uri().path() != STREAM).then_some(self.limit);
        self.service.call(request.map(|body| Timed {
            body,
            limit,
            end: None,
        }))
    }
}

/// A body that breaks off where it is not there in its time. One that is there at once needs no timer.
pub(super) struct Timed<B> {
    body: B,
    limit: Option<Duration>,
    end: Option<Pin<Box<Sleep>>>,
}

impl<B> Body for Timed<B>
where
    B: Body<Data: Buf, Error: Into<BoxError>> + Unpin,
{
    type Data = B::Data;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, BoxError>>> {
        let this = &mut *self;
        if let Poll::Ready(frame) = Pin::new(&mut this.body).poll_frame(context) {
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        let Some(limit) = this.limit else {
            return Poll::Pending;
        };
        let end = this.end.get_or_insert_with(|| Box::pin(sleep(limit)));
        ready!(end.as_mut().poll(context));
        let late = Status::deadline_exceeded("the message came too slowly");
        Poll::Ready(Some(Err(late.into())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

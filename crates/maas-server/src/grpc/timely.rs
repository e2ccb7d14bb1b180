//! Messages that have to come in their time.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::http::Request;
use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::{Sleep, sleep};
use tonic::Status;
use tower_service::Service;

use super::lengths::Lengths;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A service whose callers have so long to send what they ask. Calls whose requests are streams last as long as they like, but a
/// message that has begun has to end in that time.
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
        let messages = (request.uri().path() == STREAM).then(Lengths::default);
        self.service.call(request.map(|body| Timed {
            body,
            limit: self.limit,
            end: None,
            messages,
        }))
    }
}

/// A body that breaks off where it is not there in its time. One that is there at once needs no timer.
pub(super) struct Timed<B> {
    body: B,
    limit: Duration,
    end: Option<Pin<Box<Sleep>>>,
    /// Those of a stream.
    messages: Option<Lengths>,
}

impl<B> Timed<B> {
    fn received(&mut self, frame: &Frame<Bytes>) {
        let (Some(messages), Some(bytes)) = (&mut self.messages, frame.data_ref()) else {
            return;
        };
        let has_ended = messages.received(bytes);
        // Where many requests are under way, the next may lie unread for longer than it may take to come.
        let was_unread = self.end.as_ref().is_some_and(|end| end.is_elapsed());
        if has_ended || was_unread {
            self.end = None;
        }
    }
}

impl<B> Body for Timed<B>
where
    B: Body<Data = Bytes, Error: Into<BoxError>> + Unpin,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = &mut *self;
        if let Poll::Ready(frame) = Pin::new(&mut this.body).poll_frame(context) {
            if let Some(Ok(frame)) = &frame {
                this.received(frame);
            }
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        if matches!(&this.messages, Some(messages) if !messages.is_within()) {
            return Poll::Pending;
        }
        let end = this.end.get_or_insert_with(|| Box::pin(sleep(this.limit)));
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

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::convert::Infallible;
    use std::task::Waker;

    use super::*;

    /// Pieces that have come.
    struct Come(VecDeque<Bytes>);

    impl Body for Come {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            match self.0.pop_front() {
                Some(piece) => Poll::Ready(Some(Ok(Frame::data(piece)))),
                None => Poll::Pending,
            }
        }
    }

    #[tokio::test]
    async fn what_came_while_nobody_read_is_not_late() {
        let limit = Duration::from_millis(20);
        let mut body = Timed {
            body: Come(VecDeque::new()),
            limit,
            end: None,
            messages: Some(Lengths::default()),
        };
        let poll = |body: &mut Timed<Come>| {
            let mut context = Context::from_waker(Waker::noop());
            Pin::new(body).poll_frame(&mut context)
        };
        assert!(poll(&mut body).is_pending());
        assert!(body.end.is_none(), "no message has begun");
        body.body.0.push_back(Bytes::from_static(b"\0\0\0\0\x03a"));
        assert!(matches!(poll(&mut body), Poll::Ready(Some(Ok(_)))));
        assert!(poll(&mut body).is_pending());
        sleep(3 * limit).await;
        body.body.0.push_back(Bytes::from_static(b"b"));
        assert!(matches!(poll(&mut body), Poll::Ready(Some(Ok(_)))));
        assert!(poll(&mut body).is_pending(), "it has its time again");
        sleep(3 * limit).await;
        assert!(matches!(poll(&mut body), Poll::Ready(Some(Err(_)))));
    }
}

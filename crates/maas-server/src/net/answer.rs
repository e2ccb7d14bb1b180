//! Requests of a connection, counted from their heads until their answers' last bytes.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::http::header::CONNECTION;
use axum::http::{HeaderValue, Request, Response, Version};
use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, Incoming, SizeHint};

use super::activity::Activity;
use crate::observe::Front;

/// A request from its beginning until this is dropped.
pub(super) struct UnderWay(Arc<Activity>);

impl UnderWay {
    pub(super) fn of(activity: &Arc<Activity>) -> Self {
        activity.begin_request();
        Self(Arc::clone(activity))
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.end_request();
    }
}

pub(super) fn answer(
    front: &Front,
    request: Request<Incoming>,
    under_way: UnderWay,
) -> impl Future<Output = Result<Response<Counted>, Infallible>> + use<> {
    let is_http1 = request.version() < Version::HTTP_2;
    let has_body = is_http1 && !request.body().is_end_stream();
    let answering = front.call(request);
    async move {
        let mut response = answering.await;
        // All of a request is read before it succeeds.
        under_way
            .0
            .answered(has_body && !response.status().is_success());
        if is_http1 && under_way.0.is_leaving() {
            let close = HeaderValue::from_static("close");
            response.headers_mut().insert(CONNECTION, close);
        }
        Ok(response.map(|body| Counted {
            body,
            _under_way: under_way,
        }))
    }
}

/// An answer's body; when it is dropped, the answer is over.
pub(super) struct Counted {
    body: Body,
    _under_way: UnderWay,
}

impl HttpBody for Counted {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

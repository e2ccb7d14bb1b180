//! Bodies of requests from the connection, and those of answers to it.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body as _, Frame, SizeHint};

use super::Refusal;
use crate::wire::Message;

pub(super) const HEADER_LENGTH: HeaderName =
    HeaderName::from_static("inference-header-content-length");

/// A multiple of the size of every element.
const ALIGNMENT: usize = 8;
/// As much is taken for a body at once, whatever its length is said to be.
const ROOM: usize = 1 << 20;

/// The number of bytes of JSON text that a request says to begin with.
pub(super) fn header_length(headers: &HeaderMap) -> Result<Option<usize>, Refusal> {
    let Some(value) = headers.get(HEADER_LENGTH) else {
        return Ok(None);
    };
    let length = value.to_str().ok().and_then(|text| text.parse().ok());
    match length {
        Some(length) => Ok(Some(length)),
        None => Err(Refusal::bad(format!(
            "Inference-Header-Content-Length must be a number of bytes, found {value:?}"
        ))),
    }
}

/// Reads a body of at most `limit` bytes. One that comes in pieces is put together so that what follows its first
/// `text` bytes lies where numbers may.
pub(super) async fn read(mut body: Body, limit: usize, text: usize) -> Result<Bytes, Refusal> {
    let Some(first) = chunk(&mut body).await? else {
        return Ok(Bytes::new());
    };
    check_size(first.len(), limit)?;
    let Some(mut next) = chunk(&mut body).await? else {
        return Ok(first);
    };
    let padding = text.wrapping_neg() % ALIGNMENT;
    let expected = body.size_hint().lower();
    let expected = usize::try_from(expected).unwrap_or(ROOM).min(ROOM);
    let mut whole = Vec::with_capacity(padding + first.len() + next.len() + expected);
    whole.resize(padding, 0);
    whole.extend_from_slice(&first);
    loop {
        check_size(whole.len() - padding + next.len(), limit)?;
        whole.extend_from_slice(&next);
        match chunk(&mut body).await? {
            Some(more) => next = more,
            None => return Ok(Bytes::from(whole).slice(padding..)),
        }
    }
}

async fn chunk(body: &mut Body) -> Result<Option<Bytes>, Refusal> {
    loop {
        match body.frame().await {
            None => return Ok(None),
            Some(Err(_)) => return Err(Refusal::bad("the body broke off")),
            Some(Ok(frame)) => match frame.into_data() {
                Ok(data) if !data.is_empty() => return Ok(Some(data)),
                _ => {}
            },
        }
    }
}

fn check_size(found: usize, limit: usize) -> Result<(), Refusal> {
    if found <= limit {
        Ok(())
    } else {
        Err(too_large(limit))
    }
}

pub(super) fn too_large(limit: usize) -> Refusal {
    Refusal::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        format!("the body is too large: at most {limit} bytes are taken"),
    )
}

/// An answer that is well.
pub(super) fn answer(message: Message) -> Response {
    let content_type = HeaderValue::from_static(message.content_type());
    let header_length = message.header_length();
    let mut response = Response::new(Body::new(Parts(message.into_parts().into())));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, content_type);
    if let Some(length) = header_length {
        headers.insert(HEADER_LENGTH, HeaderValue::from(length));
    }
    response
}

/// A body of pieces that lie in different places.
struct Parts(VecDeque<Bytes>);

impl hyper::body::Body for Parts {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.pop_front().map(|part| Ok(Frame::data(part))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.0.iter().map(|part| part.len() as u64).sum())
    }
}

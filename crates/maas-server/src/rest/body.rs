//! Bodies of requests, from the connection until they are plain.

use axum::http::header::CONTENT_ENCODING;
use axum::http::{HeaderMap, StatusCode};
use bytes::Bytes;
use hyper::body::Body;

use super::Refusal;
use crate::wire::{Coding, Gathered, HEADER_LENGTH, Packed, gather};

/// Bodies of more bytes are unpacked where they do not hold up others.
const BRIEF: usize = 4 << 10;

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

/// Reads a body of at most `limit` bytes; see [`gather`].
pub(super) async fn read(
    body: impl Body<Data = Bytes> + Unpin,
    limit: usize,
    text: usize,
) -> Result<Bytes, Refusal> {
    match gather(body, limit, text).await {
        Gathered::Whole(body) => Ok(body),
        Gathered::TooLarge => Err(too_large(limit)),
        Gathered::Broken(_) => Err(Refusal::bad("the body broke off")),
    }
}

pub(super) fn too_large(limit: usize) -> Refusal {
    Refusal::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        format!("the body is too large: at most {limit} bytes are taken"),
    )
}

/// How a request says that its body is compressed.
pub(super) fn coding(headers: &HeaderMap) -> Result<Option<Coding>, Refusal> {
    let Some(value) = headers.get(CONTENT_ENCODING) else {
        return Ok(None);
    };
    let name = value.to_str().unwrap_or_default().trim();
    match Coding::named(name) {
        None if name.eq_ignore_ascii_case("identity") => Ok(None),
        None => Err(Refusal::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            format!("Content-Encoding must be gzip, deflate or identity, found {value:?}"),
        )),
        coding => Ok(coding),
    }
}

/// Unpacks a body to at most `limit` bytes, which lie as those of [`read`] do.
pub(super) async fn unpack(
    body: Bytes,
    coding: Coding,
    limit: usize,
    text: usize,
) -> Result<Bytes, Refusal> {
    let unpacked = if body.len() > BRIEF {
        let unpacking = tokio::task::spawn_blocking(move || coding.unpack(&body, limit, text));
        let stopped = |_| Refusal::unavailable("the server is shutting down");
        unpacking.await.map_err(stopped)?
    } else {
        coding.unpack(&body, limit, text)
    };
    unpacked.map_err(|reason| match reason {
        Packed::TooLarge => too_large(limit),
        Packed::Damaged(error) => {
            Refusal::bad(format!("the body is not {}: {error}", coding.name()))
        }
    })
}

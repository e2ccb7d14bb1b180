//! Answers that are well, to the connection.

use axum::body::Body;
use axum::http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;
use bytes::Bytes;

use crate::wire::{Coding, HEADER_LENGTH, Message, Parts};

/// Bodies of fewer bytes are not compressed: it would not make them shorter by a packet.
const SMALL: usize = 1 << 10;
/// Bodies of more bytes are packed where they do not hold up others.
const BRIEF: usize = 64 << 10;

/// An answer that is well, compressed if the request's headers ask for it.
pub(super) async fn answer(message: Message, asked: &HeaderMap) -> Response {
    let content_type = HeaderValue::from_static(message.content_type());
    let header_length = message.header_length();
    let mut parts = message.into_parts();
    let coding = coding(asked).filter(|_| length(&parts) >= SMALL);
    if let Some(coding) = coding {
        parts = pack(parts, coding).await;
    }
    let mut response = Response::new(Body::new(Parts::from(parts)));
    let headers = response.headers_mut();
    if let Some(coding) = coding {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static(coding.name()));
    }
    headers.insert(CONTENT_TYPE, content_type);
    if let Some(length) = header_length {
        headers.insert(HEADER_LENGTH, HeaderValue::from(length));
    }
    response
}

fn coding(asked: &HeaderMap) -> Option<Coding> {
    Coding::accepted(asked.get(ACCEPT_ENCODING)?.to_str().ok()?)
}

async fn pack(parts: Vec<Bytes>, coding: Coding) -> Vec<Bytes> {
    if length(&parts) <= BRIEF {
        return vec![coding.pack(&parts).into()];
    }
    let packing = tokio::task::spawn_blocking(move || coding.pack(&parts));
    vec![packing.await.expect("packing does not panic").into()]
}

fn length(parts: &[Bytes]) -> usize {
    parts.iter().map(Bytes::len).sum()
}

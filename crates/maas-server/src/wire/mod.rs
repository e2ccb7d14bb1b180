//! Requests and responses as bytes: what the server and the client both read and write.

mod coding;
mod data;
mod form;
mod gather;
mod json;
mod message;
mod parts;
pub(crate) mod read;
mod tail;
#[cfg(test)]
mod tests;
mod urgency;
pub(crate) mod write;

use hyper::header::HeaderName;

pub(crate) use coding::{Coding, Packed};
pub(crate) use form::Form;
pub(crate) use gather::{Gathered, gather};
pub(crate) use message::Message;
pub(crate) use parts::Parts;
pub(crate) use read::Rejection;
pub(crate) use urgency::urgency;

/// Says for how many milliseconds the answer is of use.
pub(crate) const TIMEOUT: HeaderName = HeaderName::from_static("x-request-timeout-ms");
/// Says to clients of gRPC in how many milliseconds it is worth asking again.
pub(crate) const PUSHBACK: &str = "grpc-retry-pushback-ms";
/// Says how many bytes of JSON text a body begins with.
pub(crate) const HEADER_LENGTH: HeaderName =
    HeaderName::from_static("inference-header-content-length");

/// A multiple of the size of every element.
pub(crate) const ALIGNMENT: usize = 8;

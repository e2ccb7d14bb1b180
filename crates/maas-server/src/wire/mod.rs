//! Requests and responses as bytes: what the server and the client both read and write.

mod coding;
mod data;
mod form;
mod json;
mod message;
pub(crate) mod read;
mod tail;
mod urgency;
pub(crate) mod write;

pub(crate) use coding::{Coding, Packed};
pub(crate) use form::Form;
pub(crate) use message::Message;
pub(crate) use read::Rejection;
pub(crate) use urgency::urgency;

/// A multiple of the size of every element.
pub(crate) const ALIGNMENT: usize = 8;

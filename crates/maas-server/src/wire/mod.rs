//! Requests and responses as bytes: what the server and the client both read and write.

mod data;
mod form;
mod message;
pub(crate) mod read;
mod tail;
pub(crate) mod write;

pub(crate) use form::Form;
pub(crate) use message::Message;
pub(crate) use read::Rejection;

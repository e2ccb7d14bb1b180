//! Requests and responses as bytes: what the server and the client both read and write.

mod data;
pub(crate) mod read;
pub(crate) mod write;

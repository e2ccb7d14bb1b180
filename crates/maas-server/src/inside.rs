//! What the benches, the fuzz targets and the program reach of the inside. Nobody else should: it may change any time.

use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use maas_core::Signature;
use maas_service::{InferRequest, InferResponse};

#[cfg(feature = "grpc")]
pub use crate::grpc::inside::there_and_back;
pub use crate::told::with_causes;
use crate::wire::{Form, read, write};

static MODEL: LazyLock<Arc<str>> = LazyLock::new(|| Arc::from("m"));

/// How all tensors of a message are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    Json,
    Binary,
}

/// The body of a message, and the length of its JSON text where that is not all.
pub type Body = (Vec<u8>, Option<usize>);

pub fn read_request(body: &Bytes, text: Option<usize>) -> Result<InferRequest, String> {
    read::request(body, text, &MODEL, None)
        .map(|(request, _)| request)
        .map_err(read::Rejection::into_reason)
}

pub fn read_raw_request(body: Bytes, signature: &Signature) -> Result<InferRequest, String> {
    read::raw_request(body, signature, &MODEL, None).map_err(read::Rejection::into_reason)
}

pub fn read_response(body: &Bytes, text: Option<usize>) -> Result<InferResponse, String> {
    read::response(body, text)
}

pub fn write_request(request: &InferRequest, encoding: Encoding) -> Result<Body, String> {
    let message = write::request(request, &encoding.form()).map_err(|reason| reason.to_string())?;
    let text = message.header_length();
    Ok((message.into_bytes(), text))
}

pub fn write_response(response: &InferResponse, encoding: Encoding) -> Result<Body, String> {
    let message =
        write::response(response, &encoding.form()).map_err(|reason| reason.to_string())?;
    let text = message.header_length();
    Ok((message.into_bytes(), text))
}

impl Encoding {
    fn form(self) -> Form {
        match self {
            Self::Json => Form::json(),
            Self::Binary => Form::binary(),
        }
    }
}

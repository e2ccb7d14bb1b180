//! Laws of messages: what is written is read back, and what is read is what another JSON parser reads.

mod reference;
mod round_trip;

use std::sync::Arc;

use bytes::Bytes;
use maas_core::DType;
use maas_service::InferRequest;
use proptest::prelude::*;

use super::{Form, Rejection, read};

fn read_request(body: &Bytes, text: Option<usize>) -> Result<(InferRequest, Form), Rejection> {
    read::request(body, text, &Arc::from("m"), None)
}

fn dtype() -> impl Strategy<Value = DType> {
    proptest::sample::select(DType::ALL.to_vec())
}

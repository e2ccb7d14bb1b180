//! Inference responses.

use std::sync::Arc;

use bytes::Bytes;
use maas_core::{Shape, Tensor};
use maas_service::{InferResponse, NamedTensor};

use super::proto::ModelInferResponse;
use super::proto::model_infer_response::InferOutputTensor;
use super::request::Form;
use super::{contents, parameters};

/// Writes a response. One that has a tensor whose type has no field is raw, whatever is asked for.
pub(super) fn write(response: InferResponse, form: Form) -> ModelInferResponse {
    let mut beside = response.parameters;
    if let Some(replica) = &response.replica {
        beside.set("replica", &**replica);
    }
    let has_fields = |named: &NamedTensor| contents::has_field(named.tensor.dtype());
    let (outputs, raw_output_contents) = match form {
        Form::Typed if response.outputs.iter().all(has_fields) => {
            (typed(&response.outputs), Vec::new())
        }
        _ => raw(response.outputs),
    };
    ModelInferResponse {
        model_name: response.model.as_ref().to_owned(),
        model_version: response
            .version
            .map(|version| version.as_ref().to_owned())
            .unwrap_or_default(),
        id: response.id.unwrap_or_default(),
        parameters: parameters::write(beside),
        outputs,
        raw_output_contents,
    }
}

fn typed(outputs: &[NamedTensor]) -> Vec<InferOutputTensor> {
    let write = |named: &NamedTensor| InferOutputTensor {
        contents: contents::write(&named.tensor),
        ..head(named)
    };
    outputs.iter().map(write).collect()
}

fn raw(outputs: Vec<NamedTensor>) -> (Vec<InferOutputTensor>, Vec<Bytes>) {
    let heads = outputs.iter().map(head).collect();
    let values = outputs
        .into_iter()
        .map(|named| content(named.tensor))
        .collect();
    (heads, values)
}

fn head(named: &NamedTensor) -> InferOutputTensor {
    InferOutputTensor {
        name: named.name.as_ref().to_owned(),
        datatype: named.tensor.dtype().name().to_owned(),
        shape: lengths(named.tensor.shape()),
        ..InferOutputTensor::default()
    }
}

pub(super) fn lengths(shape: &Shape) -> Vec<i64> {
    let length = |&length| i64::try_from(length).unwrap_or(i64::MAX);
    shape.dims().iter().map(length).collect()
}

/// A tensor's bytes where they lie.
pub(super) fn content(tensor: Arc<Tensor>) -> Bytes {
    Bytes::from_owner(Content(tensor))
}

struct Content(Arc<Tensor>);

impl AsRef<[u8]> for Content {
    fn as_ref(&self) -> &[u8] {
        self.0.bytes()
    }
}

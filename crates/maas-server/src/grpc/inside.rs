//! Messages there and back, for the tests and the fuzz target.

use maas_service::{InferRequest, InferResponse};
use prost::Message;

use super::proto::ModelInferRequest;
use super::proto::model_infer_request::InferInputTensor;
use super::proto::model_infer_response::InferOutputTensor;
use super::request::{self, Form};
use super::response;

/// Reads bytes as a request, writes its tensors in both forms, and reads them again.
///
/// # Errors
///
/// Why the bytes are no request.
///
/// # Panics
///
/// When what is read again is not what was written.
pub fn there_and_back(message: &[u8]) -> Result<InferRequest, String> {
    let mut message = ModelInferRequest::decode(message).map_err(|error| error.to_string())?;
    let (request, _) =
        request::read(&mut message, None).map_err(crate::wire::Rejection::into_reason)?;
    for form in [Form::Raw, Form::Typed] {
        let mut response = InferResponse::to(&request);
        response.outputs.clone_from(&request.inputs);
        let mut message = turned(response, form);
        let (again, _) = request::read(&mut message, None).expect("it has just been written");
        assert_eq!(again.inputs, request.inputs, "{form:?}");
        assert_eq!(again.id, request.id);
    }
    Ok(request)
}

/// The request whose inputs are the outputs of a response.
pub(super) fn turned(response: InferResponse, form: Form) -> ModelInferRequest {
    let message = response::write(response, form);
    let input = |output: InferOutputTensor| InferInputTensor {
        name: output.name,
        datatype: output.datatype,
        shape: output.shape,
        parameters: output.parameters,
        contents: output.contents,
    };
    ModelInferRequest {
        model_name: message.model_name,
        model_version: message.model_version,
        id: message.id,
        parameters: message.parameters,
        inputs: message.outputs.into_iter().map(input).collect(),
        raw_input_contents: message.raw_output_contents,
        ..ModelInferRequest::default()
    }
}

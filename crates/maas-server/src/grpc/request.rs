//! Inference requests.

use std::mem::take;
use std::str::FromStr;

use bytes::Bytes;
use maas_core::{DType, Shape, Tensor};
use maas_schedule::Moment;
use maas_service::{InferRequest, NamedTensor, Protocol, RequestedOutput};

use super::proto::model_infer_request::{InferInputTensor, InferRequestedOutputTensor};
use super::proto::{InferTensorContents, ModelInferRequest};
use super::{contents, parameters};
use crate::wire::read::{DIMENSIONS, check_supported};
use crate::wire::{Rejection, urgency};

/// Where a message has the values of its tensors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// As bytes, beside the tensors.
    Raw,
    /// In fields of their type, within the tensors.
    Typed,
}

/// Reads a request, and which form its answer shall have: the request's own, or raw where the request has no values. Of
/// the message, what tells it from others is left. Raw values stay where they are, if numbers may lie there.
pub(super) fn read(
    message: &mut ModelInferRequest,
    deadline: Option<Moment>,
) -> Result<(InferRequest, Form), Rejection> {
    if message.inputs.is_empty() {
        return Err("`inputs` is empty: expected at least one tensor".into());
    }
    let form = form(message)?;
    let mut request = InferRequest::new(&*message.model_name);
    request.protocol = Protocol::Grpc;
    request.version = given(&message.model_version).map(Into::into);
    request.id = given(&message.id).map(str::to_owned);
    request.deadline = deadline;
    request.parameters = parameters::read(take(&mut message.parameters))?;
    urgency(&mut request)?;
    let mut raw = take(&mut message.raw_input_contents).into_iter();
    let inputs = take(&mut message.inputs).into_iter();
    request.inputs = inputs
        .map(|tensor| input(tensor, raw.next()))
        .collect::<Result<_, _>>()?;
    let outputs = take(&mut message.outputs).into_iter();
    request.outputs = outputs.map(output).collect::<Result<_, _>>()?;
    Ok((request, form))
}

fn form(message: &ModelInferRequest) -> Result<Form, String> {
    let typed = message.inputs.iter().find(|input| input.contents.is_some());
    let (inputs, raw) = (message.inputs.len(), message.raw_input_contents.len());
    match typed {
        Some(input) if raw > 0 => Err(format!(
            "input `{}` has `contents` beside `raw_input_contents`: expected one of both",
            input.name
        )),
        Some(_) => Ok(Form::Typed),
        None if raw == 0 || raw == inputs => Ok(Form::Raw),
        None => Err(format!(
            "`raw_input_contents` has {raw} entries: expected one for each of {inputs} inputs"
        )),
    }
}

fn input(tensor: InferInputTensor, raw: Option<Bytes>) -> Result<NamedTensor, Rejection> {
    let InferInputTensor {
        name,
        datatype,
        shape: lengths,
        parameters,
        contents,
    } = tensor;
    let at = |reason: String| format!("input `{name}`: {reason}");
    let parameters = parameters::read(parameters).map_err(at)?;
    check_supported("input", &name, &parameters)?;
    let values = self::tensor(&datatype, &lengths, contents.as_ref(), raw).map_err(at)?;
    Ok(NamedTensor::new(name, values))
}

/// The tensor whose values are here or there.
pub(super) fn tensor(
    datatype: &str,
    lengths: &[i64],
    contents: Option<&InferTensorContents>,
    raw: Option<Bytes>,
) -> Result<Tensor, String> {
    let dtype = DType::from_str(datatype).map_err(|error| error.to_string())?;
    let shape = shape(lengths)?;
    match (contents, raw) {
        (Some(contents), _) => contents::read(dtype, shape, contents),
        (None, Some(raw)) => {
            Tensor::from_shared(dtype, shape, raw).map_err(|error| error.to_string())
        }
        (None, None) => without_values(dtype, shape),
    }
}

/// Who sends rows of nothing need not send values.
fn without_values(dtype: DType, shape: Shape) -> Result<Tensor, String> {
    match shape.elements() {
        Some(0) => Tensor::zeros(dtype, shape).map_err(|error| error.to_string()),
        _ => {
            Err("no values: expected `contents`, or `raw_input_contents` for all inputs".to_owned())
        }
    }
}

fn shape(lengths: &[i64]) -> Result<Shape, String> {
    let length = |&length: &i64| {
        usize::try_from(length).map_err(|_| format!("shape {lengths:?} has a negative length"))
    };
    match *lengths {
        // Most tensors are rows of numbers, which need no list of their own.
        [ref rows, ref columns] => Ok([length(rows)?, length(columns)?].into()),
        _ if lengths.len() > DIMENSIONS => {
            Err(format!("a shape has at most {DIMENSIONS} dimensions"))
        }
        _ => {
            let lengths: Vec<usize> = lengths.iter().map(length).collect::<Result<_, _>>()?;
            Ok(lengths.into())
        }
    }
}

fn output(output: InferRequestedOutputTensor) -> Result<RequestedOutput, Rejection> {
    let mut requested = RequestedOutput::new(output.name);
    requested.parameters = parameters::read(output.parameters)
        .map_err(|reason| format!("output `{}`: {reason}", requested.name))?;
    check_supported("output", &requested.name, &requested.parameters)?;
    Ok(requested)
}

/// In proto3 a string that is not given is empty.
pub(super) fn given(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

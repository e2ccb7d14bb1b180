//! The protocol's messages into requests and responses.

mod parameters;
mod raw;
mod tensor;

use std::sync::Arc;

use bytes::Bytes;
use maas_service::{InferRequest, InferResponse, Parameter, Parameters, RequestedOutput};

use super::form::{Encoding, Form};
use super::json::{Scanner, Stop};
use super::tail::Tail;
use super::write::BINARY_OUTPUTS;
use parameters::{parameter, parameters};
pub(crate) use raw::raw_request;
#[cfg(feature = "grpc")]
pub(crate) use tensor::DIMENSIONS;
pub(crate) use tensor::check_supported;

/// Why a message is not taken.
#[derive(Debug, PartialEq)]
pub(crate) enum Rejection {
    /// It is none, or contradicts itself.
    Malformed(String),
    /// It asks for a feature that is not there.
    Unsupported(String),
}

impl Rejection {
    pub(crate) fn into_reason(self) -> String {
        match self {
            Self::Malformed(reason) | Self::Unsupported(reason) => reason,
        }
    }
}

/// What is wrong with a message, most of the time.
impl From<String> for Rejection {
    fn from(reason: String) -> Self {
        Self::Malformed(reason)
    }
}

impl From<&str> for Rejection {
    fn from(reason: &str) -> Self {
        Self::Malformed(reason.to_owned())
    }
}

/// Reads an inference request to `model`, and which form its answer shall have. The JSON text takes the first
/// `header_length` bytes of the body, or all of them.
pub(crate) fn request(
    body: &Bytes,
    header_length: Option<usize>,
    model: &Arc<str>,
    version: Option<&str>,
) -> Result<(InferRequest, Form), Rejection> {
    let (json, mut tail) = Tail::split(body, header_length)?;
    if json.is_empty() {
        return Err("the body is empty: expected a JSON object with `inputs`".into());
    }
    let mut request = InferRequest::new(Arc::clone(model));
    request.version = version.map(Arc::from);
    let form = request_text(json, &mut tail, &mut request)
        .map_err(|stop| stop.into_rejection("inference request"))?;
    tail.end()?;
    Ok((request, form))
}

fn request_text(json: &[u8], tail: &mut Tail, request: &mut InferRequest) -> Result<Form, Stop> {
    let mut scanner = Scanner::new(json);
    let (mut id, mut inputs, mut outputs, mut beside) = (None, None, None, None);
    scanner.object("an inference request", |scanner, key| match &*key {
        "id" => field(&mut id, "id", scanner, |scanner| {
            Ok(scanner.string("a string")?.into_owned())
        }),
        "inputs" => field(&mut inputs, "inputs", scanner, |scanner| {
            tensor::all(scanner, "input", tail)
        }),
        "outputs" => field(&mut outputs, "outputs", scanner, requested_outputs),
        "parameters" => field(&mut beside, "parameters", scanner, parameters),
        _ => scanner.skip(),
    })?;
    scanner.end()?;
    request.id = id.flatten();
    request.inputs = inputs.flatten().ok_or("`inputs` is missing")?;
    if request.inputs.is_empty() {
        return Err("`inputs` is empty: expected at least one tensor".into());
    }
    let mut others = Encoding::Json;
    for (name, value) in beside.flatten().unwrap_or_default() {
        if name == BINARY_OUTPUTS {
            others = encoding(BINARY_OUTPUTS, &value)?;
        } else {
            request.parameters.set(name, value);
        }
    }
    let mut form = Form::of(others);
    for (mut output, parameters) in outputs.flatten().unwrap_or_default() {
        check_supported("output", &output.name, &parameters)?;
        for (name, value) in parameters {
            if name == "binary_data" {
                form.set(Arc::clone(&output.name), encoding("binary_data", &value)?);
            } else {
                output.parameters.set(name, value);
            }
        }
        request.outputs.push(output);
    }
    Ok(form)
}

/// Reads a server's answer; the error says what is wrong with it. The JSON text takes the first `header_length` bytes of
/// the body, or all of them.
pub(crate) fn response(
    body: &Bytes,
    header_length: Option<usize>,
) -> Result<InferResponse, String> {
    let (json, mut tail) = Tail::split(body, header_length)?;
    let response = response_text(json, &mut tail)
        .map_err(|stop| stop.into_rejection("inference response").into_reason())?;
    tail.end()?;
    Ok(response)
}

fn response_text(json: &[u8], tail: &mut Tail) -> Result<InferResponse, Stop> {
    let mut scanner = Scanner::new(json);
    let (mut model, mut version, mut id) = (None, None, None);
    let (mut outputs, mut beside) = (None, None);
    let text = |scanner: &mut Scanner<'_>| Ok(scanner.string("a string")?.into_owned());
    scanner.object("an inference response", |scanner, key| match &*key {
        "model_name" => field(&mut model, "model_name", scanner, text),
        "model_version" => field(&mut version, "model_version", scanner, text),
        "id" => field(&mut id, "id", scanner, text),
        "outputs" => field(&mut outputs, "outputs", scanner, |scanner| {
            tensor::all(scanner, "output", tail)
        }),
        "parameters" => field(&mut beside, "parameters", scanner, parameters),
        _ => scanner.skip(),
    })?;
    scanner.end()?;
    let model = model.flatten().unwrap_or_default();
    let mut response = InferResponse::to(&InferRequest::new(model));
    response.version = version.flatten().map(Into::into);
    response.id = id.flatten();
    response.outputs = outputs
        .flatten()
        .ok_or_else(|| scanner.missing("outputs"))?;
    response.parameters = beside.flatten().unwrap_or_default();
    if let Some(Parameter::String(replica)) = response.parameters.get("replica") {
        response.replica = Some(replica.as_str().into());
    }
    Ok(response)
}

/// Reads the value of a field that may be there once; `null` says that it is not.
fn field<'a, T>(
    place: &mut Option<Option<T>>,
    name: &str,
    scanner: &mut Scanner<'a>,
    read: impl FnOnce(&mut Scanner<'a>) -> Result<T, Stop>,
) -> Result<(), Stop> {
    if place.is_some() {
        return Err(scanner.duplicate(name));
    }
    *place = Some(if scanner.take_null()? {
        None
    } else {
        Some(read(scanner)?)
    });
    Ok(())
}

fn requested_outputs(
    scanner: &mut Scanner<'_>,
) -> Result<Vec<(RequestedOutput, Parameters)>, Stop> {
    let mut outputs = Vec::new();
    scanner.array("an array of outputs", |scanner| {
        let (mut name, mut beside) = (None, None);
        scanner.object("an output", |scanner, key| match &*key {
            "name" => field(&mut name, "name", scanner, |scanner| {
                scanner.string("a string")
            }),
            "parameters" => field(&mut beside, "parameters", scanner, parameters),
            _ => scanner.skip(),
        })?;
        let name = name.flatten().ok_or_else(|| scanner.missing("name"))?;
        outputs.push((
            RequestedOutput::new(&*name),
            beside.flatten().unwrap_or_default(),
        ));
        Ok(())
    })?;
    Ok(outputs)
}

fn encoding(name: &str, value: &Parameter) -> Result<Encoding, String> {
    match value {
        Parameter::Bool(binary) => Ok(Encoding::from(*binary)),
        other => Err(format!(
            "parameter `{name}` must be a boolean, found {other:?}"
        )),
    }
}

//! Requests and responses as the protocol's messages.

use std::fmt::Display;
use std::sync::Arc;

use maas_core::{DType, Tensor};
use maas_service::{InferRequest, InferResponse, NamedTensor, Parameter, Parameters};
use serde::Serialize;

use super::ALIGNMENT;
use super::form::{Encoding, Form};
use super::message::Message;

/// The parameter of a request that asks for all outputs as bytes.
pub(super) const BINARY_OUTPUTS: &str = "binary_data_output";

/// Why a tensor cannot be written as JSON.
#[derive(Debug, PartialEq)]
pub(crate) enum Unwritable {
    /// JSON has no numbers for the type.
    Type { name: String, dtype: DType },
    /// JSON has no such value.
    Value {
        name: String,
        element: usize,
        found: String,
    },
}

impl Display for Unwritable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Type { name, dtype } => {
                write!(f, "`{name}` is of type {dtype}, which JSON cannot carry")
            }
            Self::Value {
                name,
                element,
                found,
            } => {
                write!(
                    f,
                    "element {element} of `{name}` is {found}, which JSON cannot carry"
                )
            }
        }
    }
}

/// The body of an answer, whose outputs have this form.
pub(crate) fn response(response: &InferResponse, form: &Form) -> Result<Message, Unwritable> {
    let mut json = Vec::with_capacity(room(&response.outputs, form));
    json.extend_from_slice(b"{\"model_name\":");
    value(&mut json, &*response.model);
    if let Some(version) = &response.version {
        json.extend_from_slice(b",\"model_version\":");
        value(&mut json, &**version);
    }
    if let Some(id) = &response.id {
        json.extend_from_slice(b",\"id\":");
        value(&mut json, id);
    }
    let mut beside = response.parameters.clone();
    if let Some(replica) = &response.replica {
        beside.set("replica", &**replica);
    }
    parameters(&mut json, &beside);
    json.extend_from_slice(b",\"outputs\":");
    let binary = tensors(&mut json, &response.outputs, form)?;
    json.push(b'}');
    Ok(message(json, binary))
}

/// The body of a request, whose inputs have this form, as its answer's outputs shall have.
pub(crate) fn request(request: &InferRequest, form: &Form) -> Result<Message, Unwritable> {
    let mut json = Vec::with_capacity(room(&request.inputs, form));
    json.extend_from_slice(b"{\"inputs\":");
    let binary = tensors(&mut json, &request.inputs, form)?;
    if let Some(id) = &request.id {
        json.extend_from_slice(b",\"id\":");
        value(&mut json, id);
    }
    if form.others() == Encoding::Binary && request.parameters.get(BINARY_OUTPUTS).is_none() {
        let mut beside = request.parameters.clone();
        beside.set(BINARY_OUTPUTS, true);
        parameters(&mut json, &beside);
    } else {
        parameters(&mut json, &request.parameters);
    }
    if !request.outputs.is_empty() {
        json.extend_from_slice(b",\"outputs\":[");
        for (index, output) in request.outputs.iter().enumerate() {
            json.extend_from_slice(if index == 0 {
                b"{\"name\":"
            } else {
                b",{\"name\":"
            });
            value(&mut json, &*output.name);
            parameters(&mut json, &output.parameters);
            json.push(b'}');
        }
        json.push(b']');
    }
    json.push(b'}');
    Ok(message(json, binary))
}

/// JSON text may end in spaces: where it does, the bytes after it start where numbers may lie.
fn message(mut json: Vec<u8>, binary: Option<Vec<Arc<Tensor>>>) -> Message {
    if binary.is_some() {
        json.resize(json.len().next_multiple_of(ALIGNMENT), b' ');
    }
    Message { json, binary }
}

fn room(tensors: &[NamedTensor], form: &Form) -> usize {
    let data = |named: &NamedTensor| match form.encoding(&named.name) {
        Encoding::Json => 12 * named.tensor.elements(),
        Encoding::Binary => 0,
    };
    256 + tensors.iter().map(|named| 128 + data(named)).sum::<usize>()
}

/// Writes the tensors; those that do not stand in JSON are handed back.
fn tensors(
    json: &mut Vec<u8>,
    tensors: &[NamedTensor],
    form: &Form,
) -> Result<Option<Vec<Arc<Tensor>>>, Unwritable> {
    let mut binary = None;
    json.push(b'[');
    for (index, named) in tensors.iter().enumerate() {
        json.extend_from_slice(if index == 0 {
            b"{\"name\":"
        } else {
            b",{\"name\":"
        });
        value(json, &*named.name);
        json.extend_from_slice(b",\"datatype\":\"");
        json.extend_from_slice(named.tensor.dtype().name().as_bytes());
        json.extend_from_slice(b"\",\"shape\":");
        value(json, named.tensor.shape());
        match form.encoding(&named.name) {
            Encoding::Json => {
                json.extend_from_slice(b",\"data\":[");
                data(json, &named.name, &named.tensor)?;
                json.extend_from_slice(b"]}");
            }
            Encoding::Binary => {
                json.extend_from_slice(b",\"parameters\":{\"binary_data_size\":");
                value(json, &named.tensor.bytes().len());
                json.extend_from_slice(b"}}");
                binary
                    .get_or_insert_with(Vec::new)
                    .push(Arc::clone(&named.tensor));
            }
        }
    }
    json.push(b']');
    Ok(binary)
}

macro_rules! write_integers {
    ($json:expr, $tensor:expr, $unwritable:expr, $type:ty) => {{
        let values = $tensor.as_slice::<$type>().map_err(|_| $unwritable)?;
        list($json, values, |json, _, number| {
            value(json, number);
            Ok(())
        })
    }};
}

/// Floats with the shortest digits that give them back.
fn floats<T: zmij::Float + Display>(
    json: &mut Vec<u8>,
    name: &str,
    values: &[T],
    is_finite: impl Fn(T) -> bool,
) -> Result<(), Unwritable> {
    let mut digits = zmij::Buffer::new();
    list(json, values, |json, element, &number| {
        if !is_finite(number) {
            return Err(Unwritable::Value {
                name: name.to_owned(),
                element,
                found: number.to_string(),
            });
        }
        json.extend_from_slice(digits.format_finite(number).as_bytes());
        Ok(())
    })
}

fn data(json: &mut Vec<u8>, name: &str, tensor: &Tensor) -> Result<(), Unwritable> {
    let unwritable = || Unwritable::Type {
        name: name.to_owned(),
        dtype: tensor.dtype(),
    };
    match tensor.dtype() {
        DType::Int8 => write_integers!(json, tensor, unwritable(), i8),
        DType::Int16 => write_integers!(json, tensor, unwritable(), i16),
        DType::Int32 => write_integers!(json, tensor, unwritable(), i32),
        DType::Int64 => write_integers!(json, tensor, unwritable(), i64),
        DType::UInt8 => write_integers!(json, tensor, unwritable(), u8),
        DType::UInt16 => write_integers!(json, tensor, unwritable(), u16),
        DType::UInt32 => write_integers!(json, tensor, unwritable(), u32),
        DType::UInt64 => write_integers!(json, tensor, unwritable(), u64),
        DType::Fp32 => {
            let values = tensor.as_slice().map_err(|_| unwritable())?;
            floats(json, name, values, f32::is_finite)
        }
        DType::Fp64 => {
            let values = tensor.as_slice().map_err(|_| unwritable())?;
            floats(json, name, values, f64::is_finite)
        }
        DType::Bool => list(json, tensor.bytes(), |json, _, &byte| {
            json.extend_from_slice(if byte == 0 { b"false" } else { b"true" });
            Ok(())
        }),
        DType::Bytes => {
            let view = tensor.view();
            let strings = view.as_strings().map_err(|_| unwritable())?;
            list(
                json,
                strings,
                |json, element, string| match std::str::from_utf8(string) {
                    Ok(text) => {
                        value(json, text);
                        Ok(())
                    }
                    Err(_) => Err(Unwritable::Value {
                        name: name.to_owned(),
                        element,
                        found: "no UTF-8".to_owned(),
                    }),
                },
            )
        }
        _ => Err(unwritable()),
    }
}

fn list<T>(
    json: &mut Vec<u8>,
    values: impl IntoIterator<Item = T>,
    mut write: impl FnMut(&mut Vec<u8>, usize, T) -> Result<(), Unwritable>,
) -> Result<(), Unwritable> {
    for (element, value) in values.into_iter().enumerate() {
        if element > 0 {
            json.push(b',');
        }
        write(json, element, value)?;
    }
    Ok(())
}

fn parameters(json: &mut Vec<u8>, parameters: &Parameters) {
    if parameters.is_empty() {
        return;
    }
    json.extend_from_slice(b",\"parameters\":{");
    for (index, (name, parameter)) in parameters.iter().enumerate() {
        if index > 0 {
            json.push(b',');
        }
        value(json, name);
        json.push(b':');
        match parameter {
            Parameter::Bool(flag) => value(json, flag),
            Parameter::Int(number) => value(json, number),
            Parameter::UInt(number) => value(json, number),
            Parameter::Double(number) => value(json, number),
            Parameter::String(text) => value(json, text),
            _ => value(json, &()),
        }
    }
    json.push(b'}');
}

fn value<T: Serialize + ?Sized>(json: &mut Vec<u8>, value: &T) {
    serde_json::to_writer(json, value)
        .expect("numbers, texts and shapes are JSON, and memory takes them");
}

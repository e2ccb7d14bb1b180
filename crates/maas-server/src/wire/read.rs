//! The protocol's messages into requests and responses.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::Arc;

use bytes::Bytes;
use maas_core::{DType, Dimension, Shape, Signature, Tensor};
use maas_service::{
    InferRequest, InferResponse, NamedTensor, Parameter, Parameters, RequestedOutput,
};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::data;
use super::form::{Encoding, Form};
use super::tail::Tail;
use super::write::BINARY_OUTPUTS;

#[derive(Deserialize)]
struct RequestBody<'a> {
    id: Option<String>,
    #[serde(borrow)]
    inputs: Option<Vec<TensorBody<'a>>>,
    #[serde(borrow, default)]
    outputs: Option<Vec<OutputBody<'a>>>,
    #[serde(borrow, default)]
    parameters: Option<BTreeMap<String, Scalar<'a>>>,
}

#[derive(Deserialize)]
struct ResponseBody<'a> {
    model_name: Option<String>,
    model_version: Option<String>,
    id: Option<String>,
    #[serde(borrow)]
    outputs: Vec<TensorBody<'a>>,
    #[serde(borrow, default)]
    parameters: Option<BTreeMap<String, Scalar<'a>>>,
}

#[derive(Deserialize)]
struct TensorBody<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    shape: Vec<usize>,
    #[serde(borrow)]
    datatype: Cow<'a, str>,
    #[serde(borrow, default)]
    data: Option<&'a RawValue>,
    #[serde(borrow, default)]
    parameters: Option<BTreeMap<String, Scalar<'a>>>,
}

#[derive(Deserialize)]
struct OutputBody<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow, default)]
    parameters: Option<BTreeMap<String, Scalar<'a>>>,
}

/// A parameter's value as it is written.
type Scalar<'a> = &'a RawValue;

/// What of the protocol's extensions would change the answer's meaning, if it were not looked at.
const UNSUPPORTED: [(&str, &str); 2] = [
    ("shared_memory_region", "shared memory"),
    ("classification", "classification"),
];

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
    let body: RequestBody<'_> = serde_json::from_slice(json)
        .map_err(|error| format!("the body is no inference request: {error}"))?;
    let inputs = body.inputs.ok_or("`inputs` is missing")?;
    if inputs.is_empty() {
        return Err("`inputs` is empty: expected at least one tensor".into());
    }
    let mut request = InferRequest::new(Arc::clone(model));
    request.version = version.map(Arc::from);
    request.id = body.id;
    let mut others = Encoding::Json;
    for (name, value) in parameters(body.parameters.as_ref())? {
        if name == BINARY_OUTPUTS {
            others = encoding(BINARY_OUTPUTS, &value)?;
        } else {
            request.parameters.set(name, value);
        }
    }
    request.inputs = inputs
        .iter()
        .map(|body| input(body, &mut tail))
        .collect::<Result<_, _>>()?;
    tail.end()?;
    let mut form = Form::of(others);
    request.outputs = body
        .outputs
        .unwrap_or_default()
        .iter()
        .map(|body| output(body, &mut form))
        .collect::<Result<_, _>>()?;
    Ok((request, form))
}

/// Reads a request without JSON text, whose body is the one input of a model of this signature.
pub(crate) fn raw_request(
    body: Bytes,
    signature: &Signature,
    model: &Arc<str>,
    version: Option<&str>,
) -> Result<InferRequest, Rejection> {
    let [spec] = signature.inputs() else {
        let found = signature.inputs().len();
        return Err(format!(
            "a request without JSON text needs a model with one input, this one has {found}"
        )
        .into());
    };
    if body.is_empty() {
        return Err("the body is empty: expected the bytes of the input".into());
    }
    let tensor = match spec.dtype() {
        DType::Bytes => Tensor::strings(one_string(spec.shape())?, &[body]),
        dtype => {
            let shape = raw_shape(spec.shape(), dtype.size().unwrap_or(1), body.len())?;
            Tensor::from_shared(dtype, shape, body)
        }
    };
    let tensor = tensor
        .map_err(|error| Rejection::Malformed(format!("input `{}`: {error}", spec.name())))?;
    let mut request = InferRequest::new(Arc::clone(model)).input(spec.name(), tensor);
    request.version = version.map(Arc::from);
    Ok(request)
}

/// The lengths of the dimensions of `bytes` that stand without a shape: at most one is found out. Where another one than
/// the batch is free, the batch has one row.
fn raw_shape(dimensions: &[Dimension], size: usize, bytes: usize) -> Result<Shape, String> {
    let is_free = |dimension: &Dimension| matches!(dimension, Dimension::Free);
    let free = match dimensions.iter().filter(|d| is_free(d)).count() {
        0 => None,
        1 => dimensions.iter().position(is_free),
        2 if is_free(&dimensions[0]) => dimensions.iter().rposition(is_free),
        more => {
            return Err(format!(
                "a request without JSON text leaves one dimension to be found out, the model has {more}"
            ));
        }
    };
    let mut lengths: Vec<usize> = dimensions
        .iter()
        .map(|dimension| match dimension {
            Dimension::Fixed(length) => *length,
            _ => 1,
        })
        .collect();
    if let Some(free) = free {
        let row = lengths
            .iter()
            .try_fold(size, |row, &length| row.checked_mul(length));
        match row {
            Some(row) if row > 0 && bytes.is_multiple_of(row) => lengths[free] = bytes / row,
            row => {
                return Err(format!(
                    "the body has {bytes} bytes, expected a multiple of {}",
                    row.unwrap_or(usize::MAX)
                ));
            }
        }
    }
    Ok(lengths.into())
}

/// A body without JSON text is one byte string.
fn one_string(dimensions: &[Dimension]) -> Result<Shape, String> {
    if dimensions.iter().all(|dimension| dimension.admits(1)) {
        Ok(vec![1; dimensions.len()].into())
    } else {
        Err("a request without JSON text has one byte string, the model takes more".to_owned())
    }
}

fn input(body: &TensorBody<'_>, tail: &mut Tail) -> Result<NamedTensor, Rejection> {
    let parameters = parameters(body.parameters.as_ref())?;
    check_supported("input", &body.name, &parameters)?;
    named_tensor(body, &parameters, tail)
        .map_err(|reason| Rejection::Malformed(format!("input `{}`: {reason}", body.name)))
}

fn output(body: &OutputBody<'_>, form: &mut Form) -> Result<RequestedOutput, Rejection> {
    let mut output = RequestedOutput::new(&*body.name);
    let parameters = parameters(body.parameters.as_ref())?;
    check_supported("output", &body.name, &parameters)?;
    for (name, value) in parameters {
        if name == "binary_data" {
            form.set(Arc::clone(&output.name), encoding("binary_data", &value)?);
        } else {
            output.parameters.set(name, value);
        }
    }
    Ok(output)
}

fn encoding(name: &str, value: &Parameter) -> Result<Encoding, String> {
    match value {
        Parameter::Bool(binary) => Ok(Encoding::from(*binary)),
        other => Err(format!(
            "parameter `{name}` must be a boolean, found {other:?}"
        )),
    }
}

fn check_supported(what: &str, name: &str, parameters: &Parameters) -> Result<(), Rejection> {
    match UNSUPPORTED
        .iter()
        .find(|(parameter, _)| parameters.get(parameter).is_some())
    {
        Some((_, feature)) => Err(Rejection::Unsupported(format!(
            "{what} `{name}`: {feature} is not supported"
        ))),
        None => Ok(()),
    }
}

/// Reads a server's answer; the error says what is wrong with it. The JSON text takes the first `header_length` bytes of
/// the body, or all of them.
pub(crate) fn response(
    body: &Bytes,
    header_length: Option<usize>,
) -> Result<InferResponse, String> {
    let (json, mut tail) = Tail::split(body, header_length)?;
    let body: ResponseBody<'_> = serde_json::from_slice(json).map_err(|error| error.to_string())?;
    let mut response = InferResponse::to(&InferRequest::new(body.model_name.unwrap_or_default()));
    response.version = body.model_version.map(Into::into);
    response.id = body.id;
    response.parameters = parameters(body.parameters.as_ref())?;
    if let Some(Parameter::String(replica)) = response.parameters.get("replica") {
        response.replica = Some(replica.as_str().into());
    }
    for output in &body.outputs {
        let named = parameters(output.parameters.as_ref())
            .and_then(|parameters| named_tensor(output, &parameters, &mut tail));
        let named = named.map_err(|reason| format!("output `{}`: {reason}", output.name))?;
        response.outputs.push(named);
    }
    tail.end()?;
    Ok(response)
}

fn named_tensor(
    body: &TensorBody<'_>,
    parameters: &Parameters,
    tail: &mut Tail,
) -> Result<NamedTensor, String> {
    let dtype = DType::from_str(&body.datatype).map_err(|error| error.to_string())?;
    let shape = Shape::from(body.shape.as_slice());
    let tensor = match (body.data, parameters.get("binary_data_size")) {
        (Some(json), None) => data::tensor(dtype, shape, json.get())?,
        (None, Some(size)) => tail.tensor(dtype, shape, binary_size(size)?)?,
        (None, None) => return Err("`data` is missing".to_owned()),
        (Some(_), Some(_)) => {
            return Err("there is `data` and `binary_data_size`: expected one of them".to_owned());
        }
    };
    Ok(NamedTensor::new(&*body.name, tensor))
}

fn binary_size(parameter: &Parameter) -> Result<usize, String> {
    let size = parameter
        .as_u64()
        .and_then(|size| usize::try_from(size).ok());
    size.ok_or_else(|| {
        format!("parameter `binary_data_size` must be a number of bytes, found {parameter:?}")
    })
}

fn parameters(body: Option<&BTreeMap<String, Scalar<'_>>>) -> Result<Parameters, String> {
    let read = |(name, value): (&String, &Scalar<'_>)| match scalar(value.get()) {
        Some(value) => Ok((name.clone(), value)),
        None => Err(format!(
            "parameter `{name}` must be a string, a number or a boolean"
        )),
    };
    body.into_iter().flatten().map(read).collect()
}

fn scalar(json: &str) -> Option<Parameter> {
    match json.as_bytes().first()? {
        b't' => Some(true.into()),
        b'f' => Some(false.into()),
        b'"' => serde_json::from_str::<String>(json).ok().map(Into::into),
        b'-' | b'0'..=b'9' => {
            let whole = json
                .parse::<i64>()
                .map(Into::into)
                .or_else(|_| json.parse::<u64>().map(Into::into));
            whole.ok().or_else(|| {
                json.parse::<f64>()
                    .ok()
                    .filter(|value| value.is_finite())
                    .map(Into::into)
            })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use maas_core::Tensor;
    use proptest::prelude::*;

    use super::*;
    use crate::wire::write;

    fn read(body: impl Into<Bytes>) -> Result<InferRequest, Rejection> {
        let body = body.into();
        request(&body, None, &Arc::from("m"), Some("1")).map(|(request, _)| request)
    }

    fn json(request: &InferRequest) -> Vec<u8> {
        write::request(request, &Form::json()).unwrap().into_bytes()
    }

    /// JSON that is nearly a request: its parts in place, one byte or one part wrong.
    fn nearly() -> impl Strategy<Value = Vec<u8>> {
        let shape = prop_oneof![
            Just("[1,2]"),
            Just("[2]"),
            Just("[-1]"),
            Just("[18446744073709551615,9]"),
            Just("{}")
        ];
        let dtype = proptest::sample::select(DType::ALL.map(DType::name).to_vec());
        let data =
            "\\[[0-9eE+.,\\[\\] \"tfn\\\\u-]{0,24}\\]|\\[1, ?2\\]|\\[\"\\\\\"a\",\"\\\\\\\\\"\\]";
        (shape, dtype, data, any::<proptest::sample::Index>(), any::<u8>(), any::<bool>()).prop_map(
            |(shape, dtype, data, place, byte, mutate)| {
                let json = format!(
                    r#"{{"inputs":[{{"name":"x","shape":{shape},"datatype":"{dtype}","data":{data}}}],"id":"a"}}"#
                );
                let mut json = json.into_bytes();
                if mutate {
                    let place = place.index(json.len());
                    json[place] = byte;
                }
                json
            },
        )
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let body = Bytes::from(body);
            let _ = read(body.clone());
            let _ = response(&body, None);
        }

        #[test]
        fn what_is_nearly_a_request_is_read_or_refused(body in nearly()) {
            if let Ok(request) = read(body) {
                prop_assert_eq!(request.inputs.len(), 1);
            }
        }

        #[test]
        fn floats_come_back_bit_for_bit(values in proptest::collection::vec(any::<f32>().prop_filter("JSON", |x| x.is_finite()), 0..40)) {
            let tensor = Tensor::from_slice([values.len()], &values).unwrap();
            let request = read(json(&InferRequest::new("m").input("x", tensor))).unwrap();
            let bits = |values: &[f32]| values.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
            prop_assert_eq!(bits(request.inputs[0].tensor.as_slice::<f32>().unwrap()), bits(&values));
        }

        #[test]
        fn texts_come_back(texts in proptest::collection::vec(any::<String>(), 0..8), id in any::<String>()) {
            let tensor = Tensor::strings([texts.len()], &texts).unwrap();
            let sent = InferRequest::new("m").version("1").input("x", tensor).id(id).output("y").parameter("p", 0.5);
            prop_assert_eq!(read(json(&sent)).unwrap(), sent);
        }
    }
}

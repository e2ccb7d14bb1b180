//! The protocol's JSON into requests and responses.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::Arc;

use maas_core::{DType, Shape};
use maas_service::{
    InferRequest, InferResponse, NamedTensor, Parameter, Parameters, RequestedOutput,
};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::data;
use crate::rest::Refusal;

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
const UNSUPPORTED: [(&str, &str); 3] = [
    ("binary_data_size", "binary tensor data"),
    ("shared_memory_region", "shared memory"),
    ("classification", "classification"),
];

/// Reads the body of an inference request to `model`.
pub(crate) fn request(
    body: &[u8],
    model: &Arc<str>,
    version: &Arc<str>,
) -> Result<InferRequest, Refusal> {
    if body.is_empty() {
        return Err(Refusal::bad(
            "the body is empty: expected a JSON object with `inputs`",
        ));
    }
    let body: RequestBody<'_> = serde_json::from_slice(body)
        .map_err(|error| Refusal::bad(format!("the body is no inference request: {error}")))?;
    let inputs = body
        .inputs
        .ok_or_else(|| Refusal::bad("`inputs` is missing"))?;
    if inputs.is_empty() {
        return Err(Refusal::bad(
            "`inputs` is empty: expected at least one tensor",
        ));
    }
    let mut request = InferRequest::new(Arc::clone(model)).version(Arc::clone(version));
    request.id = body.id;
    request.parameters = parameters(body.parameters.as_ref())?;
    request.inputs = inputs.iter().map(input).collect::<Result<_, _>>()?;
    request.outputs = body
        .outputs
        .unwrap_or_default()
        .iter()
        .map(output)
        .collect::<Result<_, _>>()?;
    Ok(request)
}

fn input(body: &TensorBody<'_>) -> Result<NamedTensor, Refusal> {
    let parameters = parameters(body.parameters.as_ref())?;
    check_supported("input", &body.name, &parameters)?;
    named_tensor(body).map_err(|reason| Refusal::bad(format!("input `{}`: {reason}", body.name)))
}

fn output(body: &OutputBody<'_>) -> Result<RequestedOutput, Refusal> {
    let mut output = RequestedOutput::new(&*body.name);
    output.parameters = parameters(body.parameters.as_ref())?;
    check_supported("output", &body.name, &output.parameters)?;
    Ok(output)
}

fn check_supported(what: &str, name: &str, parameters: &Parameters) -> Result<(), Refusal> {
    match UNSUPPORTED
        .iter()
        .find(|(parameter, _)| parameters.get(parameter).is_some())
    {
        Some((_, feature)) => Err(Refusal::unsupported(format!(
            "{what} `{name}`: {feature} is not supported"
        ))),
        None => Ok(()),
    }
}

/// Reads the body of a server's answer; the error says what is wrong with it.
pub(crate) fn response(body: &[u8]) -> Result<InferResponse, String> {
    let body: ResponseBody<'_> = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    let mut response = InferResponse::to(&InferRequest::new(body.model_name.unwrap_or_default()));
    response.version = body.model_version.map(Into::into);
    response.id = body.id;
    response.parameters =
        parameters(body.parameters.as_ref()).map_err(|refusal| refusal.message)?;
    if let Some(Parameter::String(replica)) = response.parameters.get("replica") {
        response.replica = Some(replica.as_str().into());
    }
    for output in &body.outputs {
        let named =
            named_tensor(output).map_err(|reason| format!("output `{}`: {reason}", output.name))?;
        response.outputs.push(named);
    }
    Ok(response)
}

fn named_tensor(body: &TensorBody<'_>) -> Result<NamedTensor, String> {
    let dtype = DType::from_str(&body.datatype).map_err(|error| error.to_string())?;
    let json = body.data.ok_or("`data` is missing")?;
    let tensor = data::tensor(dtype, Shape::from(body.shape.as_slice()), json.get())?;
    Ok(NamedTensor::new(&*body.name, tensor))
}

fn parameters(body: Option<&BTreeMap<String, Scalar<'_>>>) -> Result<Parameters, Refusal> {
    let read = |(name, value): (&String, &Scalar<'_>)| match scalar(value.get()) {
        Some(value) => Ok((name.clone(), value)),
        None => Err(Refusal::bad(format!(
            "parameter `{name}` must be a string, a number or a boolean"
        ))),
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

    fn read(body: &[u8]) -> Result<InferRequest, Refusal> {
        request(body, &Arc::from("m"), &Arc::from("1"))
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
            let _ = read(&body);
            let _ = response(&body);
        }

        #[test]
        fn what_is_nearly_a_request_is_read_or_refused(body in nearly()) {
            if let Ok(request) = read(&body) {
                prop_assert_eq!(request.inputs.len(), 1);
            }
        }

        #[test]
        fn floats_come_back_bit_for_bit(values in proptest::collection::vec(any::<f32>().prop_filter("JSON", |x| x.is_finite()), 0..40)) {
            let tensor = Tensor::from_slice([values.len()], &values).unwrap();
            let body = write::request(&InferRequest::new("m").input("x", tensor)).unwrap();
            let request = read(&body).unwrap();
            let bits = |values: &[f32]| values.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
            prop_assert_eq!(bits(request.inputs[0].tensor.as_slice::<f32>().unwrap()), bits(&values));
        }

        #[test]
        fn texts_come_back(texts in proptest::collection::vec(any::<String>(), 0..8), id in any::<String>()) {
            let tensor = Tensor::strings([texts.len()], &texts).unwrap();
            let sent = InferRequest::new("m").version("1").input("x", tensor).id(id).output("y").parameter("p", 0.5);
            prop_assert_eq!(read(&write::request(&sent).unwrap()).unwrap(), sent);
        }
    }
}

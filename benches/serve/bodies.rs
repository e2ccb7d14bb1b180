//! What is sent.

use bytes::{BufMut, Bytes, BytesMut};
use prost::Message;

use crate::proto::ModelInferRequest;
use crate::proto::model_infer_request::InferInputTensor;

pub(crate) const COLUMNS: usize = 32;
pub(crate) const HEADER_LENGTH: &str = "inference-header-content-length";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Json,
    Binary,
    Grpc,
}

impl Form {
    pub(crate) const ALL: [Self; 3] = [Self::Json, Self::Binary, Self::Grpc];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Json => "JSON",
            Self::Binary => "binary",
            Self::Grpc => "gRPC",
        }
    }

    pub(crate) fn named(name: &str) -> Self {
        let mut all = Self::ALL.into_iter();
        all.find(|form| form.name() == name).expect("a form's name")
    }
}

const BODIES: usize = 32;

/// Requests of different numbers: of HTTP/1 whole with their heads, of gRPC the message alone.
pub(crate) fn requests(rows: usize, form: Form) -> Vec<Bytes> {
    let mut state = 7_u64;
    let mut number = move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((state >> 40) as f32 / (1 << 23) as f32 - 1.0) * 3.0
    };
    let mut request = || -> Bytes {
        let values: Vec<f32> = (0..rows * COLUMNS).map(|_| number()).collect();
        let (headers, body) = match form {
            Form::Json => (String::new(), json(rows, &values)),
            Form::Binary => binary(rows, &values),
            Form::Grpc => return message(rows, &values),
        };
        let head = format!(
            "POST /v2/models/mlp/infer HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\n{headers}\r\n",
            body.len()
        );
        [head.as_bytes(), &body].concat().into()
    };
    (0..BODIES).map(|_| request()).collect()
}

/// Six decimals, as the peers' loads have.
fn json(rows: usize, values: &[f32]) -> Vec<u8> {
    let values: Vec<String> = values.iter().map(|value| format!("{value:.6}")).collect();
    let data = values.join(",");
    format!(
        r#"{{"inputs":[{{"name":"x","shape":[{rows},{COLUMNS}],"datatype":"FP32","data":[{data}]}}]}}"#
    )
    .into_bytes()
}

fn binary(rows: usize, values: &[f32]) -> (String, Vec<u8>) {
    let text = format!(
        r#"{{"inputs":[{{"name":"x","shape":[{rows},{COLUMNS}],"datatype":"FP32","parameters":{{"binary_data_size":{}}}}}],"parameters":{{"binary_data_output":true}}}}"#,
        4 * values.len()
    );
    let headers = format!("{HEADER_LENGTH}: {}\r\n", text.len());
    let bytes = values.iter().flat_map(|value| value.to_le_bytes());
    (headers, text.bytes().chain(bytes).collect())
}

/// A message with its length before it.
fn message(rows: usize, values: &[f32]) -> Bytes {
    let input = InferInputTensor {
        name: "x".to_owned(),
        datatype: "FP32".to_owned(),
        shape: vec![rows as i64, COLUMNS as i64],
        ..InferInputTensor::default()
    };
    let values = values.iter().flat_map(|value| value.to_le_bytes());
    let request = ModelInferRequest {
        model_name: "mlp".to_owned(),
        inputs: vec![input],
        raw_input_contents: vec![values.collect()],
        ..ModelInferRequest::default()
    };
    let mut message = BytesMut::new();
    message.put_u8(0);
    message.put_u32(request.encoded_len() as u32);
    request.encode(&mut message).expect("memory takes it");
    message.freeze()
}

//! What is sent.

use bytes::Bytes;

pub(crate) const COLUMNS: usize = 32;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Json,
    Binary,
}

impl Form {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Json => "JSON",
            Self::Binary => "binary",
        }
    }
}

/// Requests, whole with their heads, of different numbers.
pub(crate) struct Bodies(Vec<Bytes>);

const BODIES: usize = 32;

impl Bodies {
    pub(crate) fn new(rows: usize, form: Form) -> Self {
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
            };
            let head = format!(
                "POST /v2/models/mlp/infer HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\n{headers}\r\n",
                body.len()
            );
            [head.as_bytes(), &body].concat().into()
        };
        Self((0..BODIES).map(|_| request()).collect())
    }

    pub(crate) fn get(&self, number: usize) -> Bytes {
        self.0[number % BODIES].clone()
    }
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
    let headers = format!("Inference-Header-Content-Length: {}\r\n", text.len());
    let bytes = values.iter().flat_map(|value| value.to_le_bytes());
    (headers, text.bytes().chain(bytes).collect())
}

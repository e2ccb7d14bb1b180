use std::fmt::Write;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use crate::http::{Http, Reply};
use crate::sample::Tensor;

/// A server, and one of its models.
#[derive(Clone, Debug)]
pub struct Target {
    http: Http,
    model: String,
}

/// What a model takes and gives.
#[derive(Debug)]
pub(crate) struct Signature {
    pub(crate) inputs: Vec<Tensor>,
    pub(crate) outputs: Vec<(String, String)>,
    pub(crate) versions: Vec<String>,
}

impl Target {
    /// The model of this name at a server's base address, such as `http://127.0.0.1:8000`.
    #[must_use]
    pub fn new(url: &str, model: &str) -> Self {
        Self {
            http: Http::to(url),
            model: model.to_owned(),
        }
    }

    pub(crate) fn model(&self) -> &str {
        &self.model
    }

    /// The path of the model, and below it.
    pub(crate) fn path(&self, below: &str) -> String {
        format!(
            "/v2/models/{}{below}",
            utf8_percent_encode(&self.model, NON_ALPHANUMERIC)
        )
    }

    pub(crate) fn get(&self, path: &str) -> Result<Reply, String> {
        self.http.ask("GET", path, &[], &[])
    }

    pub(crate) fn post(&self, path: &str, body: &[u8]) -> Result<Reply, String> {
        self.http.ask("POST", path, &[], body)
    }

    pub(crate) fn post_with(
        &self,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<Reply, String> {
        self.http.ask("POST", path, headers, body)
    }

    pub(crate) fn infer(&self, request: &Value) -> Result<Reply, String> {
        self.post(&self.path("/infer"), request.to_string().as_bytes())
    }

    /// Asks with an answer that must be right.
    pub(crate) fn answer(&self, request: &Value) -> Result<Value, String> {
        self.infer(request)?.json(200)
    }

    pub(crate) fn advertises(&self, extension: &str) -> Result<bool, String> {
        let metadata = self.get("/v2")?.json(200)?;
        let extensions = metadata["extensions"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        Ok(extensions.iter().any(|found| found == extension))
    }

    /// From the model's metadata; two rows of a tensor whose first length is free.
    pub(crate) fn signature(&self) -> Result<Signature, String> {
        let metadata = self.get(&self.path(""))?.json(200)?;
        let list = |key: &str| metadata[key].as_array().cloned().unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let inputs = list("inputs");
        Ok(Signature {
            inputs: inputs.iter().map(Tensor::of).collect::<Result<_, _>>()?,
            outputs: list("outputs")
                .iter()
                .map(|output| (text(&output["name"]), text(&output["datatype"])))
                .collect(),
            versions: list("versions").iter().map(text).collect(),
        })
    }
}

/// Whether two answers say the same; the numbers of the second may have come by bytes.
pub(crate) fn same(one: &Value, other: &Value) -> Result<(), String> {
    let outputs = |answer: &Value| answer["outputs"].as_array().cloned().unwrap_or_default();
    let (one, other) = (outputs(one), outputs(other));
    let mut wrong = String::new();
    if one.len() != other.len() || one.is_empty() {
        return Err(format!("{} outputs and {}", one.len(), other.len()));
    }
    for (one, other) in one.iter().zip(&other) {
        for key in ["name", "datatype", "shape"] {
            if one[key] != other[key] {
                let _ = write!(wrong, "{key} {} and {}; ", one[key], other[key]);
            }
        }
        if !alike(&one["data"], &other["data"]) {
            let _ = write!(
                wrong,
                "data of {} differ: {} and {}",
                one["name"],
                short(&one["data"]),
                short(&other["data"])
            );
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong) }
}

/// Servers write numbers with more or fewer digits.
fn alike(one: &Value, other: &Value) -> bool {
    let (one, other) = (flat(one), flat(other));
    one.len() == other.len()
        && one
            .iter()
            .zip(&other)
            .all(|(one, other)| match (one.as_f64(), other.as_f64()) {
                (Some(one), Some(other)) => {
                    (one - other).abs() <= 1e-6 * one.abs().max(other.abs())
                }
                _ => one == other,
            })
}

fn flat(data: &Value) -> Vec<Value> {
    match data {
        Value::Array(values) => values.iter().flat_map(flat).collect(),
        value => vec![value.clone()],
    }
}

fn short(value: &Value) -> String {
    value.to_string().chars().take(60).collect()
}

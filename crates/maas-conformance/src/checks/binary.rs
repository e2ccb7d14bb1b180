use serde_json::{Value, json};

use super::infer::plain;
use super::{Check, holds};
use crate::http::Reply;
use crate::sample::{Tensor, decode};
use crate::target::same;
use crate::{Target, Verdict};

const LENGTH: &str = "inference-header-content-length";

pub(super) const CHECKS: &[(&str, Check)] = &[
    ("inputs may come as bytes", inputs),
    ("outputs may be asked for as bytes, all or one", outputs),
    (
        "inputs in JSON and as bytes may stand beside each other",
        mixed,
    ),
    ("a request without JSON text is the only input", raw),
    (
        "bytes that contradict what is said of them are refused",
        lies,
    ),
];

/// Runs a check of the extension.
fn binary(
    target: &Target,
    check: impl FnOnce(&[Tensor]) -> Result<Verdict, String>,
) -> Result<Verdict, String> {
    if !target.advertises("binary_tensor_data")? {
        return Ok(Verdict::Skipped);
    }
    check(&target.signature()?.inputs)
}

/// Sends JSON text and bytes behind it.
pub(super) fn send(target: &Target, json: &Value, bytes: &[u8]) -> Result<Reply, String> {
    let text = json.to_string();
    let length = text.len().to_string();
    let body = [text.as_bytes(), bytes].concat();
    target.post_with(&target.path("/infer"), &[(LENGTH, &length)], &body)
}

/// An answer with bytes, as if it had come in JSON.
pub(super) fn read(reply: &Reply) -> Result<Value, String> {
    let Some(length) = reply.header(LENGTH) else {
        return reply.json(200);
    };
    holds(reply.status == 200, || {
        format!("status {} with {}", reply.status, reply.text())
    })?;
    let length = length
        .parse()
        .map_err(|_| format!("{LENGTH} is {length}"))?;
    let (text, mut bytes) = reply
        .body
        .split_at_checked(length)
        .ok_or_else(|| format!("{LENGTH} {length} is more than the body"))?;
    let mut answer: Value =
        serde_json::from_slice(text).map_err(|error| format!("the JSON text: {error}"))?;
    for output in answer["outputs"].as_array_mut().ok_or("no outputs")? {
        if let Some(size) = output["parameters"]["binary_data_size"].as_u64() {
            let (own, behind) = bytes
                .split_at_checked(size as usize)
                .ok_or("an output is cut off")?;
            bytes = behind;
            output["data"] = decode(output["datatype"].as_str().unwrap_or_default(), own)?;
        }
    }
    holds(bytes.is_empty(), || {
        format!("{} bytes behind the last output", bytes.len())
    })?;
    Ok(answer)
}

fn request(inputs: &[Tensor]) -> (Value, Vec<u8>) {
    let json = json!({ "inputs": inputs.iter().map(Tensor::binary).collect::<Vec<_>>() });
    (json, inputs.iter().flat_map(Tensor::bytes).collect())
}

fn inputs(target: &Target) -> Result<Verdict, String> {
    binary(target, |inputs| {
        let (mut json, bytes) = request(inputs);
        // What takes halves may give them, too.
        json["parameters"] = json!({ "binary_data_output": true });
        let answer = read(&send(target, &json, &bytes)?)?;
        if let Some(plain) = plain(target)? {
            same(&target.answer(&plain)?, &answer)?;
        }
        Ok(Verdict::Passed)
    })
}

fn outputs(target: &Target) -> Result<Verdict, String> {
    binary(target, |_| {
        let Some(mut plain) = plain(target)? else {
            return Ok(Verdict::Skipped);
        };
        let answer = target.answer(&plain)?;
        let names = target.signature()?.outputs;
        plain["parameters"] = json!({ "binary_data_output": true });
        let reply = target.infer(&plain)?;
        holds(reply.header(LENGTH).is_some(), || {
            "the answer has no bytes".to_owned()
        })?;
        same(&answer, &read(&reply)?)?;
        let asked = |binary: bool| -> Vec<Value> {
            names
                .iter()
                .map(|(name, _)| json!({ "name": name, "parameters": { "binary_data": binary } }))
                .collect()
        };
        plain["outputs"] = asked(false).into();
        same(&answer, &target.infer(&plain)?.json(200)?)?;
        plain["parameters"] = json!({});
        plain["outputs"] = asked(true).into();
        let reply = target.infer(&plain)?;
        holds(reply.header(LENGTH).is_some(), || {
            "the answer has no bytes".to_owned()
        })?;
        same(&answer, &read(&reply)?)?;
        Ok(Verdict::Passed)
    })
}

fn mixed(target: &Target) -> Result<Verdict, String> {
    binary(target, |inputs| {
        let (Some(plain), [first, others @ ..]) = (plain(target)?, inputs) else {
            return Ok(Verdict::Skipped);
        };
        if others.is_empty() {
            return Ok(Verdict::Skipped);
        }
        let forms = std::iter::once(first.flat()).chain(others.iter().map(Tensor::binary));
        let json = json!({ "inputs": forms.collect::<Vec<_>>() });
        let bytes: Vec<u8> = others.iter().flat_map(Tensor::bytes).collect();
        same(
            &target.answer(&plain)?,
            &read(&send(target, &json, &bytes)?)?,
        )?;
        Ok(Verdict::Passed)
    })
}

fn raw(target: &Target) -> Result<Verdict, String> {
    binary(target, |inputs| {
        let [input] = inputs else {
            return Ok(Verdict::Skipped);
        };
        // The row is the batch; a text is one alone.
        let input = input.with_rows(1);
        if input.datatype == "BYTES" || !input.has_json() {
            return Ok(Verdict::Skipped);
        }
        let reply = target.post_with(&target.path("/infer"), &[(LENGTH, "0")], &input.bytes())?;
        let plain = json!({ "inputs": [input.flat()] });
        same(&target.answer(&plain)?, &read(&reply)?)?;
        Ok(Verdict::Passed)
    })
}

fn lies(target: &Target) -> Result<Verdict, String> {
    binary(target, |inputs| {
        let (json, bytes) = request(inputs);
        send(target, &json, &bytes[..bytes.len().saturating_sub(1)])?.refused(&[400])?;
        send(target, &json, &[&bytes[..], &[0]].concat())?.refused(&[400])?;
        let mut other = json.clone();
        other["inputs"][0]["parameters"]["binary_data_size"] = json!(u64::MAX);
        send(target, &other, &bytes)?.refused(&[400])?;
        let mut both = json.clone();
        both["inputs"][0]["data"] = json!([1]);
        send(target, &both, &bytes)?.refused(&[400])?;
        let text = json.to_string();
        let long = (text.len() + bytes.len() + 1).to_string();
        for length in [&*long, "-1", "many"] {
            let body = [text.as_bytes(), &bytes].concat();
            target
                .post_with(&target.path("/infer"), &[(LENGTH, length)], &body)?
                .refused(&[400])?;
        }
        Ok(Verdict::Passed)
    })
}

use serde_json::{Value, json};

use super::{Check, holds};
use crate::sample::Tensor;
use crate::target::same;
use crate::{Target, Verdict};

pub(super) const CHECKS: &[(&str, Check)] = &[
    (
        "a request in flat JSON is answered as the metadata promise",
        flat,
    ),
    ("nested data are answered like flat data", nested),
    (
        "a version in the path answers, and the answer says which",
        versioned,
    ),
    ("the answer repeats the request's id", id),
    (
        "the outputs that are asked for come, and no others",
        outputs,
    ),
    ("a content type of any kind or none is taken", content_type),
    ("no rows have no answers, or are refused", no_rows),
    ("keys that nobody knows are passed over", unknown_keys),
];

/// The request in plain JSON; `None` of a model that takes what JSON cannot say.
pub(super) fn plain(target: &Target) -> Result<Option<Value>, String> {
    let inputs = target.signature()?.inputs;
    let all = inputs.iter().all(Tensor::has_json);
    Ok(all.then(|| json!({ "inputs": inputs.iter().map(Tensor::flat).collect::<Vec<_>>() })))
}

/// Runs a check on a model that may be asked in JSON.
fn with_plain(
    target: &Target,
    check: impl FnOnce(Value) -> Result<(), String>,
) -> Result<Verdict, String> {
    match plain(target)? {
        Some(request) => check(request).map(|()| Verdict::Passed),
        None => Ok(Verdict::Skipped),
    }
}

fn flat(target: &Target) -> Result<Verdict, String> {
    with_plain(target, |request| {
        let answer = target.answer(&request)?;
        holds(answer["model_name"] == target.model(), || {
            format!("model_name is {}", answer["model_name"])
        })?;
        let outputs = answer["outputs"].as_array().ok_or("no outputs")?;
        let promised = target.signature()?.outputs;
        holds(outputs.len() == promised.len(), || {
            format!("{} outputs, promised {}", outputs.len(), promised.len())
        })?;
        for (name, datatype) in promised {
            let output = outputs
                .iter()
                .find(|output| output["name"] == *name)
                .ok_or_else(|| format!("no output {name}"))?;
            holds(output["datatype"] == *datatype, || {
                format!("{name} is {}, promised {datatype}", output["datatype"])
            })?;
            let elements: u64 = output["shape"]
                .as_array()
                .ok_or("no shape")?
                .iter()
                .filter_map(Value::as_u64)
                .product();
            let found = output["data"].as_array().map_or(0, |data| count(data));
            holds(found as u64 == elements, || {
                format!("{name} has {found} values of {elements}")
            })?;
        }
        Ok(())
    })
}

fn count(data: &[Value]) -> usize {
    data.iter()
        .map(|value| value.as_array().map_or(1, |inner| count(inner)))
        .sum()
}

fn nested(target: &Target) -> Result<Verdict, String> {
    with_plain(target, |request| {
        let inputs = target.signature()?.inputs;
        let nested = json!({ "inputs": inputs.iter().map(Tensor::nested).collect::<Vec<_>>() });
        same(&target.answer(&request)?, &target.answer(&nested)?)
    })
}

fn versioned(target: &Target) -> Result<Verdict, String> {
    let versions = target.signature()?.versions;
    if versions.is_empty() {
        return Ok(Verdict::Skipped);
    }
    with_plain(target, |request| {
        let body = request.to_string();
        for version in &versions {
            let path = target.path(&format!("/versions/{version}/infer"));
            let answer = target.post(&path, body.as_bytes())?.json(200)?;
            holds(answer["model_version"] == **version, || {
                format!("version {version} says it is {}", answer["model_version"])
            })?;
        }
        let path = target.path("/versions/no-such-version/infer");
        target.post(&path, body.as_bytes())?.refused(&[404])
    })
}

fn id(target: &Target) -> Result<Verdict, String> {
    with_plain(target, |mut request| {
        request["id"] = json!("a name \"of\" its own: ü");
        let answer = target.answer(&request)?;
        holds(answer["id"] == request["id"], || {
            format!("the id is {}", answer["id"])
        })
    })
}

fn outputs(target: &Target) -> Result<Verdict, String> {
    with_plain(target, |mut request| {
        for (name, _) in target.signature()?.outputs {
            request["outputs"] = json!([{ "name": name }]);
            let answer = target.answer(&request)?;
            let outputs = answer["outputs"].as_array().ok_or("no outputs")?;
            holds(outputs.len() == 1 && outputs[0]["name"] == *name, || {
                format!("asked for {name}, got {outputs:?}")
            })?;
        }
        Ok(())
    })
}

fn content_type(target: &Target) -> Result<Verdict, String> {
    with_plain(target, |request| {
        let (path, body) = (target.path("/infer"), request.to_string());
        for headers in [
            &[("content-type", "application/json")][..],
            &[("content-type", "application/octet-stream")],
            &[],
        ] {
            target
                .post_with(&path, headers, body.as_bytes())?
                .json(200)?;
        }
        Ok(())
    })
}

fn no_rows(target: &Target) -> Result<Verdict, String> {
    with_plain(target, |_| {
        let inputs = target.signature()?.inputs;
        let none = json!({ "inputs": inputs.iter().map(|input| input.with_rows(0).flat()).collect::<Vec<_>>() });
        let reply = target.infer(&none)?;
        if reply.status != 200 {
            return reply.refused(&[400]);
        }
        let shape = reply.json(200)?["outputs"][0]["shape"][0].clone();
        holds(shape == 0, || {
            format!("the answer's first length is {shape}")
        })
    })
}

fn unknown_keys(target: &Target) -> Result<Verdict, String> {
    with_plain(target, |mut request| {
        let answer = target.answer(&request)?;
        request["no such key"] = json!({ "deep": [1, { "deeper": null }] });
        same(&answer, &target.answer(&request)?)
    })
}

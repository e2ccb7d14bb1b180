use serde_json::{Value, json};

use super::infer::plain;
use super::{Check, holds};
use crate::{Target, Verdict};

pub(super) const CHECKS: &[(&str, Check)] = &[
    ("a path that is not there", unknown_path),
    ("a verb that is not meant", wrong_verb),
    ("a model that is not there", unknown_model),
    ("a body that is no JSON", no_json),
    ("a request without inputs", no_inputs),
    (
        "an input that the model does not have, or not twice",
        wrong_names,
    ),
    ("a type or a shape that is not the model's", wrong_tensors),
    ("data that are not what is said of them", wrong_data),
    ("numbers that JSON does not have", no_numbers),
    ("an output that the model does not have", wrong_output),
    ("shapes beyond all bounds", huge),
    ("nesting beyond all bounds", deep),
];

fn unknown_path(target: &Target) -> Result<Verdict, String> {
    let status = target.get("/v2/no/such/path")?.status;
    holds(status == 404, || {
        format!("expected status 404, found {status}")
    })?;
    Ok(Verdict::Passed)
}

fn wrong_verb(target: &Target) -> Result<Verdict, String> {
    let reply = target.get(&target.path("/infer"))?;
    holds(reply.status == 405, || {
        format!("expected status 405, found {}", reply.status)
    })?;
    Ok(Verdict::Passed)
}

fn unknown_model(target: &Target) -> Result<Verdict, String> {
    let body = json!({ "inputs": [] }).to_string();
    target
        .post("/v2/models/no-such-model/infer", body.as_bytes())?
        .refused(&[404])?;
    Ok(Verdict::Passed)
}

fn no_json(target: &Target) -> Result<Verdict, String> {
    for body in [
        "",
        "[",
        "inputs",
        "{\"inputs\":",
        "{\"inputs\":[]} x",
        "\"inputs\"",
        "null",
    ] {
        refused(target, body)?;
    }
    Ok(Verdict::Passed)
}

fn no_inputs(target: &Target) -> Result<Verdict, String> {
    for body in [
        json!({}),
        json!({ "inputs": [] }),
        json!({ "inputs": null }),
        json!({ "inputs": 3 }),
        json!([]),
    ] {
        refused(target, &body.to_string())?;
    }
    Ok(Verdict::Passed)
}

/// Refuses each change that `changes` makes to a request that would be right.
fn each_change<const N: usize>(
    target: &Target,
    changes: [fn(&mut Value); N],
) -> Result<Verdict, String> {
    let Some(request) = plain(target)? else {
        return Ok(Verdict::Skipped);
    };
    for change in changes {
        let mut request = request.clone();
        change(&mut request);
        refused(target, &request.to_string())?;
    }
    Ok(Verdict::Passed)
}

fn refused(target: &Target, body: &str) -> Result<(), String> {
    let shown: String = body.chars().take(80).collect();
    let reply = target.post(&target.path("/infer"), body.as_bytes())?;
    reply
        .refused(&[400])
        .map_err(|found| format!("{shown}: {found}"))
}

fn wrong_names(target: &Target) -> Result<Verdict, String> {
    each_change(
        target,
        [
            |request| request["inputs"][0]["name"] = json!("no such input"),
            |request| request["inputs"][0]["name"] = json!(7),
            |request| {
                let first = request["inputs"][0].clone();
                if let Some(inputs) = request["inputs"].as_array_mut() {
                    inputs.push(first);
                }
            },
        ],
    )
}

fn wrong_tensors(target: &Target) -> Result<Verdict, String> {
    each_change(
        target,
        [
            |request| request["inputs"][0]["datatype"] = json!("FP12"),
            |request| request["inputs"][0]["datatype"] = json!(null),
            |request| request["inputs"][0]["shape"] = json!([1, 1, 1, 1, 1, 1, 1]),
            |request| request["inputs"][0]["shape"] = json!([-1, 1]),
            |request| request["inputs"][0]["shape"] = json!("wide"),
            |request| {
                let other = if request["inputs"][0]["datatype"] == "BOOL" {
                    "INT8"
                } else {
                    "BOOL"
                };
                let elements = request["inputs"][0]["data"].as_array().map_or(0, Vec::len);
                request["inputs"][0]["datatype"] = json!(other);
                request["inputs"][0]["data"] = if other == "BOOL" {
                    vec![true; elements].into()
                } else {
                    vec![1; elements].into()
                };
            },
        ],
    )
}

fn wrong_data(target: &Target) -> Result<Verdict, String> {
    each_change(
        target,
        [
            |request| request["inputs"][0]["data"] = json!([]),
            |request| request["inputs"][0]["data"] = json!("much"),
            |request| request["inputs"][0]["data"] = json!([{ "deep": 1 }]),
            |request| {
                if let Some(data) = request["inputs"][0]["data"].as_array_mut() {
                    let last = data.last().cloned();
                    data.extend(last);
                }
            },
            |request| {
                if let Some(input) = request["inputs"][0].as_object_mut() {
                    input.remove("data");
                }
            },
            |request| {
                let wrong = if request["inputs"][0]["datatype"] == "BYTES" {
                    json!(1)
                } else {
                    json!("one")
                };
                request["inputs"][0]["data"][0] = wrong;
            },
        ],
    )
}

fn no_numbers(target: &Target) -> Result<Verdict, String> {
    let Some(request) = plain(target)? else {
        return Ok(Verdict::Skipped);
    };
    let mut request = request;
    request["inputs"][0]["data"][0] = json!("HERE");
    for number in [
        "NaN",
        "Infinity",
        "-Infinity",
        "1e999",
        "0x10",
        "+1",
        ".5",
        "1.",
        "01",
        "-",
    ] {
        refused(target, &request.to_string().replace("\"HERE\"", number))?;
    }
    Ok(Verdict::Passed)
}

fn wrong_output(target: &Target) -> Result<Verdict, String> {
    each_change(
        target,
        [|request| request["outputs"] = json!([{ "name": "no such output" }])],
    )
}

fn huge(target: &Target) -> Result<Verdict, String> {
    each_change(
        target,
        [
            |request| request["inputs"][0]["shape"] = json!([u64::MAX, u64::MAX]),
            |request| request["inputs"][0]["shape"] = json!([1_u64 << 62, 4]),
            |request| request["inputs"][0]["shape"] = vec![2; 4096].into(),
        ],
    )
}

fn deep(target: &Target) -> Result<Verdict, String> {
    for opening in ["[", "{\"inputs\":[", "{\"id\":{\"a\":"] {
        refused(target, &opening.repeat(100_000))?;
    }
    Ok(Verdict::Passed)
}

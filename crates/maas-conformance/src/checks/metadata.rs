use super::{Check, holds};
use crate::{Target, Verdict};

const DATATYPES: [&str; 14] = [
    "BOOL", "UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64", "FP16",
    "BF16", "FP32", "FP64", "BYTES",
];

pub(super) const CHECKS: &[(&str, Check)] = &[
    (
        "the server says its name, version and extensions, with and without a slash at the end",
        server,
    ),
    ("the model says what it takes and gives", model),
    ("each version says what it takes and gives", versions),
    ("a model that is not there has no metadata", unknown),
];

fn server(target: &Target) -> Result<Verdict, String> {
    for path in ["/v2", "/v2/"] {
        let metadata = target.get(path)?.json(200)?;
        let is_whole = metadata["name"].is_string()
            && metadata["version"].is_string()
            && metadata["extensions"].is_array();
        holds(is_whole, || format!("{path}: {metadata}"))?;
    }
    Ok(Verdict::Passed)
}

fn model(target: &Target) -> Result<Verdict, String> {
    let metadata = target.get(&target.path(""))?.json(200)?;
    holds(
        metadata["name"] == target.model() && metadata["platform"].is_string(),
        || metadata.to_string(),
    )?;
    for key in ["inputs", "outputs"] {
        let tensors = metadata[key]
            .as_array()
            .ok_or_else(|| format!("no {key}: {metadata}"))?;
        holds(!tensors.is_empty(), || format!("no {key}"))?;
        for tensor in tensors {
            let known = tensor["datatype"]
                .as_str()
                .is_some_and(|name| DATATYPES.contains(&name));
            holds(
                known && tensor["name"].is_string() && tensor["shape"].is_array(),
                || tensor.to_string(),
            )?;
        }
    }
    Ok(Verdict::Passed)
}

fn versions(target: &Target) -> Result<Verdict, String> {
    let versions = target.signature()?.versions;
    for version in &versions {
        let metadata = target
            .get(&target.path(&format!("/versions/{version}")))?
            .json(200)?;
        holds(metadata["inputs"].is_array(), || {
            format!("version {version}: {metadata}")
        })?;
    }
    Ok(if versions.is_empty() {
        Verdict::Skipped
    } else {
        Verdict::Passed
    })
}

fn unknown(target: &Target) -> Result<Verdict, String> {
    target.get("/v2/models/no-such-model")?.refused(&[404])?;
    target
        .get(&target.path("/versions/no-such-version"))?
        .refused(&[404])?;
    Ok(Verdict::Passed)
}

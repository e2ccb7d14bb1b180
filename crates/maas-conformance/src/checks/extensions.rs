use super::infer::plain;
use super::{Check, holds};
use crate::{Target, Verdict};

pub(super) const CHECKS: &[(&str, Check)] = &[
    (
        "model_repository: the index knows the model, asked with and without a body",
        index,
    ),
    ("statistics: requests are counted", statistics),
    ("model_configuration: the model has one", configuration),
];

fn index(target: &Target) -> Result<Verdict, String> {
    if !target.advertises("model_repository")? {
        return Ok(Verdict::Skipped);
    }
    for body in ["", "{}", "{\"ready\":true}"] {
        let index = target
            .post("/v2/repository/index", body.as_bytes())?
            .json(200)?;
        let entries = index
            .as_array()
            .ok_or_else(|| format!("expected an array, found {index}"))?;
        let found = entries.iter().find(|entry| entry["name"] == target.model());
        let found = found.ok_or_else(|| format!("the model is not in {index}"))?;
        holds(found["state"] == "READY", || {
            format!("its state is {}", found["state"])
        })?;
    }
    Ok(Verdict::Passed)
}

fn statistics(target: &Target) -> Result<Verdict, String> {
    let Some(request) = plain(target)? else {
        return Ok(Verdict::Skipped);
    };
    if !target.advertises("statistics")? {
        return Ok(Verdict::Skipped);
    }
    let count = || -> Result<u64, String> {
        let statistics = target.get(&target.path("/stats"))?.json(200)?;
        let all = statistics["model_stats"]
            .as_array()
            .ok_or_else(|| statistics.to_string())?;
        Ok(all
            .iter()
            .filter_map(|version| version["inference_stats"]["success"]["count"].as_u64())
            .sum())
    };
    let before = count()?;
    target.answer(&request)?;
    let after = count()?;
    holds(after > before, || {
        format!("{before} requests succeeded before one more, {after} behind it")
    })?;
    holds(target.get("/v2/models/stats")?.status == 200, || {
        "there are none of all models".to_owned()
    })?;
    Ok(Verdict::Passed)
}

fn configuration(target: &Target) -> Result<Verdict, String> {
    if !target.advertises("model_configuration")? {
        return Ok(Verdict::Skipped);
    }
    let configuration = target.get(&target.path("/config"))?.json(200)?;
    holds(configuration["name"] == target.model(), || {
        configuration.to_string()
    })?;
    for key in ["input", "output"] {
        holds(configuration[key].is_array(), || {
            format!("no {key}: {configuration}")
        })?;
    }
    Ok(Verdict::Passed)
}

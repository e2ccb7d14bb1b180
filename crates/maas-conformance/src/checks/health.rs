use super::{Check, holds};
use crate::{Target, Verdict};

pub(super) const CHECKS: &[(&str, Check)] = &[
    ("a server that runs is live", live),
    ("a server with a model that takes requests is ready", ready),
    (
        "a model that takes requests is ready, by its version too",
        model_ready,
    ),
    ("a model that is not there is not ready", unknown_model),
];

fn live(target: &Target) -> Result<Verdict, String> {
    ok(target, "/v2/health/live")
}

fn ready(target: &Target) -> Result<Verdict, String> {
    ok(target, "/v2/health/ready")
}

fn model_ready(target: &Target) -> Result<Verdict, String> {
    for version in target.signature()?.versions {
        ok(target, &target.path(&format!("/versions/{version}/ready")))?;
    }
    ok(target, &target.path("/ready"))
}

fn unknown_model(target: &Target) -> Result<Verdict, String> {
    let status = target.get("/v2/models/no-such-model/ready")?.status;
    holds((400..500).contains(&status), || {
        format!("expected a status of 4xx, found {status}")
    })?;
    Ok(Verdict::Passed)
}

fn ok(target: &Target, path: &str) -> Result<Verdict, String> {
    let reply = target.get(path)?;
    holds(reply.status == 200, || {
        format!(
            "{path}: expected status 200, found {} with {}",
            reply.status,
            reply.text()
        )
    })?;
    Ok(Verdict::Passed)
}

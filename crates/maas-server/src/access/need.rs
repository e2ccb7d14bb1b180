//! What a request needs a key for.

use axum::http::Method;

use super::key::Scope;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Need {
    /// Probes have no keys; neither has a browser that asks for the page, which tells nothing by itself.
    Nothing,
    Scope(Scope),
}

const PROBES: [&str; 4] = [
    "/v2/health/live",
    "/v2/health/ready",
    "/inference.GRPCInferenceService/ServerLive",
    "/inference.GRPCInferenceService/ServerReady",
];
const PAGE: &str = "/";
const HEALTH: &str = "/grpc.health.v1.Health/";
const REPOSITORY: &str = "/v2/repository/";
const INDEX: &str = "/index";
const CALLS: &str = "/inference.GRPCInferenceService/RepositoryModel";

impl Need {
    pub(super) fn at(method: &Method, path: &str) -> Self {
        if PROBES.contains(&path) || path == PAGE || path.starts_with(HEALTH) {
            return Self::Nothing;
        }
        let changes =
            path.starts_with(REPOSITORY) && *method != Method::GET && !path.ends_with(INDEX);
        Self::Scope(if changes || path.starts_with(CALLS) {
            Scope::Admin
        } else {
            Scope::Infer
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_are_changed_by_admins_and_probes_need_no_key() {
        let (admin, infer) = (Need::Scope(Scope::Admin), Need::Scope(Scope::Infer));
        for (path, need) in [
            ("/v2/health/ready", Need::Nothing),
            ("/grpc.health.v1.Health/Watch", Need::Nothing),
            ("/inference.GRPCInferenceService/ServerLive", Need::Nothing),
            ("/", Need::Nothing),
            ("/status", infer),
            ("/metrics", infer),
            ("/v2/health/ready/", infer),
            ("/v2/models/a/ready", infer),
            ("/v2/repository/index", infer),
            ("/v2/repository/own/index", infer),
            ("/inference.GRPCInferenceService/RepositoryIndex", infer),
            ("/v2/repository/models/a/load", admin),
            ("/v2/repository/own/models/index/unload", admin),
            ("/inference.GRPCInferenceService/RepositoryModelLoad", admin),
            (
                "/inference.GRPCInferenceService/RepositoryModelUnload",
                admin,
            ),
        ] {
            assert_eq!(Need::at(&Method::POST, path), need, "{path}");
        }
    }
}

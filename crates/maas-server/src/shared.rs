use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use maas_service::{InferRequest, InferResponse, ServeError, Service};

use crate::Models;
use crate::guard::guarded;
use crate::hub::Hosted;
use crate::observe::{self, Traffic};

/// What all connections share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) name: String,
    pub(crate) models: Models,
    pub(crate) body_limit: usize,
    pub(crate) body_timeout: Duration,
    pub(crate) draining: AtomicBool,
    pub(crate) traffic: Traffic,
}

/// The extensions of the protocol that are there, by Triton's names.
pub(crate) const EXTENSIONS: [&str; 5] = [
    "binary_tensor_data",
    "model_configuration",
    "model_repository",
    "parameters",
    "statistics",
];

impl Shared {
    /// Whether the server shuts down.
    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }

    /// What a model answers, unless it panics or takes too long.
    pub(crate) async fn infer(
        &self,
        hosted: &Hosted,
        request: InferRequest,
    ) -> Result<InferResponse, ServeError> {
        let asked = request.version.clone();
        let deadline = request.deadline;
        let answer = pin!(hosted.versions.infer(request));
        let answered = guarded(deadline, answer).await;
        let response = answered.as_ref().ok();
        let by = response.and_then(|response| response.version.as_deref());
        observe::record(&hosted.name, by.or(asked.as_deref()));
        if let Err(error) = &answered {
            observe::warn_of(&hosted.name, error);
        }
        answered
    }
}

/// How often it is looked whether the server shuts down.
#[cfg(feature = "grpc")]
const PERIOD: Duration = Duration::from_millis(100);

/// What is asked over gRPC.
#[cfg(feature = "grpc")]
impl Shared {
    /// Whether the server and all its models take requests.
    pub(crate) fn is_ready(&self) -> bool {
        let is_ready = |hosted: &Hosted| hosted.versions.ready().is_ready();
        !self.is_draining() && self.models.all().iter().all(|hosted| is_ready(hosted))
    }

    /// Whether a model takes requests, if there is one of this name and version.
    pub(crate) fn is_model_ready(&self, model: &str, version: Option<&str>) -> Option<bool> {
        let status = self.models.find(model).ok()?.status(version).ok()?;
        Some(!self.is_draining() && status.readiness.is_ready())
    }

    /// Ends soon after the server has begun to shut down.
    pub(crate) async fn drain_begins(&self) {
        while !self.is_draining() {
            tokio::time::sleep(PERIOD).await;
        }
    }
}

use maas_service::{InferRequest, InferResponse, Readiness, ServeError, Service};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

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
    pub(crate) ending: watch::Sender<Ending>,
    pub(crate) traffic: Traffic,
}

/// How far a server's end is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    No,
    /// It says that it is not ready, and serves on.
    Draining,
    /// It answers what has begun.
    Closing,
}

/// Why a server takes no requests.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Unready {
    Draining,
    /// Its models are being loaded.
    Starting,
    /// One of its models takes none.
    Model(Arc<str>, Readiness),
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
        *self.ending.borrow() != Ending::No
    }

    /// What keeps the server from taking requests, if anything does.
    pub(crate) fn unready(&self) -> Option<Unready> {
        if self.is_draining() {
            return Some(Unready::Draining);
        }
        if !self.models.have_started() {
            return Some(Unready::Starting);
        }
        let mut models = self.models.all().into_iter();
        models.find_map(|hosted| match hosted.versions.ready() {
            Readiness::Ready => None,
            readiness => Some(Unready::Model(Arc::clone(&hosted.name), readiness)),
        })
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

/// What is asked over gRPC.
#[cfg(feature = "grpc")]
impl Shared {
    /// Whether the server and all its models take requests.
    pub(crate) fn is_ready(&self) -> bool {
        self.unready().is_none()
    }

    /// Whether a model takes requests, if there is one of this name and version.
    pub(crate) fn is_model_ready(&self, model: &str, version: Option<&str>) -> Option<bool> {
        let status = self.models.find(model).ok()?.status(version).ok()?;
        Some(!self.is_draining() && status.readiness.is_ready())
    }
}

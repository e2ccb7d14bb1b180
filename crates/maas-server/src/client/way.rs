use std::sync::Arc;
use std::time::Duration;

use maas_service::{Description, InferRequest, InferResponse, ServeError};

use super::rest::Rest;
use super::terms;
#[cfg(feature = "grpc")]
use crate::grpc::Grpc;

/// By which protocol a server is asked.
#[derive(Debug)]
pub(super) enum Way {
    Rest(Rest),
    #[cfg(feature = "grpc")]
    Grpc(Grpc),
}

impl Way {
    pub(super) async fn describe(
        &self,
        model: &str,
        version: Option<&str>,
    ) -> Result<Arc<Description>, ServeError> {
        match self {
            Self::Rest(rest) => rest.describe(model, version).await,
            #[cfg(feature = "grpc")]
            Self::Grpc(grpc) => grpc.describe(model, version).await,
        }
    }

    pub(super) async fn is_ready(
        &self,
        model: &str,
        version: Option<&str>,
    ) -> Result<bool, ServeError> {
        match self {
            Self::Rest(rest) => rest.is_model_ready(model, version).await,
            #[cfg(feature = "grpc")]
            Self::Grpc(grpc) => grpc.is_ready(model, version).await,
        }
    }

    pub(super) async fn infer(
        &self,
        mut request: InferRequest,
        version: Option<&str>,
        limit: Duration,
    ) -> Result<InferResponse, ServeError> {
        terms::write(&mut request);
        match self {
            Self::Rest(rest) => rest.infer(request, version, limit).await,
            #[cfg(feature = "grpc")]
            Self::Grpc(grpc) => grpc.infer(request, version, limit).await,
        }
    }
}

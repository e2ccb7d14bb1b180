//! The standard health checks of gRPC: for the server, and for each model by its name, or name and version with `/` between.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{self, Stream};
use tokio::time::sleep;
use tonic::{Request, Response, Status};
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_server::Health;
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};

use super::SERVICE;
use crate::shared::Shared;

#[derive(Clone, Debug)]
pub(super) struct Checks(pub(super) Arc<Shared>);

/// How often it is looked whether there is news for those who watch.
const PERIOD: Duration = Duration::from_millis(250);

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl Health for Checks {
    async fn check(&self, request: Request<HealthCheckRequest>) -> Answer<HealthCheckResponse> {
        let service = request.into_inner().service;
        match health(&self.0, &service) {
            ServingStatus::ServiceUnknown => {
                Err(Status::not_found(format!("no model is called `{service}`")))
            }
            status => Ok(Response::new(response(status))),
        }
    }

    type WatchStream = Pin<Box<dyn Stream<Item = Result<HealthCheckResponse, Status>> + Send>>;

    async fn watch(&self, request: Request<HealthCheckRequest>) -> Answer<Self::WatchStream> {
        let (shared, service) = (Arc::clone(&self.0), request.into_inner().service);
        let news = stream::unfold(
            (shared, service, None),
            |(shared, service, told)| async move {
                loop {
                    let status = health(&shared, &service);
                    if told != Some(status) {
                        return Some((Ok(response(status)), (shared, service, Some(status))));
                    }
                    // Who watches would keep the connection open and the server from its end.
                    if shared.is_draining() {
                        return None;
                    }
                    sleep(PERIOD).await;
                }
            },
        );
        Ok(Response::new(Box::pin(news)))
    }
}

fn health(shared: &Shared, service: &str) -> ServingStatus {
    let ready = if service.is_empty() || service == SERVICE {
        Some(shared.is_ready())
    } else {
        let of_version = || {
            let (model, version) = service.rsplit_once('/')?;
            shared.is_model_ready(model, Some(version))
        };
        shared.is_model_ready(service, None).or_else(of_version)
    };
    match ready {
        Some(true) => ServingStatus::Serving,
        Some(false) => ServingStatus::NotServing,
        None => ServingStatus::ServiceUnknown,
    }
}

fn response(status: ServingStatus) -> HealthCheckResponse {
    HealthCheckResponse {
        status: status.into(),
    }
}

//! The protocol over gRPC.

mod channel;
mod client;
mod contents;
mod health;
pub(crate) mod inside;
mod metadata;
mod mirrored;
mod parameters;
mod pieces;
mod request;
mod response;
mod service;
mod statistics;
mod status;
mod stream;
#[cfg(test)]
mod tests;
mod timeout;

use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract;
use axum::http::Request;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use hyper::body::Incoming;
use tonic::Status;
use tonic::codec::CompressionEncoding::{Deflate, Gzip};
use tonic::server::NamedService;
use tonic_health::pb::health_server::HealthServer;
use tonic_reflection::server::Builder;
use tower_service::Service;

use crate::rest::unknown_path;
use crate::shared::Shared;
pub(crate) use client::Grpc;
use mirrored::Mirrored;
use proto::grpc_inference_service_server::GrpcInferenceServiceServer;
use service::Inference;

/// What `proto/` says, as the test `generated` writes it.
mod proto {
    #![allow(
        dead_code,
        missing_docs,
        unreachable_pub,
        clippy::all,
        clippy::needless_pass_by_value,
        reason = "generated code"
    )]
    include!("generated/inference.rs");
}

const DESCRIPTORS: &[u8] = include_bytes!("generated/descriptors.bin");
const SERVICE: &str = GrpcInferenceServiceServer::<Inference>::NAME;

/// The protocol's calls.
#[derive(Clone, Debug)]
pub(crate) struct Calls(Mirrored<GrpcInferenceServiceServer<Inference>>);

impl Calls {
    pub(crate) fn new(shared: &Arc<Shared>) -> Self {
        let inference = GrpcInferenceServiceServer::new(Inference(Arc::clone(shared)))
            .accept_compressed(Gzip)
            .accept_compressed(Deflate)
            .send_compressed(Gzip)
            .send_compressed(Deflate)
            .max_decoding_message_size(shared.body_limit);
        Self(Mirrored(inference))
    }

    /// Whether a path is that of one of them.
    pub(crate) fn has(path: &str) -> bool {
        let service = path
            .strip_prefix('/')
            .and_then(|path| path.strip_prefix(SERVICE));
        service.is_some_and(|call| call.starts_with('/'))
    }

    pub(crate) fn answer(
        &self,
        request: Request<Incoming>,
    ) -> impl Future<Output = Response> + Send + use<> {
        let answer = self.0.clone().call(request);
        async move {
            let Ok(response) = answer.await;
            response.map(Body::new)
        }
    }
}

/// Adds the calls of the protocol, of health checks and of reflection to the paths of a router.
pub(crate) fn mount(router: Router, shared: &Arc<Shared>) -> Router {
    let health = HealthServer::new(health::Checks(Arc::clone(shared)));
    let reflection = || {
        Builder::configure()
            .register_encoded_file_descriptor_set(DESCRIPTORS)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
    };
    let valid = "the descriptors are those of checked code";
    let router = add(router, SERVICE, Calls::new(shared).0);
    let router = named(router, health);
    let router = named(router, reflection().build_v1().expect(valid));
    let router = named(router, reflection().build_v1alpha().expect(valid));
    router.fallback(unknown)
}

fn named<S>(router: Router, service: S) -> Router
where
    S: NamedService + Service<extract::Request, Error = Infallible> + Clone + Send + Sync + 'static,
    S::Response: IntoResponse,
    S::Future: Send + 'static,
{
    add(router, S::NAME, service)
}

fn add<S>(router: Router, name: &str, service: S) -> Router
where
    S: Service<extract::Request, Error = Infallible> + Clone + Send + Sync + 'static,
    S::Response: IntoResponse,
    S::Future: Send + 'static,
{
    router.route_service(&format!("/{name}/{{*call}}"), service)
}

/// Clients of gRPC do not read what other clients are told of a path that is not there.
async fn unknown(request: extract::Request) -> Response {
    let content = request.headers().get(CONTENT_TYPE);
    if content.is_some_and(|content| content.as_bytes().starts_with(b"application/grpc")) {
        let path = request.uri().path();
        return Status::unimplemented(format!("nothing is at {path}")).into_http::<Body>();
    }
    unknown_path(request).await.into_response()
}

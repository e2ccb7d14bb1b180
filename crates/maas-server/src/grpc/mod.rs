//! The protocol over gRPC.

mod channel;
mod client;
mod contents;
mod health;
pub(crate) mod inside;
mod lengths;
mod metadata;
mod mirrored;
mod oversized;
mod parameters;
mod pieces;
mod request;
mod response;
mod service;
mod statistics;
mod status;
mod stream;
mod strict;
#[cfg(test)]
mod tests;
mod timely;
mod timeout;

use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract;
use axum::http::Request;
use axum::response::{IntoResponse, Response};
use futures_util::future::Either;
use hyper::body::Incoming;
use tonic::Status;
use tonic::codec::CompressionEncoding::{Deflate, Gzip};
use tonic::server::NamedService;
use tonic_health::pb::health_server::HealthServer;
use tonic_reflection::server::Builder;
use tower_service::Service;

use crate::protocol::is_grpc;
use crate::rest::unknown_path;
use crate::shared::Shared;
pub(crate) use client::Grpc;
use mirrored::Mirrored;
use oversized::Oversized;
use proto::grpc_inference_service_server::GrpcInferenceServiceServer;
use service::Inference;
use strict::Strict;
use timely::Timely;

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

/// All calls that there are.
#[derive(Clone, Debug)]
pub(crate) struct Calls {
    inference: Served,
    others: Router,
}

/// The protocol's calls.
type Served = Strict<Timely<Oversized<Mirrored<GrpcInferenceServiceServer<Inference>>>>>;

impl Calls {
    pub(crate) fn new(shared: &Arc<Shared>) -> Self {
        Self {
            inference: served(shared),
            others: mount(Router::new(), shared),
        }
    }

    pub(crate) fn answer(
        &self,
        request: Request<Incoming>,
    ) -> impl Future<Output = Response> + Send + use<> {
        let service = request.uri().path().strip_prefix('/');
        let call = service.and_then(|path| path.strip_prefix(SERVICE));
        let answer = match call {
            Some(call) if call.starts_with('/') => {
                Either::Left(self.inference.clone().call(request))
            }
            _ => Either::Right(self.others.clone().call(request)),
        };
        async move {
            let Ok(response) = answer.await;
            response
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
    let router = add(router, SERVICE, served(shared));
    let health = Strict(Timely::new(health, shared.body_timeout));
    let router = add(router, HealthServer::<health::Checks>::NAME, health);
    let router = named(router, reflection().build_v1().expect(valid));
    let router = named(router, reflection().build_v1alpha().expect(valid));
    router.fallback(unknown)
}

fn served(shared: &Arc<Shared>) -> Served {
    let inference = GrpcInferenceServiceServer::new(Inference(Arc::clone(shared)))
        .accept_compressed(Gzip)
        .accept_compressed(Deflate)
        .send_compressed(Gzip)
        .send_compressed(Deflate)
        .max_decoding_message_size(shared.body_limit);
    Strict(Timely::new(
        Oversized(Mirrored(inference)),
        shared.body_timeout,
    ))
}

fn named<S>(router: Router, service: S) -> Router
where
    S: NamedService + Service<extract::Request, Error = Infallible> + Clone + Send + Sync + 'static,
    S::Response: IntoResponse + Send,
    S::Future: Send + 'static,
{
    add(router, S::NAME, Strict(service))
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
    if is_grpc(request.headers()) {
        let path = request.uri().path();
        return Status::unimplemented(format!("nothing is at {path}")).into_http::<Body>();
    }
    unknown_path(request).await.into_response()
}

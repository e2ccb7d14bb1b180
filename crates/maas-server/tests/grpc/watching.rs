//! Health and reflection, by the services that gRPC has for them.

use std::pin::pin;

use futures_util::stream::{self, StreamExt};
use maas_server::Server;
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::v1::ServerReflectionRequest;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;

use crate::calls::{channel, panicking};

#[tokio::test]
async fn health_checks() {
    let server = Server::new().model("sums", panicking()).bind("127.0.0.1:0");
    let server = server.spawn().await.unwrap();
    let mut health = HealthClient::new(channel(&server).await);
    let of = |service: &str| HealthCheckRequest {
        service: service.to_owned(),
    };
    for service in ["", "inference.GRPCInferenceService", "sums", "sums/1"] {
        let answer = health.check(of(service)).await.unwrap().into_inner();
        assert_eq!(answer.status(), ServingStatus::Serving, "{service}");
    }
    for service in ["none", "sums/2", "none/1"] {
        let error = health.check(of(service)).await.unwrap_err();
        assert_eq!(error.code(), Code::NotFound, "{service}");
    }
    let mut unknown = health.watch(of("none")).await.unwrap().into_inner();
    let answer = unknown.message().await.unwrap().unwrap();
    assert_eq!(answer.status(), ServingStatus::ServiceUnknown);
    let mut news = health.watch(of("sums")).await.unwrap().into_inner();
    let answer = news.message().await.unwrap().unwrap();
    assert_eq!(answer.status(), ServingStatus::Serving);
    server.shutdown().await.unwrap();
    let answer = news.message().await.unwrap().unwrap();
    assert_eq!(answer.status(), ServingStatus::NotServing);
}

#[tokio::test]
async fn reflection_lists_the_services() {
    let server = Server::new().bind("127.0.0.1:0").spawn().await.unwrap();
    let mut reflection = ServerReflectionClient::new(channel(&server).await);
    let ask = |request| ServerReflectionRequest {
        host: String::new(),
        message_request: Some(request),
    };
    let requests = [
        ask(MessageRequest::ListServices(String::new())),
        ask(MessageRequest::FileContainingSymbol(
            "inference.ModelInferRequest".to_owned(),
        )),
    ];
    let answers = reflection
        .server_reflection_info(stream::iter(requests))
        .await
        .unwrap();
    let mut answers = pin!(
        answers
            .into_inner()
            .map(|answer| answer.unwrap().message_response.unwrap())
    );
    let MessageResponse::ListServicesResponse(list) = answers.next().await.unwrap() else {
        panic!("no list of services");
    };
    let names: Vec<_> = list.service.iter().map(|service| &*service.name).collect();
    for name in ["inference.GRPCInferenceService", "grpc.health.v1.Health"] {
        assert!(names.contains(&name), "{names:?}");
    }
    let file = answers.next().await.unwrap();
    assert!(
        matches!(file, MessageResponse::FileDescriptorResponse(_)),
        "{file:?}"
    );
    server.shutdown().await.unwrap();
}

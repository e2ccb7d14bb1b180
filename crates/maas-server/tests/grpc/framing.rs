//! What is no call, or no message: the right status, and others are answered on the same connection.

use std::time::Duration;

use hyper::header::HeaderValue;
use maas_server::{RunningServer, Server};
use prost::Message;
use tonic::Code;

use crate::bare::{Bare, INFER, STREAM, endless, framed, request, whole};
use crate::calls::{panicking, raw};
use crate::common::Http;

const JSON: &str = r#"{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[1,2]}]}"#;
const LIMIT: usize = 10_000;

async fn serve(server: Server) -> (RunningServer, Bare) {
    let server = server.model("sums", panicking()).bind("127.0.0.1:0");
    let server = server.spawn().await.unwrap();
    let bare = Bare::to(&server).await;
    (server, bare)
}

fn message() -> Vec<u8> {
    raw(&[1.0, 2.0]).encode_to_vec()
}

async fn is_served(bare: &mut Bare) {
    let message = message();
    let good = whole(framed(0, message.len(), &message));
    let answer = bare.call(INFER, &[], good).await;
    assert_eq!(answer.code(), Code::Ok, "{answer:?}");
    assert!(answer.body.len() > 5);
}

#[tokio::test]
async fn who_does_not_speak_grpc_is_told_so_by_http() {
    let (server, mut bare) = serve(Server::new()).await;
    let health = "/grpc.health.v1.Health/Check";
    let reflection = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
    let table = [
        ("POST", INFER, Some("application/json"), 415),
        ("POST", INFER, Some("application/grpc-web"), 415),
        ("POST", INFER, Some("application/grpc-web-text"), 415),
        ("POST", INFER, Some("application/grpc+json"), 415),
        ("POST", INFER, None, 415),
        ("POST", health, Some("application/json"), 415),
        ("POST", reflection, Some("application/json"), 415),
        ("GET", INFER, Some("application/grpc"), 405),
        ("PUT", health, Some("application/grpc"), 405),
        ("GET", INFER, None, 405),
        (
            "POST",
            "/inference.Other/Call",
            Some("application/json"),
            404,
        ),
    ];
    for (method, path, content, expected) in table {
        let headers: Vec<_> = content
            .map(|content| ("content-type", content))
            .into_iter()
            .collect();
        let answer = bare.ask(request(method, path, &headers, whole(JSON))).await;
        assert_eq!(answer.http, expected, "{method} {path} {content:?}");
        let error: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        assert!(error["error"].is_string(), "{error}");
        let allowed = answer.headers.get("allow").map(HeaderValue::as_bytes);
        assert_eq!(allowed, (expected == 405).then_some(&b"POST"[..]));
        is_served(&mut bare).await;
    }
    server.shutdown().await.unwrap();
}

#[tokio::test]
async fn grpc_needs_http2() {
    let (server, mut bare) = serve(Server::new()).await;
    let address = server.addr();
    let asked = tokio::task::spawn_blocking(move || {
        let message = message();
        let body = framed(0, message.len(), &message);
        Http::at(address).post(INFER, "Content-Type: application/grpc\r\n", &body)
    });
    let reply = asked.await.unwrap();
    assert_eq!((reply.status, &*reply.error()), (505, "gRPC needs HTTP/2"));
    is_served(&mut bare).await;
    server.shutdown().await.unwrap();
}

#[tokio::test]
async fn calls_of_what_is_not_there_are_unimplemented() {
    let (server, mut bare) = serve(Server::new()).await;
    for path in [
        "/v2/models/sums/infer",
        "/v2",
        "/metrics",
        "/",
        "/inference.GRPCInferenceService",
        "/inference.GRPCInferenceService/",
        "/inference.GRPCInferenceService/Nothing",
        "/inference.grpcinferenceservice/ModelInfer",
        "/inference.GRPCInferenceServices/ModelInfer",
        "/grpc.health.v1.Health/Nothing",
        "/grpc.health.v2.Health/Check",
    ] {
        let answer = bare.call(path, &[], whole(JSON)).await;
        assert_eq!(
            (answer.http.as_u16(), answer.code()),
            (200, Code::Unimplemented),
            "{path}"
        );
        is_served(&mut bare).await;
    }
    server.shutdown().await.unwrap();
}

#[tokio::test]
async fn codings_that_are_not_there_are_refused_with_those_that_are() {
    let (server, mut bare) = serve(Server::new()).await;
    for path in [INFER, STREAM] {
        let message = message();
        let packed = whole(framed(1, message.len(), &message));
        let answer = bare
            .call(path, &[("grpc-encoding", "snappy")], packed)
            .await;
        let status = answer.status();
        assert_eq!(status.code(), Code::Unimplemented, "{path}");
        assert!(status.message().contains("snappy"), "{status:?}");
        let there = answer.headers.get("grpc-accept-encoding").unwrap();
        assert_eq!(there, "gzip,deflate,identity");
        is_served(&mut bare).await;
    }
    server.shutdown().await.unwrap();
}

#[tokio::test]
async fn messages_that_are_none() {
    let (server, mut bare) = serve(Server::new().body_limit(LIMIT)).await;
    let message = message();
    let length = message.len();
    let large = vec![0; LIMIT + 1];
    let gzip = [("grpc-encoding", "gzip")];
    let twice = framed(0, length, &message).repeat(2);
    let table = [
        ("nothing", &[][..], Vec::new(), Code::Internal),
        ("half a length", &[], vec![0, 0, 0], Code::Internal),
        (
            "less than is said",
            &[],
            framed(0, length + 1, &message),
            Code::Internal,
        ),
        (
            "more than is said",
            &[],
            framed(0, length - 1, &message),
            Code::Internal,
        ),
        (
            "the longest length",
            &[],
            framed(0, u32::MAX as usize, &message),
            Code::ResourceExhausted,
        ),
        (
            "longer than the limit",
            &[],
            framed(0, large.len(), &large),
            Code::ResourceExhausted,
        ),
        ("no flag", &[], framed(7, length, &message), Code::Internal),
        (
            "packed by nothing",
            &[],
            framed(1, length, &message),
            Code::Internal,
        ),
        (
            "not packed as it says",
            &gzip,
            framed(1, length, &message),
            Code::Internal,
        ),
        (
            "no protobuf",
            &[],
            framed(0, JSON.len(), JSON.as_bytes()),
            Code::Internal,
        ),
    ];
    for (what, headers, body, expected) in table {
        for path in [INFER, STREAM] {
            let answer = bare.call(path, headers, whole(body.clone())).await;
            let is_empty_stream = body.is_empty() && path == STREAM;
            let expected = if is_empty_stream { Code::Ok } else { expected };
            assert_eq!(answer.code(), expected, "{what} to {path}: {answer:?}");
            is_served(&mut bare).await;
        }
    }
    // A call has one message, and a stream as many as there are.
    let answer = bare.call(STREAM, &[], whole(twice)).await;
    assert_eq!(answer.code(), Code::Ok);
    server.shutdown().await.unwrap();
}

#[tokio::test]
async fn a_message_that_never_ends_is_given_up_and_a_stream_is_not() {
    let brief = Duration::from_millis(100);
    let (server, mut bare) = serve(Server::new().body_timeout(brief)).await;
    let message = message();
    let whole = framed(0, message.len(), &message);
    for body in [&[][..], &whole[..3], &whole[..5], &whole[..9]] {
        let answer = bare.call(INFER, &[], endless(body.to_vec())).await;
        let status = answer.status();
        assert_eq!(status.code(), Code::DeadlineExceeded, "{status:?}");
        assert_eq!(status.message(), "the message came too slowly");
        is_served(&mut bare).await;
    }
    let health = bare
        .call("/grpc.health.v1.Health/Check", &[], endless(vec![0]))
        .await;
    assert_eq!(health.code(), Code::DeadlineExceeded);
    for half in [1, 5, whole.len() - 1] {
        let body = [&whole[..], &whole[..half]].concat();
        let answer = bare.call(STREAM, &[], endless(body)).await;
        assert_eq!(answer.code(), Code::DeadlineExceeded, "{answer:?}");
        assert!(answer.body.len() > 5, "the first message is answered");
        is_served(&mut bare).await;
    }
    let opened = bare.call(STREAM, &[], endless(whole));
    let is_open = tokio::time::timeout(3 * brief, opened).await;
    assert!(is_open.is_err(), "{is_open:?}");
    is_served(&mut bare).await;
    server.shutdown().await.unwrap();
}

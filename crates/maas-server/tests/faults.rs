//! Clients that lie, dawdle, flood and vanish: the server answers, stays up, and others are served.
#![allow(clippy::unwrap_used)]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use common::{Gate, Http, echo, start, sums, wait_until};
use maas_core::DType;
use maas_server::{RunningServer, Server};
use maas_service::LocalModel;

const BODY: &str = r#"{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[1,2]}]}"#;

fn server() -> RunningServer {
    start(
        Server::new()
            .model("sums", LocalModel::new(sums(|_| {})))
            .body_timeout(Duration::from_millis(200)),
    )
}

fn request(headers: &str, body: &str) -> String {
    format!("POST /v2/models/sums/infer HTTP/1.1\r\nHost: h\r\n{headers}\r\n{body}")
}

/// The status of the answer to a text, whose body must be an error.
fn status(server: &RunningServer, text: &str) -> Option<u16> {
    let mut http = Http::to(server);
    let _ = http.try_send(text);
    let reply = http.reply()?;
    assert!(!reply.error().is_empty());
    assert_eq!(reply.header("content-type"), Some("application/json"));
    assert!(reply.header("date").is_some());
    Some(reply.status)
}

/// Sends each text on a connection of its own, and sees that others are served.
fn check(cases: &[(&str, String, u16)]) {
    let server = server();
    let mut other = Http::to(&server);
    for (what, text, expected) in cases {
        assert_eq!(status(&server, text), Some(*expected), "{what}");
        assert_eq!(other.infer("sums", BODY).status, 200, "after {what}");
    }
    server.shutdown_blocking().unwrap();
}

#[test]
fn lengths_that_lie() {
    let length = BODY.len();
    check(&[
        (
            "more is said than comes",
            request(&format!("Content-Length: {}\r\n", length + 5), BODY),
            408,
        ),
        (
            "less is said than comes",
            request(&format!("Content-Length: {}\r\n", length - 5), BODY),
            400,
        ),
        ("no number", request("Content-Length: many\r\n", BODY), 400),
        ("negative", request("Content-Length: -1\r\n", BODY), 400),
        (
            "beyond any number",
            request("Content-Length: 99999999999999999999\r\n", BODY),
            400,
        ),
        (
            "larger than the limit",
            request("Content-Length: 9999999999\r\n", ""),
            413,
        ),
    ]);
}

#[test]
fn requests_that_could_be_smuggled() {
    let length = BODY.len();
    check(&[
        (
            "two lengths",
            request(
                &format!("Content-Length: {length}\r\nContent-Length: 3\r\n"),
                BODY,
            ),
            400,
        ),
        (
            "two lengths in one",
            request(&format!("Content-Length: {length}, 3\r\n"), BODY),
            400,
        ),
        (
            "no coding at the end",
            request("Transfer-Encoding: chunked, gzip\r\n", "0\r\n\r\n"),
            400,
        ),
        (
            "a chunk size that is none",
            request("Transfer-Encoding: chunked\r\n", "zz\r\n"),
            400,
        ),
        (
            "a space before the colon",
            request("Content-Length : 3\r\n", BODY),
            400,
        ),
        ("a line without a colon", request("nonsense\r\n", BODY), 400),
        ("a control character", request("A: b\u{1}c\r\n", BODY), 400),
        ("no HTTP", "nonsense\r\n\r\n".to_owned(), 400),
        (
            "another version",
            "GET /v2 HTTP/3.7\r\nHost: h\r\n\r\n".to_owned(),
            400,
        ),
    ]);
}

#[test]
fn a_length_beside_chunks_does_not_hide_a_second_request() {
    let server = server();
    let mut http = Http::to(&server);
    let chunked = format!("{:x}\r\n{BODY}\r\n0\r\n\r\n", BODY.len());
    let hidden = "GET /v2/nothing HTTP/1.1\r\nHost: h\r\n\r\n";
    let length = chunked.len() + hidden.len();
    http.send(&request(
        &format!("Content-Length: {length}\r\nTransfer-Encoding: chunked\r\n"),
        &chunked,
    ));
    let first = http.reply().unwrap();
    assert!([200, 400].contains(&first.status), "{first:?}");
    server.shutdown_blocking().unwrap();
}

#[test]
fn floods_of_headers() {
    let many: String = (0..200)
        .map(|number| format!("X-{number}: y\r\n"))
        .collect();
    let long = format!("X-Long: {}\r\n", "y".repeat(1 << 20));
    check(&[
        ("many headers", request(&many, ""), 431),
        ("a long header", request(&long, ""), 431),
        (
            "a long address",
            format!("GET /{} HTTP/1.1\r\nHost: h\r\n\r\n", "y".repeat(70_000)),
            414,
        ),
    ]);
}

#[test]
fn what_is_wrong_with_a_head_is_said_and_counted() {
    let server = server();
    let mut http = Http::to(&server);
    assert_eq!(http.infer("sums", BODY).status, 200);
    // Behind a good request on the same connection.
    http.send("GET /v2 HTTP/1.1\r\nHost\r\n\r\n");
    let reply = http.reply().unwrap();
    assert_eq!(
        (reply.status, reply.error().as_str()),
        (400, "the head of the request is no HTTP/1.1")
    );
    assert_eq!(reply.header("connection"), Some("close"));
    assert!(http.reply().is_none());
    let counted = r#"maas_http_responses_total{status="400"} 1"#;
    wait_until(|| Http::to(&server).get("/metrics").body.contains(counted));
    server.shutdown_blocking().unwrap();
}

#[test]
fn an_answer_that_looks_like_a_refusal_stays_as_it_is() {
    let server = start(Server::new().model("echo", echo(DType::Bytes)));
    let refusal =
        "HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\ndate: today\r\n\r\n";
    let content = |text: &str| {
        let length = u32::try_from(text.len()).unwrap();
        [&length.to_le_bytes(), text.as_bytes()].concat()
    };
    let binary = [content(&"x".repeat(1 << 20)), content(refusal)].concat();
    let json = format!(
        r#"{{"inputs":[{{"name":"in","shape":[1,2],"datatype":"BYTES","parameters":{{"binary_data_size":{}}}}}],"parameters":{{"binary_data_output":true}}}}"#,
        binary.len()
    );
    let mut http = Http::to(&server);
    for _ in 0..3 {
        let reply = http.infer_binary("echo", &json, &binary);
        assert!(reply.split().1 == binary);
    }
    server.shutdown_blocking().unwrap();
}

#[test]
fn wrong_content_types_change_nothing() {
    let length = BODY.len();
    for content_type in ["text/plain", "application/octet-stream", "image/png", "?"] {
        let headers = format!("Content-Length: {length}\r\nContent-Type: {content_type}\r\n");
        let server = server();
        let mut http = Http::to(&server);
        http.send(&request(&headers, BODY));
        assert_eq!(http.reply().unwrap().status, 200, "{content_type}");
        http.send(&request(&headers, &BODY.replace('{', "?")));
        let reply = http.reply().unwrap();
        assert_eq!(reply.status, 400, "{content_type}");
        assert!(!reply.error().is_empty());
        server.shutdown_blocking().unwrap();
    }
}

#[test]
fn pipelined_requests_are_answered_in_their_order() {
    let server = server();
    let mut http = Http::to(&server);
    let infer = request(&format!("Content-Length: {}\r\n", BODY.len()), BODY);
    let other = "GET /v2/nothing HTTP/1.1\r\nHost: h\r\n\r\n";
    http.send(&format!("{infer}{other}{infer}"));
    for expected in [200, 404, 200] {
        assert_eq!(http.reply().unwrap().status, expected);
    }
    server.shutdown_blocking().unwrap();
}

#[test]
fn a_client_that_leaves_while_it_waits_is_never_run() {
    let (gate, runs) = (Gate::default(), Arc::new(AtomicUsize::new(0)));
    let (held, counted) = (gate.clone(), Arc::clone(&runs));
    let service = Arc::new(LocalModel::new(sums(move |_| {
        held.pass();
        counted.fetch_add(1, Ordering::SeqCst);
    })));
    let server = start(Server::new().model("sums", Arc::clone(&service)));
    let infer = request(&format!("Content-Length: {}\r\n", BODY.len()), BODY);
    let mut first = Http::to(&server);
    first.send(&infer);
    wait_until(|| service.in_flight() == 1);
    thread::sleep(Duration::from_millis(50));
    let mut leaving: Vec<_> = (0..8).map(|_| Http::to(&server)).collect();
    leaving.iter_mut().for_each(|http| http.send(&infer));
    wait_until(|| service.in_flight() == 9);
    drop(leaving);
    wait_until(|| service.in_flight() == 1);
    gate.open();
    assert_eq!(first.reply().unwrap().status, 200);
    assert_eq!(Http::to(&server).infer("sums", BODY).status, 200);
    assert_eq!(runs.load(Ordering::SeqCst), 2);
    server.shutdown_blocking().unwrap();
}

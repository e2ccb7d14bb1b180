//! Clients that vanish without a word: their connections end, and the places are given to others.
#![allow(clippy::unwrap_used)]

mod common;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use common::{Http, start, sums};
use maas_server::{RunningServer, Server};
use maas_service::LocalModel;

const BODY: &str = r#"{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[1,2]}]}"#;
const BRIEF: Duration = Duration::from_millis(100);

/// There is one place for a connection.
fn server() -> RunningServer {
    start(
        Server::new()
            .model("sums", LocalModel::new(sums(|_| {})))
            .connections(1)
            .head_timeout(BRIEF)
            .idle_timeout(BRIEF)
            .body_timeout(BRIEF),
    )
}

/// Sends these bytes and nothing more, and keeps the connection open until another client was served.
fn vanishes_after(bytes: &[u8]) {
    let server = server();
    let mut vanished = TcpStream::connect(server.addr()).unwrap();
    vanished.write_all(bytes).unwrap();
    assert_eq!(Http::to(&server).get("/v2").status, 200);
    drop(vanished);
    server.shutdown_blocking().unwrap();
}

#[test]
fn before_its_first_byte() {
    vanishes_after(b"");
}

#[test]
fn within_a_head() {
    vanishes_after(b"POST /v2/models/sums/infer HTTP/1.1\r\nHost: h\r\nContent-");
}

#[test]
fn within_a_body() {
    vanishes_after(
        b"POST /v2/models/sums/infer HTTP/1.1\r\nHost: h\r\nContent-Length: 70\r\n\r\n{\"in",
    );
}

#[test]
fn within_a_chunk() {
    vanishes_after(
        b"POST /v2/models/sums/infer HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n46\r\n{\"in",
    );
}

#[test]
fn before_it_takes_its_answer() {
    let length = BODY.len();
    let head = "POST /v2/models/sums/infer HTTP/1.1\r\nHost: h";
    vanishes_after(format!("{head}\r\nContent-Length: {length}\r\n\r\n{BODY}").as_bytes());
}

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

#[test]
fn after_the_preface_of_http2() {
    vanishes_after(PREFACE);
}

#[test]
fn within_the_preface_of_http2() {
    vanishes_after(&PREFACE[..7]);
}

#[test]
fn a_client_of_http2_that_does_not_go_when_asked_is_left() {
    let server = server();
    let mut http = TcpStream::connect(server.addr()).unwrap();
    http.set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    http.write_all(PREFACE).unwrap();
    let mut frames = Vec::new();
    // It neither closes nor acknowledges anything.
    let _ = http.read_to_end(&mut frames);
    const GO_AWAY: u8 = 7;
    let mut kinds = Vec::new();
    let mut rest = &frames[..];
    while let [a, b, c, kind, _, _, _, _, _, behind @ ..] = rest {
        kinds.push(*kind);
        rest = &behind[usize::from(*a) << 16 | usize::from(*b) << 8 | usize::from(*c)..];
    }
    assert!(kinds.contains(&GO_AWAY), "{kinds:?}");
    server.shutdown_blocking().unwrap();
}

/// Where a client's machine is gone, nobody else tells.
#[cfg(target_os = "linux")]
#[test]
fn the_system_asks_silent_clients_whether_they_are_there() {
    let server = start(Server::new());
    let mut http = Http::to(&server);
    assert_eq!(http.get("/v2").status, 200);
    let port = format!(":{:04X}", server.addr().port());
    // Columns of the kernel's table: local and remote address, state, queues, timer: 02 is that of keep-alive.
    common::wait_until(|| {
        let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
        let mut connections = table.lines().map(|line| line.split_whitespace().collect());
        connections.any(|columns: Vec<&str>| {
            columns[1].ends_with(&port) && columns[3] == "01" && columns[5].starts_with("02:")
        })
    });
    server.shutdown_blocking().unwrap();
}

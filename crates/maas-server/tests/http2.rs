//! Clients of HTTP/2 that fall silent, flood, and take back what they asked: what harms is ended, and the rest goes on.
#![allow(clippy::unwrap_used)]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use common::frames::{
    ACK, CONTINUATION, DATA, END_HEADERS, END_STREAM, ENHANCE_YOUR_CALM, Frames, GO_AWAY, HEADERS,
    PING, REFUSED_STREAM, RST_STREAM, field, frame, head,
};
use common::http2::Http2;
use common::{Gate, Http, start, sums, wait_until};
use hyper::header::HeaderValue;
use hyper::{Method, Request, StatusCode};
use maas_server::{RunningServer, Server};
use maas_service::LocalModel;

const BODY: &str = r#"{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[1,2]}]}"#;
const INFER: &str = "/v2/models/sums/infer";
const BRIEF: Duration = Duration::from_millis(50);
const LONG: Duration = Duration::from_secs(60);
/// Requests that one connection may have under way.
const STREAMS: u32 = 256;

/// A model that waits for the gate, and how often it ran.
struct Held {
    gate: Gate,
    runs: Arc<AtomicUsize>,
    service: Arc<LocalModel>,
}

impl Held {
    fn new() -> Self {
        let (gate, runs) = (Gate::default(), Arc::new(AtomicUsize::new(0)));
        let (held, counted) = (gate.clone(), Arc::clone(&runs));
        let model = sums(move |_| {
            held.pass();
            counted.fetch_add(1, Ordering::SeqCst);
        });
        let service = Arc::new(LocalModel::new(model));
        Self {
            gate,
            runs,
            service,
        }
    }

    fn on(&self, server: Server) -> RunningServer {
        start(server.model("sums", Arc::clone(&self.service)))
    }

    /// Waits until the worker has what it is to run, and so many requests are there altogether.
    fn holds(&self, requests: usize) {
        wait_until(|| self.service.in_flight() == requests);
        wait_until(|| {
            self.service
                .queue_stats()
                .is_some_and(|stats| stats.queued == requests - 1)
        });
    }
}

/// The streams that were answered with 200 until that of the last of `streams` has ended.
fn answered(http: &mut Frames, streams: usize) -> Vec<u32> {
    let (mut ok, mut ended) = (Vec::new(), 0);
    while ended < streams {
        let frame = http.next().unwrap();
        if frame.is_ok() {
            ok.push(frame.stream);
        }
        ended += usize::from(matches!(frame.kind, HEADERS | DATA) && frame.flags & END_STREAM != 0);
    }
    ok.sort_unstable();
    ok
}

#[test]
fn a_client_that_answers_no_ping_is_left_and_its_request_given_up() {
    let held = Held::new();
    let server = held.on(Server::new()
        .connections(1)
        .ping_interval(BRIEF)
        .ping_timeout(BRIEF));
    let mut silent = Frames::at(server.addr());
    silent.post(1, INFER, BODY);
    held.holds(1);
    // There is one place for a connection.
    assert_eq!(Http::to(&server).get("/v2").status, 200);
    wait_until(|| held.service.in_flight() == 0);
    let ping = silent.next_of(PING).unwrap();
    assert_eq!(ping.flags & ACK, 0);
    assert!(silent.next_of(GO_AWAY).is_some());
    assert_eq!(silent.next(), None);
    held.gate.open();
    server.shutdown_blocking().unwrap();
}

#[test]
fn a_client_that_answers_pings_stays() {
    let held = Held::new();
    let server = held.on(Server::new().ping_interval(BRIEF).ping_timeout(LONG));
    let mut slow = Frames::at(server.addr());
    slow.post(1, INFER, BODY);
    // Who owes an answer is not asked again.
    for _ in 0..3 {
        let ping = slow.next_of(PING).unwrap();
        slow.send(PING, ACK, 0, &ping.payload);
    }
    held.gate.open();
    assert_eq!(answered(&mut slow, 1), [1]);
    drop(slow);
    server.shutdown_blocking().unwrap();
}

#[test]
fn a_client_that_answers_nothing_holds_no_shutdown_up() {
    let server = start(Server::new().ping_timeout(BRIEF));
    let mut silent = Frames::at(server.addr());
    assert!(silent.next().is_some());
    // The end is said twice, and before the second time it is asked for an answer.
    server.shutdown_blocking().unwrap();
    assert!(silent.next_of(GO_AWAY).is_some());
}

#[test]
fn a_head_that_is_too_large_ends_its_stream_alone() {
    let held = Held::new();
    let server = held.on(Server::new());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let mut http = Http2::to(server.addr()).await;
        let mut sender = http.sender.clone();
        let other =
            tokio::spawn(async move { Http2::send(&mut sender, Method::POST, INFER, BODY).await });
        wait_until(|| held.service.in_flight() == 1);
        let mut large = Request::get("http://h/v2").body("".into()).unwrap();
        let value = HeaderValue::from_str(&"y".repeat(70_000)).unwrap();
        large.headers_mut().insert("x-large", value);
        let refused = http.sender.send_request(large).await.unwrap();
        assert_eq!(
            refused.status(),
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE
        );
        let address = format!("/{}", "y".repeat(65_500));
        let refused = http.get(&address).await.unwrap();
        assert_eq!(refused.0, StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
        held.gate.open();
        assert_eq!(other.await.unwrap().unwrap().0, 200);
        assert_eq!(http.get("/v2").await.unwrap().0, 200);
    });
    server.shutdown_blocking().unwrap();
}

#[test]
fn a_head_that_does_not_end_ends_its_connection_alone() {
    let held = Held::new();
    held.gate.open();
    let server = held.on(Server::new());
    let mut other = Http::to(&server);
    let mut endless = Frames::at(server.addr());
    endless.send(HEADERS, 0, 1, &head("GET", "/v2"));
    let more = frame(CONTINUATION, 0, 1, &field("x-more", &"y".repeat(1000)));
    while endless.try_send(&more).is_ok() {
        assert_eq!(other.infer("sums", BODY).status, 200);
    }
    server.shutdown_blocking().unwrap();
}

#[test]
fn streams_beyond_the_limit_are_refused_and_the_others_answered() {
    let held = Held::new();
    let server = held.on(Server::new());
    let mut http = Frames::at(server.addr());
    let streams: Vec<u32> = (0..STREAMS + 3).map(|stream| 2 * stream + 1).collect();
    let (within, beyond) = streams.split_at(STREAMS as usize);
    http.post(within[0], INFER, BODY);
    held.holds(1);
    for &stream in &within[1..] {
        http.post(stream, INFER, BODY);
    }
    held.holds(within.len());
    for &stream in beyond {
        let head = head("GET", "/v2");
        http.send(HEADERS, END_HEADERS | END_STREAM, stream, &head);
        let refused = http.next_of(RST_STREAM).unwrap();
        assert_eq!((refused.stream, refused.reason()), (stream, REFUSED_STREAM));
    }
    held.gate.open();
    assert_eq!(answered(&mut http, within.len()), within);
    http.post(streams.len() as u32 * 2 + 1, INFER, BODY);
    assert_eq!(answered(&mut http, 1).len(), 1);
    drop(http);
    server.shutdown_blocking().unwrap();
}

#[test]
fn a_stream_that_is_reset_gives_its_request_up() {
    let held = Held::new();
    let server = held.on(Server::new());
    let mut http = Frames::at(server.addr());
    http.post(1, INFER, BODY);
    held.holds(1);
    for stream in [3, 5, 7] {
        http.post(stream, INFER, BODY);
    }
    // One of which half has come.
    http.send(HEADERS, END_HEADERS, 9, &head("POST", INFER));
    http.send(DATA, 0, 9, &BODY.as_bytes()[..20]);
    held.holds(4);
    for stream in [3, 5, 7, 9] {
        http.reset(stream);
    }
    held.holds(1);
    held.gate.open();
    assert_eq!(answered(&mut http, 1), [1]);
    http.post(11, INFER, BODY);
    assert_eq!(answered(&mut http, 1), [11]);
    assert_eq!(held.runs.load(Ordering::SeqCst), 2);
    drop(http);
    server.shutdown_blocking().unwrap();
}

#[test]
fn a_flood_of_resets_ends_its_connection_alone() {
    let held = Held::new();
    held.gate.open();
    let server = held.on(Server::new());
    let mut other = Http::to(&server);
    let mut flooding = Frames::at(server.addr());
    let both = |stream: u32| {
        let head = frame(HEADERS, END_HEADERS, stream, &head("POST", INFER));
        [head, frame(RST_STREAM, 0, stream, &[0, 0, 0, 8])].concat()
    };
    let flood: Vec<u8> = (0..2000).flat_map(|stream| both(2 * stream + 1)).collect();
    let sending = thread::spawn(move || {
        let _ = flooding.try_send(&flood);
        flooding.next_of(GO_AWAY).map(|end| end.reason())
    });
    for _ in 0..100 {
        assert_eq!(other.infer("sums", BODY).status, 200);
    }
    assert_eq!(sending.join().unwrap(), Some(ENHANCE_YOUR_CALM));
    server.shutdown_blocking().unwrap();
}

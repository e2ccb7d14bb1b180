//! How a server ends while clients ask it.
#![allow(clippy::unwrap_used)]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use common::child::{Child, is_child, listening};
use common::http2::Http2;
use common::{Gate, Http, start, sums, wait_until};
use hyper::Method;
use maas_server::{Error, Server};
use maas_service::{LocalModel, Replicas};

const BODY: &str = r#"{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[1,2]}]}"#;

#[test]
fn it_is_not_ready_at_once_and_serves_on_for_the_delay() {
    let server = start(
        Server::new()
            .model("sums", LocalModel::new(sums(|_| {})))
            .drain_delay(Duration::from_millis(300)),
    );
    let address = server.addr();
    let mut kept = Http::to(&server);
    assert_eq!(kept.get("/v2/health/ready").status, 200);
    let began = Instant::now();
    let shutdown = thread::spawn(|| server.shutdown_blocking());
    wait_until(|| Http::at(address).get("/v2/health/ready").status == 503);
    assert_eq!(Http::at(address).get("/v2/health/live").status, 200);
    let reply = Http::at(address).infer("sums", BODY);
    assert_eq!(
        (reply.status, reply.header("connection")),
        (200, Some("close"))
    );
    let last = kept.infer("sums", BODY);
    assert_eq!(
        (last.status, last.header("connection")),
        (200, Some("close"))
    );
    assert!(kept.reply().is_none());
    shutdown.join().unwrap().unwrap();
    assert!(began.elapsed() >= Duration::from_millis(300));
    assert!(Http::try_at(address).is_err());
}

#[test]
fn no_request_is_lost_under_load() {
    let server = start(
        Server::new()
            .model(
                "sums",
                Replicas::of(sums(|_| thread::sleep(Duration::from_millis(2))), 2),
            )
            .drain_delay(Duration::from_millis(200)),
    );
    let (address, left) = (server.addr(), AtomicBool::new(false));
    let answered = AtomicUsize::new(0);
    thread::scope(|scope| {
        let callers: Vec<_> = (0..6)
            .map(|_| {
                scope.spawn(|| {
                    // As behind a balancer: requests come until it hears that the server is not ready.
                    while !left.load(Ordering::SeqCst) {
                        let mut http = Http::at(address);
                        loop {
                            let reply = http.infer("sums", BODY);
                            assert_eq!(reply.status, 200, "{reply:?}");
                            answered.fetch_add(1, Ordering::SeqCst);
                            if reply.header("connection") == Some("close") {
                                break;
                            }
                        }
                    }
                })
            })
            .collect();
        wait_until(|| answered.load(Ordering::SeqCst) > 50);
        let shutdown = scope.spawn(|| server.shutdown_blocking());
        wait_until(|| Http::at(address).get("/v2/health/ready").status == 503);
        thread::sleep(Duration::from_millis(50));
        left.store(true, Ordering::SeqCst);
        for caller in callers {
            caller.join().unwrap();
        }
        shutdown.join().unwrap().unwrap();
    });
}

#[test]
fn what_waits_in_the_sockets_is_answered() {
    let server = start(
        Server::new()
            .model("sums", LocalModel::new(sums(|_| {})))
            .connections(64),
    );
    let mut sent: Vec<_> = (0..32).map(|_| Http::to(&server)).collect();
    for http in &mut sent {
        http.send(&format!(
            "POST /v2/models/sums/infer HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\n\r\n{BODY}",
            BODY.len()
        ));
    }
    server.shutdown_blocking().unwrap();
    for http in &mut sent {
        assert_eq!(http.reply().unwrap().status, 200);
    }
}

#[test]
fn requests_of_http2_are_answered_too() {
    let gate = Gate::default();
    let held = gate.clone();
    let service = Arc::new(LocalModel::new(sums(move |_| held.pass())));
    let server = start(Server::new().model("sums", Arc::clone(&service)));
    let address = server.addr();
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let mut http = Http2::to(address).await;
        let asked =
            tokio::spawn(
                async move { http.ask(Method::POST, "/v2/models/sums/infer", BODY).await },
            );
        wait_until(|| service.in_flight() == 1);
        let shutdown = tokio::spawn(server.shutdown());
        wait_until(|| std::net::TcpStream::connect(address).is_err());
        gate.open();
        assert_eq!(asked.await.unwrap().unwrap().0, 200);
        shutdown.await.unwrap().unwrap();
    });
}

#[cfg(unix)]
#[test]
fn a_signal_drains_and_the_process_ends_well() {
    if is_child() {
        let server = start(Server::new().drain_delay(Duration::from_millis(200)));
        listening(&server);
        return server.until_signal_blocking().unwrap();
    }
    let mut child = Child::start("a_signal_drains_and_the_process_ends_well", "");
    let mut idle = Http::at(child.address);
    assert_eq!(idle.get("/v2/health/ready").status, 200);
    child.signal("TERM");
    wait_until(|| Http::at(child.address).get("/v2/health/ready").status == 503);
    assert_eq!(Http::at(child.address).get("/v2").status, 200);
    assert!(child.ends().success());
    assert!(idle.reply().is_none());
}

#[cfg(unix)]
#[test]
fn a_second_signal_ends_at_once() {
    if is_child() {
        let server = start(
            Server::new()
                .model(
                    "sums",
                    LocalModel::new(sums(|_| thread::sleep(Duration::from_secs(60)))),
                )
                .drain_delay(Duration::from_secs(60)),
        );
        listening(&server);
        assert!(matches!(
            server.until_signal_blocking(),
            Err(Error::CutOff { connections: 1 })
        ));
        std::process::exit(7);
    }
    let mut child = Child::start("a_second_signal_ends_at_once", "");
    let mut busy = Http::at(child.address);
    busy.send(&format!(
        "POST /v2/models/sums/infer HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\n\r\n{BODY}",
        BODY.len()
    ));
    thread::sleep(Duration::from_millis(50));
    child.signal("INT");
    wait_until(|| Http::at(child.address).get("/v2/health/ready").status == 503);
    child.signal("INT");
    assert_eq!(child.ends().code(), Some(7));
    assert!(busy.reply().is_none());
}

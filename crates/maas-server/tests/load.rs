//! Kills, full queues and shutdowns while requests come in.
#![allow(clippy::unwrap_used)]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use common::{Gate, Http, start, sums, wait_until};
use maas_core::Tensor;
use maas_server::{Client, Error, Server};
use maas_service::{InferRequest, LocalModel, Replicas, ServeError, Service};

fn request(x: f32) -> InferRequest {
    InferRequest::new("sums")
        .input("x", Tensor::from_slice([1, 2], &[x, 0.5]).unwrap())
        .id(x.to_string())
}

#[test]
fn no_request_is_lost_when_replicas_die() {
    let pool = Arc::new(Replicas::of(
        sums(|_| thread::sleep(Duration::from_micros(50))),
        3,
    ));
    let server = start(Server::new().model("sums", Arc::clone(&pool)));
    let (client, done) = (Client::new(server.url()).unwrap(), AtomicBool::new(false));
    let (callers, each) = (4, 150);
    thread::scope(|scope| {
        let asking: Vec<_> = (0..callers)
            .map(|caller| {
                let client = &client;
                scope.spawn(move || {
                    for number in 0..each {
                        let x = (caller * each + number) as f32;
                        let response = client.ask(&request(x)).unwrap();
                        assert_eq!(
                            response.output("y").unwrap().as_slice::<f32>().unwrap(),
                            [x + 0.5]
                        );
                        assert_eq!(response.id, Some(x.to_string()));
                        assert!(response.replica.unwrap().parse::<usize>().unwrap() < 3);
                    }
                })
            })
            .collect();
        let killer = scope.spawn(|| {
            for index in (0..2).cycle().take_while(|_| !done.load(Ordering::SeqCst)) {
                pool.kill(index).unwrap();
                thread::sleep(Duration::from_millis(2));
                pool.restart(index).unwrap();
                thread::sleep(Duration::from_millis(1));
            }
        });
        let results: Vec<_> = asking
            .into_iter()
            .map(thread::ScopedJoinHandle::join)
            .collect();
        done.store(true, Ordering::SeqCst);
        killer.join().unwrap();
        assert!(results.iter().all(Result::is_ok));
    });
    let served: u64 = (0..3).filter_map(|index| pool.served(index)).sum();
    assert_eq!(served, callers as u64 * each as u64);
    server.shutdown_blocking().unwrap();
}

#[test]
fn a_pool_without_replicas_is_not_ready() {
    let pool = Arc::new(Replicas::of(sums(|_| {}), 1));
    let server = start(Server::new().model("sums", Arc::clone(&pool)));
    let client = Client::new(server.url()).unwrap();
    assert!(client.is_live().unwrap() && client.is_ready().unwrap());
    pool.kill(0).unwrap();
    assert!(client.is_live().unwrap() && !client.is_ready().unwrap());
    let mut http = Http::to(&server);
    let ready = http.get("/v2/models/sums/ready");
    assert_eq!(
        (ready.status, ready.error().as_str()),
        (503, "model `sums` is down")
    );
    let body = r#"{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[1,2]}]}"#;
    let reply = http.infer("sums", body);
    assert_eq!(
        (reply.status, reply.header("retry-after")),
        (503, Some("1"))
    );
    assert!(matches!(
        client.ask(&request(1.0)),
        Err(ServeError::Refused { status: 503, .. })
    ));
    pool.restart(0).unwrap();
    assert!(client.ask(&request(1.0)).is_ok());
}

#[test]
fn a_full_queue_is_told_with_a_hint_and_a_client_that_leaves_makes_room() {
    let gate = Gate::default();
    let held = gate.clone();
    let service = Arc::new(LocalModel::new(sums(move |_| held.pass())).queue(1));
    let server = start(Server::new().model("sums", Arc::clone(&service)));
    let body = r#"{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[1,2]}]}"#;
    let length = body.len();
    let send = |http: &mut Http| {
        http.send(&format!("POST /v2/models/sums/infer HTTP/1.1\r\nHost: h\r\nContent-Length: {length}\r\n\r\n{body}"));
    };
    let (mut running, mut waiting) = (Http::to(&server), Http::to(&server));
    send(&mut running);
    wait_until(|| service.in_flight() == 1);
    thread::sleep(Duration::from_millis(50));
    send(&mut waiting);
    wait_until(|| service.in_flight() == 2);
    let refused = Http::to(&server).infer("sums", body);
    assert_eq!(
        (refused.status, refused.header("retry-after")),
        (503, Some("1"))
    );
    assert_eq!(
        refused.error(),
        "the request cannot wait: the queue is full: 1 rows of 1 are there"
    );
    drop(waiting);
    thread::sleep(Duration::from_millis(50));
    let mut last = Http::to(&server);
    send(&mut last);
    thread::sleep(Duration::from_millis(50));
    gate.open();
    assert_eq!(running.reply().unwrap().status, 200);
    assert_eq!(last.reply().unwrap().status, 200);
    wait_until(|| service.load().in_flight == 0);
    server.shutdown_blocking().unwrap();
}

#[test]
fn a_shutdown_answers_what_has_begun_and_closes_idle_connections() {
    let gate = Gate::default();
    let held = gate.clone();
    let service = Arc::new(LocalModel::new(sums(move |_| held.pass())));
    let server = start(Server::new().model("sums", Arc::clone(&service)));
    let address = server.addr();
    let client = Client::new(server.url()).unwrap();
    let mut idle = Http::to(&server);
    assert_eq!(idle.get("/v2/health/live").status, 200);
    thread::scope(|scope| {
        let asking: Vec<_> = (0..4u8)
            .map(|x| {
                scope.spawn({
                    let client = &client;
                    move || client.ask(&request(f32::from(x)))
                })
            })
            .collect();
        wait_until(|| service.in_flight() == 4);
        let shutdown = scope.spawn(|| server.shutdown_blocking());
        wait_until(|| std::net::TcpStream::connect(address).is_err());
        assert!(idle.reply().is_none());
        gate.open();
        for caller in asking {
            assert!(caller.join().unwrap().is_ok());
        }
        shutdown.join().unwrap().unwrap();
    });
    assert!(matches!(
        client.ask(&request(1.0)),
        Err(ServeError::Unreachable { .. })
    ));
}

#[test]
fn a_shutdown_under_load_answers_or_refuses_every_request() {
    let server = start(Server::new().model(
        "sums",
        Replicas::of(sums(|_| thread::sleep(Duration::from_micros(100))), 2),
    ));
    let (client, answered) = (Client::new(server.url()).unwrap(), AtomicUsize::new(0));
    thread::scope(|scope| {
        let asking: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    loop {
                        match client.ask(&request(1.0)) {
                            Ok(_) => answered.fetch_add(1, Ordering::SeqCst),
                            Err(
                                ServeError::Refused { status: 503, .. }
                                | ServeError::Unreachable { .. },
                            ) => break,
                            Err(error) => panic!("{error}"),
                        };
                    }
                })
            })
            .collect();
        wait_until(|| answered.load(Ordering::SeqCst) > 50);
        server.shutdown_blocking().unwrap();
        assert!(asking.into_iter().all(|caller| caller.join().is_ok()));
    });
}

#[test]
fn a_shutdown_cuts_off_what_does_not_end() {
    let gate = Gate::default();
    let held = gate.clone();
    let service = Arc::new(LocalModel::new(sums(move |_| held.pass())));
    let server = start(
        Server::new()
            .model("sums", Arc::clone(&service))
            .drain_timeout(Duration::from_millis(50)),
    );
    let client = Client::new(server.url()).unwrap();
    thread::scope(|scope| {
        let caller = scope.spawn(|| client.ask(&request(1.0)));
        wait_until(|| service.in_flight() == 1);
        assert!(matches!(
            server.shutdown_blocking(),
            Err(Error::CutOff { connections: 1 })
        ));
        assert!(matches!(
            caller.join().unwrap(),
            Err(ServeError::Unreachable { .. })
        ));
    });
    gate.open();
}

#[test]
fn slow_heads_and_bodies_are_given_up() {
    let limit = Duration::from_millis(50);
    let server = start(
        Server::new()
            .model("sums", LocalModel::new(sums(|_| {})))
            .head_timeout(limit)
            .body_timeout(limit),
    );
    let began = Instant::now();
    let (mut head, mut body) = (Http::to(&server), Http::to(&server));
    head.send("GET /v2 HTTP/1.1\r\nHo");
    body.send("POST /v2/models/sums/infer HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n{");
    let reply = body.reply().unwrap();
    assert_eq!(
        (reply.status, reply.error().as_str()),
        (408, "the body came too slowly")
    );
    let reply = head.reply().unwrap();
    assert_eq!(
        (reply.status, reply.error().as_str()),
        (408, "the head of the request came too slowly")
    );
    assert!(head.reply().is_none());
    assert!(began.elapsed() < Duration::from_secs(10));
    server.shutdown_blocking().unwrap();
}

#[test]
fn timeouts_may_be_as_long_as_they_can_be() {
    let server = start(
        Server::new()
            .head_timeout(Duration::MAX)
            .body_timeout(Duration::MAX)
            .drain_timeout(Duration::MAX),
    );
    let client = Client::new(server.url()).unwrap().timeout(Duration::MAX);
    assert!(client.is_live().unwrap());
    server.shutdown_blocking().unwrap();
}

#[test]
fn more_connections_than_allowed_wait_for_their_turn() {
    let server = start(Server::new().connections(1));
    let mut first = Http::to(&server);
    assert_eq!(first.get("/v2").status, 200);
    let mut second = Http::to(&server);
    second.send("GET /v2 HTTP/1.1\r\nHost: h\r\n\r\n");
    thread::sleep(Duration::from_millis(20));
    assert_eq!(first.get("/v2").status, 200);
    drop(first);
    assert_eq!(second.reply().unwrap().status, 200);
    server.shutdown_blocking().unwrap();
}

#[test]
fn the_client_survives_a_server_that_closes_idle_connections_and_predicts_tables() {
    let server = start(
        Server::new()
            .model("a b/c", Replicas::of(sums(|_| {}), 2))
            .idle_timeout(Duration::from_millis(30)),
    );
    let client = Client::new(format!("{}/", server.url())).unwrap();
    for turn in 0..3 {
        let response = client
            .infer("a b/c", ndarray::array![[1.0, 2.0], [0.1, 0.2]].view())
            .unwrap();
        assert_eq!(
            response.rows().unwrap(),
            ndarray::array![[3.0], [0.1 + 0.2]]
        );
        assert_eq!(response.replica.as_deref(), Some(["0", "1"][turn % 2]));
        thread::sleep(Duration::from_millis(80));
    }
    let error = client
        .infer("a b/c", ndarray::Array2::zeros((1, 3)).view())
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("must be of shape [any, 2], found [1, 3]"),
        "{error}"
    );
    server.shutdown_blocking().unwrap();
}

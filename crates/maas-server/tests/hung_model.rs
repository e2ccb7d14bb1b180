//! A model that never returns harms those who ask it, and nobody else.
#![allow(clippy::unwrap_used)]

mod common;

use std::sync::Arc;
use std::time::{Duration, Instant};

use common::http2::Http2;
use common::{Gate, Http, start, sums, wait_until};
use hyper::Method;
use maas_server::{Error, Models, RunningServer, Server};
use maas_service::LocalModel;

const BODY: &str = r#"{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[1,2]}]}"#;
const DEADLINE: &str = "X-Request-Timeout-Ms: 100\r\n";
const HUNG: &str = "/v2/models/hung/infer";

/// A server of `hung`, which returns when the gate is opened, and of `fine`.
fn server(models: &Models, drain: Duration) -> (RunningServer, Arc<LocalModel>, Gate) {
    let gate = Gate::default();
    let held = gate.clone();
    let hung = Arc::new(LocalModel::new(sums(move |_| held.pass())).queue(4));
    models.add("hung", "1", Arc::clone(&hung)).unwrap();
    let fine = LocalModel::new(sums(|_| {}));
    models.add("fine", "1", fine).unwrap();
    let server = Server::new().models(models.clone()).drain_timeout(drain);
    (start(server), hung, gate)
}

#[test]
fn callers_are_told_at_their_deadlines_and_other_models_answer() {
    let (server, hung, _gate) = server(&Models::new(), Duration::from_secs(30));
    let mut fine = Http::to(&server);
    for _ in 0..3 {
        let began = Instant::now();
        let reply = Http::to(&server).ask("POST", HUNG, DEADLINE, BODY);
        assert!(began.elapsed() >= Duration::from_millis(100));
        assert_eq!(reply.status, 504);
        assert!(reply.error().contains("deadline"), "{}", reply.error());
        assert_eq!(fine.infer("fine", BODY).status, 200);
    }
    // What was given up waits no more.
    wait_until(|| hung.in_flight() <= 1);
    server.shutdown_blocking().unwrap();
}

#[test]
fn many_callers_at_once_fill_its_own_queue_only() {
    let (server, hung, _gate) = server(&Models::new(), Duration::from_secs(30));
    let mut first = Http::to(&server);
    let request = |headers: &str| {
        let length = BODY.len();
        format!(
            "POST {HUNG} HTTP/1.1\r\nHost: h\r\nContent-Length: {length}\r\n{headers}\r\n{BODY}"
        )
    };
    let deadline = "X-Request-Timeout-Ms: 2500\r\n";
    first.send(&request(deadline));
    wait_until(|| hung.queue_stats().is_some_and(|stats| stats.rows == 1));
    let mut callers: Vec<_> = (0..32).map(|_| Http::to(&server)).collect();
    callers
        .iter_mut()
        .for_each(|http| http.send(&request(deadline)));
    let mut fine = Http::to(&server);
    for _ in 0..100 {
        assert_eq!(fine.infer("fine", BODY).status, 200);
    }
    let mut statuses: Vec<_> = callers
        .iter_mut()
        .map(|http| http.reply().unwrap().status)
        .collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [[503; 28].as_slice(), &[504; 4]].concat());
    assert_eq!(first.reply().unwrap().status, 504);
    server.shutdown_blocking().unwrap();
}

#[test]
fn one_connection_of_http2_has_other_answers_meanwhile() {
    let (server, hung, gate) = server(&Models::new(), Duration::from_secs(30));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let mut http = Http2::to(server.addr()).await;
        let mut sender = http.sender.clone();
        let waiting =
            tokio::spawn(async move { Http2::send(&mut sender, Method::POST, HUNG, BODY).await });
        wait_until(|| hung.in_flight() == 1);
        for _ in 0..10 {
            let fine = http.ask(Method::POST, "/v2/models/fine/infer", BODY).await;
            assert_eq!(fine.unwrap().0, 200);
        }
        gate.open();
        assert_eq!(waiting.await.unwrap().unwrap().0, 200);
    });
    server.shutdown_blocking().unwrap();
}

#[test]
fn another_version_takes_its_place() {
    let models = Models::new();
    let (server, hung, gate) = server(&models, Duration::from_secs(30));
    let mut stuck = Http::to(&server);
    stuck.send(&format!(
        "POST {HUNG} HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\n\r\n{BODY}",
        BODY.len()
    ));
    wait_until(|| hung.in_flight() == 1);
    models
        .add("hung", "2", LocalModel::new(sums(|_| {})))
        .unwrap();
    let retired = models.remove_version("hung", "1").unwrap();
    assert_eq!(Http::to(&server).infer("hung", BODY).status, 200);
    gate.open();
    assert_eq!(stuck.reply().unwrap().status, 200);
    retired.wait();
    server.shutdown_blocking().unwrap();
}

#[test]
fn the_drain_ends_at_its_limit() {
    let (server, hung, _gate) = server(&Models::new(), Duration::from_millis(200));
    let mut stuck = Http::to(&server);
    stuck.send(&format!(
        "POST {HUNG} HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\n\r\n{BODY}",
        BODY.len()
    ));
    wait_until(|| hung.in_flight() == 1);
    let cut_off = server.shutdown_blocking();
    assert!(matches!(cut_off, Err(Error::CutOff { connections: 1 })));
    assert!(stuck.reply().is_none());
}

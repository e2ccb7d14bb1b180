//! A model that never returns harms those who ask it, and nobody else.
#![allow(clippy::unwrap_used)]

mod common;

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
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

/// A model that is measured to be cheap, and hangs from when it is told to.
#[derive(Clone, Default)]
struct Turning {
    hangs: Arc<AtomicU8>,
    gate: Gate,
    ran_on: Arc<Mutex<String>>,
}

/// Whose run it is that hangs.
const NOBODY: u8 = 0;
const THE_NEXT: u8 = 1;
const EVERYBODY: u8 = 2;

impl Turning {
    fn run(&self) {
        let name = thread::current().name().unwrap_or_default().to_owned();
        *self.ran_on.lock().unwrap() = name;
        let (before, order) = (THE_NEXT, Ordering::SeqCst);
        let is_it = self.hangs.compare_exchange(before, NOBODY, order, order);
        if is_it.is_ok() || self.hangs.load(order) == EVERYBODY {
            self.gate.pass();
        }
    }

    /// Whether a request was answered by a run on a thread of the connections.
    fn is_inline(&self, server: &RunningServer) -> bool {
        assert_eq!(Http::to(server).infer("hung", BODY).status, 200);
        *self.ran_on.lock().unwrap() == WORKER
    }
}

/// A runtime whose threads are held does not end.
impl Drop for Turning {
    fn drop(&mut self) {
        self.gate.open();
    }
}

const WORKER: &str = "serves";

/// A server of `hung` and of `fine` on a runtime with two threads, which has run `hung` on them.
fn turning() -> (
    tokio::runtime::Runtime,
    RunningServer,
    Arc<LocalModel>,
    Turning,
) {
    let turning = Turning::default();
    let own = turning.clone();
    let hung = Arc::new(LocalModel::new(sums(move |_| own.run())).queue(4));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name(WORKER)
        .enable_all()
        .build()
        .unwrap();
    let server = Server::new()
        .model("hung", Arc::clone(&hung))
        .model("fine", LocalModel::new(sums(|_| {})))
        .bind("127.0.0.1:0");
    let server = runtime.block_on(server.spawn()).unwrap();
    wait_until(|| turning.is_inline(&server));
    (runtime, server, hung, turning)
}

fn ask(http: &mut Http, headers: &str) {
    let length = BODY.len();
    http.send(&format!(
        "POST {HUNG} HTTP/1.1\r\nHost: h\r\nContent-Length: {length}\r\n{headers}\r\n{BODY}"
    ));
}

#[test]
fn one_that_was_cheap_holds_one_thread_and_connections_go_on() {
    let (runtime, server, _, turning) = turning();
    let (mut stuck, mut fine) = (Http::to(&server), Http::to(&server));
    assert_eq!(fine.infer("fine", BODY).status, 200);
    turning.hangs.store(THE_NEXT, Ordering::SeqCst);
    ask(&mut stuck, "");
    wait_until(|| turning.hangs.load(Ordering::SeqCst) == NOBODY);
    // When it is seen to hang, others are answered behind its queue.
    wait_until(|| !turning.is_inline(&server));
    turning.hangs.store(EVERYBODY, Ordering::SeqCst);
    for _ in 0..10 {
        let status = Http::to(&server).ask("POST", HUNG, DEADLINE, BODY).status;
        assert!([503, 504].contains(&status), "{status}");
        assert_eq!(fine.infer("fine", BODY).status, 200);
    }
    turning.gate.open();
    assert_eq!(stuck.reply().unwrap().status, 200);
    drop((stuck, fine));
    runtime.block_on(server.shutdown()).unwrap();
}

#[test]
fn where_it_holds_all_threads_new_connections_are_served() {
    let (runtime, server, hung, turning) = turning();
    let mut stuck: Vec<_> = (0..8).map(|_| Http::to(&server)).collect();
    for http in &mut stuck {
        assert_eq!(http.infer("fine", BODY).status, 200);
    }
    turning.hangs.store(EVERYBODY, Ordering::SeqCst);
    stuck.iter_mut().for_each(|http| ask(http, ""));
    // Two hold the two threads, or the second one waits behind the queue, as all others will.
    wait_until(|| hung.in_flight() >= 2);
    for _ in 0..3 {
        assert_eq!(Http::to(&server).get("/v2/health/live").status, 200);
        assert_eq!(Http::to(&server).get("/metrics").status, 200);
        assert_eq!(Http::to(&server).infer("fine", BODY).status, 200);
    }
    let status = Http::to(&server).ask("POST", HUNG, DEADLINE, BODY).status;
    assert!([503, 504].contains(&status), "{status}");
    turning.gate.open();
    for http in &mut stuck {
        let status = http.reply().unwrap().status;
        assert!([200, 503].contains(&status), "{status}");
    }
    drop(stuck);
    runtime.block_on(server.shutdown()).unwrap();
}

//! How connections begin, live and end.
#![allow(clippy::unwrap_used)]

mod common;

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use common::child::{Child, is_child, listening};
use common::http2::Http2;
use common::{Gate, Http, start, sums, wait_until};
use hyper::Method;
use maas_core::{DType, FnModel, Outputs, Signature, TensorSpec, TensorView};
use maas_server::Server;
use maas_service::LocalModel;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const BODY: &str = r#"{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[1,2]}]}"#;
const INFER: &str = "/v2/models/sums/infer";

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Runtime::new().unwrap()
}

#[test]
fn both_versions_of_http_are_spoken_on_one_port() {
    let server = start(Server::new().model("sums", LocalModel::new(sums(|_| {}))));
    let one = Http::to(&server).infer("sums", BODY);
    let two = runtime().block_on(async {
        let mut http = Http2::to(server.addr()).await;
        http.ask(Method::POST, INFER, BODY).await.unwrap()
    });
    assert_eq!((one.status, &one.body), (200, &two.1));
    assert_eq!(two.0, 200);
    server.shutdown_blocking().unwrap();
}

#[test]
fn a_shutdown_ends_http2_connections_too() {
    let server = start(Server::new());
    runtime().block_on(async {
        let mut http = Http2::to(server.addr()).await;
        assert_eq!(http.get("/v2/health/live").await.unwrap().0, 200);
        let (ended, shutdown) = tokio::join!(http.ended, server.shutdown());
        ended.unwrap().unwrap();
        shutdown.unwrap();
        assert!(http.sender.is_closed());
    });
}

#[test]
fn old_connections_of_http1_are_asked_to_leave() {
    let server = start(Server::new().connection_age(Duration::from_millis(100)));
    let mut http = Http::to(&server);
    assert_eq!(http.get("/v2").header("connection"), None);
    thread::sleep(Duration::from_millis(150));
    let last = http.get("/v2");
    assert_eq!(
        (last.status, last.header("connection")),
        (200, Some("close"))
    );
    assert!(http.reply().is_none());
    assert_eq!(Http::to(&server).get("/v2").header("connection"), None);
    server.shutdown_blocking().unwrap();
}

#[test]
fn old_connections_of_http2_go_away_and_answer_what_has_begun() {
    let gate = Gate::default();
    let held = gate.clone();
    let service = Arc::new(LocalModel::new(sums(move |_| held.pass())));
    let server = start(
        Server::new()
            .model("sums", Arc::clone(&service))
            .connection_age(Duration::from_millis(50)),
    );
    runtime().block_on(async {
        let http = Http2::to(server.addr()).await;
        let mut asking = http.sender.clone();
        let asked =
            tokio::spawn(async move { Http2::send(&mut asking, Method::POST, INFER, BODY).await });
        wait_until(|| service.in_flight() == 1);
        tokio::time::sleep(Duration::from_millis(200)).await;
        gate.open();
        assert_eq!(asked.await.unwrap().unwrap().0, 200);
        http.ended.await.unwrap().unwrap();
    });
    server.shutdown_blocking().unwrap();
}

#[test]
fn idle_connections_are_closed() {
    let server = start(Server::new().idle_timeout(Duration::from_millis(50)));
    let mut one = Http::to(&server);
    assert_eq!(one.get("/v2").status, 200);
    assert!(one.reply().is_none());
    runtime().block_on(async {
        let mut two = Http2::to(server.addr()).await;
        assert_eq!(two.get("/v2").await.unwrap().0, 200);
        two.ended.await.unwrap().unwrap();
        Http2::to(server.addr()).await.ended.await.unwrap().unwrap();
    });
    server.shutdown_blocking().unwrap();
}

#[test]
fn heads_have_their_time_and_idle_connections_another() {
    let server = start(
        Server::new()
            .head_timeout(Duration::from_millis(200))
            .idle_timeout(Duration::from_secs(60)),
    );
    let mut silent = Http::to(&server);
    let mut begun = Http::to(&server);
    begun.send("PRI * HTT");
    let mut second = Http::to(&server);
    assert_eq!(second.get("/v2").status, 200);
    let mut idle = Http::to(&server);
    assert_eq!(idle.get("/v2").status, 200);
    let trickle = thread::spawn(move || {
        for byte in "GET /v2 HTTP/1.1\r\nHost: h\r\nA: bcdefghijklmnopqrstuvwxyz".chars() {
            if second.try_send(&byte.to_string()).is_err() {
                break;
            }
            thread::sleep(Duration::from_millis(10));
        }
        second.reply().unwrap().status
    });
    assert!(silent.reply().is_none());
    assert_eq!(trickle.join().unwrap(), 408);
    assert_eq!(begun.reply().unwrap().status, 408);
    thread::sleep(Duration::from_millis(300));
    assert_eq!(idle.get("/v2").status, 200);
    server.shutdown_blocking().unwrap();
}

#[test]
fn a_preface_may_come_in_pieces() {
    let server = start(Server::new().head_timeout(Duration::from_secs(1)));
    runtime().block_on(async {
        let (near, far) = tokio::io::duplex(1 << 16);
        let mut http = tokio::net::TcpStream::connect(server.addr()).await.unwrap();
        tokio::spawn(async move {
            let (mut receiving, mut sending) = tokio::io::split(far);
            let (mut from, mut to) = http.split();
            let piecewise = async {
                for _ in 0..24 {
                    let byte = receiving.read_u8().await.unwrap();
                    to.write_all(&[byte]).await.unwrap();
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
                tokio::io::copy(&mut receiving, &mut to).await
            };
            let _ = tokio::join!(piecewise, tokio::io::copy(&mut from, &mut sending));
        });
        let mut http = Http2::over(near).await;
        assert_eq!(http.get("/v2").await.unwrap().0, 200);
        tokio::time::sleep(Duration::from_millis(1200)).await;
        assert_eq!(http.get("/v2").await.unwrap().0, 200);
    });
    server.shutdown_blocking().unwrap();
}

#[test]
fn a_client_that_does_not_take_its_answer_is_cut_off() {
    // More than the sockets hold on the way.
    let columns = 8_000_000;
    let signature = Signature::new(
        TensorSpec::rows("x", DType::Fp32, &[1]),
        TensorSpec::rows("y", DType::Fp32, &[columns]),
    );
    let large = FnModel::new(
        signature.unwrap(),
        move |inputs: &[TensorView<'_>], outputs: &mut Outputs<'_>| {
            outputs.tensor(0, DType::Fp32, &[inputs[0].rows(), columns])?;
            Ok::<(), maas_core::Error>(())
        },
    );
    let server = start(
        Server::new()
            .model("large", LocalModel::new(large))
            .body_timeout(Duration::from_millis(300))
            .connections(1),
    );
    let mut http = Http::to(&server);
    let body = r#"{"inputs":[{"name":"x","shape":[1,1],"datatype":"FP32","data":[1]}]}"#;
    http.send(&format!(
        "POST /v2/models/large/infer HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    ));
    // There is one place, and it is free again only when the other connection has ended.
    assert_eq!(Http::to(&server).get("/v2").status, 200);
    assert!(http.reply().is_none());
    server.shutdown_blocking().unwrap();
}

#[test]
fn without_file_descriptors_connections_wait() {
    let name = "without_file_descriptors_connections_wait";
    if is_child() {
        let server = start(Server::new());
        listening(&server);
        return server.wait_blocking().unwrap();
    }
    let child = Child::start(name, "ulimit -n 40");
    let mut many: Vec<_> = (0..60).map(|_| Http::at(child.address)).collect();
    assert_eq!(many[0].get("/v2").status, 200);
    let mut last = many.pop().unwrap();
    last.send("GET /v2 HTTP/1.1\r\nHost: h\r\n\r\n");
    thread::sleep(Duration::from_millis(50));
    assert_eq!(many[0].get("/v2").status, 200);
    drop(many);
    assert_eq!(last.reply().unwrap().status, 200);
}

#[test]
#[ignore = "needs 10 000 file descriptors in each of two processes"]
fn ten_thousand_idle_connections_are_no_burden() {
    let name = "ten_thousand_idle_connections_are_no_burden";
    let count = 10_000;
    if is_child() {
        // Some wait long for their turn where the machine has more to do.
        let server = Server::new().connections(count + 1);
        let server = start(server.head_timeout(Duration::from_secs(600)));
        listening(&server);
        return server.wait_blocking().unwrap();
    }
    let child = Child::start(name, "");
    let before = child.memory();
    let mut many: Vec<_> = (0..count).map(|_| Http::at(child.address)).collect();
    for http in &mut many {
        assert_eq!(http.get("/v2").status, 200);
    }
    let each = (child.memory() - before) / count;
    assert!(each < 64 << 10, "{each} bytes for each connection");
    assert_eq!(Http::at(child.address).get("/v2").status, 200);
    assert!(
        many.iter_mut()
            .step_by(100)
            .all(|http| http.get("/v2").status == 200)
    );
    println!("{each} bytes for each idle connection");
}

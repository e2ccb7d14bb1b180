//! How connections begin, live and end.
#![allow(clippy::unwrap_used)]

mod common;

use common::http2::Http2;
use common::{Http, start, sums};
use hyper::Method;
use maas_server::Server;
use maas_service::LocalModel;

const BODY: &str = r#"{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[1,2]}]}"#;
const INFER: &str = "/v2/models/sums/infer";

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
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

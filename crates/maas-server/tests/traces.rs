//! Requests that servers pass on keep their names.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::log::Log;
use common::{Http, start, sums, wait_until};
use maas_server::{RemoteModel, RunningServer, Server};
use maas_service::{Balanced, LocalModel};

const BODY: &str = r#"{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[1,2]}]}"#;
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

fn gateway(url: String) -> RunningServer {
    let remote = RemoteModel::at(url, "sums").probing_every(std::time::Duration::ZERO);
    let pool = Balanced::named([("only", remote.connect_blocking().unwrap())]).unwrap();
    start(Server::new().model("front", pool))
}

#[test]
fn a_gateway_and_its_servers_tell_of_a_request_by_the_same_ids() {
    let log = Log::start();
    let server = start(Server::new().model("sums", LocalModel::new(sums(|_| {}))));
    let mut gateways = vec![gateway(server.url())];
    if cfg!(feature = "grpc") {
        gateways.push(gateway(server.url().replace("http", "grpc")));
    }
    for gateway in gateways {
        let mut http = Http::to(&gateway);
        // The first request asks the server whether it takes bytes.
        assert_eq!(http.infer("front", BODY).status, 200);
        for own in ["", "X-Request-Id: order-7\r\n"] {
            log.clear();
            let headers = format!("Traceparent: 00-{TRACE}-00f067aa0ba902b7-01\r\n{own}");
            let reply = http.ask("POST", "/v2/models/front/infer", &headers, BODY);
            assert_eq!(reply.status, 200, "{reply:?}");
            wait_until(|| log.lines().len() == 2);
            for line in log.lines() {
                let span = &line["span"];
                assert_eq!(span["request_id"], reply.header("x-request-id").unwrap());
                assert_eq!(span["trace_id"], TRACE);
            }
            let id = reply.header("x-request-id").unwrap();
            assert!(own.is_empty() || id == "order-7");
        }
        gateway.shutdown_blocking().unwrap();
    }
    server.shutdown_blocking().unwrap();
}

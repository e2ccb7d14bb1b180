//! What is logged of a request.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::log::Log;
use common::{Http, start, sums, wait_until};
use maas_server::Server;
use maas_service::LocalModel;
use serde_json::{Value, json};

#[test]
fn each_request_is_a_line_with_its_ids_its_model_and_its_end() {
    let log = Log::start();
    let server =
        start(Server::new().model("sums", LocalModel::new(sums(|_| panic!("a \"bad\" day")))));
    let mut http = Http::to(&server);
    let body = r#"{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[1,2]}]}"#;
    let parent = "Traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\nX-Request-Id: order-7\r\n";
    http.ask("POST", "/v2/models/sums/infer", parent, body);
    http.get("/v2");
    wait_until(|| log.lines().len() == 3);
    let lines = log.lines();
    let [failure, failed, fine] = &lines[..] else {
        panic!("three lines, found {lines:?}");
    };
    assert_eq!(
        (&failure["level"], &failure["fields"]["model"]),
        (&json!("WARN"), &json!("sums"))
    );
    let error = failure["fields"]["error"].as_str().unwrap();
    assert!(error.contains("a \"bad\" day"), "{error}");
    assert_eq!(failure["span"]["request_id"], "order-7");
    assert_eq!(
        (&failed["level"], &failed["fields"]["status"]),
        (&json!("INFO"), &json!(500))
    );
    assert!(failed["fields"]["latency_ms"].as_f64().unwrap() > 0.0);
    let span = &failed["span"];
    for (field, expected) in [
        ("name", "request"),
        ("protocol", "http"),
        ("method", "POST"),
        ("path", "/v2/models/sums/infer"),
        ("request_id", "order-7"),
        ("trace_id", "4bf92f3577b34da6a3ce929d0e0e4736"),
        ("parent_id", "00f067aa0ba902b7"),
        ("model", "sums"),
    ] {
        assert_eq!(span[field], expected, "{field} of {span}");
    }
    assert_eq!(
        (&fine["level"], &fine["fields"]["status"]),
        (&json!("INFO"), &json!(200))
    );
    assert_eq!(fine["span"]["trace_id"], Value::Null);
    server.shutdown_blocking().unwrap();
}

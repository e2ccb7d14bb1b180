//! The status page, what it reads, and the names of requests.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{Http, start, sums};
use maas_server::{Models, Server};
use maas_service::{LocalModel, Shadow};
use serde_json::json;

const ROW: &str = r#"{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[1,2]}]}"#;

fn summing() -> LocalModel {
    LocalModel::new(sums(|_| {}))
}

#[test]
fn the_page_is_one_file_whose_scripts_are_its_own() {
    let server = start(Server::new());
    let mut http = Http::to(&server);
    let (one, two) = (http.get("/"), http.get("/"));
    assert_eq!(
        (one.status, one.header("content-type")),
        (200, Some("text/html; charset=utf-8"))
    );
    let policy =
        |reply: &common::Reply| reply.header("content-security-policy").unwrap().to_owned();
    assert_ne!(policy(&one), policy(&two));
    let nonce = policy(&one)
        .split("'nonce-")
        .nth(1)
        .unwrap()
        .split('\'')
        .next()
        .unwrap()
        .to_owned();
    assert_eq!(nonce.len(), 32);
    assert!(policy(&one).starts_with("default-src 'none';"));
    for tag in ["<script", "<style"] {
        assert_eq!(one.body.matches(tag).count(), 1);
        assert!(one.body.contains(&format!("{tag} nonce=\"{nonce}\">")));
    }
    assert!(!one.body.contains("{nonce}"));
    for foreign in [
        "src=\"http",
        "href=\"http",
        "@import",
        "url(",
        "innerHTML",
        "insertAdjacentHTML",
    ] {
        assert!(!one.body.contains(foreign), "{foreign}");
    }
    server.shutdown_blocking().unwrap();
}

#[test]
fn the_status_has_what_the_page_shows() {
    let models = Models::new();
    models.add("<b>sums</b>", "1", summing()).unwrap();
    models.weigh("<b>sums</b>", [("1", 1)]).unwrap();
    models.add("<b>sums</b>", "2", summing()).unwrap();
    models.label("<b>sums</b>", "stable", "1").unwrap();
    models
        .shadow("<b>sums</b>", Shadow::of("2").share(0.0))
        .unwrap();
    let server = start(Server::new().models(models).name("cellar"));
    let mut http = Http::to(&server);
    http.post_json("/v2/models/%3Cb%3Esums%3C%2Fb%3E/infer", ROW);
    http.post_json("/v2/models/%3Cb%3Esums%3C%2Fb%3E/infer", "{}");
    let reply = http.get("/status");
    assert_eq!(reply.header("content-type"), Some("application/json"));
    let status = reply.json();
    assert_eq!(
        (&status["name"], &status["state"], &status["connections"]),
        (&json!("cellar"), &json!("ready"), &json!(1))
    );
    let model = &status["models"][0];
    assert_eq!(model["name"], "<b>sums</b>");
    let [two, one] = &model["versions"].as_array().unwrap()[..] else {
        panic!("two versions, found {model}");
    };
    assert_eq!(
        (&two["version"], &two["shadow"], &two["weight"]),
        (&json!("2"), &json!(true), &json!(0))
    );
    assert_eq!(one["labels"], json!(["stable"]));
    assert_eq!(
        one["inputs"],
        json!([{ "name": "x", "datatype": "FP32", "shape": [-1, 2] }])
    );
    assert_eq!(
        (&one["ok"], &one["rows"], &one["readiness"]),
        (&json!(1), &json!(1), &json!("ready"))
    );
    assert_eq!(one["batches"], json!([{ "rows": 1, "count": 1 }]));
    let latency = &one["latency"];
    assert_eq!(latency["count"], 1);
    let buckets = latency["buckets"].as_array().unwrap();
    assert_eq!(
        buckets.len(),
        status["bounds_seconds"].as_array().unwrap().len() + 1
    );
    assert!(latency["p50_seconds"].as_f64().unwrap() <= latency["p99_seconds"].as_f64().unwrap());
    server.shutdown_blocking().unwrap();
}

#[test]
fn a_request_keeps_its_id_or_gets_one() {
    let server = start(Server::new().model("sums", summing()));
    let mut http = Http::to(&server);
    let reply = http.ask(
        "POST",
        "/v2/models/sums/infer",
        "X-Request-Id: order-7\r\n",
        ROW,
    );
    assert_eq!(
        (reply.status, reply.header("x-request-id")),
        (200, Some("order-7"))
    );
    let reply = http.ask("POST", "/nowhere", "X-Request-Id: order-8\r\n", ROW);
    assert_eq!(
        (reply.status, reply.header("x-request-id")),
        (404, Some("order-8"))
    );
    let mut made: Vec<_> = (0..50)
        .map(|_| http.get("/v2").header("x-request-id").unwrap().to_owned())
        .collect();
    assert!(made.iter().all(|id| id.len() == 16));
    made.sort();
    made.dedup();
    assert_eq!(made.len(), 50);
    server.shutdown_blocking().unwrap();
}

#[test]
fn the_openapi_document_has_the_verbs_that_are_answered() {
    let server = start(Server::new().model("sums", summing()));
    let mut http = Http::to(&server);
    let document = http.get("/v2/docs/openapi.json").json();
    assert_eq!(document["info"]["version"], env!("CARGO_PKG_VERSION"));
    for (path, item) in document["paths"].as_object().unwrap() {
        let path = path.replace(['{', '}'], "");
        let reply = http.ask("DELETE", &path, "", "");
        assert_eq!(reply.status, 405, "{path}");
        let allowed = reply.header("allow").unwrap().split(',');
        let allowed: Vec<_> = allowed
            .filter(|verb| *verb != "HEAD")
            .map(str::to_lowercase)
            .collect();
        let verbs = item.as_object().unwrap().keys();
        let documented: Vec<_> = verbs.filter(|key| *key != "parameters").cloned().collect();
        assert_eq!(documented, allowed, "{path}");
    }
    server.shutdown_blocking().unwrap();
}

//! The paths inside an application of somebody else's.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::net::SocketAddr;

use axum::Router;
use axum::routing::get;
use common::{Http, sums};
use maas_server::{ApiKey, Server};
use maas_service::LocalModel;

const BODY: &str = r#"{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[1,2]}]}"#;

fn server() -> Server {
    Server::new().model("sums", LocalModel::new(sums(|_| {})))
}

/// Serves an application until the test's process ends.
fn serve(app: Router) -> SocketAddr {
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            tell.send(listener.local_addr().unwrap()).unwrap();
            axum::serve(listener, app).await.unwrap();
        });
    });
    told.recv().unwrap()
}

#[test]
fn models_are_asked_beside_other_paths_and_changed_by_nobody() {
    let own = Router::new().route("/", get(async || "a page of its own"));
    let mut http = Http::at(serve(own.merge(server().router().unwrap())));
    assert_eq!(http.get("/").body, "a page of its own");
    assert_eq!(http.get("/v2/health/ready").status, 200);
    assert_eq!(http.infer("sums", BODY).status, 200);
    for call in ["load", "unload"] {
        let path = format!("/v2/repository/models/sums/{call}");
        assert_eq!(http.post_json(&path, "").status, 403, "{call}");
    }
    assert_eq!(http.get("/metrics").status, 404);
}

#[test]
fn all_paths_lie_below_another_and_keys_hold_there() {
    let keyed = server()
        .key(ApiKey::infer("shop", "shop's secret"))
        .key(ApiKey::admin("operator", "operator's secret"));
    let mut http = Http::at(serve(
        Router::new().nest("/ml", keyed.full_router().unwrap()),
    ));
    let mut ask = |verb: &str, path: &str, key: &str| {
        let headers = format!("X-API-Key: {key}\r\n");
        http.ask(verb, &format!("/ml{path}"), &headers, BODY)
    };
    for (verb, path, key, status) in [
        ("GET", "", "none", 200),
        ("GET", "/v2/health/ready", "none", 200),
        ("GET", "/status", "none", 401),
        ("POST", "/v2/models/sums/infer", "none", 401),
        ("POST", "/v2/models/sums/infer", "shop's secret", 200),
        (
            "POST",
            "/v2/repository/models/sums/unload",
            "shop's secret",
            403,
        ),
        ("GET", "/metrics", "shop's secret", 200),
        (
            "POST",
            "/v2/repository/models/sums/unload",
            "operator's secret",
            200,
        ),
        ("POST", "/v2/models/sums/infer", "shop's secret", 404),
    ] {
        let reply = ask(verb, path, key);
        assert_eq!(reply.status, status, "{verb} {path} {key}: {reply:?}");
    }
}

//! Who may ask, for what and how often.
#![allow(clippy::unwrap_used)]

mod common;

use common::http2::Http2;
use common::{Http, start, sums};
use maas_server::{ApiKey, RateLimit, RunningServer, Server};
use maas_service::LocalModel;

const BODY: &str = r#"{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[1,2]}]}"#;
const INFER: &str = "/v2/models/sums/infer";
const LOAD: &str = "/v2/repository/models/sums/load";
const UNLOAD: &str = "/v2/repository/models/sums/unload";

fn server(keys: impl IntoIterator<Item = ApiKey>) -> RunningServer {
    let server = Server::new().model("sums", LocalModel::new(sums(|_| {})));
    start(keys.into_iter().fold(server, Server::key))
}

fn keys() -> [ApiKey; 2] {
    [
        ApiKey::infer("shop", "shop's secret"),
        ApiKey::admin("operator", "operator's secret"),
    ]
}

#[test]
fn a_key_is_needed_and_must_be_known() {
    let server = server(keys());
    let mut http = Http::to(&server);
    for (headers, status) in [
        ("", 401),
        ("Authorization: Bearer shop's secret\r\n", 200),
        ("authorization: bearer shop's secret\r\n", 200),
        ("X-API-Key: shop's secret\r\n", 200),
        ("X-API-Key: operator's secret\r\n", 200),
        ("Authorization: Bearer shop's secre\r\n", 401),
        ("Authorization: Bearer shop's secret.\r\n", 401),
        ("Authorization: Basic c2hvcA==\r\n", 401),
        ("Authorization: Bearer \r\n", 401),
        ("X-API-Key: \u{e9}\u{e9}\r\n", 401),
    ] {
        let reply = http.ask("POST", INFER, headers, BODY);
        assert_eq!(reply.status, status, "{headers}: {reply:?}");
        if status == 401 {
            assert_eq!(
                reply.header("www-authenticate"),
                Some("Bearer realm=\"maas\"")
            );
            assert!(reply.error().contains("key"), "{reply:?}");
        }
    }
    for path in ["/v2/health/live", "/v2/health/ready"] {
        assert_eq!(http.get(path).status, 200);
    }
    for path in ["/v2", "/v2/models/sums", "/metrics", "/nowhere"] {
        assert_eq!(http.get(path).status, 401);
    }
    server.shutdown_blocking().unwrap();
}

#[test]
fn models_are_changed_by_admins_only() {
    let server = server(keys());
    let mut http = Http::to(&server);
    for path in [LOAD, UNLOAD] {
        let reply = http.ask("POST", path, "X-API-Key: shop's secret\r\n", "");
        assert_eq!(
            (reply.status, reply.error().as_str()),
            (
                403,
                "the key may not change models: one of an admin is needed"
            )
        );
    }
    let unloaded = http.ask("POST", UNLOAD, "X-API-Key: operator's secret\r\n", "");
    assert_eq!(unloaded.status, 200, "{unloaded:?}");
    server.shutdown_blocking().unwrap();
}

#[test]
fn without_keys_models_are_changed_from_this_machine_only() {
    let model = || LocalModel::new(sums(|_| {}));
    let near = start(Server::new().model("sums", model()));
    let wide = Server::new().model("sums", model()).bind("0.0.0.0:0");
    let wide = wide.run_in_background().unwrap();
    let port = wide.addr().port();
    let mut http = Http::at(([127, 0, 0, 1], port).into());
    let reply = http.ask("POST", UNLOAD, "", "");
    assert_eq!(reply.status, 403);
    assert!(
        reply
            .error()
            .starts_with("models cannot be changed from here")
    );
    assert_eq!(http.infer("sums", BODY).status, 200);
    assert_eq!(Http::to(&near).ask("POST", UNLOAD, "", "").status, 200);
    near.shutdown_blocking().unwrap();
    wide.shutdown_blocking().unwrap();
}

/// A browser on this machine sends what any page has it send, and asks by any name that leads here.
#[test]
fn pages_of_other_sites_change_no_models() {
    let server = server([]);
    let mut http = Http::to(&server);
    let length = BODY.len();
    for (path, origin, status) in [
        (UNLOAD, "http://evil.example", 403),
        (LOAD, "null", 403),
        (INFER, "http://evil.example", 200),
        (UNLOAD, "http://localhost", 200),
    ] {
        let reply = http.ask("POST", path, &format!("Origin: {origin}\r\n"), BODY);
        assert_eq!(reply.status, status, "{path} {origin}: {reply:?}");
        if status == 403 {
            assert!(reply.error().contains("pages of other sites"));
        }
    }
    http.send(&format!(
        "POST {LOAD} HTTP/1.1\r\nHost: evil.example\r\nContent-Length: {length}\r\n\r\n{BODY}"
    ));
    assert_eq!(http.reply().unwrap().status, 403);
    server.shutdown_blocking().unwrap();
}

#[test]
fn a_key_has_its_rate() {
    let limit = RateLimit::per_second(0.001).burst(2);
    let server = server([
        ApiKey::infer("shop", "shop's secret").limit(limit),
        ApiKey::infer("farm", "farm's secret"),
    ]);
    let mut http = Http::to(&server);
    let mut ask = |key: &str| http.ask("POST", INFER, &format!("X-API-Key: {key}\r\n"), BODY);
    assert_eq!(ask("shop's secret").status, 200);
    assert_eq!(ask("shop's secret").status, 200);
    let reply = ask("shop's secret");
    assert_eq!(
        (reply.status, reply.error().as_str()),
        (429, "too many requests with this key")
    );
    let wait: u64 = reply.header("retry-after").unwrap().parse().unwrap();
    assert!((990..=1000).contains(&wait), "{wait}");
    assert_eq!(ask("farm's secret").status, 200);
    server.shutdown_blocking().unwrap();
}

#[test]
fn grpc_is_denied_in_its_own_words() {
    let limited =
        ApiKey::infer("shop", "shop's secret").limit(RateLimit::per_second(0.001).burst(2));
    let server = server([limited]);
    let address = server.addr();
    let call = |path: &'static str, key: &'static str| async move {
        let mut request =
            hyper::Request::post(format!("http://h/inference.GRPCInferenceService/{path}"))
                .header("content-type", "application/grpc");
        if !key.is_empty() {
            request = request.header("authorization", format!("Bearer {key}"));
        }
        let request = request.body(http_body_util::Full::default()).unwrap();
        let mut http = Http2::to(address).await;
        let response = http.sender.send_request(request).await.unwrap();
        assert_eq!(
            (
                response.status().as_u16(),
                &response.headers()["content-type"]
            ),
            (200, &"application/grpc".parse().unwrap())
        );
        response.headers()["grpc-status"]
            .to_str()
            .unwrap()
            .to_owned()
    };
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        assert_eq!(call("ModelInfer", "").await, "16");
        assert_eq!(call("ModelInfer", "nobody's").await, "16");
        assert_eq!(call("RepositoryModelLoad", "shop's secret").await, "7");
        assert_eq!(call("RepositoryModelUnload", "shop's secret").await, "7");
        assert_eq!(call("ModelInfer", "shop's secret").await, "8");
    });
}

#[test]
fn keys_must_differ_and_have_names() {
    let error = |keys: [ApiKey; 2]| {
        let server = keys
            .into_iter()
            .fold(Server::new().bind("127.0.0.1:0"), Server::key);
        server.run_in_background().unwrap_err().to_string()
    };
    let key = || ApiKey::infer("shop", "secret");
    assert_eq!(
        error([key(), ApiKey::infer("farm", "")]),
        "the key `farm` has no name or no secret"
    );
    assert_eq!(
        error([key(), ApiKey::infer("shop", "other")]),
        "the key `shop` has the name or the secret of another one"
    );
    assert_eq!(
        error([key(), ApiKey::infer("farm", "secret")]),
        "the key `farm` has the name or the secret of another one"
    );
    assert!(!format!("{:?}", key()).contains("secret"));
}

#[test]
fn a_deadline_is_kept() {
    let gate = common::Gate::default();
    let held = gate.clone();
    let server = start(Server::new().model("sums", LocalModel::new(sums(move |_| held.pass()))));
    let mut http = Http::to(&server);
    let began = std::time::Instant::now();
    let reply = http.ask("POST", INFER, "X-Request-Timeout-Ms: 50\r\n", BODY);
    assert_eq!(reply.status, 504, "{reply:?}");
    let timed = BODY.replacen('{', r#"{"parameters":{"timeout":50000,"priority":1},"#, 1);
    let reply = http.infer("sums", &timed);
    assert_eq!(reply.status, 504, "{reply:?}");
    assert!(began.elapsed() < std::time::Duration::from_secs(10));
    let wrong = BODY.replacen('{', r#"{"parameters":{"priority":"high"},"#, 1);
    assert_eq!(http.infer("sums", &wrong).status, 400);
    gate.open();
    assert_eq!(http.infer("sums", BODY).status, 200);
    server.shutdown_blocking().unwrap();
}

//! The protocol's paths and its error table, over a real socket.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Http, echo, start, sums};
use maas_core::DType;
use maas_server::{RunningServer, Server};
use maas_service::{LocalModel, Replicas};
use serde_json::json;

fn server() -> RunningServer {
    let model = || {
        sums(|x| match x.first() {
            Some(x) if *x == -1.0 => panic!("a secret of the server"),
            _ => {}
        })
    };
    start(
        Server::new()
            .model("sums", Replicas::of(model(), 3))
            .model("red wine/Ü", LocalModel::new(model()))
            .model_version("old", "9", LocalModel::new(model()))
            .model_version("old", "10", LocalModel::new(model()).max_rows(2))
            .body_limit(100_000),
    )
}

fn input(shape: &str, data: &str) -> String {
    format!(r#"{{"inputs":[{{"name":"x","shape":{shape},"datatype":"FP32","data":{data}}}]}}"#)
}

#[test]
fn health_and_metadata() {
    let server = server();
    let mut http = Http::to(&server);
    for path in ["/v2", "/v2/"] {
        let metadata = http.get(path).json();
        assert_eq!(metadata["name"], "maas");
        let extensions = metadata["extensions"].as_array().unwrap();
        for extension in ["binary_tensor_data", "statistics"] {
            assert!(extensions.contains(&json!(extension)), "{extensions:?}");
        }
        assert_eq!(metadata["version"], env!("CARGO_PKG_VERSION"));
    }
    assert_eq!(http.get("/v2/health/live").json(), json!({"live": true}));
    assert_eq!(http.get("/v2/health/ready").json(), json!({"ready": true}));
    assert_eq!(
        http.get("/v2/models/sums/ready").json(),
        json!({"name": "sums", "ready": true})
    );
    assert_eq!(http.get("/v2/models/sums/versions/1/ready").status, 200);
    let expected = json!({
        "name": "sums", "versions": ["1"], "platform": "maas",
        "inputs": [{"name": "x", "datatype": "FP32", "shape": [-1, 2]}],
        "outputs": [{"name": "y", "datatype": "FP32", "shape": [-1, 1]}],
    });
    assert_eq!(http.get("/v2/models/sums").json(), expected);
    assert_eq!(http.get("/v2/models/sums/versions/1").json(), expected);
    assert_eq!(
        http.get("/v2/models/old").json()["versions"],
        json!(["9", "10"])
    );
    assert_eq!(
        http.get("/v2/models/red%20wine%2F%C3%9C").json()["name"],
        "red wine/Ü"
    );
    server.shutdown_blocking().unwrap();
}

#[test]
fn inference() {
    let server = server();
    let mut http = Http::to(&server);
    let reply = http.infer("sums", &input("[2,2]", "[1,2,3.5,-4e0]"));
    assert_eq!(
        (reply.status, reply.header("content-type")),
        (200, Some("application/json"))
    );
    let expected = json!({
        "model_name": "sums", "model_version": "1", "parameters": {"replica": "0"},
        "outputs": [{"name": "y", "datatype": "FP32", "shape": [2, 1], "data": [3.0, -0.5]}],
    });
    assert_eq!(reply.json(), expected);
    for data in ["[[1,2],[3.5,-4]]", "[ [1,2],\n 3.5, [-4] ]"] {
        assert_eq!(
            http.infer("sums", &input("[2,2]", data)).json()["outputs"],
            expected["outputs"]
        );
    }
    let none = http.infer("sums", &input("[0,2]", "[]")).json();
    assert_eq!(
        none["outputs"][0],
        json!({"name": "y", "datatype": "FP32", "shape": [0, 1], "data": []})
    );

    // Unknown keys, an output that is not wanted in bytes as all are, any key order, any Content-Type.
    let body = r#"{"model_name":"?","parameters":{"binary_data_output":true,"a":1.5,"b":"c"},"id":"Ü 7",
        "outputs":[{"name":"y","parameters":{"binary_data":false}}],
        "inputs":[{"data":[0.1,0.2],"datatype":"FP32","shape":[1,2],"name":"x"}]}"#;
    let reply = http.ask(
        "POST",
        "/v2/models/sums/versions/1/infer",
        "Content-Type: text/plain\r\n",
        body,
    );
    assert_eq!(reply.json()["id"], "Ü 7");
    assert!(
        reply.body.contains(r#""data":[0.3]"#) || reply.body.contains(r#""data":[0.30000001]"#),
        "{reply:?}"
    );
    assert_eq!(
        http.infer("red%20wine%2f%c3%9c", &input("[1,2]", "[1,2]"))
            .status,
        200
    );
    assert_eq!(
        http.infer("old", &input("[1,2]", "[1,2]")).json()["model_version"],
        "10"
    );
    let old = http.ask(
        "POST",
        "/v2/models/old/versions/9/infer",
        "",
        &input("[1,2]", "[1,2]"),
    );
    assert_eq!(old.json()["model_version"], "9");
    server.shutdown_blocking().unwrap();
}

#[test]
fn every_element_type_that_json_can_carry() {
    let types = DType::ALL.into_iter().fold(Server::new(), |server, dtype| {
        server.model(dtype.name(), echo(dtype))
    });
    let server = start(types);
    let mut http = Http::to(&server);
    let mut ask = |dtype: &str, data: &str| {
        let body = format!(
            r#"{{"inputs":[{{"name":"in","shape":[1,2],"datatype":"{dtype}","data":{data}}}]}}"#
        );
        http.infer(dtype, &body)
    };
    for (dtype, data) in [
        ("BOOL", "[true,false]"),
        ("INT8", "[-128,127]"),
        ("INT16", "[-32768,32767]"),
        ("INT32", "[-2147483648,2147483647]"),
        ("INT64", "[-9223372036854775808,9223372036854775807]"),
        ("UINT8", "[0,255]"),
        ("UINT16", "[0,65535]"),
        ("UINT32", "[0,4294967295]"),
        ("UINT64", "[0,18446744073709551615]"),
        ("FP32", "[0.1,-3.4028235e38]"),
        ("FP64", "[0.1,-1.7976931348623157e308]"),
        ("BYTES", r#"["","a, [\"b\"] \\ Ü"]"#),
    ] {
        let reply = ask(dtype, data);
        let text = format!(r#""data":{data}"#);
        assert_eq!(reply.status, 200, "{dtype}: {reply:?}");
        assert!(
            reply.body.contains(&text) || reply.body.replace("e+", "e").contains(&text),
            "{dtype}: {reply:?}"
        );
    }
    assert!(ask("BOOL", "[1,0]").body.contains("[true,false]"));
    for (dtype, data, found) in [
        ("BOOL", "[2,true]", "2"),
        ("INT8", "[1,128]", "128"),
        ("INT32", "[1.5,0]", "1.5"),
        ("UINT8", "[0,-1]", "-1"),
        ("FP32", "[1e39,0]", "1e39"),
        ("FP32", "[true,0]", "true"),
        ("FP32", r#"["1",0]"#, "\"1\""),
        ("FP32", "[null,0]", "null"),
        ("FP32", r#"[{"a":1},0]"#, "{"),
        ("BYTES", "[1,2]", "1"),
    ] {
        let reply = ask(dtype, data);
        assert_eq!(reply.status, 400, "{reply:?}");
        let error = reply.error();
        assert!(
            error.starts_with("input `in`: element") && error.contains(found),
            "{error}"
        );
    }
    for dtype in ["FP16", "BF16"] {
        let error = ask(dtype, "[1,2]").error();
        assert_eq!(
            error,
            format!("input `in`: {dtype} cannot be sent as JSON: it needs binary tensor data")
        );
    }
    server.shutdown_blocking().unwrap();
}

#[test]
fn bad_requests_say_what_was_expected_and_found() {
    let server = server();
    let one = r#"{"name":"x","shape":[1,2],"datatype":"FP32","data":[1,2]}"#;
    let with = |inputs: &str, more: &str| format!(r#"{{"inputs":[{inputs}]{more}}}"#);
    let deep = format!("{}1{}", "[".repeat(40_000), "]".repeat(40_000));
    let many = format!(r#"[{}{one}]"#, format!("{one},").repeat(500));
    for (body, expected) in [
        (String::new(), "the body is empty"),
        ("{".to_owned(), "no inference request: EOF"),
        ("[]".to_owned(), "no inference request"),
        ("\u{1}".to_owned(), "no inference request"),
        ("{}".to_owned(), "`inputs` is missing"),
        (r#"{"inputs":null}"#.to_owned(), "`inputs` is missing"),
        (with("", ""), "`inputs` is empty"),
        (with("{}", ""), "missing field `name`"),
        (with("1", ""), "invalid type: integer"),
        (
            r#"{"inputs":[],"inputs":[]}"#.to_owned(),
            "duplicate field `inputs`",
        ),
        (
            with(one, r#","id":7"#),
            "invalid type: integer `7`, expected a string",
        ),
        (
            with(one, r#","parameters":{"a":[]}"#),
            "parameter `a` must be a string, a number or a boolean",
        ),
        (
            with(&one.replace('x', "z"), ""),
            "no input `z`: expected `x`",
        ),
        (
            with(&format!("{one},{one}"), ""),
            "input `x` is there more than once",
        ),
        (
            format!(r#"{{"inputs":{many}}}"#),
            "input `x` is there more than once",
        ),
        (
            with(&one.replace("FP32", "FP64"), ""),
            "must be of type FP32, found FP64",
        ),
        (
            with(&one.replace("FP32", "FLOAT"), ""),
            "no element type is called `FLOAT`",
        ),
        (
            with(one, r#","outputs":[{"name":"z"}]"#),
            "no output `z`: expected `y`",
        ),
        (
            with(one, r#","outputs":[{"name":"y"},{"name":"y"}]"#),
            "output `y` is asked for more than once",
        ),
        (
            with(&one.replace(r#","data":[1,2]"#, ""), ""),
            "`data` is missing",
        ),
        (
            input("[1,3]", "[1,2,3]"),
            "must be of shape [any, 2], found [1, 3]",
        ),
        (
            input("[2]", "[1,2]"),
            "must be of shape [any, 2], found [2]",
        ),
        (
            input("[1,2]", "[1,2,3]"),
            "shape [1, 2] has 2 elements, found 3",
        ),
        (
            input("[1,2]", "[[1]]"),
            "shape [1, 2] has 2 elements, found 1",
        ),
        (input("[1,2]", "3"), "`data` must be an array, found 3"),
        (input("[1,2]", r#""AAAA""#), "`data` must be an array"),
        (
            input("[1,2]", "[NaN,1]"),
            "no inference request: expected value",
        ),
        (
            input("[1,2]", "[Infinity,1]"),
            "no inference request: expected value",
        ),
        (
            input("[1,2]", &deep),
            "shape [1, 2] has 2 elements, found 1",
        ),
        (input("[-1,2]", "[1,2]"), "invalid value: integer `-1`"),
        (input("[1.5,2]", "[1,2]"), "invalid type: floating point"),
        (
            input("[1000000000,2]", "[1,2]"),
            "has 2000000000 elements, found 2",
        ),
        (
            input("[18446744073709551615,2]", "[1,2]"),
            "too many elements",
        ),
        (
            input("[18446744073709551616,2]", "[1,2]"),
            "no inference request",
        ),
        (
            input("[0,18446744073709551615,3]", "[]"),
            "too many elements",
        ),
    ] {
        let reply = Http::to(&server).infer("sums", &body);
        let shown: String = body.chars().take(200).collect();
        assert_eq!(reply.status, 400, "{shown}: {reply:?}");
        assert!(
            reply.error().contains(expected),
            "{shown}: {}",
            reply.error()
        );
    }
    let rows = Http::to(&server).infer("old", &input("[3,2]", "[1,2,3,4,5,6]"));
    assert_eq!(
        (rows.status, rows.error().as_str()),
        (400, "a request has at most 2 rows, found 3: split it")
    );
    server.shutdown_blocking().unwrap();
}

#[test]
fn other_errors_have_their_status() {
    let server = server();
    let good = input("[1,2]", "[1,2]");
    let ask = |verb: &str, path: &str, headers: &str, body: &str| {
        let reply = Http::to(&server).ask(verb, path, headers, body);
        let error = reply.error();
        (reply, error)
    };
    for path in [
        "/v2/models/beer",
        "/v2/models/beer/ready",
        "/v2/models/beer/versions/1",
    ] {
        let (reply, error) = ask("GET", path, "", "");
        assert_eq!(
            (reply.status, error.as_str()),
            (404, "no model is called `beer`")
        );
    }
    for verb_path in [
        ("POST", "/v2/models/beer/infer"),
        ("POST", "/v2/models/beer/versions/1/infer"),
        ("POST", "/v2/models//infer"),
    ] {
        assert_eq!(ask(verb_path.0, verb_path.1, "", &good).0.status, 404);
    }
    let (reply, error) = ask("POST", "/v2/models/sums/versions/7/infer", "", &good);
    assert_eq!(
        (reply.status, error.as_str()),
        (404, "model `sums` has no version `7`")
    );
    for path in ["/nothing", "/v2/nothing", "/v2/models/sums/else"] {
        assert_eq!(ask("GET", path, "", "").0.status, 404, "{path}");
    }
    assert_eq!(ask("GET", "/v2/models/%ff", "", "").0.status, 400);
    for (verb, path, allow) in [
        ("GET", "/v2/models/sums/infer", "POST"),
        ("POST", "/v2", "GET,HEAD"),
        ("DELETE", "/v2/models/sums", "GET,HEAD"),
        ("PUT", "/v2/health/live", "GET,HEAD"),
    ] {
        let reply = ask(verb, path, "", "").0;
        assert_eq!(
            (reply.status, reply.header("allow")),
            (405, Some(allow)),
            "{verb} {path}"
        );
    }
    let path = "/v2/models/sums/infer";
    let classes = good.replace(
        "]}]}",
        r#"]}],"outputs":[{"name":"y","parameters":{"classification":3}}]}"#,
    );
    assert_eq!(ask("POST", path, "", &classes).0.status, 501);
    let (reply, error) = ask("POST", path, "", &" ".repeat(100_001));
    assert_eq!(
        (reply.status, error.as_str()),
        (413, "the body is too large: at most 100000 bytes are taken")
    );
    let (reply, error) = ask("POST", path, "", &input("[1,2]", "[-1,2]"));
    assert_eq!((reply.status, error.as_str()), (500, "the model panicked"));
    let (reply, error) = ask("POST", path, "", &input("[1,2]", "[3e38,3e38]"));
    assert_eq!(reply.status, 500);
    assert_eq!(
        error,
        "the answer cannot be sent: element 0 of `y` is inf, which JSON cannot carry"
    );
    assert_eq!(Http::to(&server).infer("sums", &good).status, 200);
    server.shutdown_blocking().unwrap();
}

#[test]
fn a_chunked_body_is_bounded_too() {
    let server = server();
    let mut http = Http::to(&server);
    http.send(
        "POST /v2/models/sums/infer HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n",
    );
    let chunk = format!("8000\r\n{}\r\n", " ".repeat(0x8000));
    for _ in 0..4 {
        http.send(&chunk);
    }
    assert_eq!(http.reply().unwrap().status, 413);
    server.shutdown_blocking().unwrap();
}

#[test]
fn names_that_do_not_fit_are_refused_at_the_start() {
    let model = || LocalModel::new(sums(|_| {}));
    let error = |server: Server| {
        server
            .bind("127.0.0.1:0")
            .run_in_background()
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        error(Server::new().model("", model())),
        "a model has an empty name"
    );
    assert_eq!(
        error(Server::new().model("a", model()).model("a", model())),
        "model `a` has a version `1` already"
    );
    let taken = start(Server::new());
    let again = Server::new()
        .bind(taken.addr().to_string())
        .run_in_background()
        .unwrap_err();
    assert_eq!(
        again.to_string(),
        format!("cannot listen on {}", taken.addr())
    );
    assert!(Server::new().bind("nowhere").run_in_background().is_err());
}

#[test]
fn to_spawn_without_a_runtime_is_an_error() {
    let mut starting = std::pin::pin!(Server::new().bind("127.0.0.1:0").spawn());
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let started = std::future::Future::poll(starting.as_mut(), &mut context);
    assert!(matches!(
        started,
        std::task::Poll::Ready(Err(maas_server::Error::NoRuntime))
    ));
}

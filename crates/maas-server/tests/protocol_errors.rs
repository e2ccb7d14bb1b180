//! What is wrong with a body, by the table of errors that the protocol's servers were asked for: some of them answer with
//! 500, with 200 or with a trace of their insides.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Http, start, sums};
use maas_server::{RunningServer, Server};
use maas_service::LocalModel;
use serde_json::json;

fn server() -> RunningServer {
    start(
        Server::new()
            .model("sums", LocalModel::new(sums(|_| {})).max_rows(4))
            .body_limit(4_000_000),
    )
}

const GOOD: &str = r#"{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[1,2]}]}"#;

#[test]
fn every_row_of_the_table_is_400_but_for_rows_that_are_none() {
    let server = server();
    let binary = GOOD.replace(r#""data":[1,2]"#, r#""parameters":{"binary_data_size":8}"#);
    let seven_rows = json!({"inputs": [{"name": "x", "shape": [7, 2], "datatype": "FP32", "data": vec![1; 14]}]});
    let text = |from: &str, to: &str| (GOOD.replace(from, to), None, &b""[..]);
    for (what, (json, header, bytes), expected) in [
        (
            "malformed JSON",
            text("]}]}", "]}"),
            "no inference request: ",
        ),
        (
            "no inputs",
            ("{}".to_owned(), None, &b""[..]),
            "`inputs` is missing",
        ),
        (
            "empty inputs",
            (r#"{"inputs":[]}"#.to_owned(), None, b""),
            "`inputs` is empty",
        ),
        (
            "wrong input name",
            text("\"x\"", "\"z\""),
            "no input `z`: expected `x`",
        ),
        (
            "wrong inner shape",
            text("[1,2],\"d", "[2,1],\"d"),
            "must be of shape [any, 2], found [2, 1]",
        ),
        (
            "element count",
            text("[1,2]}", "[1,2,3]}"),
            "has 2 elements, found 3",
        ),
        (
            "other known datatype",
            text("FP32", "FP64"),
            "must be of type FP32, found FP64",
        ),
        (
            "unknown datatype",
            text("FP32", "FP33"),
            "no element type is called `FP33`",
        ),
        (
            "strings for FP32",
            text("[1,2]}", "[\"1\",\"2\"]}"),
            "element 0 is not of type FP32: found \"1\"",
        ),
        ("no data", text(",\"data\":[1,2]", ""), "`data` is missing"),
        (
            "batch above max",
            (seven_rows.to_string(), None, b""),
            "at most 4 rows, found 7",
        ),
        (
            "unknown output",
            text("]}]}", r#"]}],"outputs":[{"name":"q"}]}"#),
            "no output `q`: expected `y`",
        ),
        (
            "header length",
            (GOOD.to_owned(), Some(GOOD.len() + 1), b""),
            "but the body has",
        ),
        (
            "empty body",
            (String::new(), None, b""),
            "the body is empty",
        ),
        (
            "empty body, header 0",
            (String::new(), Some(0), b""),
            "the body is empty",
        ),
        (
            "binary too short",
            (binary.clone(), Some(binary.len()), b"1234567"),
            "but 7 bytes are left",
        ),
        (
            "binary too long",
            (binary.clone(), Some(binary.len()), b"123456789"),
            "1 bytes follow the last tensor",
        ),
        (
            "NaN",
            text("[1,2]}", "[NaN,2]}"),
            "no inference request: expected value",
        ),
    ] {
        let headers = header.map_or(String::new(), |length| {
            format!("Inference-Header-Content-Length: {length}\r\n")
        });
        let body = [json.as_bytes(), bytes].concat();
        let reply = Http::to(&server).post("/v2/models/sums/infer", &headers, &body);
        assert_eq!(reply.status, 400, "{what}: {reply:?}");
        assert!(
            reply.error().contains(expected),
            "{what}: {}",
            reply.error()
        );
        assert_eq!(reply.header("content-type"), Some("application/json"));
    }
    let nested = Http::to(&server).infer("sums", &GOOD.replace("[1,2]}", "[[1,2]]}"));
    assert_eq!(nested.status, 200);
    let none = GOOD
        .replace("[1,2],\"d", "[0,2],\"d")
        .replace("[1,2]}", "[]}");
    let none = Http::to(&server).infer("sums", &none);
    assert_eq!(
        (none.status, &none.json()["outputs"][0]["shape"]),
        (200, &json!([0, 1]))
    );
    server.shutdown_blocking().unwrap();
}

#[test]
fn hostile_bodies_are_refused_at_once() {
    let server = server();
    let data = |data: &str| GOOD.replace("[1,2]}", &format!("{data}}}"));
    let shape = |shape: &str| GOOD.replace("[1,2],\"d", &format!("{shape},\"d"));
    let first = |json: String| json.replace(r#"{"name""#, r#"{"data":[1,2],"name""#);
    let many = |item: &str, count: usize| vec![item; count].join(",");
    let input = &GOOD[11..GOOD.len() - 2];
    let deep = "[".repeat(1_000_000);
    for (what, json, expected) in [
        (
            "deep data",
            data(&deep),
            "no inference request: expected value",
        ),
        (
            "deep, closed",
            data(&format!("{deep}{}", "]".repeat(1_000_000))),
            "has 2 elements, found 0",
        ),
        (
            "deep elsewhere",
            GOOD.replace("}]}", &format!("}}],\"a\":{deep}")),
            "more than 128 values within each other",
        ),
        (
            "deep objects",
            GOOD.replace("}]}", &format!("}}],\"a\":{}", "{\"a\":".repeat(100_000))),
            "more than 128",
        ),
        (
            "deep parameter",
            GOOD.replace("}]}", &format!("}}],\"parameters\":{{\"a\":{deep}}}}}")),
            "more than 128",
        ),
        ("deep shape", shape(&deep), "more than 128"),
        (
            "huge shape",
            shape("[4000000000,4000000000]"),
            "too many elements",
        ),
        (
            "overflow",
            shape("[18446744073709551615,18446744073709551615]"),
            "too many elements",
        ),
        (
            "overflow by 0",
            shape("[0,18446744073709551615,18446744073709551615]"),
            "too many elements",
        ),
        (
            "overflow, data first",
            first(shape("[18446744073709551615,2]")).replace(",\"data\":[1,2]}", "}"),
            "too many elements",
        ),
        (
            "huge shape, data first",
            first(shape("[4000000000,2]")).replace(",\"data\":[1,2]}", "}"),
            "has 8000000000 elements, found 2",
        ),
        (
            "long shape",
            shape(&format!("[{}]", many("1", 500_000))),
            "a shape has at most 64 dimensions",
        ),
        ("two data", first(GOOD.to_owned()), "duplicate field `data`"),
        (
            "two sizes",
            GOOD.replace(
                r#""data":[1,2]"#,
                r#""parameters":{"binary_data_size":8,"binary_data_size":9}"#,
            ),
            "duplicate field `binary_data_size`",
        ),
        (
            "many inputs",
            format!(r#"{{"inputs":[{}]}}"#, many(input, 40_000)),
            "input `x` is there more than once",
        ),
        (
            "many outputs",
            GOOD.replace(
                "}]}",
                &format!("}}],\"outputs\":[{}]}}", many(r#"{"name":"y"}"#, 200_000)),
            ),
            "output `y` is asked for more than once",
        ),
        (
            "long digits",
            data(&format!("[1{},2]", "0".repeat(1_000_000))),
            "element 0 is not of type FP32: found 100",
        ),
        (
            "long fraction",
            data(&format!("[0.{}1,2,3]", "0".repeat(1_000_000))),
            "has 2 elements, found 3",
        ),
        (
            "long exponent",
            data(&format!("[1e{},2]", "9".repeat(1_000_000))),
            "element 0 is not of type FP32",
        ),
    ] {
        let reply = Http::to(&server).infer("sums", &json);
        assert_eq!(reply.status, 400, "{what}: {reply:?}");
        assert!(
            reply.error().contains(expected),
            "{what}: {}",
            reply.error()
        );
    }
    let good = Http::to(&server).infer("sums", GOOD);
    assert_eq!(good.status, 200);
    server.shutdown_blocking().unwrap();
}

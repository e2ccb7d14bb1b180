//! Tensors as bytes after the JSON text, over a real socket.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Http, echo, start, sums};
use maas_core::{DType, FnModel, Outputs, Signature, Tensor, TensorSpec, TensorView};
use maas_server::{RunningServer, Server};
use maas_service::LocalModel;
use serde_json::json;

/// Two of a type that are not alike.
fn two(dtype: DType) -> Tensor {
    match dtype {
        DType::Bytes => Tensor::strings([1, 2], &[&b"a\xff"[..], b""]).unwrap(),
        DType::Bool => Tensor::from_bools([1, 2], &[true, false]).unwrap(),
        other => {
            let bytes: Vec<u8> = (1..=2 * u8::try_from(other.size().unwrap()).unwrap()).collect();
            Tensor::from_bytes(other, [1, 2], &bytes).unwrap()
        }
    }
}

fn server() -> RunningServer {
    let pair = Signature::new(
        vec![
            TensorSpec::rows("a", DType::Fp32, &[1]),
            TensorSpec::rows("b", DType::Int64, &[1]),
        ],
        vec![
            TensorSpec::rows("a", DType::Fp32, &[1]),
            TensorSpec::rows("b", DType::Int64, &[1]),
        ],
    );
    let pair = FnModel::new(
        pair.unwrap(),
        |inputs: &[TensorView<'_>], outputs: &mut Outputs<'_>| {
            outputs.copy(0, &inputs[0])?;
            outputs.copy(1, &inputs[1])
        },
    );
    let types = DType::ALL.into_iter().fold(Server::new(), |server, dtype| {
        server.model(dtype.name(), echo(dtype))
    });
    start(
        types
            .model("sums", LocalModel::new(sums(|_| {})))
            .model("pair", LocalModel::new(pair))
            .body_limit(2_000_000),
    )
}

fn input(shape: &str, dtype: &str, size: usize) -> String {
    format!(
        r#"{{"name":"in","shape":{shape},"datatype":"{dtype}","parameters":{{"binary_data_size":{size}}}}}"#
    )
}

fn request(input: &str, more: &str) -> String {
    format!(r#"{{"inputs":[{input}]{more}}}"#)
}

const ALL_BINARY: &str = r#","parameters":{"binary_data_output":true}"#;

#[test]
fn every_element_type_goes_and_comes_in_bytes() {
    let server = server();
    let mut http = Http::to(&server);
    for dtype in DType::ALL {
        let tensor = two(dtype);
        let name = dtype.name();
        // Texts of any length, so that the bytes lie anywhere.
        for spaces in 0..8 {
            let input = input("[1,2]", name, tensor.bytes().len());
            let json = request(&input, ALL_BINARY) + &" ".repeat(spaces);
            let reply = http.infer_binary(name, &json, tensor.bytes());
            assert_eq!(reply.status, 200, "{reply:?}");
            let content_type = reply.header("content-type");
            assert_eq!(content_type, Some("application/octet-stream"));
            let (json, binary) = reply.split();
            assert_eq!(binary, tensor.bytes(), "{dtype}");
            let output = json!([{
                "name": "out", "datatype": name, "shape": [1, 2],
                "parameters": {"binary_data_size": tensor.bytes().len()},
            }]);
            assert_eq!(json["outputs"], output);
        }
    }
    server.shutdown_blocking().unwrap();
}

#[test]
fn json_and_bytes_are_mixed_as_asked_for() {
    let server = server();
    let mut http = Http::to(&server);
    let a = r#"{"name":"a","shape":[1,1],"datatype":"FP32","data":[0.5]}"#;
    let b = r#"{"parameters":{"binary_data_size":8},"name":"b","shape":[1,1],"datatype":"INT64"}"#;
    let seven = 7_i64.to_le_bytes();
    for inputs in [format!("{a},{b}"), format!("{b},{a}")] {
        let reply = http.infer_binary("pair", &request(&inputs, ""), &seven);
        assert_eq!(reply.header("content-type"), Some("application/json"));
        assert!(reply.header("inference-header-content-length").is_none());
        assert_eq!(reply.json()["outputs"][0]["data"], json!([0.5]));
        assert_eq!(reply.json()["outputs"][1]["data"], json!([7]));
        for more in [
            r#","outputs":[{"name":"a"},{"name":"b","parameters":{"binary_data":true}}]"#,
            r#","parameters":{"binary_data_output":true},
                "outputs":[{"name":"a","parameters":{"binary_data":false}},{"name":"b"}]"#,
        ] {
            let reply = http.infer_binary("pair", &request(&inputs, more), &seven);
            let (json, binary) = reply.split();
            assert_eq!(json["outputs"][0]["data"], json!([0.5]));
            assert_eq!(
                json["outputs"][1]["parameters"],
                json!({"binary_data_size": 8})
            );
            assert_eq!(binary, seven);
        }
    }
    let both = request(
        &format!(
            "{b},{}",
            b.replace("\"b\"", "\"a\"")
                .replace("INT64", "FP32")
                .replace(":8", ":4")
        ),
        ALL_BINARY,
    );
    let reply = http.infer_binary(
        "pair",
        &both,
        &[&seven[..], &0.5_f32.to_le_bytes()].concat(),
    );
    let (_, binary) = reply.split();
    assert_eq!(binary, [&0.5_f32.to_le_bytes()[..], &seven].concat());
    server.shutdown_blocking().unwrap();
}

#[test]
fn a_body_without_text_is_the_only_input() {
    let server = server();
    let mut http = Http::to(&server);
    let mut raw = |model: &str, bytes: &[u8]| http.infer_binary(model, "", bytes);
    for dtype in DType::ALL {
        if dtype == DType::Bytes {
            continue;
        }
        let tensor = two(dtype);
        let reply = raw(dtype.name(), tensor.bytes());
        assert_eq!(reply.status, 200, "{reply:?}");
        assert_eq!(reply.split().1, tensor.bytes());
    }
    let rows = raw("INT8", &[1, 2, 3, 4]);
    assert_eq!(rows.split().0["outputs"][0]["shape"], json!([2, 2]));
    for (model, bytes, expected) in [
        (
            "INT8",
            &[1, 2, 3][..],
            "the body has 3 bytes, expected a multiple of 2",
        ),
        ("INT8", &[], "the body is empty"),
        (
            "BOOL",
            &[1, 2],
            "input `in`: boolean 1 is 2, neither 0 nor 1",
        ),
        (
            "pair",
            &[0; 12],
            "needs a model with one input, this one has 2",
        ),
        ("BYTES", b"text", "one byte string, the model takes more"),
    ] {
        let reply = raw(model, bytes);
        assert_eq!(reply.status, 400, "{reply:?}");
        assert!(reply.error().contains(expected), "{}", reply.error());
    }
    server.shutdown_blocking().unwrap();
}

#[test]
fn large_tensors_come_in_pieces_and_go_uncopied() {
    let server = server();
    let mut http = Http::to(&server);
    let values: Vec<f32> = (0_u16..60_000).chain(0..60_000).map(f32::from).collect();
    let tensor = Tensor::from_slice([60_000, 2], &values).unwrap();
    for spaces in 0..4 {
        let json = request(&input("[60000,2]", "FP32", 480_000), ALL_BINARY) + &" ".repeat(spaces);
        let reply = http.infer_binary("FP32", &json, tensor.bytes());
        assert_eq!(reply.split().1, tensor.bytes());
    }
    let none = http.infer_binary(
        "FP32",
        &request(&input("[0,2]", "FP32", 0), ALL_BINARY),
        &[],
    );
    assert!(none.split().1.is_empty());
    server.shutdown_blocking().unwrap();
}

#[test]
fn bad_bytes_say_what_was_expected_and_found() {
    let server = server();
    let json = |shape: &str, size: usize| request(&input(shape, "FP32", size), "");
    let both = request(
        &input("[1,2]", "FP32", 8).replace("\"parameters\"", "\"data\":[1,2],\"parameters\""),
        "",
    );
    let text = |size: &str| request(&input("[1,2]", "FP32", 8).replace(":8", size), "");
    for (json, bytes, expected) in [
        (
            json("[1,2]", 8),
            4,
            "`binary_data_size` is 8, but 4 bytes are left after the JSON text",
        ),
        (json("[1,2]", 8), 9, "1 bytes follow the last tensor"),
        (
            json("[1,2]", 4),
            4,
            "FP32 of shape [1, 2] takes 8 bytes, found 4",
        ),
        (
            json("[1000000000,2]", 8),
            8,
            "takes 8000000000 bytes, found 8",
        ),
        (
            json("[18446744073709551615,2]", 8),
            8,
            "more elements than memory could hold",
        ),
        (
            json("[1,2]", usize::MAX),
            8,
            "`binary_data_size` is 18446744073709551615",
        ),
        (
            both,
            8,
            "`data` and `binary_data_size`: expected one of them",
        ),
        (
            text(":-8"),
            8,
            "`binary_data_size` must be a number of bytes, found",
        ),
        (
            text(":\"8\""),
            8,
            "`binary_data_size` must be a number of bytes, found",
        ),
        (
            text(":8.0"),
            8,
            "`binary_data_size` must be a number of bytes, found",
        ),
        (
            request(
                &input("[1,2]", "FP32", 8),
                r#","parameters":{"binary_data_output":1}"#,
            ),
            8,
            "`binary_data_output` must be a boolean",
        ),
        (
            request(
                &input("[1,2]", "FP32", 8),
                r#","outputs":[{"name":"out","parameters":{"binary_data":"yes"}}]"#,
            ),
            8,
            "`binary_data` must be a boolean",
        ),
        (
            request(&input("[1,2]", "BOOL", 2), ""),
            2,
            "boolean 0 is 7, neither 0 nor 1",
        ),
        (request(&input("[1,2]", "BYTES", 8), ""), 8, "string 0"),
    ] {
        let reply = Http::to(&server).infer_binary("FP32", &json, &vec![7; bytes]);
        assert_eq!(reply.status, 400, "{json}: {reply:?}");
        assert!(
            reply.error().contains(expected),
            "{json}: {}",
            reply.error()
        );
    }
    let path = "/v2/models/FP32/infer";
    for (header, expected) in [
        (
            "1000",
            "Inference-Header-Content-Length is 1000, but the body has",
        ),
        ("-1", "must be a number of bytes, found \"-1\""),
        ("99999999999999999999", "must be a number of bytes"),
        ("", "must be a number of bytes, found \"\""),
    ] {
        let header = format!("Inference-Header-Content-Length: {header}\r\n");
        let reply = Http::to(&server).post(path, &header, json("[1,2]", 8).as_bytes());
        assert_eq!(reply.status, 400, "{header}: {reply:?}");
        assert!(reply.error().contains(expected), "{}", reply.error());
    }
    // Without the header all of the body is text.
    let reply = Http::to(&server).post(path, "", json("[1,2]", 8).as_bytes());
    assert_eq!(reply.status, 400);
    assert!(
        reply.error().contains("0 bytes are left"),
        "{}",
        reply.error()
    );
    server.shutdown_blocking().unwrap();
}

#[test]
fn what_json_cannot_carry_goes_in_bytes() {
    let server = server();
    let mut http = Http::to(&server);
    let half = request(&input("[1,2]", "FP16", 4), "");
    let reply = http.infer_binary("FP16", &half, &[0, 0x3c, 0, 0]);
    assert_eq!(reply.status, 501, "{reply:?}");
    let infinite = f32::INFINITY.to_le_bytes().repeat(2);
    let reply = http.infer_binary("FP32", &request(&input("[1,2]", "FP32", 8), ""), &infinite);
    assert_eq!(reply.status, 500, "{reply:?}");
    let reply = http.infer_binary(
        "FP32",
        &request(&input("[1,2]", "FP32", 8), ALL_BINARY),
        &infinite,
    );
    assert_eq!(reply.split().1, infinite);
    server.shutdown_blocking().unwrap();
}

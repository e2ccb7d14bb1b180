//! Compressed bodies, over a real socket.
#![allow(clippy::unwrap_used)]

mod common;

use std::io::{Read, Write};

use common::{Http, Reply, echo, start};
use flate2::Compression;
use flate2::read::{GzDecoder, ZlibDecoder};
use flate2::write::{GzEncoder, ZlibEncoder};
use maas_core::{DType, Tensor};
use maas_server::{RunningServer, Server};
use serde_json::{Value, json};

const LIMIT: usize = 1_000_000;

fn server() -> RunningServer {
    start(
        Server::new()
            .model("echo", echo(DType::Fp32))
            .body_limit(LIMIT),
    )
}

fn packed(coding: &str, bytes: &[u8]) -> Vec<u8> {
    if coding == "gzip" {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    } else {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }
}

fn unpacked(coding: &str, bytes: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    if coding == "gzip" {
        GzDecoder::new(bytes).read_to_end(&mut plain).unwrap();
    } else {
        ZlibDecoder::new(bytes).read_to_end(&mut plain).unwrap();
    }
    plain
}

fn post(server: &RunningServer, headers: &str, body: &[u8]) -> Reply {
    Http::to(server).post("/v2/models/echo/infer", headers, body)
}

#[test]
fn text_and_bytes_are_compressed_together() {
    let server = server();
    for rows in [1, 10_000] {
        let values: Vec<f32> = (0..2 * rows).map(|x| x as f32).collect();
        let tensor = Tensor::from_slice([rows, 2], &values).unwrap();
        let size = tensor.bytes().len();
        let text = format!(
            r#"{{"inputs":[{{"name":"in","shape":[{rows},2],"datatype":"FP32","parameters":{{"binary_data_size":{size}}}}}],"parameters":{{"binary_data_output":true}}}}"#
        );
        let plain = [text.as_bytes(), tensor.bytes()].concat();
        for coding in ["gzip", "deflate"] {
            let headers = format!(
                "Content-Encoding: {coding}\r\nInference-Header-Content-Length: {}\r\nAccept-Encoding: {coding}\r\n",
                text.len()
            );
            let mut reply = post(&server, &headers, &packed(coding, &plain));
            assert_eq!(reply.status, 200, "{reply:?}");
            // A small answer stays as it is.
            assert_eq!(
                reply.header("content-encoding"),
                (rows > 1).then_some(coding)
            );
            if rows > 1 {
                reply.bytes = unpacked(coding, &reply.bytes);
            }
            assert_eq!(reply.split().1, tensor.bytes());
        }
    }
    server.shutdown_blocking().unwrap();
}

#[test]
fn answers_in_json_are_compressed() {
    let server = server();
    let data = vec![0.5; 1000];
    let body =
        json!({"inputs": [{"name": "in", "shape": [500, 2], "datatype": "FP32", "data": data}]});
    let body = body.to_string();
    for (accepted, coding) in [
        ("gzip", Some("gzip")),
        ("deflate", Some("deflate")),
        ("br, deflate;q=0.5, gzip;q=0.1", Some("deflate")),
        ("identity", None),
    ] {
        let reply = post(
            &server,
            &format!("Accept-Encoding: {accepted}\r\n"),
            body.as_bytes(),
        );
        assert_eq!(reply.header("content-encoding"), coding);
        assert_eq!(reply.header("content-type"), Some("application/json"));
        let plain = coding.map_or(reply.bytes.clone(), |coding| unpacked(coding, &reply.bytes));
        let answer: Value = serde_json::from_slice(&plain).unwrap();
        assert_eq!(answer["outputs"][0]["data"], json!(data));
    }
    server.shutdown_blocking().unwrap();
}

#[test]
fn what_cannot_be_unpacked_is_refused() {
    let server = server();
    let good = r#"{"inputs":[{"name":"in","shape":[1,2],"datatype":"FP32","data":[1,2]}]}"#;
    for coding in ["gzip", "deflate"] {
        let headers = format!("Content-Encoding: {coding}\r\n");
        let good = packed(coding, good.as_bytes());
        assert_eq!(post(&server, &headers, &good).status, 200);
        for bad in [
            &good[..good.len() - 1],
            b"",
            b"{}",
            &[&good[..], b"more"].concat(),
        ] {
            let reply = post(&server, &headers, bad);
            assert_eq!(reply.status, 400, "{reply:?}");
            let expected = format!("the body is not {coding}: ");
            assert!(reply.error().starts_with(&expected), "{}", reply.error());
        }
        // A body within the limit that unpacks to more, by little and by a lot.
        for size in [LIMIT + 1, 50 * LIMIT] {
            let bomb = packed(coding, &vec![b' '; size]);
            assert!(bomb.len() < LIMIT);
            let reply = post(&server, &headers, &bomb);
            assert_eq!(reply.status, 413, "{reply:?}");
            let expected = "the body is too large: at most 1000000 bytes are taken";
            assert_eq!(reply.error(), expected);
        }
    }
    for coding in ["br", "gzip, deflate", "zstd"] {
        let reply = post(
            &server,
            &format!("Content-Encoding: {coding}\r\n"),
            good.as_bytes(),
        );
        assert_eq!(reply.status, 415, "{reply:?}");
        assert!(reply.error().contains("must be gzip, deflate or identity"));
    }
    let plain = post(&server, "Content-Encoding: identity\r\n", good.as_bytes());
    assert_eq!(plain.status, 200);
    server.shutdown_blocking().unwrap();
}

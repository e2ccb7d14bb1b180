//! The client and servers that are not ours.
#![allow(clippy::unwrap_used)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::thread;

use maas_core::Tensor;
use maas_server::Client;
use maas_service::{InferRequest, InferResponse, ServeError};

const BODY: &str = r#"{"model_name":"wine","outputs":[{"name":"y","datatype":"FP32","shape":[1,1],"data":[5.5]}]}"#;

/// What the client makes of these bytes as the answer to a request.
fn answered(answer: String) -> Result<InferResponse, ServeError> {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = Client::new(format!("http://{}", listener.local_addr().unwrap())).unwrap();
    let server = thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let mut reader = BufReader::new(&stream);
        let (mut line, mut length) = (String::new(), 0);
        while line != "\r\n" {
            line.clear();
            reader.read_line(&mut line).unwrap();
            if let Some(value) = line.strip_prefix("Content-Length: ") {
                length = value.trim_end().parse().unwrap();
            }
        }
        reader.read_exact(&mut vec![0; length]).unwrap();
        (&stream).write_all(answer.as_bytes()).unwrap();
    });
    let request =
        InferRequest::new("wine").input("x", Tensor::from_slice([1, 1], &[0.5_f32]).unwrap());
    let result = client.ask(&request);
    server.join().unwrap();
    result
}

#[test]
fn answers_of_every_framing_are_read() {
    let (first, second) = BODY.split_at(30);
    for answer in [
        format!(
            "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{BODY}",
            BODY.len()
        ),
        format!(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{first}\r\n{:X};a=b\r\n{second}\r\n0\r\n\r\n",
            first.len(),
            second.len()
        ),
        format!("HTTP/1.0 200 OK\r\n\r\n{BODY}"),
    ] {
        let response = answered(answer.clone()).unwrap();
        assert_eq!(response.rows().unwrap(), ndarray::array![[5.5]], "{answer}");
    }
}

#[test]
fn answers_that_are_none_are_errors() {
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    for answer in [
        String::new(),
        "\r\n\r\n".to_owned(),
        "HTTP/1.1 200 OK\r\nno colon\r\n\r\n".to_owned(),
        "HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615\r\n\r\n".to_owned(),
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n".to_owned(),
        format!(
            "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{BODY}",
            BODY.len() + 1
        ),
        format!("{chunked}1\r\n{{\r\nffffffffffffffff\r\n"),
        format!("{chunked}10000000000000000\r\n"),
        format!("{chunked}2\r\n{{"),
    ] {
        let result = answered(answer.clone());
        assert!(
            matches!(result, Err(ServeError::Unreachable { .. })),
            "{answer:?}: {result:?}"
        );
    }
    let result = answered("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno".to_owned());
    assert!(
        matches!(result, Err(ServeError::BadAnswer { .. })),
        "{result:?}"
    );
}

//! The client and servers that are not ours.
#![allow(clippy::unwrap_used)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use maas_core::{DType, Signature, Tensor, TensorSpec};
use maas_schedule::Moment;
use maas_server::{Client, RemoteModel};
use maas_service::{Description, ErrorKind, InferRequest, InferResponse, ServeError, Service};

const BODY: &str = r#"{"model_name":"wine","outputs":[{"name":"y","datatype":"FP32","shape":[1,1],"data":[5.5]}]}"#;

/// What the client makes of these bytes as the answer to a request.
fn answered(answer: String) -> Result<InferResponse, ServeError> {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = Client::new(format!("http://{}", listener.local_addr().unwrap())).unwrap();
    let client = client.json();
    let server = thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        read_request(&stream);
        // A client that has seen enough closes the connection.
        let _ = (&stream).write_all(answer.as_bytes());
    });
    let result = client.ask(&request());
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

/// Reads a request whole; `false` when none comes any more.
fn read_request(stream: &TcpStream) -> bool {
    let mut reader = BufReader::new(stream);
    let (mut line, mut length) = (String::new(), 0);
    while line != "\r\n" {
        line.clear();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return false;
        }
        if let Some(value) = line.strip_prefix("content-length: ") {
            length = value.trim_end().parse().unwrap();
        }
    }
    reader.read_exact(&mut vec![0; length]).is_ok()
}

#[test]
fn answers_that_are_none_are_errors_that_others_may_mend() {
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let length = BODY.len();
    for answer in [
        String::new(),
        "\r\n\r\n".to_owned(),
        "HTTP/1.1 2".to_owned(),
        "HTTP/1.1 200 OK\r\nno colon\r\n\r\n".to_owned(),
        "HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615\r\n\r\n".to_owned(),
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n".to_owned(),
        format!(
            "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{BODY}",
            length + 1
        ),
        format!(
            "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{BODY}",
            length - 1
        ),
        format!(
            "HTTP/1.1 200 OK\r\n{}\r\n",
            "X-Flood: of headers\r\n".repeat(10_000)
        ),
        format!(
            "HTTP/1.1 200 OK\r\nX-Flood: {}\r\n\r\n",
            "x".repeat(1 << 20)
        ),
        format!(
            "HTTP/1.1 200 OK\r\nInference-Header-Content-Length: {length}0\r\nContent-Length: {length}\r\n\r\n{BODY}"
        ),
        format!(
            "HTTP/1.1 200 OK\r\nInference-Header-Content-Length: all\r\nContent-Length: {length}\r\n\r\n{BODY}"
        ),
        format!("{chunked}1\r\n{{\r\nffffffffffffffff\r\n"),
        format!("{chunked}10000000000000000\r\n"),
        format!("{chunked}2\r\n{{"),
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno".to_owned(),
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}".to_owned(),
    ] {
        let error = answered(answer.clone()).unwrap_err();
        assert!(
            matches!(
                error,
                ServeError::Unreachable { .. } | ServeError::BadAnswer { .. }
            ),
            "{:?}: {error:?}",
            &answer[..answer.len().min(200)]
        );
        assert!(error.is_retryable());
    }
}

#[test]
fn a_server_says_in_seconds_or_by_date_when_to_come_back() {
    let busy = |when: &str| {
        let head = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n";
        answered(format!("{head}Retry-After: {when}\r\n\r\n")).unwrap_err()
    };
    for (when, least) in [("7", 7), ("Fri, 31 Dec 9999 23:59:59 GMT", 1 << 32)] {
        let error = busy(when);
        let pause = error.retry_after().unwrap();
        assert!(pause >= Duration::from_secs(least), "{pause:?}");
        assert_eq!(error.kind(), ErrorKind::Overloaded);
    }
    assert_eq!(busy("soon").retry_after(), None);
}

#[test]
fn an_answer_without_end_takes_bounded_memory() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        read_request(&stream);
        let chunk = format!("10000\r\n{}\r\n", " ".repeat(0x10000));
        let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        (&stream).write_all(head.as_bytes()).unwrap();
        let mut sent = 0_usize;
        while (&stream).write_all(chunk.as_bytes()).is_ok() {
            sent += chunk.len();
        }
        sent
    });
    let remote = RemoteModel::at(url, "wine")
        .json()
        .probing_every(Duration::ZERO);
    let remote = remote
        .answer_limit(1 << 20)
        .described(description())
        .unwrap();
    let error = remote.infer_blocking(request()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the server's answer cannot be understood: it has more than 1048576 bytes"
    );
    // What the sockets hold comes on top.
    assert!(server.join().unwrap() < 32 << 20);
}

#[test]
fn a_kept_connection_that_the_server_closed_is_replaced_once() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = Client::new(format!("http://{}", listener.local_addr().unwrap())).unwrap();
    let client = client.json();
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{BODY}",
        BODY.len()
    );
    let server = thread::spawn(move || {
        let mut requests = 0;
        // Each connection answers one request, takes a second one, and closes; the last one answers none.
        for connection in 0..3 {
            let (stream, _) = listener.accept().unwrap();
            requests += usize::from(read_request(&stream));
            if connection < 2 {
                (&stream).write_all(answer.as_bytes()).unwrap();
                requests += usize::from(read_request(&stream));
            }
        }
        requests
    });
    assert!(client.ask(&request()).is_ok());
    assert!(client.ask(&request()).is_ok());
    let error = client.ask(&request()).unwrap_err();
    assert!(matches!(error, ServeError::Unreachable { .. }), "{error:?}");
    assert_eq!(server.join().unwrap(), 5);
}

/// Answers requests one after the other, as `answer` says to each by its first line.
fn answering(
    answer: impl Fn(&str) -> String + Send + 'static,
) -> (Client, thread::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = Client::new(format!("http://{}", listener.local_addr().unwrap())).unwrap();
    let server = thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let mut asked = Vec::new();
        let mut line = [0; 4096];
        loop {
            let length = stream.peek(&mut line).unwrap_or(0);
            let first = String::from_utf8_lossy(&line[..length]);
            let first = first.lines().next().unwrap_or_default().to_owned();
            if !read_request(&stream) {
                return asked;
            }
            (&stream).write_all(answer(&first).as_bytes()).unwrap();
            asked.push(first);
        }
    });
    (client, server)
}

fn reply(status: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n\r\n{body}")
}

const METADATA: &str = r#"{"name":"wine","inputs":[{"name":"x","datatype":"FP32","shape":[-1,1]}],
    "outputs":[{"name":"y","datatype":"FP32","shape":[-1,1]}]}"#;

#[test]
fn a_model_that_refuses_is_asked_again_what_it_takes() {
    let refusals = AtomicUsize::new(0);
    let (client, server) = answering(move |first| {
        if first.starts_with("GET") {
            reply("200 OK", METADATA)
        } else if refusals.fetch_add(1, Ordering::SeqCst) == 1 {
            reply(
                "400 Bad Request",
                r#"{"error":"another version is here now"}"#,
            )
        } else {
            reply("200 OK", BODY)
        }
    });
    let client = client.json();
    let asked: Vec<bool> = (0..4)
        .map(|_| client.infer("wine", ndarray::array![[0.5]].view()).is_ok())
        .collect();
    assert_eq!(asked, [true, false, true, true]);
    drop(client);
    let asked = server.join().unwrap();
    let described = asked.iter().filter(|line| line.starts_with("GET"));
    assert_eq!(described.count(), 2, "{asked:?}");
}

#[test]
fn a_server_that_is_too_busy_has_not_said_that_it_takes_no_bytes() {
    let asked = AtomicUsize::new(0);
    let (client, server) = answering(move |first| match first {
        "GET /v2 HTTP/1.1" if asked.fetch_add(1, Ordering::SeqCst) == 0 => {
            reply("429 Too Many Requests", r#"{"error":"later"}"#)
        }
        "GET /v2 HTTP/1.1" => reply("200 OK", r#"{"extensions":["binary_tensor_data"]}"#),
        _ => reply("200 OK", BODY),
    });
    for _ in 0..3 {
        client.ask(&request()).unwrap();
    }
    drop(client);
    let asked = server.join().unwrap();
    let wondered = asked.iter().filter(|line| line.starts_with("GET"));
    assert_eq!(wondered.count(), 2, "{asked:?}");
}

#[test]
fn a_name_that_no_address_can_have_is_refused_here() {
    let client = Client::new("http://127.0.0.1:9").unwrap().json();
    let error = client.describe(&"x".repeat(100_000)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported, "{error:?}");
}

#[test]
fn a_server_that_says_nothing_is_waited_for_until_the_deadline() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (listening, end) = (listener.try_clone().unwrap(), Duration::from_millis(50));
    let server = thread::spawn(move || {
        let (stream, _) = listening.accept().unwrap();
        read_request(&stream);
        // The client closes the connection: nothing is left of the request.
        !read_request(&stream)
    });
    let remote = RemoteModel::at(url, "wine")
        .json()
        .probing_every(Duration::ZERO);
    let remote = remote.described(description()).unwrap();
    let error = remote.infer_blocking(request().within(end)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Deadline, "{error:?}");
    assert!(server.join().unwrap());
    assert_eq!(remote.load().in_flight, 0);
    let late = request().deadline(Moment::ZERO);
    let error = remote.infer_blocking(late).unwrap_err();
    assert!(matches!(error, ServeError::Expired { .. }));
}

fn request() -> InferRequest {
    InferRequest::new("wine").input("x", Tensor::from_slice([1, 1], &[0.5_f32]).unwrap())
}

fn description() -> Description {
    let rows = |name| TensorSpec::rows(name, DType::Fp32, &[1]);
    Description::new(Signature::new(rows("x"), rows("y")).unwrap(), "maas")
}

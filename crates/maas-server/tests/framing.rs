//! HTTP/1.1 however it is cut into packets and chunks: what is sent whole is answered, and what is broken gets a status and
//! an error, never silence or a server that is down.
#![allow(clippy::unwrap_used)]

mod common;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::LazyLock;
use std::time::Duration;

use common::{Http, start, sums};
use maas_server::{RunningServer, Server};
use maas_service::LocalModel;
use proptest::prelude::*;
use proptest::sample::Index;

const BODY: &str = r#"{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[1,2]}]}"#;

static SERVER: LazyLock<RunningServer> = LazyLock::new(|| {
    start(
        Server::new()
            .model("sums", LocalModel::new(sums(|_| {})))
            .head_timeout(Duration::from_millis(300))
            // What asks for the connection's end may be what is broken.
            .idle_timeout(Duration::from_millis(300))
            .body_timeout(Duration::from_millis(100))
            .body_limit(10_000),
    )
});

fn head(headers: &str) -> String {
    format!("POST /v2/models/sums/infer HTTP/1.1\r\nHost: h\r\n{headers}\r\n")
}

/// A body in chunks that end at these places.
fn chunked(body: &str, ends: &[Index]) -> String {
    let mut ends: Vec<usize> = ends.iter().map(|end| end.index(body.len())).collect();
    ends.push(body.len());
    ends.sort_unstable();
    let (mut text, mut start) = (String::new(), 0);
    for end in ends {
        if end > start {
            text += &format!("{:x}\r\n{}\r\n", end - start, &body[start..end]);
            start = end;
        }
    }
    text + "0\r\n\r\n"
}

/// Sends the bytes in pieces that end at these places.
fn send_in_pieces(http: &mut Http, text: &str, ends: &[Index]) {
    let mut ends: Vec<usize> = ends.iter().map(|end| end.index(text.len())).collect();
    ends.push(text.len());
    ends.sort_unstable();
    let mut start = 0;
    for end in ends {
        http.send(&text[start..end]);
        start = end;
        std::thread::yield_now();
    }
}

const LAST: &str = "Connection: close\r\n";

/// All that comes back until the server closes.
fn told(bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(SERVER.addr()).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    // It may have closed before it has read all.
    let _ = stream.write_all(bytes);
    let (mut answer, mut buffer) = (Vec::new(), [0; 4096]);
    while let Ok(count @ 1..) = stream.read(&mut buffer) {
        answer.extend_from_slice(&buffer[..count]);
    }
    answer
}

/// Reads answers of HTTP/1.1 to their end, and sees that errors are told in JSON.
fn check_answers(mut bytes: &[u8]) {
    while !bytes.is_empty() {
        let end = bytes
            .windows(4)
            .position(|four| four == b"\r\n\r\n")
            .unwrap();
        let head = std::str::from_utf8(&bytes[..end]).unwrap();
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap().strip_prefix("HTTP/1.1 ").unwrap();
        let status: u16 = status[..3].parse().unwrap();
        bytes = &bytes[end + 4..];
        if status == 100 {
            continue;
        }
        let length = lines
            .filter_map(|line| line.split_once(": "))
            .find_map(|(name, value)| {
                name.eq_ignore_ascii_case("content-length")
                    .then(|| value.parse::<usize>().unwrap())
            });
        let (body, rest) = bytes.split_at(length.unwrap());
        if status >= 400 {
            let json: serde_json::Value = serde_json::from_slice(body).unwrap();
            assert!(json["error"].is_string(), "{head}");
        }
        bytes = rest;
    }
}

/// What a body may be framed by.
fn lies() -> impl Strategy<Value = String> {
    prop_oneof![
        (0..2 * BODY.len()).prop_map(|length| format!("Content-Length: {length}\r\n")),
        "[0-9 ,+x-]{0,25}".prop_map(|length| format!("Content-Length: {length}\r\n")),
        "(chunked|gzip|identity|, ){0,4}"
            .prop_map(|coding| format!("Transfer-Encoding: {coding}\r\n")),
        "[A-Za-z-]{1,9}[ :]{0,2}[ -~\u{7f}-\u{ff}]{0,20}\r?\n",
        (90_usize..110).prop_map(|count| "A: b\r\n".repeat(count)),
        (0_usize..500_000).prop_map(|length| format!("A: {}\r\n", "b".repeat(length))),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn pieces_and_chunks_change_no_answer(
        pieces in prop::collection::vec(any::<Index>(), 0..12),
        chunks in prop::collection::vec(any::<Index>(), 0..6),
        is_chunked: bool,
    ) {
        let text = if is_chunked {
            head("Transfer-Encoding: chunked\r\n") + &chunked(BODY, &chunks)
        } else {
            head(&format!("Content-Length: {}\r\n", BODY.len())) + BODY
        };
        let mut http = Http::to(&SERVER);
        for _ in 0..2 {
            send_in_pieces(&mut http, &text, &pieces);
            let reply = http.reply().unwrap();
            prop_assert_eq!(reply.status, 200);
            prop_assert_eq!(&reply.json()["outputs"][0]["data"], &serde_json::json!([3.0]));
        }
    }

    #[test]
    fn lies_about_a_body_are_answered(lies in prop::collection::vec(lies(), 1..3)) {
        let answer = told((head(&(LAST.to_owned() + &lies.concat())) + BODY).as_bytes());
        check_answers(&answer);
        prop_assert!(!answer.is_empty());
    }

    #[test]
    fn broken_bytes_harm_nobody(
        place: Index,
        bytes in prop::collection::vec(any::<u8>(), 1..4),
        chunks in prop::collection::vec(any::<Index>(), 0..3),
    ) {
        let mut message = (head(&(LAST.to_owned() + "Transfer-Encoding: chunked\r\n")) + &chunked(BODY, &chunks)).into_bytes();
        let place = place.index(message.len());
        let end = message.len().min(place + bytes.len());
        message.splice(place..end, bytes);
        let answer = told(&message);
        check_answers(&answer);
        prop_assert_eq!(Http::to(&SERVER).infer("sums", BODY).status, 200);
    }
}

#[test]
fn heads_are_bounded_and_what_is_within_passes() {
    let length = format!("Content-Length: {}\r\n", BODY.len());
    let status = |headers: &str| {
        let answer = told((head(&(LAST.to_owned() + headers + &length)) + BODY).as_bytes());
        check_answers(&answer);
        String::from_utf8_lossy(&answer[9..12]).into_owned()
    };
    // Three more are there.
    assert_eq!(status(&"A: b\r\n".repeat(97)), "200");
    assert_eq!(status(&"A: b\r\n".repeat(98)), "431");
    assert_eq!(status(&format!("A: {}\r\n", "b".repeat(300_000))), "200");
    assert_eq!(status(&format!("A: {}\r\n", "b".repeat(1 << 20))), "431");
}

/// Sends a head and, when it has long been answered, a body; and returns the answer's status.
fn told_before_the_body(head: &str, length: usize) -> String {
    let mut stream = TcpStream::connect(SERVER.addr()).unwrap();
    stream.write_all(head.as_bytes()).unwrap();
    for piece in vec![b' '; length].chunks(length.div_ceil(4)) {
        std::thread::sleep(Duration::from_millis(50));
        stream.write_all(piece).unwrap();
    }
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    check_answers(&answer);
    String::from_utf8_lossy(&answer[9..12]).into_owned()
}

#[test]
fn an_answer_that_comes_before_the_body_is_not_lost() {
    let length = "Content-Length: 9000\r\n";
    let no_number = format!("Inference-Header-Content-Length: many\r\n{length}");
    assert_eq!(told_before_the_body(&head(&no_number), 9000), "400");
    let unknown = head(length).replace("sums", "unknown");
    assert_eq!(told_before_the_body(&unknown, 9000), "404");
    let large = head("Content-Length: 1000000\r\n");
    assert_eq!(told_before_the_body(&large, 1_000_000), "413");
    let broken = head("Content-Length: 1, 2\r\n");
    assert_eq!(told_before_the_body(&broken, 9000), "400");
}

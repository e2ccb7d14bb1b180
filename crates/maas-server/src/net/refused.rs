//! What hyper answers by itself to a head that it cannot read, with the error in words.

/// hyper's own answers have this line, and nothing after their heads.
const EMPTY: &[u8] = b"content-length: 0\r\n";

/// The status of such an answer and the answer with a body, if `answer` is one. A head that has not come in its time gets
/// hyper's answer to a broken one too: `is_late` tells them apart.
pub(super) fn explained(answer: &[u8], is_late: bool) -> Option<(u16, Vec<u8>)> {
    let status = answer.strip_prefix(b"HTTP/1.1 ")?.split_at_checked(3)?.0;
    let status = str::from_utf8(status).ok()?.parse().ok()?;
    let (line, rest) = answer.split_at_checked(position(answer, b"\r\n")?)?;
    let empty = position(rest, EMPTY)?;
    let (status, line, error) = match status {
        400 if is_late => (
            408,
            &b"HTTP/1.1 408 Request Timeout"[..],
            "the head of the request came too slowly",
        ),
        414 => (414, line, "the address is longer than 65534 bytes"),
        431 => (
            431,
            line,
            "the head of the request has more than 100 headers or is longer than some 400 KB",
        ),
        status => (status, line, "the head of the request is no HTTP/1.1"),
    };
    let body = format!("{{\"error\":\"{error}\"}}");
    let headers = format!(
        "content-type: application/json\r\ncontent-length: {}\r\n",
        body.len()
    );
    let (before, after) = (&rest[..empty], &rest[empty + EMPTY.len()..]);
    let pieces = [line, before, headers.as_bytes(), after, body.as_bytes()];
    Some((status, pieces.concat()))
}

fn position(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).position(|bytes| bytes == part)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(answer: &str, is_late: bool) -> Option<(u16, String)> {
        let (status, answer) = explained(answer.as_bytes(), is_late)?;
        Some((status, String::from_utf8(answer).ok()?))
    }

    #[test]
    fn an_empty_answer_gets_a_body() {
        let answer = |line: &str| {
            format!(
                "HTTP/1.1 {line}\r\nconnection: close\r\ncontent-length: 0\r\ndate: today\r\n\r\n"
            )
        };
        for (line, is_late, status, expected, body) in [
            (
                "400 Bad Request",
                false,
                400,
                "400 Bad Request",
                "the head of the request is no HTTP/1.1",
            ),
            (
                "400 Bad Request",
                true,
                408,
                "408 Request Timeout",
                "the head of the request came too slowly",
            ),
            (
                "414 URI Too Long",
                false,
                414,
                "414 URI Too Long",
                "the address is longer than 65534 bytes",
            ),
        ] {
            let length = body.len() + r#"{"error":""}"#.len();
            let expected = format!(
                "HTTP/1.1 {expected}\r\nconnection: close\r\ncontent-type: application/json\r\n\
                 content-length: {length}\r\ndate: today\r\n\r\n{{\"error\":\"{body}\"}}"
            );
            assert_eq!(text(&answer(line), is_late), Some((status, expected)));
        }
    }

    #[test]
    fn whatever_else_is_written_stays() {
        for other in [
            "",
            "HTTP/1.1",
            "HTTP/1.1 4\r\n",
            "HTTP/1.1 400 Bad Request\r\ncontent-length: 3\r\n\r\nabc",
            "\0\0\x12\x04\0\0\0\0\0",
        ] {
            assert_eq!(text(other, false), None, "{other:?}");
        }
    }
}

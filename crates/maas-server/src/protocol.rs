use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue};

/// Whether a request is a call of gRPC with protobuf messages, which is the only kind there is here.
pub(crate) fn is_grpc(headers: &HeaderMap) -> bool {
    let content = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    let form = content.and_then(|content| content.strip_prefix(b"application/grpc"));
    form.is_some_and(|form| {
        matches!(
            form.split(|&byte| byte == b';').next(),
            Some(b"" | b"+proto")
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn protobuf_over_grpc_and_nothing_else() {
        for (content, expected) in [
            ("application/grpc", true),
            ("application/grpc+proto", true),
            ("application/grpc;charset=utf-8", true),
            ("application/grpc+proto; a=b", true),
            ("application/grpc+json", false),
            ("application/grpc-web", false),
            ("application/grpc-web+proto", false),
            ("application/grpcs", false),
            ("application/json", false),
            ("", false),
        ] {
            let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(content))]);
            assert_eq!(is_grpc(&headers), expected, "{content}");
        }
        assert!(!is_grpc(&HeaderMap::new()));
    }
}

//! HTTP/1.1 and HTTP/2 on one port: the first bytes of a connection tell which one it speaks.

use hyper_util::rt::{TokioExecutor, TokioTimer};
use hyper_util::server::conn::auto::Builder;

use super::Limits;

/// Longer heads than a client of the protocol sends.
const HEAD_BYTES: u32 = 64 << 10;
/// Requests that one HTTP/2 connection may have under way.
const STREAMS: u32 = 256;
/// Bytes of a body that an HTTP/2 client may send before it is told to go on: by stream and by connection.
const STREAM_WINDOW: u32 = 1 << 20;
const CONNECTION_WINDOW: u32 = 16 << 20;

pub(super) fn protocols(limits: &Limits) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    // The watch of a connection looks after its heads, without a timer for each request.
    builder.http1().header_read_timeout(None);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(HEAD_BYTES)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .keep_alive_interval(limits.ping_interval)
        .keep_alive_timeout(limits.ping_timeout);
    builder
}

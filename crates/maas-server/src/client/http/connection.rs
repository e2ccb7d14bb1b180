use std::error::Error as _;
use std::io;

use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::client::dial::Dial;
use crate::wire::Parts;

/// Takes one request after another; to drop it closes the connection.
pub(super) type Connection = SendRequest<Parts>;

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Failure {
    /// The connection was closed before the answer began, as servers do with idle ones.
    Unanswered(io::Error),
    /// It broke after that.
    Broken(io::Error),
    /// What came is no HTTP, or too much of it.
    Nonsense(String),
}

/// Connects; what moves the bytes runs as a task of the runtime that this is called in.
pub(super) async fn open(dial: Dial) -> io::Result<Connection> {
    #[cfg(feature = "tls")]
    if dial.address.is_secure() {
        return speak(dial.secure().await?).await;
    }
    speak(dial.plain().await?).await
}

async fn speak(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
) -> io::Result<Connection> {
    let (sender, connection) = http1::handshake(TokioIo::new(stream))
        .await
        .map_err(io::Error::other)?;
    // Its errors come to who sends as well.
    tokio::spawn(connection);
    Ok(sender)
}

impl From<hyper::Error> for Failure {
    fn from(error: hyper::Error) -> Self {
        if error.is_parse() {
            return Self::Nonsense(error.to_string());
        }
        let source = error
            .source()
            .and_then(|source| source.downcast_ref::<io::Error>());
        let kind = source.map(io::Error::kind);
        let is_closed = error.is_canceled() || error.is_closed() || error.is_incomplete_message();
        let error = io::Error::new(kind.unwrap_or(io::ErrorKind::UnexpectedEof), error);
        match kind {
            None if is_closed => Self::Unanswered(error),
            Some(
                io::ErrorKind::ConnectionReset
                | io::ErrorKind::ConnectionAborted
                | io::ErrorKind::BrokenPipe,
            ) => Self::Unanswered(error),
            _ => Self::Broken(error),
        }
    }
}

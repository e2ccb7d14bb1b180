//! A client that speaks HTTP/2 from its first byte.
#![allow(clippy::unwrap_used, dead_code)]

use std::net::SocketAddr;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http2::{self, SendRequest};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

pub(crate) struct Http2 {
    pub(crate) sender: SendRequest<Full<Bytes>>,
    /// Ends when the connection does.
    pub(crate) ended: JoinHandle<hyper::Result<()>>,
}

impl Http2 {
    pub(crate) async fn to(address: SocketAddr) -> Self {
        Self::over(TcpStream::connect(address).await.unwrap()).await
    }

    pub(crate) async fn over(stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) -> Self {
        let (sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .unwrap();
        Self {
            sender,
            ended: tokio::spawn(connection),
        }
    }

    pub(crate) async fn ask(
        &mut self,
        method: Method,
        path: &str,
        body: &str,
    ) -> hyper::Result<(StatusCode, String)> {
        Self::send(&mut self.sender, method, path, body).await
    }

    pub(crate) async fn send(
        sender: &mut SendRequest<Full<Bytes>>,
        method: Method,
        path: &str,
        body: &str,
    ) -> hyper::Result<(StatusCode, String)> {
        let request = Request::builder()
            .method(method)
            .uri(format!("http://localhost{path}"))
            .body(Full::new(Bytes::from(body.to_owned())))
            .unwrap();
        let response = sender.send_request(request).await?;
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        Ok((status, String::from_utf8(body.to_vec()).unwrap()))
    }

    pub(crate) async fn get(&mut self, path: &str) -> hyper::Result<(StatusCode, String)> {
        self.ask(Method::GET, path, "").await
    }
}

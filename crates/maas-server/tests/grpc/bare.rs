//! Calls byte by byte, for what tonic's client does not send.

use std::convert::Infallible;

use bytes::Bytes;
use futures_util::stream::{self, StreamExt};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Frame;
use hyper::client::conn::http2::{self, SendRequest};
use hyper::header::HeaderMap;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use maas_server::RunningServer;
use tokio::net::TcpStream;
use tonic::{Code, Status};

pub(crate) const INFER: &str = "/inference.GRPCInferenceService/ModelInfer";
pub(crate) const STREAM: &str = "/inference.GRPCInferenceService/ModelStreamInfer";

pub(crate) type Body = UnsyncBoxBody<Bytes, Infallible>;

pub(crate) struct Bare(SendRequest<Body>);

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) http: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    trailers: HeaderMap,
}

impl Bare {
    pub(crate) async fn to(server: &RunningServer) -> Self {
        let stream = TcpStream::connect(server.addr()).await.unwrap();
        let shaken = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await;
        let (sender, connection) = shaken.unwrap();
        tokio::spawn(connection);
        Self(sender)
    }

    pub(crate) async fn ask(&mut self, request: Request<Body>) -> Answer {
        Answer::of(self.0.send_request(request).await.unwrap()).await
    }

    /// A call with these bytes as its body.
    pub(crate) async fn call(
        &mut self,
        path: &str,
        headers: &[(&str, &str)],
        body: Body,
    ) -> Answer {
        let headers = [
            &[("content-type", "application/grpc"), ("te", "trailers")],
            headers,
        ];
        self.ask(request("POST", path, &headers.concat(), body))
            .await
    }
}

impl Answer {
    async fn of(response: Response<hyper::body::Incoming>) -> Self {
        let (head, body) = response.into_parts();
        let body = body.collect().await.unwrap();
        Self {
            http: head.status,
            headers: head.headers,
            trailers: body.trailers().cloned().unwrap_or_default(),
            body: body.to_bytes(),
        }
    }

    /// What the call ended in: in the headers where there is no message.
    pub(crate) fn status(&self) -> Status {
        let mut all = [&self.headers, &self.trailers].into_iter();
        all.find_map(Status::from_header_map)
            .unwrap_or_else(|| panic!("no status: {self:?}"))
    }

    pub(crate) fn code(&self) -> Code {
        self.status().code()
    }
}

pub(crate) fn request(
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: Body,
) -> Request<Body> {
    let mut request = Request::builder()
        .method(method)
        .uri(format!("http://h{path}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(body).unwrap()
}

pub(crate) fn whole(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).boxed_unsync()
}

/// These bytes and then nothing more, without an end.
pub(crate) fn endless(bytes: impl Into<Bytes>) -> Body {
    let first = Ok(Frame::data(bytes.into()));
    StreamBody::new(stream::iter([first]).chain(stream::pending())).boxed_unsync()
}

/// A message with this flag, which says that it is so long.
pub(crate) fn framed(flag: u8, length: usize, message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(length).unwrap().to_be_bytes();
    [&[flag], &length[..], message].concat()
}

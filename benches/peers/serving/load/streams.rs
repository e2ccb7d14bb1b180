//! Streams of gRPC: each has one request under way, and sends the next as soon as that is answered.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Instant;

use bytes::{Buf, Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::Request;
use hyper::body::{Body, Frame, Incoming};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::calls;
use crate::load::{Took, turn};

const STREAM: &str = "http://h/inference.GRPCInferenceService/ModelStreamInfer";

/// A message's flag and length.
const PREFIX: usize = 5;

/// The tag of a stream's answer that is an error.
const ERROR: u8 = 1 << 3 | 2;

/// Starts clients that ask until it is over, each on a stream of one connection.
pub(crate) async fn start(
    address: SocketAddr,
    requests: &[Bytes],
    clients: usize,
    is_over: &Arc<AtomicBool>,
) -> Vec<JoinHandle<Took>> {
    let sender = calls::connect(address).await;
    let client = |first| {
        let requests = turn(requests, first);
        let is_over = Arc::clone(is_over);
        let mut sender = sender.clone();
        tokio::spawn(async move {
            let (messages, asked) = mpsc::channel(1);
            let request = Request::post(STREAM)
                .header("content-type", "application/grpc")
                .header("te", "trailers")
                .body(Asked(asked))
                .expect("a request");
            sender.ready().await.expect("the connection is open");
            // A server may wait for the first message before it answers with its head.
            messages
                .send(requests[0].clone())
                .await
                .expect("it is open");
            let answer = sender.send_request(request).await.expect("it is answered");
            let mut answers = Answers::of(answer.into_body());
            answers.next().await;
            let mut took = Took::new();
            for request in requests.iter().cycle() {
                if is_over.load(Ordering::Relaxed) {
                    break;
                }
                let begun = Instant::now();
                messages.send(request.clone()).await.expect("it is open");
                answers.next().await;
                took.push(begun.elapsed().as_nanos() as u32);
            }
            took
        })
    };
    (0..clients).map(client).collect()
}

/// What a client sends, message by message.
struct Asked(mpsc::Receiver<Bytes>);

impl Body for Asked {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let message = ready!(self.0.poll_recv(context));
        Poll::Ready(message.map(|message| Ok(Frame::data(message))))
    }
}

/// What a client is answered, in pieces that need not be messages.
struct Answers {
    body: Incoming,
    read: BytesMut,
}

impl Answers {
    fn of(body: Incoming) -> Self {
        let read = BytesMut::new();
        Self { body, read }
    }

    /// Takes one answer, which must be a good one.
    async fn next(&mut self) {
        let message = loop {
            if let Some(message) = self.take() {
                break message;
            }
            let frame = self.body.frame().await.expect("the stream goes on");
            let frame = frame.expect("the connection is open").into_data();
            self.read.extend_from_slice(&frame.expect("no stream ends"));
        };
        let is_good = message.first() != Some(&ERROR);
        assert!(is_good, "{}", message.escape_ascii());
    }

    /// A message, once all of it has been read.
    fn take(&mut self) -> Option<Bytes> {
        let (_flag, mut length) = self.read.get(..PREFIX)?.split_at(1);
        let whole = PREFIX + length.get_u32() as usize;
        (self.read.len() >= whole).then(|| self.read.split_to(whole).split_off(PREFIX).freeze())
    }
}

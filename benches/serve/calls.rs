//! Calls of gRPC, again and again.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use crate::bodies::Bodies;
use crate::load::Took;

/// As many clients share a connection.
const STREAMS: usize = 16;
const CALL: &str = "http://h/inference.GRPCInferenceService/ModelInfer";

/// Starts clients that ask until it is over.
pub(crate) async fn start(
    address: SocketAddr,
    bodies: &Bodies,
    clients: usize,
    is_over: &Arc<AtomicBool>,
) -> Vec<JoinHandle<Took>> {
    let mut tasks = Vec::new();
    let mut connection = None;
    for first in 0..clients {
        if first % STREAMS == 0 {
            connection = Some(connect(address).await);
        }
        let mut sender = connection.clone().expect("the first client connects");
        let messages = bodies.all_from(first);
        let is_over = Arc::clone(is_over);
        tasks.push(tokio::spawn(async move {
            let mut took = Vec::new();
            for message in messages.iter().cycle() {
                if is_over.load(Ordering::Relaxed) {
                    break;
                }
                let begun = Instant::now();
                call(&mut sender, message.clone()).await;
                took.push(begun.elapsed().as_nanos() as u32);
            }
            took
        }));
    }
    tasks
}

async fn connect(address: SocketAddr) -> SendRequest<Full<Bytes>> {
    let stream = TcpStream::connect(address)
        .await
        .expect("the server listens");
    stream.set_nodelay(true).expect("a socket");
    let (sender, connection) = handshake(TokioExecutor::new(), TokioIo::new(stream))
        .await
        .expect("the server speaks HTTP/2");
    tokio::spawn(connection);
    sender
}

async fn call(sender: &mut SendRequest<Full<Bytes>>, message: Bytes) {
    let request = Request::post(CALL)
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(Full::new(message))
        .expect("a request");
    sender.ready().await.expect("the connection is open");
    let answer = sender.send_request(request).await.expect("it is answered");
    let body = answer.into_body().collect().await.expect("a whole answer");
    let trailers = body.trailers().expect("an answer says whether it is one");
    assert_eq!(trailers["grpc-status"], "0");
}

//! Clients that ask again and again.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use crate::bodies::{Bodies, Form};
use crate::calls;

/// What each request took, in nanoseconds.
pub(crate) type Took = Vec<u32>;

/// What the requests of so many clients took that were answered in this time; all on one thread.
pub(crate) fn run(
    address: SocketAddr,
    bodies: &Bodies,
    form: Form,
    clients: usize,
    time: Duration,
) -> Took {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let is_over = Arc::new(AtomicBool::new(false));
    runtime.block_on(async {
        let clients = match form {
            Form::Grpc => calls::start(address, bodies, clients, &is_over).await,
            _ => start(address, bodies, clients, &is_over),
        };
        tokio::time::sleep(time).await;
        is_over.store(true, Ordering::Relaxed);
        let mut took = Vec::new();
        for client in clients {
            took.extend(client.await.expect("no client fails"));
        }
        took
    })
}

/// Starts clients of HTTP/1, each with a connection of its own.
fn start(
    address: SocketAddr,
    bodies: &Bodies,
    clients: usize,
    is_over: &Arc<AtomicBool>,
) -> Vec<JoinHandle<Took>> {
    let client = |first| {
        let requests = bodies.all_from(first);
        let is_over = Arc::clone(is_over);
        tokio::spawn(async move {
            let mut stream = TcpStream::connect(address)
                .await
                .expect("the server listens");
            stream.set_nodelay(true).expect("a socket");
            let (mut buffer, mut took) = (vec![0; 1 << 16], Vec::new());
            for request in requests.iter().cycle() {
                if is_over.load(Ordering::Relaxed) {
                    break;
                }
                let begun = Instant::now();
                stream.write_all(request).await.expect("it is sent");
                answer(&mut stream, &mut buffer).await;
                took.push(begun.elapsed().as_nanos() as u32);
            }
            took
        })
    };
    (0..clients).map(client).collect()
}

/// Reads one answer, which must be a good one.
async fn answer(stream: &mut TcpStream, buffer: &mut [u8]) {
    let mut filled = 0;
    let end = loop {
        let read = stream
            .read(&mut buffer[filled..])
            .await
            .expect("it is answered");
        assert!(read > 0, "the server has closed the connection");
        filled += read;
        if let Some(head) = buffer[..filled]
            .windows(4)
            .position(|bytes| bytes == b"\r\n\r\n")
        {
            break head + 4;
        }
    };
    assert!(
        buffer.starts_with(b"HTTP/1.1 200"),
        "{}",
        String::from_utf8_lossy(&buffer[..filled])
    );
    let whole = end + length(&buffer[..end]);
    while filled < whole {
        filled += stream
            .read(&mut buffer[filled..])
            .await
            .expect("it is answered");
    }
}

fn length(head: &[u8]) -> usize {
    let head = std::str::from_utf8(head).expect("a head is text");
    let lines = head.lines().filter_map(|line| line.split_once(": "));
    let mut lengths = lines.filter(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let (_, length) = lengths.next().expect("answers have their length");
    length.parse().expect("a length is a number")
}

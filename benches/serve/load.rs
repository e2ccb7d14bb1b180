//! Connections that ask again and again.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::bodies::Bodies;

/// How many requests were answered in this time; all on one thread.
pub(crate) fn run(address: SocketAddr, bodies: &Bodies, connections: usize, time: Duration) -> u64 {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let answered = Arc::new(AtomicU64::new(0));
    let is_over = Arc::new(AtomicBool::new(false));
    runtime.block_on(async {
        let clients: Vec<_> = (0..connections)
            .map(|first| {
                let requests: Vec<_> = (0..32).map(|number| bodies.get(first + number)).collect();
                let (answered, is_over) = (Arc::clone(&answered), Arc::clone(&is_over));
                tokio::spawn(async move {
                    let mut stream = TcpStream::connect(address)
                        .await
                        .expect("the server listens");
                    stream.set_nodelay(true).expect("a socket");
                    let mut buffer = vec![0; 1 << 16];
                    for request in requests.iter().cycle() {
                        if is_over.load(Ordering::Relaxed) {
                            break;
                        }
                        stream.write_all(request).await.expect("it is sent");
                        answer(&mut stream, &mut buffer).await;
                        answered.fetch_add(1, Ordering::Relaxed);
                    }
                })
            })
            .collect();
        tokio::time::sleep(time).await;
        is_over.store(true, Ordering::Relaxed);
        for client in clients {
            client.await.expect("no client fails");
        }
    });
    answered.load(Ordering::Relaxed)
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

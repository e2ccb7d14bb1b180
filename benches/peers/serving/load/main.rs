//! A load for whichever server: a line `WAY ADDRESS FOLDER CLIENTS SECONDS` in, what the requests took as a line of JSON out.
//!
//! The ways are `http`, with a connection for each client; `calls` of gRPC, 16 clients a connection; and `streams`, as many
//! over one connection. The folder's files are the requests, whole with their heads or, of gRPC, with their lengths; the clients
//! send them in turn and ask again as soon as they are answered.

#![allow(clippy::print_stdout)]

mod calls;
mod load;
mod streams;

use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use load::Took;

fn main() {
    for line in std::io::stdin().lines() {
        let line = line.expect("text");
        let words: Vec<&str> = line.split_whitespace().collect();
        let [way, address, folder, clients, seconds] = words[..] else {
            panic!("expected WAY ADDRESS FOLDER CLIENTS SECONDS, found `{line}`");
        };
        let requests = read(Path::new(folder)).expect("a folder of requests");
        let address = address.parse().expect("ADDRESS");
        let clients = clients.parse().expect("CLIENTS");
        let seconds = Duration::from_secs_f64(seconds.parse().expect("SECONDS"));
        let took = load::run(seconds, async |is_over| match way {
            "http" => load::start(address, &requests, clients, is_over),
            "calls" => calls::start(address, &requests, clients, is_over).await,
            "streams" => streams::start(address, &requests, clients, is_over).await,
            other => panic!("expected http, calls or streams, found `{other}`"),
        });
        tell(took);
    }
}

/// The requests of a folder, by the names of their files.
fn read(folder: &Path) -> std::io::Result<Vec<Bytes>> {
    let mut files: Vec<_> = std::fs::read_dir(folder)?
        .map(|file| Ok(file?.path()))
        .collect::<std::io::Result<_>>()?;
    files.sort();
    let read = |file| Ok(std::fs::read(file)?.into());
    files.into_iter().map(read).collect()
}

fn tell(mut took: Took) {
    took.sort_unstable();
    let quantile = |quantile: f64| took[((took.len() - 1) as f64 * quantile) as usize];
    println!(
        r#"{{"answered": {}, "p50_ns": {}, "p99_ns": {}}}"#,
        took.len(),
        quantile(0.5),
        quantile(0.99)
    );
}

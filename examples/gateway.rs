//! A gateway before three server processes: one of them is killed under load and revived, and no request fails.
//!
//! `cargo run --release --example gateway`; with `-- --json` the last line is one JSON object. The servers are this program
//! once more: `-- --serve HOST:PORT`.

#![allow(clippy::print_stdout)]

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use maas::ndarray::Array2;
use maas::prelude::*;
use maas::schedule::{HealthRules, LeastCost};
use maas::service::Balanced;
use serde::Serialize;

const CALLERS: usize = 8;
const RATE: usize = 400;
const KILLED: Duration = Duration::from_secs(2);
const REVIVED: Duration = Duration::from_secs(4);
const END: Duration = Duration::from_secs(7);
/// Who failed is given nothing for this long; whether it can be reached at all is seen sooner.
const EJECTION: Duration = Duration::from_millis(500);

#[derive(Serialize)]
struct Figures {
    requests: usize,
    failed: usize,
    per_replica: Vec<u64>,
    p99_ms_before: f64,
    p99_ms_after_kill: f64,
}

/// When a request was sent, and how long its answer took, if there was one.
type Call = (Duration, Option<Duration>);

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--serve", address] => serve(address),
        ["--json"] => gateway(true),
        _ => gateway(false),
    }
}

/// One of the servers behind the gateway: says where it is, and runs until it is killed.
fn serve(address: &str) -> Result<()> {
    let network = Sequential::new(vec![TensorSpec::rows("x", DType::Fp32, &[11])]);
    let network = network.dense(128).relu().dense(1).build(Seed(7))?;
    let server = Server::new().model("wine", LocalModel::new(network));
    let server = server.bind(address).run_in_background()?;
    println!("{}", server.addr());
    Ok(server.wait_blocking()?)
}

fn gateway(json: bool) -> Result<()> {
    let mut processes = Vec::new();
    let mut members = Vec::new();
    for name in ["first", "second", "third"] {
        let process = Process::start("127.0.0.1:0")?;
        let remote = RemoteModel::at(format!("http://{}", process.address), "wine");
        let remote = remote
            .probing_every(Duration::from_millis(100))
            .connect_blocking()?;
        println!(
            "{name} is process {} at {}",
            process.child.id(),
            process.address
        );
        members.push((name, remote));
        processes.push(process);
    }
    let pool = Balanced::named(members)?.balanced_by(LeastCost::new());
    let rules = HealthRules::default().ejection(EJECTION, 10 * EJECTION);
    let pool = Arc::new(pool.watched_by(rules));
    let front = Server::new().model("wine", Arc::clone(&pool));
    let front = front.bind("127.0.0.1:0").run_in_background()?;
    println!("the gateway is at {}", front.url());

    let client = Client::new(front.url())?;
    let start = Instant::now();
    let calls = thread::scope(|scope| {
        let callers: Vec<_> = (0..CALLERS)
            .map(|caller| {
                let client = &client;
                scope.spawn(move || call(client, caller, start))
            })
            .collect();
        sleep_until(start + KILLED);
        println!("second is killed");
        let address = processes.remove(1).address.clone();
        sleep_until(start + REVIVED);
        processes.push(Process::start(&address)?);
        println!("second is revived");
        let joined = callers
            .into_iter()
            .map(|caller| caller.join().expect("callers do not panic"));
        Ok::<_, anyhow::Error>(joined.flatten().collect::<Vec<Call>>())
    })?;

    let p99 = |when: std::ops::Range<Duration>| {
        let within = calls.iter().filter(|(sent, _)| when.contains(sent));
        let mut took: Vec<_> = within.filter_map(|(_, took)| *took).collect();
        took.sort();
        took.get(took.len() * 99 / 100)
            .map_or(f64::NAN, |took| took.as_secs_f64() * 1e3)
    };
    let figures = Figures {
        requests: calls.len(),
        failed: calls.iter().filter(|(_, took)| took.is_none()).count(),
        per_replica: pool.members().iter().map(|member| member.served).collect(),
        p99_ms_before: p99(Duration::ZERO..KILLED),
        p99_ms_after_kill: p99(KILLED..REVIVED),
    };
    println!(
        "{} requests, {} failed; p99 {:.2} ms before the kill and {:.2} ms after it; answered by each: {:?}",
        figures.requests,
        figures.failed,
        figures.p99_ms_before,
        figures.p99_ms_after_kill,
        figures.per_replica
    );
    if json {
        println!("{}", serde_json::to_string(&figures)?);
    }
    Ok(front.shutdown_blocking()?)
}

/// Asks at its times, whatever became of the requests before.
fn call(client: &Client, caller: usize, start: Instant) -> Vec<Call> {
    let rows = Array2::from_elem((1, 11), caller as f32);
    let requests = RATE * END.as_secs() as usize;
    let numbers = (caller..requests).step_by(CALLERS);
    let calls = numbers.map(|number| {
        let sent = Duration::from_secs_f64(number as f64 / RATE as f64);
        sleep_until(start + sent);
        let begun = Instant::now();
        let answer = client.infer("wine", rows.view());
        if let Err(error) = &answer {
            println!("request {number} failed: {error}");
        }
        (sent, answer.is_ok().then(|| begun.elapsed()))
    });
    calls.collect()
}

fn sleep_until(moment: Instant) {
    thread::sleep(moment.saturating_duration_since(Instant::now()));
}

/// A server in a process of its own, which is killed when this is dropped.
struct Process {
    child: Child,
    address: String,
}

impl Process {
    fn start(address: &str) -> Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(["--serve", address])
            .stdout(Stdio::piped())
            .spawn()?;
        let stdout = child.stdout.take().context("the output is a pipe")?;
        let mut process = Self {
            child,
            address: String::new(),
        };
        BufReader::new(stdout).read_line(&mut process.address)?;
        process.address.truncate(process.address.trim_end().len());
        anyhow::ensure!(!process.address.is_empty(), "no server runs at {address}");
        Ok(process)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Who has ended already cannot be killed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

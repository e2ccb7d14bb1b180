//! What a request costs on a real socket: ours beside handlers that anybody would write with axum and serde, or with tonic,
//! around the same model or around a plain loop, and beside a bare echo of the same bytes by hyper.
//!
//! `cargo bench --bench serve [-- FILTER...]`. Each server is a process of its own, with the same allocator (the system's); the
//! load comes from this one, of so many clients that each ask again as soon as they are answered, with 32 bodies in turn: over
//! HTTP/1 each has a connection, over gRPC 16 share one. What counts is the processor's time that the server's process took for
//! a request, by the operating system's account: on two cores, requests per second are those of client and server together.
//! Rounds go through all servers in turn; medians are told, of ratios those within a round.

#![allow(clippy::print_stdout)]

mod bare;
mod bodies;
#[path = "../peers/serving/load/calls.rs"]
mod calls;
mod handler;
#[path = "../peers/serving/load/load.rs"]
mod load;
mod process;
mod rows;
mod servers;

/// The messages of the protocol, as the server has them.
mod proto {
    #![allow(
        dead_code,
        missing_docs,
        unreachable_pub,
        clippy::all,
        clippy::needless_pass_by_value,
        reason = "generated code"
    )]
    include!("../../crates/maas-server/src/grpc/generated/inference.rs");
}

use std::time::Duration;

use bodies::{Form, requests};
use bytes::Bytes;
use load::Took;
use process::Process;
use servers::Kind;

const ROUNDS: usize = 11;
const TIME: Duration = Duration::from_millis(400);

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [serve, name, rows, form] = &arguments[..]
        && serve == "--serve"
    {
        let rows = rows.parse().expect("a number of rows");
        return servers::run(Kind::named(name), rows, Form::named(form));
    }
    let filters: Vec<&String> = arguments
        .iter()
        .filter(|argument| !argument.starts_with("--"))
        .collect();
    println!(
        "{:30} {:>10} {:>8} {:>8} {:>10} {:>8} {:>8}",
        "", "requests/s", "p50 us", "CPU us", "of handler", "of loop", "of echo"
    );
    for form in Form::ALL {
        for rows in [1, 32] {
            for clients in [1, 16, 64] {
                let case = format!("{rows} rows, {}, {clients} clients", form.name());
                if filters.is_empty() || filters.iter().any(|filter| case.contains(&***filter)) {
                    println!("{case}");
                    compare(rows, form, clients);
                }
            }
        }
    }
}

/// What a server did in one round.
struct Round {
    per_second: f64,
    median: f64,
    cpu: f64,
}

impl Round {
    fn of(process: &Process, requests: &[Bytes], form: Form, clients: usize) -> Self {
        let before = process.cpu();
        let mut took = ask(process, requests, form, clients);
        let cpu = process.cpu() - before;
        took.sort_unstable();
        Self {
            per_second: took.len() as f64 / TIME.as_secs_f64(),
            median: f64::from(took[took.len() / 2]) / 1e3,
            cpu: cpu.as_secs_f64() * 1e6 / took.len() as f64,
        }
    }
}

/// What the requests of so many clients took.
fn ask(process: &Process, requests: &[Bytes], form: Form, clients: usize) -> Took {
    let address = process.address;
    load::run(TIME, async |is_over| match form {
        Form::Grpc => calls::start(address, requests, clients, is_over).await,
        _ => load::start(address, requests, clients, is_over),
    })
}

/// All servers with one load, round by round.
fn compare(rows: usize, form: Form, clients: usize) {
    let requests = requests(rows, form);
    let all = Kind::ALL.into_iter();
    let kinds: Vec<Kind> = all.filter(|kind| kind.takes(form)).collect();
    let start = |&kind| Process::start(kind, rows, form);
    let processes: Vec<Process> = kinds.iter().map(start).collect();
    for process in &processes {
        ask(process, &requests, form, clients);
    }
    let mut rounds: Vec<Vec<Round>> = kinds.iter().map(|_| Vec::new()).collect();
    for _ in 0..ROUNDS {
        for (process, rounds) in processes.iter().zip(&mut rounds) {
            rounds.push(Round::of(process, &requests, form, clients));
        }
    }
    for (position, kind) in kinds.iter().enumerate() {
        let of = |other: Kind| {
            let other = &rounds[kinds.iter().position(|&kind| kind == other)?];
            let both = rounds[position].iter().zip(other);
            Some(median(both.map(|(round, other)| round.cpu / other.cpu)))
        };
        let ratio = |other| of(other).map_or_else(String::new, |ratio| format!("{ratio:.2}"));
        let its = |which: fn(&Round) -> f64| median(rounds[position].iter().map(which));
        println!(
            "    {:26} {:>10.0} {:>8.0} {:>8.2} {:>10} {:>8} {:>8}",
            kind.name(),
            its(|round| round.per_second),
            its(|round| round.median),
            its(|round| round.cpu),
            ratio(Kind::Handler),
            ratio(Kind::Loop),
            ratio(Kind::Echo),
        );
    }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

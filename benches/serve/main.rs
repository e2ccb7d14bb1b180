//! What a request costs on a real socket: ours beside a bare echo of the same bytes by hyper, and a handler of axum and serde that
//! anybody would write around the same model.
//!
//! `cargo bench --bench serve [-- FILTER...]`. Each server is a process of its own, with the same allocator (the system's); the
//! load comes from this one, over so many connections that each ask again as soon as they are answered, with 32 bodies in turn.
//! What counts is the processor's time that the server's process took for a request, by the operating system's account: on two
//! cores, requests per second are those of client and server together. Rounds go through all servers in turn; medians are told.

#![allow(clippy::print_stdout)]

mod bodies;
mod load;
mod process;
mod servers;

use std::time::Duration;

use bodies::{Bodies, Form};
use process::Process;
use servers::Kind;

const ROUNDS: usize = 5;
const WARM_UP: Duration = Duration::from_millis(300);
const TIME: Duration = Duration::from_millis(1000);

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [serve, name, rows] = &arguments[..]
        && serve == "--serve"
    {
        return servers::run(Kind::named(name), rows.parse().expect("a number of rows"));
    }
    let filters: Vec<&String> = arguments
        .iter()
        .filter(|argument| !argument.starts_with("--"))
        .collect();
    println!(
        "{:32} {:>12} {:>12} {:>10} {:>10}",
        "", "requests/s", "CPU us", "of axum", "of echo"
    );
    for (rows, form) in [
        (1, Form::Json),
        (32, Form::Json),
        (1, Form::Binary),
        (32, Form::Binary),
    ] {
        for connections in [1, 16, 64] {
            let case = format!("{rows} rows, {}, {connections} connections", form.name());
            if filters.is_empty() || filters.iter().any(|filter| case.contains(&***filter)) {
                println!("{case}");
                compare(rows, form, connections);
            }
        }
    }
}

/// All servers with one load, round by round.
fn compare(rows: usize, form: Form, connections: usize) {
    let bodies = Bodies::new(rows, form);
    let kinds: Vec<Kind> = Kind::ALL
        .into_iter()
        .filter(|kind| kind.takes(form))
        .collect();
    let processes: Vec<Process> = kinds
        .iter()
        .map(|&kind| Process::start(kind, rows))
        .collect();
    let mut figures = vec![Vec::new(); kinds.len()];
    for process in &processes {
        load::run(process.address, &bodies, connections, WARM_UP);
    }
    for _ in 0..ROUNDS {
        for (process, figures) in processes.iter().zip(&mut figures) {
            let before = process.cpu();
            let answered = load::run(process.address, &bodies, connections, TIME);
            let cpu = process.cpu() - before;
            figures.push((
                answered as f64 / TIME.as_secs_f64(),
                cpu.as_secs_f64() * 1e6 / answered as f64,
            ));
        }
    }
    let median = |figures: &[(f64, f64)], which: fn(&(f64, f64)) -> f64| {
        let mut values: Vec<f64> = figures.iter().map(which).collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    let cpu: Vec<f64> = figures
        .iter()
        .map(|figures| median(figures, |figure| figure.1))
        .collect();
    let of = |kind: Kind| {
        kinds
            .iter()
            .position(|&known| known == kind)
            .map(|position| cpu[position])
    };
    for (position, kind) in kinds.iter().enumerate() {
        let ratio = |other: Option<f64>| {
            other.map_or_else(String::new, |other| format!("{:.2}", cpu[position] / other))
        };
        println!(
            "    {:28} {:>12.0} {:>12.2} {:>10} {:>10}",
            kind.name(),
            median(&figures[position], |figure| figure.0),
            cpu[position],
            ratio(of(Kind::Axum)),
            ratio(of(Kind::Echo)),
        );
    }
}

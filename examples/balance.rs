//! Three replicas, of which one is slow and one is killed and revived, while 2,000 requests come in a second: a table of who
//! serves, and nothing lost.
//!
//! `cargo run --release --example balance` prints a line each half second; with `-- --json` the last line is one JSON object.

#![allow(clippy::print_stdout)]

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use maas::core::FnModel;
use maas::prelude::*;
use maas::schedule::LeastCost;
use maas::service::Balanced;
use serde::Serialize;

const CALLERS: usize = 32;
const RATE: usize = 2000;
const KILLED: Duration = Duration::from_secs(2);
const REVIVED: Duration = Duration::from_secs(5);
const END: Duration = Duration::from_secs(8);

#[derive(Serialize)]
struct Figures {
    requests: usize,
    failed: usize,
    answered_twice: usize,
    per_replica: Vec<u64>,
    p99_ms_before: f64,
    p99_ms_after_kill: f64,
}

/// When a request was sent, and how long its answer took, if there was one.
type Call = (Duration, Option<Duration>);

fn main() -> Result<()> {
    let json = std::env::args().any(|argument| argument == "--json");
    let pool = Balanced::named([
        ("steady", replica(1)?),
        ("slow", replica(10)?),
        ("mortal", replica(1)?),
    ])?
    .balanced_by(LeastCost::new());

    let requests = RATE * END.as_secs() as usize;
    let answers: Vec<AtomicU32> = (0..requests).map(|_| AtomicU32::new(0)).collect();
    let calls: Mutex<Vec<Call>> = Mutex::new(Vec::new());
    let start = Instant::now();
    thread::scope(|scope| {
        for caller in 0..CALLERS {
            let (pool, answers, calls) = (&pool, &answers, &calls);
            scope.spawn(move || {
                let mut own = Vec::new();
                for number in (caller..requests).step_by(CALLERS) {
                    let sent = Duration::from_secs_f64(number as f64 / RATE as f64);
                    sleep_until(start + sent);
                    let begun = Instant::now();
                    let answer = ask(pool, number);
                    if let Ok(answered) = &answer {
                        answers[*answered].fetch_add(1, Ordering::Relaxed);
                    }
                    own.push((sent, answer.is_ok().then(|| begun.elapsed())));
                }
                calls
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .extend(own);
            });
        }
        watch(&pool, start)
    })?;

    let calls = calls.into_inner().unwrap_or_else(PoisonError::into_inner);
    let answered_to = |count: &AtomicU32| count.load(Ordering::Relaxed);
    let figures = Figures {
        requests,
        failed: calls.iter().filter(|(_, took)| took.is_none()).count(),
        answered_twice: answers
            .iter()
            .filter(|count| answered_to(count) > 1)
            .count(),
        per_replica: pool.members().iter().map(|member| member.served).collect(),
        p99_ms_before: p99(&calls, Duration::from_millis(500)..KILLED),
        p99_ms_after_kill: p99(&calls, KILLED..REVIVED),
    };
    println!(
        "{} requests, {} failed, {} answered twice; 99 of 100 took at most {:.1} ms before the kill and {:.1} ms in the 3 s after it",
        figures.requests,
        figures.failed,
        figures.answered_twice,
        figures.p99_ms_before,
        figures.p99_ms_after_kill,
    );
    if json {
        println!("{}", serde_json::to_string(&figures)?);
    }
    Ok(())
}

/// A model that takes so many milliseconds, on a worker of its own.
fn replica(milliseconds: u64) -> Result<LocalModel> {
    let signature = Signature::new(
        TensorSpec::rows("x", DType::Int64, &[1]),
        TensorSpec::rows("y", DType::Int64, &[1]),
    )?;
    let model = FnModel::new(
        signature,
        move |inputs: &[TensorView<'_>], outputs: &mut Outputs<'_>| {
            thread::sleep(Duration::from_millis(milliseconds));
            outputs.copy(0, &inputs[0])
        },
    );
    Ok(LocalModel::new(model).queued())
}

/// The number that is answered to this number: the same, unless something is mixed up.
fn ask(pool: &impl Service, number: usize) -> Result<usize> {
    let row = Tensor::from_slice([1, 1], &[i64::try_from(number)?])?;
    let response = pool.infer_blocking(InferRequest::new("echo").input("x", row))?;
    let output = response.output("y").context("the model has one output")?;
    Ok(usize::try_from(output.as_slice::<i64>()?[0])?)
}

/// Kills and revives one, and prints how all are.
fn watch<P: Policy>(pool: &Balanced<LocalModel, P>, start: Instant) -> Result<()> {
    let mortal = pool.member("mortal").context("it was added")?;
    let mut before = pool.members();
    println!("   time    {:<28}{:<28}{:<28}", "steady", "slow", "mortal");
    for tick in 1..=16 {
        let now = Duration::from_millis(500 * tick);
        sleep_until(start + now);
        let members = pool.members();
        let columns = members.iter().zip(&before).map(|(member, before)| {
            let served = 2 * (member.served - before.served);
            format!("{served:>5}/s {:>3} in flight       ", member.in_flight)
        });
        let event = match now {
            KILLED => "killed",
            REVIVED => "revived",
            _ => "",
        };
        println!(
            "  {:>4.1} s   {}{event}",
            now.as_secs_f64(),
            columns.collect::<String>()
        );
        match now {
            KILLED => mortal.kill(),
            REVIVED => mortal.restart(),
            _ => {}
        }
        before = members;
    }
    Ok(())
}

/// Of those sent in this time, in milliseconds.
fn p99(calls: &[Call], span: std::ops::Range<Duration>) -> f64 {
    let sent = calls.iter().filter(|(sent, _)| span.contains(sent));
    let mut took: Vec<Duration> = sent.filter_map(|&(_, took)| took).collect();
    took.sort_unstable();
    let index = (took.len() * 99) / 100;
    took.get(index)
        .map_or(f64::NAN, |took| 1e3 * took.as_secs_f64())
}

fn sleep_until(moment: Instant) {
    thread::sleep(moment.saturating_duration_since(Instant::now()));
}

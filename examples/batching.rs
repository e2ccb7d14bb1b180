//! What a batching queue does for a model whose runs have a price of their own: more answers, none too late, a fair share
//! for everybody.
//!
//! `cargo run --release --example batching`
//!
//! The model stands for an accelerator: a run costs 2 ms, and 0.1 ms for each of its rows.

#![allow(clippy::print_stdout)]

use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;
use maas::prelude::*;
use maas::schedule::QueueOptions;

const RUN: Duration = Duration::from_micros(2000);
const ROW: Duration = Duration::from_micros(100);

fn main() -> Result<()> {
    more_answers()?;
    none_too_late()?;
    a_fair_share()
}

/// 32 callers, each of whom asks again as soon as it has its answer.
fn more_answers() -> Result<()> {
    println!("32 callers, one worker            answers/s   p50 ms   p99 ms   rows/run");
    for most in [1, 8, 32] {
        let service = device(QueueOptions::default().max_rows(most))?;
        let (waits, elapsed) = crowd(&service, 32, 20)?;
        let stats = service.queue_stats().unwrap_or_default();
        println!(
            "  at most {most:>2} rows a run          {:>8.0} {:>8.1} {:>8.1} {:>8.1}",
            waits.len() as f64 / elapsed.as_secs_f64(),
            quantile(&waits, 0.5),
            quantile(&waits, 0.99),
            stats.rows as f64 / stats.closed.total() as f64,
        );
    }
    Ok(())
}

/// Twice as many requests as the device can answer, each with 60 ms to be answered in.
fn none_too_late() -> Result<()> {
    let service = device(QueueOptions::default().max_rows(8))?;
    let capacity = 8.0 / (RUN + 8 * ROW).as_secs_f64();
    let (asked, answered, late) = (1500_u32, AtomicU32::new(0), AtomicU32::new(0));
    let start = Instant::now();
    thread::scope(|scope| {
        for number in 0..asked {
            wait_until(start + Duration::from_secs_f64(f64::from(number) / (2.0 * capacity)));
            let (service, answered, late) = (&service, &answered, &late);
            scope.spawn(move || {
                let (asked, limit) = (Instant::now(), Duration::from_millis(60));
                if service
                    .infer_blocking(request("flood").within(limit))
                    .is_ok()
                {
                    answered.fetch_add(1, Ordering::Relaxed);
                    late.fetch_add(u32::from(asked.elapsed() > limit), Ordering::Relaxed);
                }
            });
        }
    });
    let answered = answered.load(Ordering::Relaxed);
    let possible = start.elapsed().as_secs_f64() * capacity;
    println!(
        "twice what it can answer          {:.0} % of what is possible is answered, {} of {answered} answers came late, {} requests were told no",
        100.0 * f64::from(answered) / possible,
        late.load(Ordering::Relaxed),
        asked - answered,
    );
    Ok(())
}

/// One tenant asks as much as it can; another asks now and then.
fn a_fair_share() -> Result<()> {
    let service = device(QueueOptions::default().max_rows(8))?;
    let quiet = thread::scope(|scope| {
        let flood = scope.spawn(|| crowd(&service, 64, 25));
        let quiet: Result<Vec<Duration>> = (0..40)
            .map(|_| {
                thread::sleep(Duration::from_millis(5));
                let start = Instant::now();
                service.infer_blocking(request("quiet"))?;
                Ok(start.elapsed())
            })
            .collect();
        flood
            .join()
            .map_err(|_| anyhow::anyhow!("the flood broke"))??;
        quiet
    })?;
    println!(
        "beside a flood of 64 callers      a quiet tenant waits {:.1} ms, at most {:.1} ms",
        quantile(&quiet, 0.5),
        quantile(&quiet, 1.0)
    );
    Ok(())
}

/// The device as a service, behind a queue.
fn device(options: QueueOptions) -> Result<LocalModel> {
    let signature = Signature::new(
        TensorSpec::rows("x", DType::Fp32, &[1]),
        TensorSpec::rows("y", DType::Fp32, &[1]),
    )?;
    let model = maas::core::FnModel::new(
        signature,
        |inputs: &[TensorView<'_>], outputs: &mut Outputs<'_>| {
            let rows = u32::try_from(inputs[0].rows()).unwrap_or(u32::MAX);
            thread::sleep(RUN + rows * ROW);
            outputs.copy(0, &inputs[0])
        },
    );
    Ok(LocalModel::new(model).queued().batching(options))
}

fn request(tenant: &str) -> InferRequest {
    let row = Tensor::from_slice([1, 1], &[1.0_f32]);
    let request = InferRequest::new("device").tenant(tenant);
    row.into_iter()
        .fold(request, |request, row| request.input("x", row))
}

/// So many callers ask so often each: what they waited, and what it took in all.
fn crowd(service: &LocalModel, callers: usize, each: usize) -> Result<(Vec<Duration>, Duration)> {
    let start = Instant::now();
    let waits = thread::scope(|scope| {
        let ask = || {
            let once = |_| {
                let start = Instant::now();
                service
                    .infer_blocking(request("flood"))
                    .map(|_| start.elapsed())
            };
            (0..each).map(once).collect::<Result<Vec<_>, ServeError>>()
        };
        let callers: Vec<_> = (0..callers).map(|_| scope.spawn(ask)).collect();
        let mut waits = Vec::new();
        for caller in callers {
            waits.extend(
                caller
                    .join()
                    .map_err(|_| anyhow::anyhow!("a caller broke"))??,
            );
        }
        Ok::<_, anyhow::Error>(waits)
    })?;
    Ok((waits, start.elapsed()))
}

/// In milliseconds.
fn quantile(waits: &[Duration], quantile: f64) -> f64 {
    let mut sorted = waits.to_vec();
    sorted.sort_unstable();
    let last = sorted.len().saturating_sub(1);
    sorted
        .get((last as f64 * quantile).round() as usize)
        .map_or(0.0, |wait| 1e3 * wait.as_secs_f64())
}

fn wait_until(moment: Instant) {
    thread::sleep(moment.saturating_duration_since(Instant::now()));
}

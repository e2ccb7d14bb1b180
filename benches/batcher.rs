//! What the batching queue costs per request: an entry pushed and taken, with others queued, and between threads.
//!
//! `cargo bench --bench batcher`. The anchor is a `VecDeque` under a `Mutex`, which has no order, bounds or
//! deadlines.

use std::collections::VecDeque;
use std::hint::black_box;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use maas_schedule::{BatchQueue, Clock, Entry, Moment, QueueOptions, SystemClock};

const TENANTS: u64 = 4;

fn push(queue: &BatchQueue<u64>, request: u64, deadline: Option<Moment>) {
    let entry = Entry::rows(1, request).bytes(96).tenant(request % TENANTS);
    let entry = match deadline {
        Some(deadline) => entry.deadline(deadline),
        None => entry,
    };
    let ticket = queue.push(entry, Moment::ZERO).expect("the queue has room");
    ticket.detach();
}

/// Fills the queue with so many requests and takes them as one batch.
fn one_thread(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("batcher/1_thread");
    for queued in [1_u64, 8, 64] {
        group.throughput(Throughput::Elements(queued));
        for (name, deadline) in [
            ("queue", None),
            ("deadlines", Some(Moment::from_nanos(1 << 40))),
        ] {
            let queue = BatchQueue::new(QueueOptions::default().max_rows(64));
            group.bench_function(BenchmarkId::new(name, queued), |bencher| {
                bencher.iter(|| {
                    (0..queued).for_each(|request| push(&queue, request, deadline));
                    black_box(queue.take(Moment::ZERO).batch())
                });
            });
        }
        let anchor = Mutex::new(VecDeque::new());
        let lock = || anchor.lock().expect("nobody panics");
        group.bench_function(BenchmarkId::new("deque", queued), |bencher| {
            bencher.iter(|| {
                (0..queued).for_each(|request| lock().push_back(request));
                black_box(lock().drain(..).collect::<Vec<u64>>())
            });
        });
    }
    group.finish();
}

/// One thread pushes, a worker takes what is there; the time until the last is taken.
fn two_threads(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("batcher/2_threads");
    group.throughput(Throughput::Elements(1));
    group.bench_function("queue", |bencher| bencher.iter_custom(hand_over));
    group.finish();
}

fn hand_over(requests: u64) -> Duration {
    let options = QueueOptions::default()
        .max_rows(64)
        .max_queued_rows(usize::MAX);
    let queue = BatchQueue::new(options);
    thread::scope(|scope| {
        let worker = scope.spawn(|| {
            while let Some(batch) = queue.wait(&SystemClock) {
                black_box(batch.rows());
            }
        });
        let start = Instant::now();
        for request in 0..requests {
            let entry = Entry::rows(1, request).tenant(request % TENANTS);
            let ticket = queue
                .push(entry, SystemClock.now())
                .expect("the queue has room");
            ticket.detach();
        }
        queue.close();
        worker.join().expect("the worker ends");
        start.elapsed()
    })
}

criterion_group!(benches, one_thread, two_threads);
criterion_main!(benches);

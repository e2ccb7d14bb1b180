//! The batching queue between threads, in real time.
#![cfg(not(loom))]
#![allow(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

use std::thread;
use std::time::Duration;

use maas_schedule::{BatchQueue, Clock, Entry, QueueOptions, SystemClock};

#[test]
fn workers_that_sleep_are_woken_and_end() {
    let options = QueueOptions::default()
        .max_rows(3)
        .max_delay(Duration::from_micros(100));
    let queue = BatchQueue::new(options);
    let workers: Vec<_> = (0..3)
        .map(|_| {
            let queue = queue.clone();
            thread::spawn(move || {
                let mut seen = Vec::new();
                while let Some(batch) = queue.wait(&SystemClock) {
                    seen.extend(batch.parts.iter().map(|part| *part.payload));
                }
                seen
            })
        })
        .collect();
    for payload in 0..3000 {
        let entry = Entry::rows(1, payload).key(payload % 2);
        queue.push(entry, SystemClock.now()).unwrap().detach();
    }
    queue.close();
    let mut seen: Vec<u64> = workers
        .into_iter()
        .flat_map(|worker| worker.join().unwrap())
        .collect();
    seen.sort_unstable();
    assert!(seen.into_iter().eq(0..3000));
}

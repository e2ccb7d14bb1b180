//! Every interleaving of the hand-over from callers to workers.
#![cfg(loom)]
#![allow(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

use loom::thread;
use maas_schedule::{BatchQueue, Entry, ManualClock, Moment, QueueOptions, Taken};

fn push(queue: &BatchQueue<u32>, payload: u32) {
    queue
        .push(Entry::rows(1, payload), Moment::ZERO)
        .unwrap()
        .detach();
}

/// A worker's loop: what it was given until the queue ended.
fn work(queue: &BatchQueue<u32>) -> Vec<u32> {
    let clock = ManualClock::new();
    let mut seen = Vec::new();
    while let Some(batch) = queue.wait(&clock) {
        seen.extend(batch.parts.iter().map(|part| *part.payload));
    }
    seen
}

fn worker(queue: &BatchQueue<u32>) -> thread::JoinHandle<Vec<u32>> {
    let queue = queue.clone();
    thread::spawn(move || work(&queue))
}

#[test]
fn a_worker_that_waits_gets_all_and_ends() {
    loom::model(|| {
        let queue = BatchQueue::new(QueueOptions::default());
        let worker = worker(&queue);
        push(&queue, 1);
        push(&queue, 2);
        queue.close();
        assert_eq!(worker.join().unwrap(), [1, 2]);
    });
}

#[test]
fn two_workers_share_without_loss_or_repetition() {
    loom::model(|| {
        let queue = BatchQueue::new(QueueOptions::default().max_rows(1));
        let worker = worker(&queue);
        push(&queue, 1);
        push(&queue, 2);
        queue.close();
        let mut seen = work(&queue);
        seen.extend(worker.join().unwrap());
        seen.sort_unstable();
        assert_eq!(seen, [1, 2]);
    });
}

#[test]
fn an_entry_is_handed_out_or_cancelled() {
    loom::model(|| {
        let queue = BatchQueue::new(QueueOptions::default());
        let ticket = queue.push(Entry::rows(1, 7), Moment::ZERO).unwrap();
        let canceller = thread::spawn(move || ticket.cancel());
        let taken = matches!(queue.take(Moment::ZERO), Taken::Batch(_));
        canceller.join().unwrap();
        let stats = queue.stats();
        assert_eq!(stats.cancelled, u64::from(!taken));
        assert_eq!((stats.queued, stats.queued_rows), (0, 0));
    });
}

#[test]
fn a_push_beside_the_close_is_refused_or_handed_out() {
    loom::model(|| {
        let queue = BatchQueue::new(QueueOptions::default());
        let caller = thread::spawn({
            let queue = queue.clone();
            move || {
                let pushed = queue.push(Entry::rows(1, 7), Moment::ZERO);
                pushed.map(maas_schedule::Ticket::detach).is_ok()
            }
        });
        queue.close();
        let accepted = caller.join().unwrap();
        assert_eq!(work(&queue).len(), usize::from(accepted));
    });
}

#[test]
fn closing_wakes_all_workers() {
    loom::model(|| two_idle_workers_end(BatchQueue::close));
}

#[test]
#[ignore = "fails as it must: run by the test below, in a process of its own as the model aborts"]
fn closing_wakes_only_one_worker() {
    loom::model(|| two_idle_workers_end(BatchQueue::close_waking_one));
}

#[test]
fn the_model_finds_the_worker_that_sleeps_for_ever() {
    let arguments = [
        "--ignored",
        "--exact",
        "closing_wakes_only_one_worker",
        "--nocapture",
    ];
    let this = std::env::current_exe().unwrap();
    let run = std::process::Command::new(this)
        .args(arguments)
        .output()
        .unwrap();
    assert!(!run.status.success());
    let said = String::from_utf8_lossy(&run.stderr);
    assert!(said.contains("deadlock"), "{said}");
}

fn two_idle_workers_end(close: impl Fn(&BatchQueue<u32>)) {
    let queue = BatchQueue::new(QueueOptions::default());
    let workers = [worker(&queue), worker(&queue)];
    close(&queue);
    for worker in workers {
        assert!(worker.join().unwrap().is_empty());
    }
}

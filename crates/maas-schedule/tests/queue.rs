//! What every user of the batching queue may rely on.
#![cfg(not(loom))]
#![allow(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use maas_schedule::{
    Batch, BatchQueue, Entry, Moment, Priority, QueueError, QueueOptions, Reason, Rejoin, Taken,
};

fn at(milliseconds: u64) -> Moment {
    Moment::ZERO + Duration::from_millis(milliseconds)
}

fn push<T>(queue: &BatchQueue<T>, entry: Entry<T>, now: Moment) {
    queue.push(entry, now).unwrap().detach();
}

fn take<T>(queue: &BatchQueue<T>, now: Moment) -> Batch<T> {
    queue.take(now).batch().expect("something is ready")
}

fn payloads<T: Copy>(batch: &Batch<T>) -> Vec<T> {
    batch.parts.iter().map(|part| *part.payload).collect()
}

#[test]
fn rows_are_counted_and_not_requests() {
    let queue = BatchQueue::new(QueueOptions::default().max_rows(8));
    for payload in 0..4 {
        push(&queue, Entry::rows(3, payload).bytes(10), at(0));
    }
    assert_eq!(
        (queue.stats().queued_rows, queue.stats().queued_bytes),
        (12, 40)
    );
    let batch = take(&queue, at(0));
    assert_eq!(
        (payloads(&batch), batch.rows(), batch.reason),
        (vec![0, 1], 6, Reason::Full)
    );
    assert_eq!(
        (queue.stats().queued_rows, queue.stats().queued_bytes),
        (6, 20)
    );
    let batch = take(&queue, at(0));
    assert_eq!(
        (payloads(&batch), batch.reason),
        (vec![2, 3], Reason::WorkerFree)
    );
    assert!(matches!(queue.take(at(0)), Taken::Empty));
}

#[test]
fn a_batch_closes_when_full_or_when_its_oldest_has_waited() {
    let options = QueueOptions::default()
        .max_rows(4)
        .max_delay(Duration::from_millis(2));
    let queue = BatchQueue::new(options);
    push(&queue, Entry::rows(1, 'a'), at(0));
    push(&queue, Entry::rows(1, 'b'), at(1));
    assert!(matches!(queue.take(at(1)), Taken::Wait(moment) if moment == at(2)));
    let batch = take(&queue, at(2));
    assert_eq!(
        (payloads(&batch), batch.reason),
        (vec!['a', 'b'], Reason::Delay)
    );
    push(&queue, Entry::rows(4, 'c'), at(3));
    assert_eq!(take(&queue, at(3)).reason, Reason::Full);
    push(&queue, Entry::rows(1, 'd'), at(4));
    queue.close();
    assert_eq!(take(&queue, at(4)).reason, Reason::Closing);
    let closed = queue.stats().closed;
    assert_eq!((closed.delay, closed.full, closed.closing), (1, 1, 1));
}

#[test]
fn a_deadline_shortens_the_delay() {
    let options = QueueOptions::default().max_delay(Duration::from_millis(50));
    let queue = BatchQueue::new(options);
    push(&queue, Entry::rows(1, ()).deadline(at(20)), at(0));
    assert!(matches!(queue.take(at(0)), Taken::Wait(moment) if moment == at(10)));
    assert_eq!(take(&queue, at(10)).reason, Reason::Deadline);
    let batch = {
        push(&queue, Entry::rows(32, ()), at(10));
        take(&queue, at(10))
    };
    batch.done(Duration::from_millis(16)); // half a millisecond a row
    push(&queue, Entry::rows(1, ()).deadline(at(30)), at(10));
    assert!(matches!(queue.take(at(10)), Taken::Wait(moment) if moment == at(14)));
}

#[test]
fn keys_never_mix_and_one_that_waits_to_fill_holds_up_no_other() {
    let queue = BatchQueue::new(QueueOptions::default());
    for payload in 0..6 {
        push(&queue, Entry::rows(1, payload).key(payload % 2), at(0));
    }
    let batch = take(&queue, at(0));
    assert_eq!(
        (payloads(&batch), batch.key, batch.reason),
        (vec![0, 2, 4], 0, Reason::ShapeChanged)
    );
    let batch = take(&queue, at(0));
    assert_eq!(
        (payloads(&batch), batch.key, batch.reason),
        (vec![1, 3, 5], 1, Reason::WorkerFree)
    );

    let delay = Duration::from_millis(9);
    let queue = BatchQueue::new(QueueOptions::default().max_rows(2).max_delay(delay));
    push(&queue, Entry::rows(1, 'a').key(1), at(0));
    push(&queue, Entry::rows(2, 'b').key(2), at(1));
    assert_eq!(payloads(&take(&queue, at(1))), ['b']);
    assert!(matches!(queue.take(at(1)), Taken::Wait(moment) if moment == at(9)));
}

#[test]
fn higher_classes_go_first_and_lower_ones_fill_the_batch() {
    let queue = BatchQueue::new(QueueOptions::default().max_rows(3));
    for (payload, priority) in [
        (1, Priority::Low),
        (2, Priority::Normal),
        (3, Priority::High),
        (4, Priority::Low),
    ] {
        push(&queue, Entry::rows(1, payload).priority(priority), at(0));
    }
    assert_eq!(payloads(&take(&queue, at(0))), [3, 2, 1]);
    assert_eq!(payloads(&take(&queue, at(0))), [4]);
}

#[test]
fn the_earliest_deadline_goes_first_until_the_oldest_has_waited_long() {
    let entries = [(1, 100), (2, 60), (3, 90)];
    let fill = || {
        let queue = BatchQueue::new(QueueOptions::default());
        push(&queue, Entry::rows(1, 0), at(0));
        for (payload, deadline) in entries {
            push(
                &queue,
                Entry::rows(1, payload).deadline(at(deadline)),
                at(0),
            );
        }
        queue
    };
    assert_eq!(payloads(&take(&fill(), at(50))), [2, 3, 1, 0]);
    assert_eq!(payloads(&take(&fill(), at(51))), [3, 2, 1, 0]);
    let batch = take(&fill(), at(60));
    assert_eq!(payloads(&batch), [3, 1, 0]);
    assert_eq!(*batch.expired[0].payload, 2);
}

#[test]
fn what_expires_is_handed_back_at_the_take_and_before_the_run() {
    let queue = BatchQueue::new(QueueOptions::default());
    push(&queue, Entry::rows(2, 'a').deadline(at(5)), at(0));
    let batch = take(&queue, at(5));
    assert_eq!(
        (batch.rows(), batch.parts.len(), batch.expired.len()),
        (0, 0, 1)
    );
    assert!(matches!(queue.take(at(5)), Taken::Empty));

    push(&queue, Entry::rows(2, 'b').deadline(at(10)), at(5));
    push(&queue, Entry::rows(1, 'c'), at(5));
    let mut batch = take(&queue, at(6));
    batch.drop_expired(at(10));
    assert_eq!((payloads(&batch), batch.rows()), (vec!['c'], 1));
    assert_eq!(*batch.expired[0].payload, 'b');
    assert_eq!((queue.stats().expired, queue.stats().queued_rows), (2, 0));
}

#[test]
fn what_cannot_be_in_time_is_refused() {
    let queue = BatchQueue::new(QueueOptions::default().max_rows(1));
    let refused = queue
        .push(Entry::rows(1, 'a').deadline(at(3)), at(5))
        .unwrap_err();
    assert_eq!(
        refused.error,
        QueueError::DeadlinePassed {
            late: Duration::from_millis(2)
        }
    );
    push(&queue, Entry::rows(1, 'b'), at(0));
    take(&queue, at(0)).done(Duration::from_millis(10));
    push(&queue, Entry::rows(1, 'c').deadline(at(5)), at(0)); // nothing is ahead: the estimate may be wrong
    push(&queue, Entry::rows(1, 'd').deadline(at(20)), at(0));
    let refused = queue
        .push(Entry::rows(1, 'e').deadline(at(25)), at(0))
        .unwrap_err();
    let milliseconds = Duration::from_millis;
    let expected = QueueError::DeadlineTooSoon {
        expected: milliseconds(30),
        left: milliseconds(25),
        retry_after: milliseconds(5),
    };
    assert_eq!(refused.error, expected);
    assert_eq!(queue.stats().refused.deadline, 2);
}

#[test]
fn each_bound_refuses_with_what_is_there_and_when_to_come_again() {
    let options = QueueOptions::default()
        .max_rows(4)
        .max_queued_rows(10)
        .max_queued_bytes(100);
    let queue = BatchQueue::new(options.clone().max_tenant_rows(6));
    push(&queue, Entry::rows(4, ()).bytes(10), at(0));
    take(&queue, at(0)).done(Duration::from_millis(8));
    push(&queue, Entry::rows(5, ()).tenant(1).bytes(60), at(0));
    let refuse = |entry| queue.push(entry, at(0)).unwrap_err().error;
    let hint = Duration::from_millis(2);
    let tenant = QueueError::TenantFull {
        tenant: 1,
        queued: 5,
        limit: 6,
        retry_after: hint,
    };
    assert_eq!(refuse(Entry::rows(2, ()).tenant(1)), tenant);
    let rows = QueueError::RowsFull {
        queued: 5,
        limit: 10,
        retry_after: hint,
    };
    assert_eq!(refuse(Entry::rows(6, ()).tenant(2)), rows);
    let bytes = refuse(Entry::rows(1, ()).tenant(2).bytes(41));
    assert!(matches!(
        bytes,
        QueueError::BytesFull {
            queued: 60,
            limit: 100,
            ..
        }
    ));
    assert_eq!(refuse(Entry::rows(7, ())).retry_after(), None);
    assert_eq!(refuse(Entry::rows(0, ())), QueueError::NoRows);
    let refused = queue.stats().refused;
    assert_eq!(
        (refused.tenant, refused.rows, refused.bytes, refused.size),
        (1, 1, 1, 2)
    );

    let queue = BatchQueue::new(options.max_wait(Duration::from_millis(5)));
    push(&queue, Entry::rows(4, ()), at(0));
    take(&queue, at(0)).done(Duration::from_millis(8));
    push(&queue, Entry::rows(3, ()), at(0));
    let error = queue.push(Entry::rows(1, ()), at(0)).unwrap_err().error;
    let milliseconds = Duration::from_millis;
    let wait = QueueError::WaitTooLong {
        expected: milliseconds(6),
        limit: milliseconds(5),
        retry_after: milliseconds(1),
    };
    assert_eq!(error, wait);
    push(&queue, Entry::rows(1, ()).tenant(9), at(0)); // its turn comes at once
}

#[test]
fn cancelled_entries_leave_at_once() {
    let queue = BatchQueue::new(QueueOptions::default().max_rows(2));
    let first = queue.push(Entry::rows(1, 1).bytes(8), at(0)).unwrap();
    let large = queue.push(Entry::rows(5, 2).bytes(40), at(0)).unwrap();
    let last = queue.push(Entry::rows(1, 3).bytes(8), at(0)).unwrap();
    first.cancel();
    assert_eq!(
        (queue.stats().queued_rows, queue.stats().queued_bytes),
        (6, 48)
    );
    assert_eq!(payloads(&take(&queue, at(0))), [2]);
    drop(large);
    let stats = queue.stats();
    assert_eq!(
        (stats.queued, stats.queued_rows, stats.queued_bytes),
        (1, 1, 8)
    );
    assert_eq!(payloads(&take(&queue, at(0))), [3]);
    last.cancel();
    assert_eq!(queue.stats().cancelled, 2);
}

#[test]
fn a_large_request_is_split_and_rejoined() {
    let options = QueueOptions::default().max_rows(4);
    let input: Vec<u32> = (0..10).collect();
    let rejoin = Rejoin::<Vec<u32>>::new(options.parts(input.len()));
    let queue = BatchQueue::new(options);
    let ticket = queue
        .push(Entry::rows(input.len(), (input, rejoin)), at(0))
        .unwrap();
    let mut batches = Vec::new();
    while let Taken::Batch(batch) = queue.take(at(0)) {
        batches.push(batch);
    }
    assert_eq!(
        batches.iter().map(Batch::rows).collect::<Vec<_>>(),
        [4, 4, 2]
    );
    let mut answers = Vec::new();
    for part in batches.iter().rev().flat_map(|batch| &batch.parts) {
        assert_eq!((part.request, part.parts), (ticket.request(), 3));
        let (input, rejoin) = &*part.payload;
        let output = input[part.rows.clone()].iter().map(|x| x * 2).collect();
        answers.extend(rejoin.finish::<()>(part.index, Ok(output)));
    }
    let doubled: Vec<u32> = (0..10).map(|x| x * 2).collect();
    assert_eq!(answers.len(), 1);
    assert_eq!(answers[0].as_ref().unwrap().concat(), doubled);
}

#[test]
fn an_error_of_a_part_fails_the_request_once() {
    let rejoin = Rejoin::new(3);
    assert_eq!(rejoin.finish(1, Ok::<_, &str>('b')), None);
    assert_eq!(rejoin.finish(1, Ok::<_, &str>('x')), None);
    assert_eq!(rejoin.finish(2, Err("broken")), Some(Err("broken")));
    assert_eq!(rejoin.finish(0, Err("again")), None);
    assert_eq!(rejoin.finish(0, Ok::<_, &str>('a')), None);
}

#[test]
fn tenants_share_by_weight_and_nobody_saves_up() {
    let queue = BatchQueue::new(QueueOptions::default().max_rows(4));
    queue.set_weight(2, 3);
    for request in 0..400 {
        push(&queue, Entry::rows(1, ()).tenant(1 + request % 2), at(0));
    }
    let mut served = BTreeMap::<u64, usize>::new();
    for _ in 0..25 {
        for part in take(&queue, at(0)).parts {
            *served.entry(part.tenant).or_default() += 1;
        }
    }
    assert_eq!(served, BTreeMap::from([(1, 25), (2, 75)]));
    for _ in 0..100 {
        push(&queue, Entry::rows(1, ()).tenant(3), at(0));
    }
    let newcomers = |_| {
        take(&queue, at(0))
            .parts
            .iter()
            .filter(|part| part.tenant == 3)
            .count()
    };
    let share: usize = (0..25).map(newcomers).sum();
    assert!(
        (19..=21).contains(&share),
        "{share} of 100 rows, with weights 1, 3 and 1"
    );
}

#[test]
fn a_tenant_that_comes_and_goes_gets_no_more_than_its_share() {
    let queue = BatchQueue::new(QueueOptions::default().max_rows(8));
    for _ in 0..200 {
        push(&queue, Entry::rows(1, ()).tenant(1), at(0));
    }
    let (mut large, mut small) = (0, 0);
    let mut outstanding = false;
    for _ in 0..20 {
        if !outstanding {
            push(&queue, Entry::rows(8, ()).tenant(2), at(0));
            outstanding = true;
        }
        for part in take(&queue, at(0)).parts {
            if part.tenant == 2 {
                large += part.rows.len();
                outstanding = false;
            } else {
                small += part.rows.len();
            }
        }
    }
    assert!(large.abs_diff(small) <= 16, "{large} and {small} rows");
}

/// Looks at the queue when it is dropped, which hangs if the queue's lock is held.
struct Nosy {
    queue: BatchQueue<Self>,
    drops: Arc<AtomicUsize>,
}

impl Drop for Nosy {
    fn drop(&mut self) {
        let _ = self.queue.stats();
        self.drops.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn payloads_are_dropped_outside_the_lock() {
    let queue = BatchQueue::new(QueueOptions::default().max_queued_rows(2));
    let drops = Arc::new(AtomicUsize::new(0));
    let entry = || {
        let (queue, drops) = (queue.clone(), Arc::clone(&drops));
        Entry::rows(1, Nosy { queue, drops })
    };
    queue.push(entry(), at(0)).unwrap().cancel();
    push(&queue, entry().deadline(at(1)), at(0));
    push(&queue, entry(), at(0));
    drop(queue.push(entry(), at(0)));
    drop(queue.take(at(2)));
    assert_eq!(drops.load(Ordering::Relaxed), 4);
}

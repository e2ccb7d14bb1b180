//! Every interleaving of a few picks. Run by
//! `RUSTFLAGS="--cfg loom" cargo test -p maas-schedule --test loom --release`.
#![cfg(loom)]

use std::num::NonZeroUsize;

use loom::sync::Arc;
use loom::thread;
use maas_schedule::{InFlight, RoundRobin};

/// Runs `picks` picks on each of `threads` threads and returns how often each member was picked.
fn shares(ring: RoundRobin, threads: usize, picks: usize) -> Vec<usize> {
    let members = ring.members();
    let ring = Arc::new(ring);
    let others: Vec<_> = (1..threads)
        .map(|_| {
            let ring = Arc::clone(&ring);
            thread::spawn(move || (0..picks).map(|_| ring.next()).collect::<Vec<_>>())
        })
        .collect();
    let mut all: Vec<usize> = (0..picks).map(|_| ring.next()).collect();
    for other in others {
        all.extend(other.join().unwrap());
    }
    (0..members)
        .map(|member| all.iter().filter(|&&pick| pick == member).count())
        .collect()
}

fn assert_even(shares: &[usize]) {
    let (most, least) = (shares.iter().max().unwrap(), shares.iter().min().unwrap());
    assert!(most - least <= 1, "uneven: {shares:?}");
}

#[test]
fn picks_are_even_under_every_interleaving() {
    loom::model(|| assert_even(&shares(RoundRobin::new(3), 3, 2)));
}

#[test]
fn picks_are_even_while_the_counter_is_put_back() {
    for before in 0..4 {
        loom::model(move || {
            let ring = RoundRobin::about_to_be_put_back(NonZeroUsize::new(3).unwrap(), before);
            assert_even(&shares(ring, 2, 3));
        });
    }
}

/// The model finds a bug that is there: `current ← (current + 1) mod N` as a load and a store.
#[test]
#[should_panic(expected = "uneven")]
fn a_load_and_a_store_are_found_to_be_uneven() {
    use loom::sync::atomic::{AtomicUsize, Ordering};
    loom::model(|| {
        let current = Arc::new(AtomicUsize::new(2));
        let next = |current: &AtomicUsize| {
            let next = (current.load(Ordering::SeqCst) + 1) % 3;
            current.store(next, Ordering::SeqCst);
            next
        };
        let shared = Arc::clone(&current);
        let other = thread::spawn(move || next(&shared));
        let mut picks = vec![next(&current)];
        picks.push(other.join().unwrap());
        picks.push(next(&current));
        let shares: Vec<usize> = (0..3)
            .map(|member| picks.iter().filter(|&&p| p == member).count())
            .collect();
        assert_even(&shares);
    });
}

#[test]
fn guards_count_down_to_zero() {
    loom::model(|| {
        let in_flight = Arc::new(InFlight::new());
        let shared = Arc::clone(&in_flight);
        let other = thread::spawn(move || drop(shared.enter()));
        let guard = in_flight.enter();
        assert!(in_flight.count() >= 1);
        drop(guard);
        other.join().unwrap();
        assert_eq!(in_flight.count(), 0);
    });
}

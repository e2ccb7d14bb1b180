//! What tests of several files need.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// How often each of `members` was picked by four threads, each of which picked so many times.
pub(crate) fn shares_of_threads(members: usize, pick: impl Fn() -> usize + Sync) -> Vec<usize> {
    const THREADS: usize = 4;
    const PICKS: usize = 10_007;
    let shares: Vec<AtomicUsize> = (0..members).map(|_| AtomicUsize::new(0)).collect();
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                for _ in 0..PICKS {
                    shares[pick()].fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    let shares: Vec<usize> = shares.into_iter().map(AtomicUsize::into_inner).collect();
    assert_eq!(shares.iter().sum::<usize>(), THREADS * PICKS);
    shares
}

//! Counts of many threads, without cores that wait for each other's.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread::available_parallelism;

/// One value for as many threads as run at once, up to [`MOST`], of which each thread writes its own. Who reads puts them together.
#[derive(Debug)]
pub(crate) struct Striped<T>(Box<[Stripe<T>]>);

/// Nothing else is in its cache lines, of which processors fetch two at once.
#[repr(align(128))]
#[derive(Debug)]
struct Stripe<T>(T);

const MOST: usize = 16;

impl<T> Striped<T> {
    /// By the position of each.
    pub(crate) fn of(value: impl FnMut(usize) -> T) -> Self {
        static STRIPES: OnceLock<usize> = OnceLock::new();
        let stripes = STRIPES.get_or_init(|| {
            let threads = available_parallelism().map_or(MOST, usize::from);
            threads.min(MOST)
        });
        Self((0..*stripes).map(value).map(Stripe).collect())
    }

    /// That of this thread, and perhaps of some others.
    pub(crate) fn own(&self) -> &T {
        static THREADS: AtomicUsize = AtomicUsize::new(0);
        thread_local! {
            static THREAD: usize = THREADS.fetch_add(1, Relaxed);
        }
        &self.0[THREAD.with(|thread| *thread) % self.0.len()].0
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter().map(|stripe| &stripe.0)
    }
}

impl<T: Default> Default for Striped<T> {
    fn default() -> Self {
        Self::of(|_| T::default())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU64;
    use std::thread;

    use super::*;

    #[test]
    fn nothing_is_lost_between_threads() {
        let striped = Striped::<AtomicU64>::default();
        thread::scope(|scope| {
            for _ in 0..MOST + 1 {
                scope.spawn(|| {
                    for _ in 0..1000 {
                        striped.own().fetch_add(1, Relaxed);
                    }
                });
            }
        });
        let sum: u64 = striped.iter().map(|count| count.load(Relaxed)).sum();
        assert_eq!(sum, 1000 * (MOST as u64 + 1));
    }
}

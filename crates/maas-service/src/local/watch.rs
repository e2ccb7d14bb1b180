//! Looks after models that run on their callers' threads: one that does not come back is asked no more in that way.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError, Weak};
use std::thread;
use std::time::Duration;

/// A run that lasts from one look to the next holds its thread for too long.
const PERIOD: Duration = Duration::from_millis(50);

/// A model, wherever it runs on its callers' threads.
#[derive(Debug)]
pub(crate) struct Watched {
    begun: Once,
    marks: Mutex<Vec<Weak<Mark>>>,
    holds_a_thread: AtomicBool,
}

/// The runs on one seat: an odd number during each of them.
#[derive(Debug, Default)]
pub(crate) struct Mark {
    runs: AtomicU64,
    seen: AtomicU64,
}

/// Ends with this.
pub(crate) struct Run<'a>(&'a Mark);

impl Watched {
    pub(crate) fn new() -> Self {
        Self {
            begun: Once::new(),
            marks: Mutex::default(),
            holds_a_thread: AtomicBool::new(false),
        }
    }

    /// Whether a caller's thread is held by a run that does not end.
    #[inline]
    pub(crate) fn holds_a_thread(&self) -> bool {
        self.holds_a_thread.load(Ordering::Relaxed)
    }

    /// The mark of a new seat.
    pub(crate) fn mark(self: &Arc<Self>) -> Arc<Mark> {
        self.begun.call_once(|| watch(self));
        let mark = Arc::default();
        lock(&self.marks).push(Arc::downgrade(&mark));
        mark
    }

    fn look(&self) {
        let mut holds = false;
        lock(&self.marks).retain(|mark| {
            let mark = mark.upgrade();
            holds |= mark.as_ref().is_some_and(|mark| mark.is_as_it_was());
            mark.is_some()
        });
        self.holds_a_thread.store(holds, Ordering::Relaxed);
    }
}

impl Mark {
    #[inline]
    pub(crate) fn run(&self) -> Run<'_> {
        self.next();
        Run(self)
    }

    /// One thread at a time has the seat.
    #[inline]
    fn next(&self) {
        let next = self.runs.load(Ordering::Relaxed).wrapping_add(1);
        self.runs.store(next, Ordering::Relaxed);
    }

    /// Whether the run of the last look goes on.
    fn is_as_it_was(&self) -> bool {
        let runs = self.runs.load(Ordering::Relaxed);
        let seen = self.seen.swap(runs, Ordering::Relaxed);
        runs % 2 == 1 && runs == seen
    }
}

impl Drop for Run<'_> {
    #[inline]
    fn drop(&mut self) {
        self.0.next();
    }
}

static WATCH: Mutex<Watch> = Mutex::new(Watch {
    models: Vec::new(),
    is_kept: false,
});

struct Watch {
    models: Vec<Weak<Watched>>,
    /// Whether there is a thread.
    is_kept: bool,
}

/// Without a thread nobody looks, which harms only where a model hangs.
fn watch(model: &Arc<Watched>) {
    let mut watch = lock(&WATCH);
    watch.models.push(Arc::downgrade(model));
    if !watch.is_kept {
        let keeper = thread::Builder::new().name("maas-watch".to_owned());
        watch.is_kept = keeper.spawn(keep).is_ok();
    }
}

/// Looks at all models until there are none.
fn keep() {
    loop {
        thread::sleep(PERIOD);
        let mut watch = lock(&WATCH);
        watch.models.retain(|model| {
            let model = model.upgrade();
            model.iter().for_each(|model| model.look());
            model.is_some()
        });
        if watch.models.is_empty() {
            watch.is_kept = false;
            return;
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_that_goes_on_from_look_to_look_holds_its_thread() {
        let watched = Watched::new();
        let [mark, other] = [(); 2].map(|()| Arc::<Mark>::default());
        for mark in [&mark, &other] {
            lock(&watched.marks).push(Arc::downgrade(mark));
        }
        let looks = |expected: bool| {
            watched.look();
            assert_eq!(watched.holds_a_thread(), expected);
        };
        looks(false);
        let run = mark.run();
        looks(false);
        looks(true);
        drop(other.run());
        looks(true);
        drop(run);
        looks(false);
        drop(mark.run());
        looks(false);
        looks(false);
    }
}

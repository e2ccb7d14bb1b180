//! The team of threads: parked workers that help a caller with a region of tasks. `README.md` beside this file explains
//! the protocol.

mod cores;
mod queues;
mod spin;
mod sync;
mod word;
mod worker;

#[cfg(all(test, loom))]
mod model;
#[cfg(all(test, not(loom)))]
mod tests;

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::AtomicI32;
use std::sync::{Arc, LazyLock};

pub(crate) use queues::Queues;
use spin::Spin;
use sync::{AtomicBool, AtomicU64, Condvar, JoinHandle, Mutex, Ordering, UnsafeCell, fence};
use word::Word;

/// Runs `task(0)` to `task(tasks - 1)`, each once, on the calling thread and on at most `threads - 1` others.
///
/// The calling thread does all of it where the team is busy, inside a task, or inside a rayon worker, whose pool has
/// the cores already. When tasks panic, the first payload is resumed here after the last task has ended.
///
/// # Panics
/// When there are more than [`Word::MOST_TASKS`] tasks.
pub(crate) fn run(threads: usize, tasks: usize, task: &Task<'_>) {
    static TEAM: LazyLock<Arc<Team>> = LazyLock::new(|| Arc::new(Team::new(MOST_WORKERS)));
    if threads <= 1 || tasks <= 1 || rayon::current_thread_index().is_some() {
        (0..tasks).for_each(task);
    } else {
        TEAM.run(threads, tasks, task);
    }
}

/// What a region does for each of its numbers.
pub(crate) type Task<'a> = dyn Fn(usize) + Sync + 'a;

type Payload = Box<dyn Any + Send>;

/// Workers of the process: more cores than this share a step of training badly anyway.
const MOST_WORKERS: usize = 255;

struct Team {
    region: Region,
    /// Held by the caller whose region it is.
    crew: Mutex<Vec<JoinHandle<()>>>,
    seats: Box<[Seat]>,
    /// Where the last caller ran that woke a worker: a hint, which no model has to follow.
    callers_core: AtomicI32,
    /// The first panic of the region, where `region.word` says that there was one.
    panic: Mutex<Option<Payload>>,
    end: Mutex<()>,
    ended: Condvar,
}

/// On lines of its own: workers look at it all the time while they spin.
#[repr(align(128))]
struct Region {
    word: AtomicU64,
    /// Written by the holder of the crew while nothing can be claimed; read by whoever has claimed a task.
    job: UnsafeCell<Option<Job>>,
}

/// A task whose lifetime is forgotten.
#[derive(Clone, Copy)]
struct Job(*const Task<'static>);

// SAFETY: a task is `Sync`.
unsafe impl Send for Job {}

// SAFETY: `job` is written by one thread at a time, before the word that lets others claim is stored, and not again
// before the last of those who claimed has left.
unsafe impl Sync for Region {}

#[repr(align(128))]
#[derive(Default)]
struct Seat {
    /// The worker has parked, or is about to.
    asleep: AtomicBool,
}

impl Team {
    fn new(most_workers: usize) -> Self {
        Self {
            region: Region {
                word: AtomicU64::new(Word::NOTHING.bits()),
                job: UnsafeCell::new(None),
            },
            crew: Mutex::new(Vec::new()),
            seats: (0..most_workers).map(|_| Seat::default()).collect(),
            callers_core: AtomicI32::new(-1),
            panic: Mutex::new(None),
            end: Mutex::new(()),
            ended: Condvar::new(),
        }
    }

    fn run(self: &Arc<Self>, threads: usize, tasks: usize, task: &Task<'_>) {
        assert!(tasks <= Word::MOST_TASKS, "{tasks} tasks in one region");
        let helpers = threads.min(tasks).saturating_sub(1).min(self.seats.len());
        let crew = if helpers > 0 {
            self.crew.try_lock().ok()
        } else {
            None
        };
        let Some(mut crew) = crew else {
            (0..tasks).for_each(task);
            return;
        };
        self.grow(&mut crew, helpers);
        let payload = self.region(&crew, helpers, tasks, task);
        drop(crew);
        if let Some(payload) = payload {
            resume_unwind(payload);
        }
    }

    /// Where the system grants no more threads, regions have fewer.
    fn grow(self: &Arc<Self>, crew: &mut Vec<JoinHandle<()>>, helpers: usize) {
        while crew.len() < helpers {
            let Ok(worker) = worker::spawn(self, crew.len()) else {
                return;
            };
            crew.push(worker);
        }
    }

    fn region(
        &self,
        crew: &[JoinHandle<()>],
        helpers: usize,
        tasks: usize,
        task: &Task<'_>,
    ) -> Option<Payload> {
        let crew = &crew[..helpers.min(crew.len())];
        // SAFETY: only the lifetime changes. Nobody runs the task after this function: workers run what they have
        // claimed, every claim is counted in the word, and `close` waits until the count is zero. Nothing in
        // between unwinds.
        let job = unsafe { std::mem::transmute::<*const Task<'_>, *const Task<'static>>(task) };
        let abort = AbortOnUnwind;
        // SAFETY: this thread holds the crew, and without a task to claim no worker looks at the job.
        self.region
            .job
            .with_mut(|place| unsafe { *place = Some(Job(job)) });
        let word = Word::region(crew.len(), tasks);
        self.region.word.store(word.bits(), Ordering::Release);
        self.wake(crew);
        let mut panicked = false;
        let mut number = Some(0);
        while let Some(i) = number {
            if let Err(payload) = catch_unwind(AssertUnwindSafe(|| task(i))) {
                self.keep(payload);
                panicked = true;
            }
            number = self.claim_next();
        }
        let word = self.close();
        let payload = if panicked || word.panicked() {
            ignore_poison(self.panic.lock()).take()
        } else {
            None
        };
        std::mem::forget(abort);
        payload
    }

    fn wake(&self, crew: &[JoinHandle<()>]) {
        // Between the word and the flags here, and between the flag and the word in `worker::sleep`: one of the two
        // threads sees what the other has written.
        fence(Ordering::SeqCst);
        for (worker, seat) in crew.iter().zip(&self.seats) {
            if seat.asleep.load(Ordering::Relaxed) && seat.asleep.swap(false, Ordering::Relaxed) {
                self.callers_core.store(cores::current(), Ordering::Relaxed);
                worker.thread().unpark();
            }
        }
    }

    /// The next task for the caller, who is not counted.
    fn claim_next(&self) -> Option<usize> {
        let update = |bits| Word::from_bits(bits).with_next_claimed().map(Word::bits);
        self.region
            .word
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, update)
            .ok()
            .map(|bits| Word::from_bits(bits).next())
    }

    /// Waits for the workers that are still in the region. Every task has been claimed.
    fn close(&self) -> Word {
        let load = || Word::from_bits(self.region.word.load(Ordering::Acquire));
        let mut spin = Spin::new(spin::CALLER);
        loop {
            let word = load();
            if word.running() == 0 {
                return word;
            }
            if !spin.again() {
                break;
            }
        }
        let before = self.region.word.fetch_or(Word::WAITING, Ordering::AcqRel);
        let mut word = Word::from_bits(before);
        let mut guard = ignore_poison(self.end.lock());
        while word.running() > 0 {
            word = load();
            if word.running() > 0 {
                guard = ignore_poison(self.ended.wait(guard));
            }
        }
        word
    }

    /// Keeps the first payload of a region.
    fn keep(&self, payload: Payload) {
        let mut first = ignore_poison(self.panic.lock());
        if first.is_none() {
            *first = Some(payload);
        } else {
            drop(first);
            discard(payload);
        }
    }
}

/// A payload's own destructor may panic.
fn discard(payload: Payload) {
    if let Err(other) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        std::mem::forget(other);
    }
}

fn ignore_poison<T>(result: Result<T, std::sync::PoisonError<T>>) -> T {
    result.unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Other threads look at this thread's stack: it must not unwind under them.
struct AbortOnUnwind;

impl Drop for AbortOnUnwind {
    fn drop(&mut self) {
        std::process::abort();
    }
}

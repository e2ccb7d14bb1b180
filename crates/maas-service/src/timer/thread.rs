use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::thread;
use std::time::Duration;

use maas_schedule::{Clock, Moment, SystemClock};

use super::alarm::{Alarm, Asleep, Sleepers};
use super::{Sleep, Timer};

/// The timer of those who have no runtime: one thread wakes all sleepers of the process, by the [`SystemClock`].
///
/// The thread starts with the first sleeper, and ends when nobody has slept for some seconds.
///
/// ```
/// use std::time::Duration;
/// use maas_schedule::{Clock, SystemClock};
/// use maas_service::{ThreadTimer, Timer};
///
/// let end = SystemClock.now() + Duration::from_millis(5);
/// pollster::block_on(ThreadTimer.sleep_until(end));
/// assert!(SystemClock.now() >= end);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ThreadTimer;

impl Clock for ThreadTimer {
    fn now(&self) -> Moment {
        SystemClock.now()
    }
}

impl Timer for ThreadTimer {
    fn sleep_until(&self, moment: Moment) -> Sleep {
        Sleep::threaded(Asleep::new(Threaded, moment))
    }
}

/// The alarm of the process.
pub(super) struct Threaded;

impl Alarm for Threaded {
    fn now(&self) -> Moment {
        SystemClock.now()
    }

    fn set<R>(&self, moment: Moment, change: impl FnOnce(&mut Sleepers) -> R) -> R {
        let mut night = lock();
        let result = change(&mut night.sleepers);
        match night.watch {
            Watch::Until(next) if moment < next => CHANGED.notify_one(),
            Watch::Until(_) => {}
            Watch::Nobody => start(&mut night),
        }
        result
    }

    fn unset<R>(&self, change: impl FnOnce(&mut Sleepers) -> R) -> R {
        change(&mut lock().sleepers)
    }
}

static NIGHT: Mutex<Night> = Mutex::new(Night {
    sleepers: Sleepers::new(),
    watch: Watch::Nobody,
});
static CHANGED: Condvar = Condvar::new();

struct Night {
    sleepers: Sleepers,
    watch: Watch,
}

/// The thread that wakes the others.
#[derive(Clone, Copy)]
enum Watch {
    Nobody,
    /// It looks again at this moment. Sleepers who left are not told to it: it finds out then.
    Until(Moment),
}

const IDLE: Duration = Duration::from_secs(5);
const LONGEST_WAIT: Duration = Duration::from_secs(3600);

fn start(night: &mut Night) {
    let started = thread::Builder::new()
        .name("maas-timer".to_owned())
        .spawn(watch);
    match started {
        Ok(_) => night.watch = Watch::Until(Moment::ZERO),
        // Without a thread, sleepers look at the clock themselves.
        Err(_) => wake(night.sleepers.due(Moment::from_nanos(u64::MAX))),
    }
}

fn watch() {
    let mut night = lock();
    let mut idle = false;
    loop {
        let now = SystemClock.now();
        let due = night.sleepers.due(now);
        if !due.is_empty() {
            drop(night);
            wake(due);
            night = lock();
            continue;
        }
        let wait = match night.sleepers.earliest() {
            Some(next) => next.since(now).min(LONGEST_WAIT),
            None if idle => {
                night.watch = Watch::Nobody;
                return;
            }
            None => IDLE,
        };
        night.watch = Watch::Until(now + wait);
        let woken = CHANGED.wait_timeout(night, wait);
        let (woken, end) = woken.unwrap_or_else(PoisonError::into_inner);
        night = woken;
        idle = end.timed_out() && wait == IDLE;
    }
}

/// A waker that panics does so alone.
fn wake(wakers: Vec<Waker>) {
    for waker in wakers {
        let _ = catch_unwind(AssertUnwindSafe(|| waker.wake()));
    }
}

fn lock() -> MutexGuard<'static, Night> {
    NIGHT.lock().unwrap_or_else(PoisonError::into_inner)
}

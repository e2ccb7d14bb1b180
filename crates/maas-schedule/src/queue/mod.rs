//! What runs next: requests wait in a [`BatchQueue`] until a worker takes some of them as one batch.

mod batch;
mod entry;
mod error;
mod fair;
mod lane;
mod options;
mod queued;
mod rate;
mod ready;
mod shared;
mod split;
mod state;
mod stats;
mod ticket;

use std::fmt;

pub use batch::{Batch, Part, Taken};
pub use entry::{Entry, Priority};
pub use error::{QueueError, Refused};
pub use options::QueueOptions;
pub use split::{Payload, Rejoin};
pub use stats::{ClosedCounts, QueueStats, Reason, RefusedCounts};
pub use ticket::Ticket;

use crate::sync::Arc;
use crate::{Clock, Moment};
use rate::Rate;
use ready::Ready;
use shared::Shared;
use state::{Next, State};

/// Requests that wait to be run together.
///
/// Clones are one queue. Higher [`Priority`] goes first; within a class tenants share by rows and weight; within a
/// tenant the earliest deadline goes first, or the newest entry where the tenant's oldest has waited too long (see
/// [`QueueOptions::overload_after`]). A batch has one key and at most [`QueueOptions::max_rows`] rows; a larger
/// request is handed out in parts (see [`Rejoin`]).
///
/// The queue never runs code of the payload under its lock, and needs no thread of its own: time is passed in.
///
/// ```
/// use maas_schedule::{BatchQueue, Entry, QueueOptions, SystemClock, Clock};
///
/// let queue = BatchQueue::new(QueueOptions::default().max_rows(8));
/// let worker = std::thread::spawn({
///     let queue = queue.clone();
///     move || {
///         let mut rows = 0;
///         while let Some(batch) = queue.wait(&SystemClock) {
///             let start = SystemClock.now();
///             rows += batch.rows(); // run the parts, answer their callers
///             batch.done(SystemClock.now().since(start));
///         }
///         rows
///     }
/// });
/// for request in 0..10 {
///     queue.push(Entry::rows(3, request), SystemClock.now()).unwrap().detach();
/// }
/// queue.close();
/// assert_eq!(worker.join().unwrap(), 30);
/// ```
pub struct BatchQueue<T>(Arc<Shared<T>>);

impl<T> BatchQueue<T> {
    /// An empty queue.
    ///
    /// ```
    /// use maas_schedule::{BatchQueue, QueueOptions};
    /// let queue = BatchQueue::<String>::new(QueueOptions::default());
    /// assert_eq!(queue.stats().queued, 0);
    /// ```
    #[must_use]
    pub fn new(options: QueueOptions) -> Self {
        Self(Arc::new(Shared::new(State::new(options))))
    }

    /// Queues an entry.
    ///
    /// # Errors
    ///
    /// The entry comes back with the bound that it would exceed, or when its deadline cannot be met, or when the
    /// queue is closed.
    ///
    /// ```
    /// use maas_schedule::{BatchQueue, Entry, Moment, QueueError, QueueOptions};
    ///
    /// let queue = BatchQueue::new(QueueOptions::default().max_queued_rows(4));
    /// let _ticket = queue.push(Entry::rows(3, "first"), Moment::ZERO).unwrap();
    /// let refused = queue.push(Entry::rows(2, "second"), Moment::ZERO).unwrap_err();
    /// assert!(matches!(refused.error, QueueError::RowsFull { queued: 3, limit: 4, .. }));
    /// assert!(refused.error.retry_after().is_some());
    /// assert_eq!(refused.entry.into_payload(), "second");
    /// ```
    pub fn push(&self, entry: Entry<T>, now: Moment) -> Result<Ticket<T>, Refused<T>> {
        let mut state = self.0.state();
        let pushed = state.push(entry, now);
        self.0.wake_one(state);
        pushed.map(|address| Ticket::new(address, &self.0))
    }

    /// What a worker does at this moment, without waiting.
    ///
    /// ```
    /// use maas_schedule::{BatchQueue, Entry, Moment, QueueOptions, Taken};
    /// use std::time::Duration;
    ///
    /// let delay = Duration::from_millis(2);
    /// let queue = BatchQueue::new(QueueOptions::default().max_delay(delay));
    /// assert!(matches!(queue.take(Moment::ZERO), Taken::Empty));
    /// let _ticket = queue.push(Entry::rows(1, ()), Moment::ZERO).unwrap();
    /// assert!(matches!(queue.take(Moment::ZERO), Taken::Wait(moment) if moment == Moment::ZERO + delay));
    /// assert!(matches!(queue.take(Moment::ZERO + delay), Taken::Batch(_)));
    /// ```
    pub fn take(&self, now: Moment) -> Taken<T> {
        let mut state = self.0.state();
        let next = state.take(now);
        if matches!(next, Next::Batch(_)) {
            self.0.wake_one(state);
        }
        match next {
            Next::Batch(taken) => Taken::Batch(Batch::new(taken, &self.0)),
            Next::Wait(moment) => Taken::Wait(moment),
            Next::Empty => Taken::Empty,
            Next::Closed => Taken::Closed,
        }
    }

    /// Waits for a batch, for a worker's loop; `None` when the queue is closed and empty.
    ///
    /// The wait for a batch to fill takes real time: with a [`ManualClock`](crate::ManualClock) use
    /// [`take`](Self::take).
    pub fn wait(&self, clock: &impl Clock) -> Option<Batch<T>> {
        let mut state = self.0.state();
        loop {
            let now = clock.now();
            state = match state.take(now) {
                Next::Batch(taken) => {
                    self.0.wake_one(state);
                    return Some(Batch::new(taken, &self.0));
                }
                Next::Closed => return None,
                Next::Empty => self.0.sleep(state),
                Next::Wait(moment) => self.0.sleep_for(state, moment.since(now)),
            };
        }
    }

    /// Takes nothing more in, hands out what is there, then lets workers end.
    ///
    /// ```
    /// use maas_schedule::{BatchQueue, Entry, Moment, QueueOptions, Taken};
    ///
    /// let queue = BatchQueue::new(QueueOptions::default());
    /// let _ticket = queue.push(Entry::rows(1, ()), Moment::ZERO).unwrap();
    /// queue.close();
    /// assert!(queue.push(Entry::rows(1, ()), Moment::ZERO).is_err());
    /// assert!(matches!(queue.take(Moment::ZERO), Taken::Batch(_)));
    /// assert!(matches!(queue.take(Moment::ZERO), Taken::Closed));
    /// ```
    pub fn close(&self) {
        self.0.state().close();
        self.0.wake_all();
    }

    /// [`close`](Self::close) as it must not be: the model has to find the worker that sleeps for ever.
    #[cfg(loom)]
    #[doc(hidden)]
    pub fn close_waking_one(&self) {
        self.0.state().close();
        self.0.wake_only_one();
    }

    /// How much a tenant is served beside others that have work queued: 1 if nothing is said, and at least.
    ///
    /// ```
    /// use maas_schedule::{BatchQueue, Entry, Moment, QueueOptions};
    ///
    /// let queue = BatchQueue::new(QueueOptions::default().max_rows(4));
    /// queue.set_weight(7, 3);
    /// for request in 0..20 {
    ///     queue.push(Entry::rows(1, ()).tenant(6 + request % 2), Moment::ZERO).unwrap().detach();
    /// }
    /// let batch = queue.take(Moment::ZERO).batch().unwrap();
    /// assert_eq!(batch.parts.iter().filter(|part| part.tenant == 7).count(), 3);
    /// ```
    pub fn set_weight(&self, tenant: u64, weight: u32) {
        self.0.state().set_weight(tenant, weight);
    }

    /// What is queued now, and what became of the rest.
    ///
    /// ```
    /// use maas_schedule::{BatchQueue, QueueOptions};
    /// assert_eq!(BatchQueue::<()>::new(QueueOptions::default()).stats().refused.total(), 0);
    /// ```
    #[must_use]
    pub fn stats(&self) -> QueueStats {
        self.0.state().stats()
    }
}

impl<T> Clone for BatchQueue<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> fmt::Debug for BatchQueue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BatchQueue")
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}

use std::fmt;
use std::mem;
use std::ops::Range;
use std::time::Duration;

use super::{Payload, Priority, Reason, Shared};
use crate::Moment;
use crate::sync::Arc;

/// A request, or one part of a request that is too large for one batch.
#[derive(Debug)]
#[non_exhaustive]
pub struct Part<T> {
    /// The request, as its ticket names it.
    pub request: u64,
    /// Which part it is.
    pub index: usize,
    /// How many parts the request has.
    pub parts: usize,
    /// Which rows of the request it is. In [`Batch::expired`] it is all that was not handed out before.
    pub rows: Range<usize>,
    /// Whose request it is.
    pub tenant: u64,
    /// Its class.
    pub priority: Priority,
    /// When it was queued.
    pub queued_at: Moment,
    /// From when on the answer is of no use.
    pub deadline: Option<Moment>,
    /// What the request carries.
    pub payload: Payload<T>,
}

/// What runs together, and what came too late to run.
///
/// ```
/// use maas_schedule::{BatchQueue, Entry, Moment, QueueOptions};
/// use std::time::Duration;
///
/// let queue = BatchQueue::new(QueueOptions::default());
/// let later = Moment::ZERO + Duration::from_millis(5);
/// let _ticket = queue.push(Entry::rows(2, "input").deadline(later), Moment::ZERO).unwrap();
/// let mut batch = queue.take(Moment::ZERO).batch().unwrap();
/// assert_eq!(batch.rows(), 2);
///
/// batch.drop_expired(later); // the worker was busy with something else
/// assert_eq!((batch.rows(), batch.expired.len()), (0, 1));
/// ```
#[must_use = "the entries of a batch are in no queue any more"]
pub struct Batch<T> {
    /// What runs, all of one key; empty when all that was there had expired.
    pub parts: Vec<Part<T>>,
    /// What is not to run as its deadline is past; its callers are to be told.
    pub expired: Vec<Part<T>>,
    /// What all parts have in common.
    pub key: u64,
    /// Why it closed.
    pub reason: Reason,
    rows: usize,
    queue: Arc<Shared<T>>,
}

impl<T> Batch<T> {
    pub(super) fn new(taken: TakenParts<T>, queue: &Arc<Shared<T>>) -> Self {
        Self {
            rows: rows(&taken.parts),
            parts: taken.parts,
            expired: taken.expired,
            key: taken.key,
            reason: taken.reason,
            queue: Arc::clone(queue),
        }
    }

    /// The rows that run.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Moves what has expired since the batch was taken from [`parts`](Self::parts) to [`expired`](Self::expired).
    pub fn drop_expired(&mut self, now: Moment) {
        let before = self.expired.len();
        for part in mem::take(&mut self.parts) {
            let late = part.deadline.is_some_and(|deadline| deadline <= now);
            if late {
                self.expired.push(part);
            } else {
                self.parts.push(part);
            }
        }
        self.rows = rows(&self.parts);
        let late = self.expired.len() - before;
        if late > 0 {
            self.queue.state().expired_in_batch(late);
        }
    }

    /// Says how long the batch ran: the queue estimates waiting by it. The parts may have been moved out.
    pub fn done(&self, elapsed: Duration) {
        if self.rows > 0 {
            self.queue.state().measure(self.rows, elapsed);
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for Batch<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch")
            .field("parts", &self.parts)
            .field("expired", &self.expired)
            .field("key", &self.key)
            .field("reason", &self.reason)
            .finish_non_exhaustive()
    }
}

/// What a worker gets that asks.
#[derive(Debug)]
#[must_use]
pub enum Taken<T> {
    /// Something to run, or to tell the callers of.
    Batch(Batch<T>),
    /// A batch is being filled: ask again at this moment, or when something was pushed.
    Wait(Moment),
    /// Nothing is queued.
    Empty,
    /// Nothing is queued, and nothing will be.
    Closed,
}

impl<T> Taken<T> {
    /// The batch, if there is one.
    #[must_use]
    pub fn batch(self) -> Option<Batch<T>> {
        match self {
            Self::Batch(batch) => Some(batch),
            Self::Wait(_) | Self::Empty | Self::Closed => None,
        }
    }
}

/// A batch before it knows its queue.
pub(super) struct TakenParts<T> {
    pub(super) parts: Vec<Part<T>>,
    pub(super) expired: Vec<Part<T>>,
    pub(super) key: u64,
    pub(super) reason: Reason,
}

fn rows<T>(parts: &[Part<T>]) -> usize {
    parts.iter().map(|part| part.rows.len()).sum()
}

use std::fmt;

use super::Shared;
use super::queued::Address;
use crate::sync::Arc;

/// A claim on an answer. Dropped before its entry is handed out, it cancels the entry.
///
/// ```
/// use maas_schedule::{BatchQueue, Entry, Moment, QueueOptions};
///
/// let queue = BatchQueue::new(QueueOptions::default());
/// let ticket = queue.push(Entry::rows(4, ()), Moment::ZERO).unwrap();
/// assert_eq!(queue.stats().queued_rows, 4);
/// drop(ticket); // the caller has gone
/// assert_eq!((queue.stats().queued_rows, queue.stats().cancelled), (0, 1));
/// ```
#[must_use = "a ticket that is dropped cancels its entry"]
pub struct Ticket<T> {
    address: Address,
    queue: Option<Arc<Shared<T>>>,
}

impl<T> Ticket<T> {
    pub(super) fn new(address: Address, queue: &Arc<Shared<T>>) -> Self {
        Self {
            address,
            queue: Some(Arc::clone(queue)),
        }
    }

    /// The request's number, as its [`Part`](super::Part)s have it.
    #[must_use]
    pub fn request(&self) -> u64 {
        self.address.request
    }

    /// Takes the entry, or the parts of it that were not handed out, from the queue.
    pub fn cancel(self) {}

    /// Leaves the entry in the queue, whatever becomes of the caller.
    ///
    /// ```
    /// use maas_schedule::{BatchQueue, Entry, Moment, QueueOptions};
    ///
    /// let queue = BatchQueue::new(QueueOptions::default());
    /// queue.push(Entry::rows(4, ()), Moment::ZERO).unwrap().detach();
    /// assert_eq!(queue.stats().queued_rows, 4);
    /// ```
    pub fn detach(mut self) {
        self.queue = None;
    }
}

impl<T> Drop for Ticket<T> {
    fn drop(&mut self) {
        let cancelled = self
            .queue
            .as_ref()
            .and_then(|queue| queue.state().cancel(self.address));
        drop(cancelled);
    }
}

impl<T> fmt::Debug for Ticket<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ticket")
            .field("request", &self.request())
            .finish_non_exhaustive()
    }
}

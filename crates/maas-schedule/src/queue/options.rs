use std::time::Duration;

use super::Rate;

/// What a [`BatchQueue`](super::BatchQueue) collects, and how much of it it keeps.
///
/// ```
/// use maas_schedule::QueueOptions;
/// use std::time::Duration;
///
/// let options = QueueOptions::default().max_rows(64).max_delay(Duration::from_millis(2));
/// assert_eq!(options.parts(150), 3); // 64, 64 and 22 rows
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct QueueOptions {
    pub(super) max_rows: usize,
    pub(super) max_delay: Duration,
    pub(super) max_queued_rows: usize,
    pub(super) max_queued_bytes: usize,
    pub(super) max_tenant_rows: usize,
    pub(super) max_wait: Option<Duration>,
    pub(super) overload_after: Option<Duration>,
    pub(super) workers: usize,
}

/// Batches of 32 rows, no delay, 4096 queued rows, 64 MiB, one worker.
impl Default for QueueOptions {
    fn default() -> Self {
        Self {
            max_rows: 32,
            max_delay: Duration::ZERO,
            max_queued_rows: 4096,
            max_queued_bytes: 64 << 20,
            max_tenant_rows: usize::MAX,
            max_wait: None,
            overload_after: None,
            workers: 1,
        }
    }
}

impl QueueOptions {
    /// A batch has at most so many rows; 0 is taken for 1.
    pub fn max_rows(mut self, rows: usize) -> Self {
        self.max_rows = rows.max(1);
        self
    }

    /// How long an entry waits for others to fill its batch. With zero a worker that asks gets what is there.
    pub fn max_delay(mut self, delay: Duration) -> Self {
        self.max_delay = delay;
        self
    }

    /// At most so many rows are queued.
    ///
    /// ```
    /// use maas_schedule::{BatchQueue, Entry, Moment, QueueOptions};
    ///
    /// let queue = BatchQueue::new(QueueOptions::default().max_queued_rows(2));
    /// assert!(queue.push(Entry::rows(3, ()), Moment::ZERO).is_err());
    /// ```
    pub fn max_queued_rows(mut self, rows: usize) -> Self {
        self.max_queued_rows = rows;
        self
    }

    /// At most so many bytes are queued.
    ///
    /// ```
    /// use maas_schedule::{BatchQueue, Entry, Moment, QueueOptions};
    ///
    /// let queue = BatchQueue::new(QueueOptions::default().max_queued_bytes(64));
    /// assert!(queue.push(Entry::rows(1, ()).bytes(65), Moment::ZERO).is_err());
    /// ```
    pub fn max_queued_bytes(mut self, bytes: usize) -> Self {
        self.max_queued_bytes = bytes;
        self
    }

    /// At most so many rows of one tenant are queued, so that a flood of one leaves room for the others.
    ///
    /// ```
    /// use maas_schedule::{BatchQueue, Entry, Moment, QueueOptions};
    ///
    /// let queue = BatchQueue::new(QueueOptions::default().max_tenant_rows(1));
    /// let _first = queue.push(Entry::rows(1, ()).tenant(1), Moment::ZERO).unwrap();
    /// assert!(queue.push(Entry::rows(1, ()).tenant(1), Moment::ZERO).is_err());
    /// assert!(queue.push(Entry::rows(1, ()).tenant(2), Moment::ZERO).is_ok());
    /// ```
    pub fn max_tenant_rows(mut self, rows: usize) -> Self {
        self.max_tenant_rows = rows;
        self
    }

    /// Refuses an entry that would wait longer by the measured service rate. Nothing is refused before a batch was
    /// measured, or while nothing is ahead of the entry.
    ///
    /// ```
    /// use maas_schedule::{BatchQueue, Entry, Moment, QueueOptions};
    /// use std::time::Duration;
    ///
    /// let queue = BatchQueue::new(QueueOptions::default().max_wait(Duration::from_millis(5)));
    /// queue.push(Entry::rows(1, ()), Moment::ZERO).unwrap().detach();
    /// queue.take(Moment::ZERO).batch().unwrap().done(Duration::from_millis(10)); // 10 ms a row
    /// let _first = queue.push(Entry::rows(1, ()), Moment::ZERO).unwrap();
    /// assert!(queue.push(Entry::rows(1, ()), Moment::ZERO).is_err());
    /// ```
    pub fn max_wait(mut self, wait: Duration) -> Self {
        self.max_wait = Some(wait);
        self
    }

    /// A tenant whose oldest entry with a deadline has waited longer is overloaded: its newest entry goes first.
    /// By default that is half of the time that the oldest entry had.
    pub fn overload_after(mut self, wait: Duration) -> Self {
        self.overload_after = Some(wait);
        self
    }

    /// How many workers take batches at the same time, for estimates of waiting; 0 is taken for 1.
    pub fn workers(mut self, workers: usize) -> Self {
        self.workers = workers.max(1);
        self
    }

    /// Into how many parts a request of so many rows is split.
    #[must_use]
    pub fn parts(&self, rows: usize) -> usize {
        rows.div_ceil(self.max_rows)
    }

    pub(super) fn rate(&self) -> Rate {
        Rate::of(self.workers)
    }
}

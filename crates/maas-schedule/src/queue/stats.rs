use super::QueueError;

/// Why a batch closed.
///
/// ```
/// use maas_schedule::{BatchQueue, Entry, Moment, QueueOptions, Reason};
///
/// let queue = BatchQueue::new(QueueOptions::default().max_rows(2));
/// let _ticket = queue.push(Entry::rows(2, ()), Moment::ZERO).unwrap();
/// let batch = queue.take(Moment::ZERO).batch().unwrap();
/// assert_eq!(batch.reason, Reason::Full);
/// assert_eq!(queue.stats().closed.full, 1);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// It had `max_rows`, or the next entry did not fit.
    Full,
    /// Its oldest entry had waited `max_delay`.
    Delay,
    /// A worker was free and nothing else was there.
    WorkerFree,
    /// A worker was free and what else was there had other keys.
    ShapeChanged,
    /// The queue is closed.
    Closing,
    /// One of its entries could not wait longer.
    Deadline,
}

/// How many batches closed for which [`Reason`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClosedCounts {
    /// [`Reason::Full`].
    pub full: u64,
    /// [`Reason::Delay`].
    pub delay: u64,
    /// [`Reason::WorkerFree`].
    pub worker_free: u64,
    /// [`Reason::ShapeChanged`].
    pub shape_changed: u64,
    /// [`Reason::Closing`].
    pub closing: u64,
    /// [`Reason::Deadline`].
    pub deadline: u64,
}

impl ClosedCounts {
    /// All of them.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.full
            + self.delay
            + self.worker_free
            + self.shape_changed
            + self.closing
            + self.deadline
    }

    pub(super) fn count(&mut self, reason: Reason) {
        *match reason {
            Reason::Full => &mut self.full,
            Reason::Delay => &mut self.delay,
            Reason::WorkerFree => &mut self.worker_free,
            Reason::ShapeChanged => &mut self.shape_changed,
            Reason::Closing => &mut self.closing,
            Reason::Deadline => &mut self.deadline,
        } += 1;
    }
}

/// How many entries were refused for which bound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RefusedCounts {
    /// No rows, or more than the empty queue takes.
    pub size: u64,
    /// The bound in rows.
    pub rows: u64,
    /// The bound in bytes.
    pub bytes: u64,
    /// The bound in rows of one tenant.
    pub tenant: u64,
    /// The bound in time.
    pub wait: u64,
    /// A deadline that is past or too soon.
    pub deadline: u64,
    /// The queue was closed.
    pub closed: u64,
}

impl RefusedCounts {
    /// All of them.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.size + self.rows + self.bytes + self.tenant + self.wait + self.deadline + self.closed
    }

    pub(super) fn count(&mut self, error: &QueueError) {
        *match error {
            QueueError::NoRows | QueueError::TooLarge { .. } => &mut self.size,
            QueueError::RowsFull { .. } => &mut self.rows,
            QueueError::BytesFull { .. } => &mut self.bytes,
            QueueError::TenantFull { .. } => &mut self.tenant,
            QueueError::WaitTooLong { .. } => &mut self.wait,
            QueueError::DeadlinePassed { .. } | QueueError::DeadlineTooSoon { .. } => {
                &mut self.deadline
            }
            QueueError::Closed => &mut self.closed,
        } += 1;
    }
}

/// What is queued, and what became of the rest since the queue was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct QueueStats {
    /// The entries in the queue; one of which parts are handed out counts until the last part is.
    pub queued: usize,
    /// The rows in the queue.
    pub queued_rows: usize,
    /// The bytes in the queue; those of a split entry leave with its last part.
    pub queued_bytes: usize,
    /// Entries taken into the queue.
    pub accepted: u64,
    /// Entries not taken into the queue.
    pub refused: RefusedCounts,
    /// Entries, or parts of handed out batches, that were handed back past their deadline.
    pub expired: u64,
    /// Entries that were cancelled while queued.
    pub cancelled: u64,
    /// Rows handed out in batches.
    pub rows: u64,
    /// Batches handed out.
    pub closed: ClosedCounts,
}

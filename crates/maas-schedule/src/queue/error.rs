use std::fmt;
use std::time::Duration;

use super::Entry;

/// Why a [`BatchQueue`](super::BatchQueue) does not take an entry.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum QueueError {
    /// There is nothing to run.
    #[error("an entry of no rows: expected at least 1")]
    NoRows,
    /// The entry does not fit into the empty queue.
    #[error(
        "an entry of {rows} rows and {bytes} bytes: expected at most {max_rows} rows and {max_bytes} bytes"
    )]
    TooLarge {
        /// The entry's rows.
        rows: usize,
        /// The entry's bytes.
        bytes: usize,
        /// The rows that may be queued.
        max_rows: usize,
        /// The bytes that may be queued.
        max_bytes: usize,
    },
    /// The bound in rows.
    #[error("the queue is full: {queued} rows of {limit} are there")]
    RowsFull {
        /// The queued rows.
        queued: usize,
        /// The rows that may be queued.
        limit: usize,
        /// When there may be room.
        retry_after: Duration,
    },
    /// The bound in bytes.
    #[error("the queue is full: {queued} bytes of {limit} are there")]
    BytesFull {
        /// The queued bytes.
        queued: usize,
        /// The bytes that may be queued.
        limit: usize,
        /// When there may be room.
        retry_after: Duration,
    },
    /// The bound in rows of one tenant.
    #[error("the share of tenant {tenant} is full: {queued} rows of {limit} are there")]
    TenantFull {
        /// The entry's tenant.
        tenant: u64,
        /// The tenant's queued rows.
        queued: usize,
        /// The rows that a tenant may have queued.
        limit: usize,
        /// When there may be room.
        retry_after: Duration,
    },
    /// The bound in time.
    #[error("the wait would be {expected:?}: expected at most {limit:?}")]
    WaitTooLong {
        /// The wait by the measured rate.
        expected: Duration,
        /// The longest wait allowed.
        limit: Duration,
        /// When the wait may be short enough.
        retry_after: Duration,
    },
    /// The deadline is past.
    #[error("the deadline passed {late:?} ago")]
    DeadlinePassed {
        /// How long ago.
        late: Duration,
    },
    /// The answer would come too late by the measured rate.
    #[error("the answer would take {expected:?}: {left:?} are left")]
    DeadlineTooSoon {
        /// Waiting and running, by the measured rate.
        expected: Duration,
        /// The time until the deadline.
        left: Duration,
        /// When the same time would suffice.
        retry_after: Duration,
    },
    /// The queue takes nothing more.
    #[error("the queue is closed")]
    Closed,
}

impl QueueError {
    /// When it makes sense to try the same again; `None` if never.
    ///
    /// ```
    /// assert_eq!(maas_schedule::QueueError::Closed.retry_after(), None);
    /// ```
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match *self {
            Self::RowsFull { retry_after, .. }
            | Self::BytesFull { retry_after, .. }
            | Self::TenantFull { retry_after, .. }
            | Self::WaitTooLong { retry_after, .. }
            | Self::DeadlineTooSoon { retry_after, .. } => Some(retry_after),
            Self::NoRows | Self::TooLarge { .. } | Self::DeadlinePassed { .. } | Self::Closed => {
                None
            }
        }
    }
}

/// An entry that was not taken, given back with the reason.
#[derive(thiserror::Error)]
#[error("the queue refuses the entry")]
pub struct Refused<T> {
    /// The entry as it came.
    pub entry: Entry<T>,
    /// Why.
    #[source]
    pub error: QueueError,
}

impl<T> fmt::Debug for Refused<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refused")
            .field("error", &self.error)
            .finish_non_exhaustive()
    }
}

//! What is let in.

use std::time::Duration;

use super::State;
use crate::Moment;
use crate::queue::fair::Fair;
use crate::queue::{Entry, QueueError, QueueOptions, QueueStats};

/// The shortest retry hint, and the only one before a batch was measured.
const RETRY: Duration = Duration::from_millis(1);

impl<T> State<T> {
    pub(super) fn admit(&self, entry: &Entry<T>, now: Moment) -> Result<(), QueueError> {
        if self.closed {
            return Err(QueueError::Closed);
        }
        if entry.rows == 0 {
            return Err(QueueError::NoRows);
        }
        self.admit_size(entry)?;
        let expected = self.expected_wait(entry);
        if let (Some(limit), Some(expected)) = (self.options.max_wait, expected)
            && expected > limit
        {
            return Err(QueueError::WaitTooLong {
                expected,
                limit,
                retry_after: (expected - limit).max(RETRY),
            });
        }
        entry
            .deadline
            .map_or(Ok(()), |deadline| self.admit_deadline(entry, deadline, now))
    }

    fn admit_size(&self, entry: &Entry<T>) -> Result<(), QueueError> {
        let QueueOptions {
            max_queued_rows,
            max_queued_bytes,
            max_tenant_rows,
            ..
        } = self.options;
        let max_rows = max_queued_rows.min(max_tenant_rows);
        if entry.rows > max_rows || entry.bytes > max_queued_bytes {
            return Err(QueueError::TooLarge {
                rows: entry.rows,
                bytes: entry.bytes,
                max_rows,
                max_bytes: max_queued_bytes,
            });
        }
        let QueueStats {
            queued_rows,
            queued_bytes,
            ..
        } = self.stats;
        if queued_rows > max_queued_rows - entry.rows {
            return Err(QueueError::RowsFull {
                queued: queued_rows,
                limit: max_queued_rows,
                retry_after: self.retry_after(queued_rows + entry.rows - max_queued_rows),
            });
        }
        if queued_bytes > max_queued_bytes - entry.bytes {
            return Err(QueueError::BytesFull {
                queued: queued_bytes,
                limit: max_queued_bytes,
                retry_after: self.retry_after(self.options.max_rows),
            });
        }
        let queued = self.tenant_rows(entry.tenant);
        if queued > max_tenant_rows - entry.rows {
            return Err(QueueError::TenantFull {
                tenant: entry.tenant,
                queued,
                limit: max_tenant_rows,
                retry_after: self.retry_after(queued + entry.rows - max_tenant_rows),
            });
        }
        Ok(())
    }

    fn admit_deadline(
        &self,
        entry: &Entry<T>,
        deadline: Moment,
        now: Moment,
    ) -> Result<(), QueueError> {
        if deadline <= now {
            return Err(QueueError::DeadlinePassed {
                late: now.since(deadline),
            });
        }
        let class = &self.classes[entry.priority as usize];
        if class.is_overloaded(entry.tenant, now, self.options.overload_after) {
            return Ok(());
        }
        let left = deadline.since(now);
        let wait = self.expected_wait(entry).filter(|wait| !wait.is_zero());
        let expected = wait
            .zip(self.rate.run(entry.rows))
            .map(|(wait, run)| wait.saturating_add(run));
        match expected.filter(|&expected| expected > left) {
            None => Ok(()),
            Some(expected) => Err(QueueError::DeadlineTooSoon {
                expected,
                left,
                retry_after: (expected - left).max(RETRY),
            }),
        }
    }

    /// How long what is ahead of the entry takes, if it waits its turn.
    fn expected_wait(&self, entry: &Entry<T>) -> Option<Duration> {
        if self.options.max_wait.is_none() && entry.deadline.is_none() {
            return None;
        }
        let class = entry.priority as usize;
        let higher: usize = self.classes[..class].iter().map(Fair::rows).sum();
        self.rate
            .drain(higher + self.classes[class].rows_ahead(entry.tenant, &self.weights))
    }

    fn tenant_rows(&self, tenant: u64) -> usize {
        if self.options.max_tenant_rows == usize::MAX {
            return 0;
        }
        self.classes
            .iter()
            .map(|class| class.tenant_rows(tenant))
            .sum()
    }

    fn retry_after(&self, rows: usize) -> Duration {
        self.rate
            .drain(rows)
            .map_or(RETRY, |drain| drain.max(RETRY))
    }
}

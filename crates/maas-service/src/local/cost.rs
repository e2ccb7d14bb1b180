use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// What a row costs a model, measured while it serves.
#[derive(Debug)]
pub(crate) struct Cost(AtomicU64);

const UNKNOWN: u64 = u64::MAX;

/// What takes so long must not be run where others wait, whatever the reason.
const LONG: Duration = Duration::from_millis(10);

impl Cost {
    pub(crate) fn unknown() -> Self {
        Self(AtomicU64::new(UNKNOWN))
    }

    /// So many rows took so long. A run that was interrupted by something else takes longer and says little: so the estimate
    /// falls at once, and rises by a quarter at most where the run was not a long one. Of two records at the same time one may get lost.
    pub(crate) fn record(&self, rows: usize, elapsed: Duration) {
        let nanoseconds = u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX);
        let picoseconds = nanoseconds.saturating_mul(1000) / rows.max(1) as u64;
        let found = picoseconds.min(UNKNOWN - 1);
        let known = self.0.load(Ordering::Relaxed);
        let limit = if elapsed < LONG {
            known.saturating_add(known / 4).saturating_add(1)
        } else {
            UNKNOWN - 1
        };
        self.0.store(found.min(limit), Ordering::Relaxed);
    }

    /// What so many rows would take; `None` before anything was measured.
    pub(crate) fn of(&self, rows: usize) -> Option<Duration> {
        let known = self.0.load(Ordering::Relaxed);
        (known != UNKNOWN).then(|| Duration::from_nanos(known.saturating_mul(rows as u64) / 1000))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Cost, LONG};

    #[test]
    fn the_estimate_falls_at_once_and_rises_slowly() {
        let (cost, micros) = (Cost::unknown(), Duration::from_micros);
        assert_eq!(cost.of(1), None);
        cost.record(10, micros(100));
        assert_eq!(cost.of(2), Some(micros(20)));
        cost.record(1, micros(4));
        assert_eq!(cost.of(1), Some(micros(4)));
        cost.record(1, micros(1000));
        assert_eq!(cost.of(1), Some(micros(5)));
        (0..30).for_each(|_| cost.record(1, micros(1000)));
        assert_eq!(cost.of(1), Some(micros(1000)));
    }

    #[test]
    fn a_long_run_counts_at_once() {
        let cost = Cost::unknown();
        cost.record(1, Duration::from_micros(2));
        cost.record(1, LONG);
        assert_eq!(cost.of(1), Some(LONG));
        cost.record(1, Duration::from_micros(2));
        assert_eq!(cost.of(1), Some(Duration::from_micros(2)));
    }
}

//! Durations, counted by how long they were.

use std::iter::Sum;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Upper bounds in nanoseconds, included; what is longer counts in a last bucket.
pub(crate) const BOUNDS: [u64; 19] = [
    10_000,
    25_000,
    50_000,
    100_000,
    250_000,
    500_000,
    1_000_000,
    2_500_000,
    5_000_000,
    10_000_000,
    25_000_000,
    50_000_000,
    100_000_000,
    250_000_000,
    500_000_000,
    1_000_000_000,
    2_500_000_000,
    5_000_000_000,
    10_000_000_000,
];

/// A histogram whose writers do not wait for each other nor for readers.
#[derive(Debug, Default)]
pub(crate) struct Histogram {
    buckets: [AtomicU64; BOUNDS.len() + 1],
    nanoseconds: AtomicU64,
}

/// What a histogram had counted; not as of one moment while it counts.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Durations {
    /// In each bucket, the last one without a bound.
    pub(crate) buckets: [u64; BOUNDS.len() + 1],
    pub(crate) sum: Duration,
}

impl Histogram {
    pub(crate) fn record(&self, duration: Duration) {
        let nanoseconds = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        let bucket = BOUNDS.partition_point(|&bound| bound < nanoseconds);
        self.buckets[bucket].fetch_add(1, Relaxed);
        self.nanoseconds.fetch_add(nanoseconds, Relaxed);
    }

    pub(crate) fn read(&self) -> Durations {
        Durations {
            buckets: std::array::from_fn(|bucket| self.buckets[bucket].load(Relaxed)),
            sum: Duration::from_nanos(self.nanoseconds.load(Relaxed)),
        }
    }
}

impl Durations {
    pub(crate) fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }

    /// Below which the share `quantile` of all durations lies, between the bounds of its bucket in proportion; `None` without any.
    pub(crate) fn quantile(&self, quantile: f64) -> Option<Duration> {
        let rank = self.count() as f64 * quantile;
        let mut below = 0.0;
        for (bucket, &count) in self
            .buckets
            .iter()
            .enumerate()
            .filter(|(_, count)| **count > 0)
        {
            let count = count as f64;
            if below + count >= rank {
                let low = if bucket == 0 { 0 } else { BOUNDS[bucket - 1] };
                let high = BOUNDS.get(bucket).copied().unwrap_or(low);
                let share = ((rank - below) / count).clamp(0.0, 1.0);
                let nanoseconds = low as f64 + share * (high - low) as f64;
                return Some(Duration::from_nanos(nanoseconds as u64));
            }
            below += count;
        }
        None
    }
}

impl Sum for Durations {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |a, b| Self {
            buckets: std::array::from_fn(|bucket| a.buckets[bucket] + b.buckets[bucket]),
            sum: a.sum + b.sum,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_counts_in_the_bucket_that_ends_with_it() {
        let histogram = Histogram::default();
        for microseconds in [10, 11, 25, 20_000_000] {
            histogram.record(Duration::from_micros(microseconds));
        }
        let durations = histogram.read();
        assert_eq!(durations.buckets[..3], [1, 2, 0]);
        assert_eq!(durations.buckets[BOUNDS.len()], 1);
        assert_eq!(
            (durations.count(), durations.sum),
            (4, Duration::from_micros(20_000_046))
        );
    }

    #[test]
    fn quantiles_lie_within_their_buckets() {
        let histogram = Histogram::default();
        assert_eq!(histogram.read().quantile(0.5), None);
        for _ in 0..100 {
            histogram.record(Duration::from_micros(200));
        }
        histogram.record(Duration::from_secs(3));
        let median = histogram
            .read()
            .quantile(0.5)
            .map(|median| median.as_micros());
        assert!(
            median.is_some_and(|median| (100..250).contains(&median)),
            "{median:?}"
        );
        let most = histogram.read().quantile(1.0).map(|most| most.as_secs());
        assert_eq!(most, Some(5));
    }
}

use std::time::Duration;

use crate::sync::{AtomicUsize, Ordering};

/// How long requests have taken lately: counts by length, in constant memory, old ones halved time and again.
///
/// A bucket is an eighth of a power of two wide, so a quantile is at most an eighth too high.
#[derive(Debug)]
pub(super) struct Latencies {
    counts: Box<[AtomicUsize]>,
    total: AtomicUsize,
}

impl Latencies {
    pub(super) fn new() -> Self {
        Self {
            counts: (0..BUCKETS).map(|_| AtomicUsize::new(0)).collect(),
            total: AtomicUsize::new(0),
        }
    }

    /// Counts a request, and says how many are counted.
    pub(super) fn record(&self, latency: Duration) -> usize {
        self.counts[bucket(latency)].fetch_add(1, Ordering::Relaxed);
        let total = self.total.fetch_add(1, Ordering::Relaxed) + 1;
        // One thread finds this number, and nobody finds it again before that thread has taken from the total.
        if total == FULL {
            self.halve();
        }
        total
    }

    /// The shortest length that a fraction `quantile` of the requests did not exceed.
    pub(super) fn quantile(&self, quantile: f64) -> Option<Duration> {
        let counts: Vec<usize> = self
            .counts
            .iter()
            .map(|count| count.load(Ordering::Relaxed))
            .collect();
        let total: usize = counts.iter().sum();
        let rank = ((total as f64 * quantile).ceil() as usize).max(1);
        let mut seen = 0;
        let reaches = |count: &usize| {
            seen += count;
            seen >= rank
        };
        counts.iter().position(reaches).map(longest)
    }

    fn halve(&self) {
        let mut removed = 0;
        for count in &self.counts {
            let half = count.load(Ordering::Relaxed) / 2;
            count.fetch_sub(half, Ordering::Relaxed);
            removed += half;
        }
        self.total.fetch_sub(removed, Ordering::Relaxed);
    }
}

/// Values below `EIGHTHS` units have buckets of their own; above, the three bits below the leading one tell them apart.
fn bucket(latency: Duration) -> usize {
    let units = u64::try_from(latency.as_nanos() >> UNIT_BITS).unwrap_or(u64::MAX);
    let Some(octave) = units.max(1).ilog2().checked_sub(EIGHTHS.ilog2()) else {
        return units as usize;
    };
    let eighth = (units >> octave) as usize - EIGHTHS;
    ((octave as usize + 1) * EIGHTHS + eighth).min(BUCKETS - 1)
}

/// The end of what falls into a bucket.
fn longest(bucket: usize) -> Duration {
    let (row, eighth) = (bucket / EIGHTHS, bucket % EIGHTHS);
    let end = match row.checked_sub(1) {
        None => eighth as u64 + 1,
        Some(octave) => ((EIGHTHS + eighth) as u64 + 1) << octave,
    };
    Duration::from_nanos(end << UNIT_BITS)
}

/// Lengths are counted in units of 1024 ns.
const UNIT_BITS: u32 = 10;
const EIGHTHS: usize = 8;
/// Up to 39 hours.
const BUCKETS: usize = 35 * EIGHTHS;
const FULL: usize = 4096;

#[cfg(test)]
#[cfg(not(loom))]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_length_lies_in_its_bucket(nanoseconds in 0_u64..100_000_000_000_000) {
            let latency = Duration::from_nanos(nanoseconds);
            let bucket = bucket(latency);
            prop_assert!(latency < longest(bucket));
            prop_assert!(bucket == 0 || latency >= longest(bucket - 1));
        }

        #[test]
        fn a_quantile_is_at_most_an_eighth_too_high(
            nanoseconds in proptest::collection::vec(1_u64..10_000_000_000, 1..500),
            quantile in 0.01_f64..1.0,
        ) {
            let latencies = Latencies::new();
            for &each in &nanoseconds {
                latencies.record(Duration::from_nanos(each));
            }
            let mut sorted = nanoseconds;
            sorted.sort_unstable();
            let exact = sorted[(sorted.len() as f64 * quantile).ceil() as usize - 1];
            let found = latencies.quantile(quantile).unwrap().as_nanos() as u64;
            prop_assert!(found >= exact && found <= exact + exact / 8 + 1024, "{found} for {exact}");
        }
    }

    #[test]
    fn old_lengths_are_forgotten() {
        let latencies = Latencies::new();
        for _ in 0..10 * FULL {
            latencies.record(Duration::from_secs(1));
        }
        for _ in 0..10 * FULL {
            latencies.record(Duration::from_millis(1));
        }
        assert!(latencies.quantile(0.95).unwrap() < Duration::from_millis(2));
    }

    #[test]
    fn any_length_is_counted() {
        let latencies = Latencies::new();
        assert_eq!(latencies.quantile(0.5), None);
        latencies.record(Duration::MAX);
        assert!(latencies.quantile(0.5).is_some());
    }

    #[test]
    fn counts_of_threads_stay_whole() {
        let latencies = Latencies::new();
        std::thread::scope(|scope| {
            for thread in 0..4_u64 {
                let latencies = &latencies;
                scope.spawn(move || {
                    for each in 0..20_000 {
                        latencies.record(Duration::from_micros(each * (thread + 1)));
                    }
                });
            }
        });
        let counted: usize = latencies
            .counts
            .iter()
            .map(|c| c.load(Ordering::Relaxed))
            .sum();
        assert_eq!(counted, latencies.total.load(Ordering::Relaxed));
        assert!(counted < FULL + 4);
    }
}

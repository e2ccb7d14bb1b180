use std::time::Duration;

use crate::Moment;
use crate::sync::{AtomicU64, Ordering};

/// Successes and failures of the last while, in ten buckets that are used in turn.
///
/// A bucket is one word: which stretch of time it is of, and both counts. So who comes first in a new stretch empties
/// it and counts in one step.
#[derive(Debug)]
pub(super) struct Window {
    buckets: [AtomicU64; BUCKETS],
    stretch: u64,
}

/// What was counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) successes: u64,
    pub(super) failures: u64,
}

impl Counts {
    pub(super) fn total(self) -> u64 {
        self.successes + self.failures
    }

    /// The share of failures, 0 of nothing.
    pub(super) fn failure_share(self) -> f64 {
        self.failures as f64 / self.total().max(1) as f64
    }
}

impl Window {
    pub(super) fn new(length: Duration) -> Self {
        let nanoseconds = u64::try_from(length.as_nanos()).unwrap_or(u64::MAX);
        Self {
            buckets: std::array::from_fn(|_| AtomicU64::new(0)),
            stretch: (nanoseconds / BUCKETS as u64).max(1),
        }
    }

    pub(super) fn record(&self, ok: bool, now: Moment) {
        let number = self.number(now);
        let bucket = &self.buckets[(number % BUCKETS as u64) as usize];
        let count = |word| {
            let mut counts = if number_of(word) == number & NUMBERS {
                counts_of(word)
            } else {
                Counts::default()
            };
            if counts.successes.max(counts.failures) == COUNTS {
                counts.successes /= 2;
                counts.failures /= 2;
            }
            if ok {
                counts.successes += 1;
            } else {
                counts.failures += 1;
            }
            Some(pack(number, counts))
        };
        let _ = bucket.fetch_update(Ordering::Relaxed, Ordering::Relaxed, count);
    }

    pub(super) fn counts(&self, now: Moment) -> Counts {
        let number = self.number(now);
        let words = self.buckets.iter().map(|word| word.load(Ordering::Relaxed));
        let recent =
            words.filter(|&word| number.wrapping_sub(number_of(word)) & NUMBERS < BUCKETS as u64);
        recent
            .map(counts_of)
            .fold(Counts::default(), |sum, each| Counts {
                successes: sum.successes + each.successes,
                failures: sum.failures + each.failures,
            })
    }

    pub(super) fn clear(&self) {
        for bucket in &self.buckets {
            bucket.store(0, Ordering::Relaxed);
        }
    }

    fn number(&self, now: Moment) -> u64 {
        now.as_nanos() / self.stretch
    }
}

fn pack(number: u64, counts: Counts) -> u64 {
    (number & NUMBERS) << (2 * COUNT_BITS) | counts.successes << COUNT_BITS | counts.failures
}

fn number_of(word: u64) -> u64 {
    word >> (2 * COUNT_BITS)
}

fn counts_of(word: u64) -> Counts {
    Counts {
        successes: word >> COUNT_BITS & COUNTS,
        failures: word & COUNTS,
    }
}

const BUCKETS: usize = 10;
const COUNT_BITS: u32 = 20;
const COUNTS: u64 = (1 << COUNT_BITS) - 1;
/// Stretches are told apart by their number modulo this plus one: 194 days of seconds.
const NUMBERS: u64 = (1 << (u64::BITS - 2 * COUNT_BITS)) - 1;

#[cfg(test)]
#[cfg(not(loom))]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_counted_is_at_most_a_window_old(
            steps in proptest::collection::vec((0_u64..3000, any::<bool>()), 1..200),
        ) {
            let window = Window::new(Duration::from_secs(10));
            let mut milliseconds = 0;
            let mut all = Vec::new();
            for (step, ok) in steps {
                milliseconds += step;
                window.record(ok, Moment::ZERO + Duration::from_millis(milliseconds));
                all.push((milliseconds, ok));
                let counts = window.counts(Moment::ZERO + Duration::from_millis(milliseconds));
                let recent = all.iter().filter(|(at, _)| at / 1000 + 10 > milliseconds / 1000);
                let failures = recent.clone().filter(|(_, ok)| !ok).count() as u64;
                prop_assert_eq!(counts, Counts { successes: recent.count() as u64 - failures, failures });
            }
        }

        #[test]
        fn any_moments_are_counted(moments in proptest::collection::vec(any::<u64>(), 1..50), length in any::<u64>()) {
            let window = Window::new(Duration::from_nanos(length));
            for moment in moments.into_iter().map(Moment::from_nanos) {
                window.record(false, moment);
                prop_assert!(window.counts(moment).failures >= 1);
            }
        }
    }

    #[test]
    fn a_full_bucket_keeps_its_share() {
        let window = Window::new(Duration::from_secs(10));
        for each in 0..3 * COUNTS {
            window.record(each % 4 != 0, Moment::ZERO);
        }
        let share = window.counts(Moment::ZERO).failure_share();
        assert!((share - 0.25).abs() < 1e-3, "{share}");
    }
}

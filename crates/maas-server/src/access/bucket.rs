//! How often a key may be used: a bucket of tokens, kept as the moment at which it is full again.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How many requests a key may send.
///
/// ```
/// let limit = maas_server::RateLimit::per_second(100.0).burst(200);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[must_use]
pub struct RateLimit {
    interval: Duration,
    burst: u32,
}

/// A limit of less than that would overflow the clock.
const SLOWEST: f64 = 1e-6;

impl RateLimit {
    /// So many requests a second in the long run, each at its time. Less than one in a million seconds is taken as that.
    ///
    /// ```
    /// let limit = maas_server::RateLimit::per_second(0.5);
    /// ```
    pub fn per_second(requests: f64) -> Self {
        Self {
            interval: Duration::from_secs_f64(1.0 / requests.max(SLOWEST)),
            burst: 1,
        }
    }

    /// After a pause, so many at once. 0 is taken as 1.
    ///
    /// ```
    /// let limit = maas_server::RateLimit::per_second(100.0).burst(200);
    /// ```
    pub fn burst(mut self, requests: u32) -> Self {
        self.burst = requests.max(1);
        self
    }
}

/// The generic cell rate algorithm.
pub(super) struct Bucket {
    began: Instant,
    interval: u64,
    /// How far the bucket may be from full.
    depth: u64,
    /// When it is full again, in nanoseconds.
    full: AtomicU64,
}

impl Bucket {
    pub(super) fn new(limit: RateLimit) -> Self {
        let interval = nanoseconds(limit.interval);
        Self {
            began: Instant::now(),
            interval,
            depth: interval.saturating_mul(u64::from(limit.burst) - 1),
            full: AtomicU64::new(0),
        }
    }

    /// Takes a token, or says in which time there is one.
    pub(super) fn take(&self) -> Result<(), Duration> {
        self.take_at(nanoseconds(self.began.elapsed()))
    }

    fn take_at(&self, now: u64) -> Result<(), Duration> {
        let after = |full: u64| {
            let missing = full.saturating_sub(now);
            (missing <= self.depth).then(|| full.max(now).saturating_add(self.interval))
        };
        match self
            .full
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, after)
        {
            Ok(_) => Ok(()),
            Err(full) => Err(Duration::from_nanos(full - now - self.depth)),
        }
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: u64 = 1_000_000_000;

    #[test]
    fn a_burst_passes_and_then_each_at_its_time() {
        let bucket = Bucket::new(RateLimit::per_second(2.0).burst(3));
        for _ in 0..3 {
            assert_eq!(bucket.take_at(0), Ok(()));
        }
        assert_eq!(bucket.take_at(0), Err(Duration::from_millis(500)));
        assert_eq!(bucket.take_at(SECOND / 4), Err(Duration::from_millis(250)));
        assert_eq!(bucket.take_at(SECOND / 2), Ok(()));
        assert!(bucket.take_at(SECOND / 2).is_err());
        for _ in 0..3 {
            assert_eq!(bucket.take_at(100 * SECOND), Ok(()));
        }
        assert!(bucket.take_at(100 * SECOND).is_err());
    }

    proptest! {
        #[test]
        fn no_more_pass_than_rate_and_burst_allow(
            rate in 1.0..100.0_f64,
            burst in 1..20_u32,
            steps in proptest::collection::vec(0..SECOND / 10, 1..200),
        ) {
            let bucket = Bucket::new(RateLimit::per_second(rate).burst(burst));
            let (mut now, mut passed) = (0, 0);
            for step in steps {
                now += step;
                match bucket.take_at(now) {
                    Ok(()) => passed += 1,
                    Err(wait) => prop_assert!(bucket.take_at(now + nanoseconds(wait) - 1).is_err()),
                }
                let allowed = f64::from(burst) + rate * now as f64 / SECOND as f64;
                prop_assert!(f64::from(passed) <= allowed + 1e-6);
            }
        }
    }
}

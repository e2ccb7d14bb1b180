use std::time::Duration;

use super::budget::RetryBudget;
use super::latencies::Latencies;
use crate::Moment;
use crate::sync::{AtomicU64, Ordering};

/// When a request that has no answer yet is sent a second time, to somebody else.
///
/// After as long as most requests take: a quantile of the latencies lately, in constant memory, at most an eighth too
/// high. Nothing is sent before there are enough of them to tell, nor beyond a budget: were everybody slow, twice the
/// requests would make it worse.
///
/// See "The Tail at Scale", Dean and Barroso, 2013.
///
/// ```
/// use maas_schedule::Hedge;
/// use std::time::Duration;
///
/// let hedge = Hedge::after(0.95);
/// assert_eq!(hedge.delay(), None);
/// for milliseconds in 1..=100 {
///     hedge.record(Duration::from_millis(milliseconds));
/// }
/// let delay = hedge.delay().expect("100 answers tell");
/// assert!(delay >= Duration::from_millis(90) && delay <= Duration::from_millis(107));
/// ```
#[derive(Debug)]
pub struct Hedge {
    quantile: f64,
    minimum_samples: usize,
    minimum_delay: Duration,
    budget: RetryBudget,
    latencies: Latencies,
    delay: AtomicU64,
}

impl Hedge {
    /// Hedges after the latency that a fraction `quantile` of the requests does not exceed, from 0 to 1. With 64 answers
    /// at least, 1 ms at least, and for a tenth of the requests at most.
    ///
    /// ```
    /// let hedge = maas_schedule::Hedge::after(0.99);
    /// ```
    #[must_use]
    pub fn after(quantile: f64) -> Self {
        Self {
            quantile,
            minimum_samples: 64,
            minimum_delay: Duration::from_millis(1),
            budget: RetryBudget::new(0.1),
            latencies: Latencies::new(),
            delay: AtomicU64::new(UNKNOWN),
        }
    }

    /// How many answers have to be there first, in place of 64. At most 2000, as older ones are forgotten.
    ///
    /// ```
    /// let hedge = maas_schedule::Hedge::after(0.95).minimum_samples(500);
    /// ```
    #[must_use]
    pub fn minimum_samples(self, samples: usize) -> Self {
        let minimum_samples = samples.min(2000);
        Self {
            minimum_samples,
            ..self
        }
    }

    /// The shortest delay, in place of 1 ms.
    ///
    /// ```
    /// let hedge = maas_schedule::Hedge::after(0.95).minimum_delay(std::time::Duration::ZERO);
    /// ```
    #[must_use]
    pub fn minimum_delay(self, delay: Duration) -> Self {
        Self {
            minimum_delay: delay,
            ..self
        }
    }

    /// How many hedges there may be, in place of a tenth of the requests and 10 a second.
    ///
    /// ```
    /// use maas_schedule::{Hedge, RetryBudget};
    /// let hedge = Hedge::after(0.95).budget(RetryBudget::new(0.05));
    /// ```
    #[must_use]
    pub fn budget(self, budget: RetryBudget) -> Self {
        Self { budget, ..self }
    }

    /// Counts an answer, and the request that it was for.
    ///
    /// ```
    /// maas_schedule::Hedge::after(0.95).record(std::time::Duration::from_millis(3));
    /// ```
    pub fn record(&self, latency: Duration) {
        self.budget.deposit();
        let samples = self.latencies.record(latency);
        if samples >= self.minimum_samples
            && (samples == self.minimum_samples || samples.is_multiple_of(EVERY))
        {
            let delay = self.latencies.quantile(self.quantile);
            let delay = delay.unwrap_or_default().max(self.minimum_delay);
            let nanoseconds = u64::try_from(delay.as_nanos()).unwrap_or(UNKNOWN);
            self.delay.store(nanoseconds, Ordering::Relaxed);
        }
    }

    /// How long to wait for an answer before the request is sent a second time; nothing until that is known.
    ///
    /// ```
    /// assert_eq!(maas_schedule::Hedge::after(0.95).delay(), None);
    /// ```
    #[must_use]
    pub fn delay(&self) -> Option<Duration> {
        let nanoseconds = self.delay.load(Ordering::Relaxed);
        (nanoseconds != UNKNOWN).then(|| Duration::from_nanos(nanoseconds))
    }

    /// Whether the budget still has a hedge, which then is counted.
    ///
    /// ```
    /// use maas_schedule::{Hedge, Moment};
    /// assert!(Hedge::after(0.95).withdraw(Moment::ZERO));
    /// ```
    #[must_use = "a hedge that was counted should be sent"]
    pub fn withdraw(&self, now: Moment) -> bool {
        self.budget.withdraw(now)
    }
}

const UNKNOWN: u64 = u64::MAX;
/// How many answers lie between two estimates.
const EVERY: usize = 32;

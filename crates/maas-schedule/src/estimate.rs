use std::time::Duration;

use crate::sync::{AtomicU64, Ordering};
use crate::{Load, Moment};

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It was answered.
    Success,
    /// It failed, by the member's fault.
    Failure,
}

/// What is known of one member, of how its requests ended: how long one takes, and how many end well.
///
/// Both are averages that go towards each new figure by a part of the way, kept without a lock; τ is the time after which all is
/// forgotten.
///
/// - `service_time`: an answer Δt after the last one counts `Δt / (τ / 10)`, at least 1/16 and at most all. A failure never makes
///   a member look faster.
/// - `success`, the fraction of requests that end well: likewise, but an outcome counts at most a half.
///
/// So one answer of many says little, and one after a silence much. What is known fades: without requests the service time
/// shrinks in a straight line and is unknown after τ, and success returns to 1 likewise. So a member that was slow or failed
/// is tried again some time.
///
/// ```
/// use maas_schedule::{Estimate, Moment, Outcome};
/// use std::time::Duration;
///
/// let estimate = Estimate::new();
/// let now = Moment::ZERO;
/// estimate.record(Outcome::Success, Duration::from_millis(8), now);
/// estimate.record(Outcome::Failure, Duration::from_micros(1), now);
/// let load = estimate.load(3, now);
/// assert_eq!(load.in_flight, 3);
/// assert_eq!(load.service_time, Some(Duration::from_millis(8)));
/// assert!(load.success < 1.0);
/// assert_eq!(estimate.load(0, now + Duration::from_secs(60)).service_time, None);
/// ```
#[derive(Debug)]
pub struct Estimate {
    known: AtomicU64,
    /// When it was recorded last, in nanoseconds.
    at: AtomicU64,
    /// 1 / τ in nanoseconds.
    forgets: f32,
}

impl Estimate {
    /// Nothing is known; τ is 20 seconds.
    ///
    /// ```
    /// use maas_schedule::{Estimate, Load, Moment};
    /// assert_eq!(Estimate::new().load(2, Moment::ZERO), Load::of(2));
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self::forgetting_in(Duration::from_secs(20))
    }

    /// Nothing is known; τ is `time`, of which 0 is taken as a nanosecond.
    ///
    /// ```
    /// let estimate = maas_schedule::Estimate::forgetting_in(std::time::Duration::from_secs(5));
    /// ```
    #[must_use]
    pub fn forgetting_in(time: Duration) -> Self {
        Self {
            known: AtomicU64::new(Known::NOTHING.to_bits()),
            at: AtomicU64::new(0),
            forgets: 1.0 / time.max(Duration::from_nanos(1)).as_nanos() as f32,
        }
    }

    /// A request ended, `elapsed` after it started. A clock that goes back does no harm: then no time has passed.
    ///
    /// See the type for an example.
    pub fn record(&self, outcome: Outcome, elapsed: Duration, now: Moment) {
        // Relaxed: the two words need not fit together, a record between them changes weights by little.
        let last = self.at.swap(now.as_nanos(), Ordering::Relaxed);
        let silence = self.silence(last, now);
        let next = |bits| {
            let known = Known::from_bits(bits);
            let after = known.after(outcome, elapsed.as_nanos() as f32, silence);
            Some(after.to_bits())
        };
        let _ = self
            .known
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, next);
    }

    /// The load of the member, of which `in_flight` is counted elsewhere, by what is known now.
    ///
    /// See the type for an example.
    #[inline]
    #[must_use]
    pub fn load(&self, in_flight: usize, now: Moment) -> Load {
        let known = Known::from_bits(self.known.load(Ordering::Relaxed));
        let kept = 1.0 - self.silence(self.at.load(Ordering::Relaxed), now);
        let faded = |nanos: f32| Duration::from_nanos((nanos * kept) as u64);
        Load {
            service_time: known.service_time.filter(|_| kept > 0.0).map(faded),
            success: known.faded_success(kept),
            ..Load::of(in_flight)
        }
    }

    /// The part of τ since `last`, at most 1.
    #[inline]
    fn silence(&self, last: u64, now: Moment) -> f32 {
        (now.as_nanos().saturating_sub(last) as f32 * self.forgets).min(1.0)
    }
}

impl Default for Estimate {
    fn default() -> Self {
        Self::new()
    }
}

/// Both figures, which fit into a word.
#[derive(Clone, Copy)]
struct Known {
    /// Nanoseconds, not negative.
    service_time: Option<f32>,
    /// In 0..=1.
    success: f32,
}

impl Known {
    const NOTHING: Self = Self {
        service_time: None,
        success: 1.0,
    };

    /// With one more outcome, after a silence of this part of τ.
    fn after(self, outcome: Outcome, elapsed: f32, silence: f32) -> Self {
        let part = (silence * LEARNED_IN).clamp(LEAST, 1.0);
        let towards = |from: f32, to: f32, part: f32| from + (to - from) * part;
        let service_time = match (self.service_time, outcome) {
            (None, Outcome::Success) => Some(elapsed),
            (Some(known), Outcome::Failure) if elapsed <= known => Some(known),
            (Some(known), _) => Some(towards(known, elapsed, part)),
            (None, Outcome::Failure) => None,
        };
        let well = match outcome {
            Outcome::Success => 1.0,
            Outcome::Failure => 0.0,
        };
        let success = towards(self.faded_success(1.0 - silence), well, part.min(0.5));
        Self {
            service_time,
            success: success.clamp(0.0, 1.0),
        }
    }

    #[inline]
    fn faded_success(self, kept: f32) -> f32 {
        1.0 - (1.0 - self.success) * kept
    }

    fn to_bits(self) -> u64 {
        let service_time = self.service_time.unwrap_or(UNKNOWN);
        u64::from(service_time.to_bits()) << 32 | u64::from(self.success.to_bits())
    }

    fn from_bits(bits: u64) -> Self {
        let service_time = f32::from_bits((bits >> 32) as u32);
        Self {
            service_time: (service_time >= 0.0).then_some(service_time),
            success: f32::from_bits(bits as u32),
        }
    }
}

const UNKNOWN: f32 = -1.0;

/// After a tenth of τ an answer says all.
const LEARNED_IN: f32 = 10.0;

const LEAST: f32 = 1.0 / 16.0;

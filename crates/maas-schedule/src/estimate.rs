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
/// Both are exponentially weighted averages, kept without a lock; τ is the decay time.
///
/// - `service_time`: an answer Δt after the last one counts `1 − exp(−Δt / τ)`, a slower one than expected at least a half
///   (sensitive to peaks, as Finagle's peak EWMA), a faster one at least 1/64. A failure never makes a member look faster.
/// - `success`: the fraction of requests that end well; each outcome counts 1/16.
///
/// What is known fades: without requests the service time shrinks by `exp(−t / τ)` and is unknown after 3 τ, and success
/// returns to 1 likewise. So a member that was slow or failed is tried again.
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
    decay: Duration,
}

impl Estimate {
    /// Nothing is known; τ is 2 seconds.
    ///
    /// ```
    /// use maas_schedule::{Estimate, Load, Moment};
    /// assert_eq!(Estimate::new().load(2, Moment::ZERO), Load::of(2));
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self::decaying_in(Duration::from_secs(2))
    }

    /// Nothing is known; τ is `decay`, of which 0 is taken as a nanosecond.
    ///
    /// ```
    /// let estimate = maas_schedule::Estimate::decaying_in(std::time::Duration::from_secs(2));
    /// ```
    #[must_use]
    pub fn decaying_in(decay: Duration) -> Self {
        Self {
            known: AtomicU64::new(Known::NOTHING.to_bits()),
            at: AtomicU64::new(0),
            decay: decay.max(Duration::from_nanos(1)),
        }
    }

    /// A request ended, `elapsed` after it started. A clock that goes back does no harm: then no time has passed.
    ///
    /// See the type for an example.
    pub fn record(&self, outcome: Outcome, elapsed: Duration, now: Moment) {
        // Relaxed: the two words need not fit together, a record between them changes weights by little.
        let last = Moment::from_nanos(self.at.swap(now.as_nanos(), Ordering::Relaxed));
        let kept = self.kept(last, now);
        let next = |bits| {
            let known = Known::from_bits(bits);
            Some(known.after(outcome, elapsed.as_secs_f32(), kept).to_bits())
        };
        let _ = self
            .known
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, next);
    }

    /// The load of the member, of which `in_flight` is counted elsewhere, by what is known now.
    ///
    /// See the type for an example.
    #[must_use]
    pub fn load(&self, in_flight: usize, now: Moment) -> Load {
        let known = Known::from_bits(self.known.load(Ordering::Relaxed));
        let last = Moment::from_nanos(self.at.load(Ordering::Relaxed));
        let kept = self.kept(last, now);
        let seconds = known.service_time.filter(|_| kept >= FORGOTTEN);
        let faded =
            |seconds: f32| Duration::try_from_secs_f32(seconds * kept).unwrap_or(Duration::MAX);
        Load {
            service_time: seconds.map(faded),
            success: known.faded_success(kept),
            ..Load::of(in_flight)
        }
    }

    /// exp(−t / τ), in 0..=1.
    fn kept(&self, last: Moment, now: Moment) -> f32 {
        (-now.since(last).as_secs_f32() / self.decay.as_secs_f32()).exp()
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
    /// Seconds, not negative.
    service_time: Option<f32>,
    /// In 0..=1.
    success: f32,
}

impl Known {
    const NOTHING: Self = Self {
        service_time: None,
        success: 1.0,
    };

    /// With one more outcome, where so much is kept of the last ones.
    fn after(self, outcome: Outcome, elapsed: f32, kept: f32) -> Self {
        let towards = |from: f32, to: f32, part: f32| from + (to - from) * part;
        let by_time = |least: f32| (1.0 - kept).max(least);
        let service_time = match (self.service_time, outcome) {
            (None, Outcome::Success) => Some(elapsed),
            (None, Outcome::Failure) => None,
            (Some(known), _) if elapsed > known => {
                Some(towards(known, elapsed, by_time(LEAST_SLOWER)))
            }
            (Some(known), Outcome::Success) => Some(towards(known, elapsed, by_time(LEAST_FASTER))),
            (Some(known), Outcome::Failure) => Some(known),
        };
        let well = match outcome {
            Outcome::Success => 1.0,
            Outcome::Failure => 0.0,
        };
        let success = towards(self.faded_success(kept), well, OUTCOME);
        Self {
            service_time,
            success: success.clamp(0.0, 1.0),
        }
    }

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

/// exp(−3).
const FORGOTTEN: f32 = 0.049_787;

const LEAST_SLOWER: f32 = 0.5;

const LEAST_FASTER: f32 = 1.0 / 64.0;

const OUTCOME: f32 = 1.0 / 16.0;

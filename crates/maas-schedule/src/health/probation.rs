use std::fmt;
use std::ops::Deref;

use super::member::Health;
use crate::Moment;

/// Whether a member takes a request.
#[derive(Debug)]
pub enum Admission<H: Deref<Target = Health>> {
    /// As any other.
    Yes,
    /// As a trial, on which depends whether the member comes back.
    Probation(Probation<H>),
    /// Not now.
    No,
}

/// The one request that may try an ejected member.
///
/// Its outcome brings the member back or ejects it for longer. Dropped without one, it lets another request try.
///
/// ```
/// use maas_schedule::{Admission, Health, HealthRules, Moment};
/// use std::time::Duration;
///
/// let health = Health::new(HealthRules::default().consecutive_failures(1));
/// health.record(false, Moment::ZERO);
/// let now = Moment::ZERO + Duration::from_secs(31);
/// let Admission::Probation(trial) = health.admits(now) else { panic!("the ejection is over") };
/// drop(trial);
/// assert!(matches!(health.admits(now), Admission::Probation(_)));
/// ```
#[must_use = "dropped at once, the trial was none"]
pub struct Probation<H: Deref<Target = Health>> {
    health: H,
    is_decided: bool,
}

impl<H: Deref<Target = Health>> Probation<H> {
    pub(super) fn of(health: H) -> Self {
        Self {
            health,
            is_decided: false,
        }
    }

    /// Says how the request ended.
    ///
    /// ```
    /// use maas_schedule::{Admission, Health, HealthRules, Moment};
    /// use std::time::Duration;
    ///
    /// let health = Health::new(HealthRules::default().consecutive_failures(1));
    /// health.record(false, Moment::ZERO);
    /// let now = Moment::ZERO + Duration::from_secs(31);
    /// let Admission::Probation(trial) = health.admits(now) else { panic!("the ejection is over") };
    /// trial.record(false, now);
    /// assert!(!health.is_available(now + Duration::from_secs(59)));
    /// assert!(health.is_available(now + Duration::from_secs(61)));
    /// ```
    pub fn record(mut self, ok: bool, now: Moment) {
        self.is_decided = true;
        self.health.end_probation(ok, now);
    }
}

impl<H: Deref<Target = Health>> Drop for Probation<H> {
    fn drop(&mut self) {
        if !self.is_decided {
            self.health.leave_probation();
        }
    }
}

impl<H: Deref<Target = Health>> fmt::Debug for Probation<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Probation").finish_non_exhaustive()
    }
}

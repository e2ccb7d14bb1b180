use std::sync::atomic::{AtomicU64, Ordering};

/// How often a member was given no more requests, by what told that it is ill.
///
/// ```
/// use maas_schedule::{Health, HealthRules, Moment};
///
/// let health = Health::new(HealthRules::default().consecutive_failures(1));
/// health.record(false, Moment::ZERO);
/// assert_eq!(health.ejected().consecutive_failures, 1);
/// assert_eq!(health.ejected().total(), 1);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct EjectedCounts {
    /// So many requests in a row failed: [`HealthRules::consecutive_failures`](crate::HealthRules::consecutive_failures).
    pub consecutive_failures: u64,
    /// So large a share of the requests failed: [`HealthRules::failure_share`](crate::HealthRules::failure_share).
    pub failure_share: u64,
    /// More requests failed than those of others: [`HealthGroup::eject_outliers`](crate::HealthGroup::eject_outliers).
    pub outlier: u64,
    /// The one request on probation failed.
    pub trial: u64,
    /// Probes failed: [`HealthRules::probes`](crate::HealthRules::probes).
    pub probes: u64,
}

impl EjectedCounts {
    /// All of them.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.consecutive_failures + self.failure_share + self.outlier + self.trial + self.probes
    }
}

/// What told that a member is ill.
#[derive(Clone, Copy, Debug)]
pub(super) enum Sign {
    ConsecutiveFailures,
    FailureShare,
    Outlier,
    Trial,
    Probes,
}

/// Counts what [`EjectedCounts`] says. It orders nothing, so models of threads need not see it.
#[derive(Debug)]
pub(super) struct Ejected([AtomicU64; 5]);

impl Ejected {
    pub(super) fn never() -> Self {
        Self(std::array::from_fn(|_| AtomicU64::new(0)))
    }

    pub(super) fn count(&self, sign: Sign) {
        self.0[sign as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn counts(&self) -> EjectedCounts {
        let of = |sign: Sign| self.0[sign as usize].load(Ordering::Relaxed);
        EjectedCounts {
            consecutive_failures: of(Sign::ConsecutiveFailures),
            failure_share: of(Sign::FailureShare),
            outlier: of(Sign::Outlier),
            trial: of(Sign::Trial),
            probes: of(Sign::Probes),
        }
    }
}

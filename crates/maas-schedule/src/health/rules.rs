use std::time::Duration;

use super::slow_start::SlowStart;

/// When a member counts as ill, and how it comes back.
///
/// ```
/// use maas_schedule::{HealthRules, SlowStart};
/// use std::time::Duration;
///
/// let rules = HealthRules::default()
///     .consecutive_failures(3)
///     .ejection(Duration::from_secs(1), Duration::from_secs(30))
///     .slow_start(SlowStart::over(Duration::from_secs(10)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HealthRules {
    pub(super) consecutive_failures: usize,
    pub(super) failure_share: f64,
    pub(super) minimum_requests: u64,
    pub(crate) window: Duration,
    pub(super) base_ejection: Duration,
    pub(super) longest_ejection: Duration,
    pub(super) forgets_after: Duration,
    pub(super) fall: usize,
    pub(super) rise: usize,
    pub(super) slow_start: SlowStart,
    pub(crate) newcomers_start_slowly: bool,
}

impl HealthRules {
    /// Failures in a row that eject a member, in place of 5; at least 1.
    ///
    /// ```
    /// let rules = maas_schedule::HealthRules::default().consecutive_failures(3);
    /// ```
    #[must_use]
    pub fn consecutive_failures(self, failures: usize) -> Self {
        let consecutive_failures = failures.max(1);
        Self {
            consecutive_failures,
            ..self
        }
    }

    /// The share of failures in the window that ejects a member, in place of 0.85, once there were `minimum_requests`,
    /// in place of 100. Outliers are sought among members with as many requests only.
    ///
    /// ```
    /// let rules = maas_schedule::HealthRules::default().failure_share(0.5, 20);
    /// ```
    #[must_use]
    pub fn failure_share(self, share: f64, minimum_requests: u64) -> Self {
        Self {
            failure_share: share,
            minimum_requests: minimum_requests.max(1),
            ..self
        }
    }

    /// How far back successes and failures are counted, in place of 10 s. The window moves on by tenths of itself.
    ///
    /// ```
    /// let rules = maas_schedule::HealthRules::default().window(std::time::Duration::from_secs(30));
    /// ```
    #[must_use]
    pub fn window(self, window: Duration) -> Self {
        Self { window, ..self }
    }

    /// How long the first ejection lasts, in place of 30 s, and the longest, in place of 300 s. The n-th lasts n times
    /// as long as the first.
    ///
    /// ```
    /// use std::time::Duration;
    /// let rules = maas_schedule::HealthRules::default().ejection(Duration::from_secs(1), Duration::from_secs(60));
    /// ```
    #[must_use]
    pub fn ejection(self, base: Duration, longest: Duration) -> Self {
        Self {
            base_ejection: base,
            longest_ejection: longest,
            ..self
        }
    }

    /// How long a member has to serve until one of its ejections is forgotten, in place of 10 s.
    ///
    /// ```
    /// let rules = maas_schedule::HealthRules::default().forgets_after(std::time::Duration::from_secs(60));
    /// ```
    #[must_use]
    pub fn forgets_after(self, time: Duration) -> Self {
        Self {
            forgets_after: time,
            ..self
        }
    }

    /// Probes in a row that have to fail until a member is down, in place of 3, and to succeed until it is up again, in
    /// place of 2; at least 1 each.
    ///
    /// ```
    /// let rules = maas_schedule::HealthRules::default().probes(1, 1);
    /// ```
    #[must_use]
    pub fn probes(self, fall: usize, rise: usize) -> Self {
        Self {
            fall: fall.max(1),
            rise: rise.max(1),
            ..self
        }
    }

    /// How a member that came back grows into its share.
    ///
    /// ```
    /// use maas_schedule::{HealthRules, SlowStart};
    /// let at_once = HealthRules::default().slow_start(SlowStart::over(std::time::Duration::ZERO));
    /// ```
    #[must_use]
    pub fn slow_start(self, slow_start: SlowStart) -> Self {
        Self { slow_start, ..self }
    }

    /// Who is added to a [`Balancer`](crate::Balancer) that goes by these rules starts as who came back does.
    ///
    /// ```
    /// use maas_schedule::{Balancer, HealthRules, HealthState};
    ///
    /// let rules = HealthRules::default().newcomers_start_slowly();
    /// let balancer = Balancer::over([("a", 1)])?.watched_by(rules);
    /// balancer.add("b", 2)?;
    /// assert!(matches!(balancer.members()[1].health, Some(HealthState::SlowStart { .. })));
    /// # Ok::<(), maas_schedule::Error>(())
    /// ```
    #[must_use]
    pub fn newcomers_start_slowly(self) -> Self {
        Self {
            newcomers_start_slowly: true,
            ..self
        }
    }
}

/// Ejected after 5 failures in a row, or when 85 % of at least 100 requests of the last 10 s failed; for 30 s times the
/// number of ejections, at most 300 s, one of them forgotten every 10 s. Down after 3 failed probes, up after 2 good ones.
impl Default for HealthRules {
    fn default() -> Self {
        Self {
            consecutive_failures: 5,
            failure_share: 0.85,
            minimum_requests: 100,
            window: Duration::from_secs(10),
            base_ejection: Duration::from_secs(30),
            longest_ejection: Duration::from_secs(300),
            forgets_after: Duration::from_secs(10),
            fall: 3,
            rise: 2,
            slow_start: SlowStart::default(),
            newcomers_start_slowly: false,
        }
    }
}

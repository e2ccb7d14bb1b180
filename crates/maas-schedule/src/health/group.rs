use super::ejected::Sign;
use super::ejections::Ejections;
use super::member::Health;
use crate::Moment;
use crate::sync::{AtomicU64, AtomicUsize, Ordering};

/// Members that stand in for each other, and what must hold of all of them together.
///
/// - At most a tenth of them is ejected at a time, but at least one may be. No interleaving of threads exceeds that.
/// - When fewer than half of them are well, the others are tried too, since the rest would not bear all requests: the
///   group *panics*, and counts the requests that this admits.
/// - Who fails more often than the others ([`eject_outliers`](Self::eject_outliers)) is ejected.
///
/// A member is in the group as long as its [`Health`] lives.
///
/// ```
/// use maas_schedule::{Admission, Health, HealthGroup, HealthRules, Moment};
/// use std::sync::Arc;
///
/// let group = Arc::new(HealthGroup::new());
/// let rules = HealthRules::default().probes(1, 1);
/// let members: Vec<_> = (0..3).map(|_| Health::in_group(rules, &group)).collect();
/// members[0].probe_result(false, Moment::ZERO);
/// assert!(matches!(members[0].admits(Moment::ZERO), Admission::No));
/// members[1].probe_result(false, Moment::ZERO);
/// assert!(matches!(members[0].admits(Moment::ZERO), Admission::Yes));
/// assert_eq!(group.admitted_in_panic(), 1);
/// ```
#[derive(Debug)]
pub struct HealthGroup {
    ejections: Ejections,
    /// Ejected or down. Threads that turn a member to and fro may be counted in the other order, so it wraps below 0.
    ill: AtomicUsize,
    panics_below: f64,
    deviations: f64,
    margin: f64,
    panicked: AtomicU64,
}

impl HealthGroup {
    /// At most a tenth is ejected, and all are tried when less than half is well.
    ///
    /// ```
    /// assert!(!maas_schedule::HealthGroup::new().is_panicking());
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self {
            ejections: Ejections::at_most(0.1),
            ill: AtomicUsize::new(0),
            panics_below: 0.5,
            deviations: 1.9,
            margin: 0.05,
            panicked: AtomicU64::new(0),
        }
    }

    /// The largest share of members that may be ejected at a time, in place of a tenth. One may always be.
    ///
    /// ```
    /// let group = maas_schedule::HealthGroup::new().at_most_ejected(0.5);
    /// ```
    #[must_use]
    pub fn at_most_ejected(self, share: f64) -> Self {
        Self {
            ejections: Ejections::at_most(share),
            ..self
        }
    }

    /// The share of well members below which all are tried, in place of a half. With 0 nobody who is ill is tried.
    ///
    /// ```
    /// let never = maas_schedule::HealthGroup::new().panics_below(0.0);
    /// ```
    #[must_use]
    pub fn panics_below(self, share: f64) -> Self {
        Self {
            panics_below: share,
            ..self
        }
    }

    /// Who counts as an outlier: a success rate lower than that of the others by this many of their standard
    /// deviations, in place of 1.9, and by this margin, in place of 0.05. Without a margin the one failure in a thousand
    /// of a member among flawless others would eject it.
    ///
    /// ```
    /// let group = maas_schedule::HealthGroup::new().outliers(3.0, 0.1);
    /// ```
    #[must_use]
    pub fn outliers(self, deviations: f64, margin: f64) -> Self {
        Self {
            deviations,
            margin,
            ..self
        }
    }

    /// Ejects those of `members` whose success rate in the window is lower than the mean of the others less 1.9 of their
    /// standard deviations, where at least five had enough requests to tell. Returns how many. Call it every 10 s or so.
    ///
    /// ```
    /// use maas_schedule::{Health, HealthGroup, HealthRules, Moment};
    /// use std::sync::Arc;
    ///
    /// let group = Arc::new(HealthGroup::new());
    /// let members: Vec<_> = (0..5).map(|_| Health::in_group(HealthRules::default(), &group)).collect();
    /// for request in 0..1000 {
    ///     for (index, member) in members.iter().enumerate() {
    ///         member.record(index != 3 || request % 4 != 0, Moment::ZERO); // member 3 fails every fourth
    ///     }
    /// }
    /// assert_eq!(group.eject_outliers(&members, Moment::ZERO), 1);
    /// assert!(!members[3].is_available(Moment::ZERO));
    /// ```
    pub fn eject_outliers<'a>(
        &self,
        members: impl IntoIterator<Item = &'a Health>,
        now: Moment,
    ) -> usize {
        let rated = |health: &'a Health| Some((health, health.success_rate(now)?));
        let rates: Vec<(&Health, f64)> = members.into_iter().filter_map(rated).collect();
        if rates.len() < ENOUGH_TO_COMPARE {
            return 0;
        }
        let others = (rates.len() - 1) as f64;
        let sum: f64 = rates.iter().map(|(_, rate)| rate).sum();
        let is_outlier = |&&(health, rate): &&(&Health, f64)| {
            let mean = (sum - rate) / others;
            let squares = rates
                .iter()
                .map(|(_, each)| (each - mean).powi(2))
                .sum::<f64>();
            let deviation = ((squares - (rate - mean).powi(2)).max(0.0) / others).sqrt();
            rate < mean - (self.deviations * deviation).max(self.margin)
                && health.eject(Sign::Outlier, now)
        };
        rates.iter().filter(is_outlier).count()
    }

    /// How many members there are.
    ///
    /// ```
    /// assert_eq!(maas_schedule::HealthGroup::new().members(), 0);
    /// ```
    #[must_use]
    pub fn members(&self) -> usize {
        self.ejections.members() as usize
    }

    /// How many of them are ejected or on probation.
    ///
    /// ```
    /// assert_eq!(maas_schedule::HealthGroup::new().ejected(), 0);
    /// ```
    #[must_use]
    pub fn ejected(&self) -> usize {
        self.ejections.ejected() as usize
    }

    /// Whether so few members are well that all are tried.
    ///
    /// ```
    /// assert!(!maas_schedule::HealthGroup::new().is_panicking());
    /// ```
    #[must_use]
    pub fn is_panicking(&self) -> bool {
        let ill = (self.ill.load(Ordering::Relaxed) as isize).max(0);
        let members = self.ejections.members() as f64;
        ill > 0 && members - (ill as f64) < self.panics_below * members
    }

    /// How many requests were admitted by members that are ill because too few are well.
    ///
    /// ```
    /// assert_eq!(maas_schedule::HealthGroup::new().admitted_in_panic(), 0);
    /// ```
    #[must_use]
    pub fn admitted_in_panic(&self) -> u64 {
        self.panicked.load(Ordering::Relaxed)
    }

    pub(super) fn ejections(&self) -> &Ejections {
        &self.ejections
    }

    pub(super) fn count_panic(&self) {
        self.panicked.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_ill(&self) {
        self.ill.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_well(&self) {
        self.ill.fetch_sub(1, Ordering::Relaxed);
    }
}

/// As [`HealthGroup::new`].
impl Default for HealthGroup {
    fn default() -> Self {
        Self::new()
    }
}

const ENOUGH_TO_COMPARE: usize = 5;

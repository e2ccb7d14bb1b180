use std::time::Duration;

use crate::Moment;

/// How long a try and a whole request may take.
///
/// ```
/// use maas_schedule::{Deadlines, Moment};
/// use std::time::Duration;
///
/// let deadlines = Deadlines::none().per_try(Duration::from_secs(2)).total(Duration::from_secs(3));
/// let second = Moment::ZERO + Duration::from_secs(1);
/// let third = Moment::ZERO + Duration::from_secs(2);
/// assert_eq!(deadlines.next_try(Moment::ZERO, Moment::ZERO), Some(third));
/// assert_eq!(deadlines.next_try(third, Moment::ZERO), Some(Moment::ZERO + Duration::from_secs(3)));
/// assert_eq!(deadlines.next_try(third, second), Some(third + Duration::from_secs(2)));
/// assert_eq!(deadlines.next_try(third + Duration::from_secs(1), Moment::ZERO), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadlines {
    per_try: Duration,
    total: Duration,
}

impl Deadlines {
    /// Everything may take as long as it takes.
    ///
    /// ```
    /// use maas_schedule::{Deadlines, Moment};
    /// let never = Moment::from_nanos(u64::MAX);
    /// assert_eq!(Deadlines::none().next_try(Moment::ZERO, Moment::ZERO), Some(never));
    /// ```
    #[must_use]
    pub fn none() -> Self {
        Self {
            per_try: Duration::MAX,
            total: Duration::MAX,
        }
    }

    /// The longest that one try may take.
    ///
    /// ```
    /// let deadlines = maas_schedule::Deadlines::none().per_try(std::time::Duration::from_secs(1));
    /// ```
    #[must_use]
    pub fn per_try(self, per_try: Duration) -> Self {
        Self { per_try, ..self }
    }

    /// The longest that the request may take, all its tries together.
    ///
    /// ```
    /// let deadlines = maas_schedule::Deadlines::none().total(std::time::Duration::from_secs(5));
    /// ```
    #[must_use]
    pub fn total(self, total: Duration) -> Self {
        Self { total, ..self }
    }

    /// When a try that is sent now has to be over, of a request that began at `started`; nothing when it is too late
    /// for another.
    ///
    /// ```
    /// use maas_schedule::{Deadlines, Moment};
    /// let none = Deadlines::none().total(std::time::Duration::ZERO);
    /// assert_eq!(none.next_try(Moment::ZERO, Moment::ZERO), None);
    /// ```
    #[must_use]
    pub fn next_try(&self, now: Moment, started: Moment) -> Option<Moment> {
        let end = started + self.total;
        (now < end).then(|| end.min(now + self.per_try))
    }
}

/// As [`Deadlines::none`].
impl Default for Deadlines {
    fn default() -> Self {
        Self::none()
    }
}

use std::time::Duration;

/// How a member that came back grows into its share of the requests.
///
/// Its weight is multiplied by max(minimum, t^(1/aggression)), where t goes from 0 to 1 over a time. With an aggression
/// of 1 the share grows steadily, with more it grows faster at first.
///
/// ```
/// use maas_schedule::SlowStart;
/// use std::time::Duration;
///
/// let start = SlowStart::over(Duration::from_secs(10));
/// assert_eq!(start.share(Duration::ZERO), 0.1);
/// assert_eq!(start.share(Duration::from_secs(5)), 0.5);
/// assert_eq!(start.share(Duration::from_secs(60)), 1.0);
/// assert_eq!(start.aggression(2.0).share(Duration::from_millis(2500)), 0.5);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SlowStart {
    pub(super) time: Duration,
    minimum: f32,
    exponent: f32,
}

impl SlowStart {
    /// From a tenth to the whole share over `time`, steadily.
    ///
    /// ```
    /// use maas_schedule::SlowStart;
    /// use std::time::Duration;
    /// assert_eq!(SlowStart::over(Duration::ZERO).share(Duration::ZERO), 1.0); // at once
    /// ```
    #[must_use]
    pub fn over(time: Duration) -> Self {
        Self {
            time,
            minimum: 0.1,
            exponent: 1.0,
        }
    }

    /// The share at the start, in place of a tenth; kept within 0 and 1.
    ///
    /// ```
    /// use maas_schedule::SlowStart;
    /// use std::time::Duration;
    /// assert_eq!(SlowStart::default().minimum(0.2).share(Duration::ZERO), 0.2);
    /// ```
    #[must_use]
    pub fn minimum(self, minimum: f32) -> Self {
        let minimum = minimum.clamp(0.0, 1.0);
        Self { minimum, ..self }
    }

    /// How much faster the share grows at first, in place of 1: t^(1/aggression). What is not above 0 is 1.
    ///
    /// ```
    /// let eager = maas_schedule::SlowStart::default().aggression(1.5);
    /// ```
    #[must_use]
    pub fn aggression(self, aggression: f32) -> Self {
        let exponent = if aggression > 0.0 {
            aggression.recip()
        } else {
            1.0
        };
        Self { exponent, ..self }
    }

    /// The share, `elapsed` after the member came back: from 0 to 1.
    ///
    /// ```
    /// use maas_schedule::SlowStart;
    /// assert_eq!(SlowStart::default().share(std::time::Duration::MAX), 1.0);
    /// ```
    #[must_use]
    pub fn share(&self, elapsed: Duration) -> f32 {
        if elapsed >= self.time {
            return 1.0;
        }
        let t = elapsed.as_secs_f32() / self.time.as_secs_f32();
        t.powf(self.exponent).max(self.minimum).min(1.0)
    }
}

/// Over 5 s, from a tenth, steadily.
impl Default for SlowStart {
    fn default() -> Self {
        Self::over(Duration::from_secs(5))
    }
}

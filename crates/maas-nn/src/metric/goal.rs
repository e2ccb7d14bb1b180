use serde::{Deserialize, Serialize};

/// Which way a figure is better.
///
/// ```
/// use maas_nn::metric::Goal;
///
/// assert!(Goal::Minimize.prefers(0.1, 0.2));
/// assert!(Goal::Maximize.prefers(0.9, 0.2));
/// assert!(!Goal::Maximize.prefers(f64::NAN, 0.2));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Goal {
    /// Less is better: losses, errors.
    Minimize,
    /// More is better: shares of what is right.
    Maximize,
}

impl Goal {
    /// Whether `a` is better than `b`. NaN is better than nothing, and any other number better than NaN.
    ///
    /// ```
    /// assert!(!maas_nn::metric::Goal::Minimize.prefers(1.0, 1.0));
    /// assert!(maas_nn::metric::Goal::Minimize.prefers(1.0, f64::NAN));
    /// ```
    #[must_use]
    pub fn prefers(self, a: f64, b: f64) -> bool {
        match self {
            _ if b.is_nan() => !a.is_nan(),
            Self::Minimize => a < b,
            Self::Maximize => a > b,
        }
    }
}

use serde::{Deserialize, Serialize};

use crate::Error;

/// How long a part of a schedule takes.
///
/// ```
/// use maas_train::{Horizon, Span};
///
/// let horizon = Horizon::new(50, 500);
/// assert_eq!(Span::epochs(2.0).steps_in(horizon)?, 100.0);
/// assert_eq!(Span::share(0.1).steps_in(horizon)?, 50.0);
/// # Ok::<(), maas_train::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Span {
    /// So many steps.
    Steps(u64),
    /// So many passes over the data.
    Epochs(f64),
    /// This share of the run; behind a warm-up, of what it leaves.
    Share(f64),
}

impl Span {
    /// So many steps.
    ///
    /// ```
    /// assert_eq!(maas_train::Span::steps(10), maas_train::Span::Steps(10));
    /// ```
    #[must_use]
    pub const fn steps(steps: u64) -> Self {
        Self::Steps(steps)
    }

    /// So many passes over the data.
    ///
    /// ```
    /// assert_eq!(maas_train::Span::epochs(2.5), maas_train::Span::Epochs(2.5));
    /// ```
    #[must_use]
    pub const fn epochs(epochs: f64) -> Self {
        Self::Epochs(epochs)
    }

    /// The whole run.
    ///
    /// ```
    /// assert_eq!(maas_train::Span::run(), maas_train::Span::share(1.0));
    /// ```
    #[must_use]
    pub const fn run() -> Self {
        Self::Share(1.0)
    }

    /// This share of the run.
    ///
    /// ```
    /// assert_eq!(maas_train::Span::share(0.1), maas_train::Span::Share(0.1));
    /// ```
    #[must_use]
    pub const fn share(share: f64) -> Self {
        Self::Share(share)
    }

    /// Its length in steps.
    ///
    /// # Errors
    /// [`Error::Horizon`] when it needs a length that the horizon does not know; [`Error::Span`] when it is negative
    /// or not a number.
    ///
    /// ```
    /// use maas_train::{Horizon, Span};
    /// assert!(Span::run().steps_in(Horizon::unknown()).is_err());
    /// ```
    pub fn steps_in(self, horizon: Horizon) -> Result<f64, Error> {
        let (share, whole, what) = match self {
            Self::Steps(steps) => return Ok(steps as f64),
            Self::Epochs(epochs) => (epochs, horizon.epoch, "steps of an epoch"),
            Self::Share(share) => (share, horizon.run, "steps of the run"),
        };
        if !share.is_finite() || share < 0.0 {
            return Err(Error::Span { value: share });
        }
        whole
            .map(|steps| share * steps as f64)
            .ok_or(Error::Horizon { what })
    }
}

/// How many steps there will be: what spans in epochs and shares of a run are measured against.
///
/// A [`Trainer`](crate::Trainer) knows; in a loop of your own, [`Optimizer::horizon`](crate::Optimizer::horizon) tells.
///
/// ```
/// use maas_train::Horizon;
/// assert_eq!(Horizon::new(50, 500).run, Some(500));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Horizon {
    /// Steps of an epoch.
    pub epoch: Option<u64>,
    /// Steps of the run.
    pub run: Option<u64>,
}

impl Horizon {
    /// So many steps an epoch and in all.
    ///
    /// ```
    /// assert_eq!(maas_train::Horizon::new(50, 500).epoch, Some(50));
    /// ```
    #[must_use]
    pub const fn new(epoch: u64, run: u64) -> Self {
        Self {
            epoch: Some(epoch),
            run: Some(run),
        }
    }

    /// Nobody knows: enough for spans in steps.
    ///
    /// ```
    /// assert_eq!(maas_train::Horizon::unknown().run, None);
    /// ```
    #[must_use]
    pub const fn unknown() -> Self {
        Self {
            epoch: None,
            run: None,
        }
    }

    /// What is left of the run after so many steps.
    pub(super) fn after(self, steps: f64) -> Self {
        Self {
            run: self.run.map(|run| run.saturating_sub(steps as u64)),
            ..self
        }
    }
}

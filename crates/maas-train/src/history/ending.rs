use std::fmt;

use serde::{Deserialize, Serialize};

/// Why a run of training ended.
///
/// ```
/// use maas_train::Ending;
///
/// assert!(!Ending::Completed.is_interrupted());
/// assert!(Ending::StopHandle.is_interrupted());
/// assert_eq!(Ending::EarlyStopping { best_epoch: 3 }.to_string(), "stopped early, epoch 3 was the best");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Ending {
    /// Every epoch went by.
    #[default]
    Completed,
    /// Patience ran out.
    EarlyStopping {
        /// The epoch with the best figure, counted from 1; 0 where every one was not a number.
        best_epoch: usize,
    },
    /// A callback asked for it.
    Callback {
        /// The callback's name.
        name: String,
    },
    /// A [`StopHandle`](crate::StopHandle) asked for it.
    StopHandle,
}

impl Ending {
    /// Whether training was to go on: a callback or a [`StopHandle`](crate::StopHandle) ended it.
    ///
    /// ```
    /// assert!(!maas_train::Ending::default().is_interrupted());
    /// ```
    #[must_use]
    pub fn is_interrupted(&self) -> bool {
        matches!(self, Self::Callback { .. } | Self::StopHandle)
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Completed => f.write_str("completed"),
            Self::EarlyStopping { best_epoch } => {
                write!(f, "stopped early, epoch {best_epoch} was the best")
            }
            Self::Callback { name } => write!(f, "stopped by {name}"),
            Self::StopHandle => f.write_str("stopped by its handle"),
        }
    }
}

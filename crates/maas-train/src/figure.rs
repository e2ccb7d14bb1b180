use std::fmt;

use serde::{Deserialize, Serialize};

use crate::EpochRecord;

/// One number of an [`EpochRecord`]: what early stopping, checkpoints and searches go by.
///
/// ```
/// use maas_train::{EpochRecord, Figure};
///
/// let record = EpochRecord::new(1, 0.5).with_validation_loss(0.75);
/// assert_eq!(Figure::ValidationLoss.of(&record), Some(0.75));
/// assert_eq!(Figure::validation("accuracy").of(&record), None);
/// assert_eq!(Figure::validation("accuracy").to_string(), "validation accuracy");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Figure {
    /// The mean loss over the rows of the epoch.
    Loss,
    /// The loss over the validation data: Keras' `val_loss`.
    #[default]
    ValidationLoss,
    /// A metric over the rows of the epoch, by name.
    Metric(String),
    /// A metric over the validation data, by name.
    ValidationMetric(String),
}

impl Figure {
    /// A metric over the rows of the epoch.
    ///
    /// ```
    /// assert_eq!(maas_train::Figure::metric("accuracy").to_string(), "accuracy");
    /// ```
    #[must_use]
    pub fn metric(name: impl Into<String>) -> Self {
        Self::Metric(name.into())
    }

    /// A metric over the validation data.
    ///
    /// ```
    /// assert_eq!(maas_train::Figure::validation("r2").to_string(), "validation r2");
    /// ```
    #[must_use]
    pub fn validation(name: impl Into<String>) -> Self {
        Self::ValidationMetric(name.into())
    }

    /// What it is in this epoch; `None` where it was not measured.
    ///
    /// ```
    /// use maas_train::{EpochRecord, Figure};
    /// assert_eq!(Figure::Loss.of(&EpochRecord::new(1, 0.5)), Some(0.5));
    /// ```
    #[must_use]
    pub fn of(&self, record: &EpochRecord) -> Option<f64> {
        match self {
            Self::Loss => Some(record.loss.into()),
            Self::ValidationLoss => record.validation_loss.map(f64::from),
            Self::Metric(name) => record.metrics.get(name).copied(),
            Self::ValidationMetric(name) => record.validation_metrics.get(name).copied(),
        }
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Loss => f.write_str("loss"),
            Self::ValidationLoss => f.write_str("validation loss"),
            Self::Metric(name) => f.write_str(name),
            Self::ValidationMetric(name) => write!(f, "validation {name}"),
        }
    }
}

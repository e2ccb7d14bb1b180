//! What a run of training recorded.

mod ending;
mod record;
mod report;
mod table;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use ending::Ending;
pub use record::EpochRecord;

/// One record an epoch, in order.
///
/// It serialises with serde, prints as a table, is written as CSV and as JSON, and draws itself as an SVG that needs no
/// other file.
///
/// ```
/// use maas_train::{EpochRecord, History};
///
/// let mut history = History::default();
/// history.push(EpochRecord::new(1, 0.8).with_validation_loss(0.9));
/// history.push(EpochRecord::new(2, 0.4).with_validation_loss(0.6));
/// assert_eq!(history.last().map(|record| record.loss), Some(0.4));
/// assert_eq!(history.best().map(|record| record.epoch), Some(2));
/// assert!(history.to_svg().starts_with("<svg"));
/// assert_eq!(history.epochs[0].to_string(), "epoch   1     0.000 s  loss 0.800000  validation loss 0.900000");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct History {
    /// The records of the epochs that went by as a whole.
    pub epochs: Vec<EpochRecord>,
    /// Why there are no more.
    #[serde(default)]
    pub ending: Ending,
}

impl History {
    /// Add the record of the next epoch.
    ///
    /// ```
    /// # use maas_train::{EpochRecord, History};
    /// let mut history = History::default();
    /// history.push(EpochRecord::new(1, 0.5));
    /// assert_eq!(history.epochs.len(), 1);
    /// ```
    pub fn push(&mut self, record: EpochRecord) {
        self.epochs.push(record);
    }

    /// The last epoch's record.
    ///
    /// ```
    /// assert!(maas_train::History::default().last().is_none());
    /// ```
    #[must_use]
    pub fn last(&self) -> Option<&EpochRecord> {
        self.epochs.last()
    }

    /// The epoch with the lowest validation loss, or the lowest loss where nothing was validated; the first of several.
    ///
    /// ```
    /// # use maas_train::{EpochRecord, History};
    /// let mut history = History::default();
    /// history.push(EpochRecord::new(1, 0.3));
    /// history.push(EpochRecord::new(2, 0.5));
    /// assert_eq!(history.best().map(|record| record.epoch), Some(1));
    /// ```
    #[must_use]
    pub fn best(&self) -> Option<&EpochRecord> {
        self.epochs
            .iter()
            .filter(|record| !record.judged().is_nan())
            .min_by(|a, b| a.judged().total_cmp(&b.judged()))
    }

    /// Whether training was to go on: [`Ending::is_interrupted`].
    ///
    /// ```
    /// assert!(!maas_train::History::default().is_interrupted());
    /// ```
    #[must_use]
    pub fn is_interrupted(&self) -> bool {
        self.ending.is_interrupted()
    }

    /// Seconds of all epochs together.
    ///
    /// ```
    /// assert_eq!(maas_train::History::default().seconds(), 0.0);
    /// ```
    #[must_use]
    pub fn seconds(&self) -> f64 {
        self.epochs.iter().map(|record| record.seconds).sum::<f64>() + 0.0
    }
}

impl fmt::Display for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, record) in self.epochs.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            write!(f, "{record}")?;
        }
        Ok(())
    }
}

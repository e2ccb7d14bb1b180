//! What a run of training recorded.

mod axis;
mod chart;

use std::collections::BTreeMap;
use std::fmt;
use std::io::Write;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::Error;
use chart::{Chart, Series};

/// One record an epoch, in order.
///
/// It serialises with serde, prints as a table, and draws itself as an SVG that needs no other file.
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
    /// The epochs' records.
    pub epochs: Vec<EpochRecord>,
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
            .min_by(|a, b| a.judged().total_cmp(&b.judged()))
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

    /// A line chart of loss and validation loss over the epochs, as one self-contained SVG document.
    ///
    /// The vertical axis is logarithmic when all losses are positive and the largest is at least 25 times the smallest.
    ///
    /// ```
    /// # use maas_train::{EpochRecord, History};
    /// let mut history = History::default();
    /// history.push(EpochRecord::new(1, 0.5));
    /// assert!(history.to_svg().contains("<polyline"));
    /// ```
    #[must_use]
    pub fn to_svg(&self) -> String {
        let line = |loss: fn(&EpochRecord) -> Option<f32>| {
            self.epochs
                .iter()
                .filter_map(|record| Some((record.epoch as f64, f64::from(loss(record)?))))
                .collect()
        };
        let training = Series {
            name: "loss",
            colour: "#1f6fb4",
            points: line(|record| Some(record.loss)),
        };
        let validation = Series {
            name: "validation loss",
            colour: "#d9602b",
            points: line(|record| record.validation_loss),
        };
        let best = self
            .best()
            .map(|record| (record.epoch as f64, f64::from(record.judged())));
        Chart {
            title: "Training",
            x_label: "epoch",
            y_label: "loss",
            series: vec![training, validation],
            mark: best,
        }
        .to_svg()
    }

    /// Write [`to_svg`](Self::to_svg) to a file, whole or not at all.
    ///
    /// ```
    /// let path = std::env::temp_dir().join(format!("maas-history-{}.svg", std::process::id()));
    /// maas_train::History::default().save_svg(&path)?;
    /// assert!(std::fs::read_to_string(&path)?.ends_with("</svg>\n"));
    /// # std::fs::remove_file(&path)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Write`].
    pub fn save_svg(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        maas_core::write_atomically(path, |writer| writer.write_all(self.to_svg().as_bytes()))
            .map_err(Error::Write)
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

/// What one epoch came to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct EpochRecord {
    /// The epoch, counted from 1.
    pub epoch: usize,
    /// Mean loss over the rows of the epoch, each batch measured before its step. In units of the standardised target
    /// where the network standardises it.
    pub loss: f32,
    /// Loss over the validation data after the epoch, in the same units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation_loss: Option<f32>,
    /// The metrics over the validation data after the epoch, by name, in raw units.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub validation_metrics: BTreeMap<String, f64>,
    /// The metrics over the rows of the epoch, each batch measured before its step, by name, in raw units.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metrics: BTreeMap<String, f64>,
    /// Wall time of the epoch, validation included.
    pub seconds: f64,
}

impl EpochRecord {
    /// A record with a loss and nothing else.
    ///
    /// ```
    /// let record = maas_train::EpochRecord::new(3, 0.5);
    /// assert_eq!((record.epoch, record.loss, record.validation_loss), (3, 0.5, None));
    /// ```
    #[must_use]
    pub fn new(epoch: usize, loss: f32) -> Self {
        Self {
            epoch,
            loss,
            ..Self::default()
        }
    }

    /// Add a validation loss.
    ///
    /// ```
    /// let record = maas_train::EpochRecord::new(3, 0.5).with_validation_loss(0.6);
    /// assert_eq!(record.validation_loss, Some(0.6));
    /// ```
    #[must_use]
    pub fn with_validation_loss(self, loss: f32) -> Self {
        Self {
            validation_loss: Some(loss),
            ..self
        }
    }

    fn judged(&self) -> f32 {
        self.validation_loss.unwrap_or(self.loss)
    }
}

impl fmt::Display for EpochRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "epoch {:>3}  {:>8.3} s  loss {}",
            self.epoch,
            self.seconds,
            Figure(self.loss.into())
        )?;
        for (name, &value) in &self.metrics {
            write!(f, "  {name} {}", Figure(value))?;
        }
        if let Some(loss) = self.validation_loss {
            write!(f, "  validation loss {}", Figure(loss.into()))?;
        }
        for (name, &value) in &self.validation_metrics {
            write!(f, "  validation {name} {}", Figure(value))?;
        }
        Ok(())
    }
}

/// A number in a table: eight characters where six digits say enough.
struct Figure(f64);

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.abs() {
            size if size != 0.0 && size < 1e-3 => write!(f, "{:.2e}", self.0),
            size if size < 10.0 => write!(f, "{:.6}", self.0),
            size if size < 1e6 => write!(f, "{:.3}", self.0),
            _ => write!(f, "{:.4e}", self.0),
        }
    }
}

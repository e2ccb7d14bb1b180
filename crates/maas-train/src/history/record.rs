use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// What one epoch came to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct EpochRecord {
    /// The epoch, counted from 1.
    pub epoch: usize,
    /// Mean loss over the rows of the epoch, each batch measured before its step. In units of the standardised target
    /// where the network standardises it.
    #[serde(deserialize_with = "number::loss")]
    pub loss: f32,
    /// Loss over the validation data after the epoch, in the same units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation_loss: Option<f32>,
    /// The metrics over the validation data after the epoch, by name, in raw units.
    #[serde(
        default,
        skip_serializing_if = "BTreeMap::is_empty",
        deserialize_with = "number::by_name"
    )]
    pub validation_metrics: BTreeMap<String, f64>,
    /// The metrics over the rows of the epoch, each batch measured before its step, by name, in raw units.
    #[serde(
        default,
        skip_serializing_if = "BTreeMap::is_empty",
        deserialize_with = "number::by_name"
    )]
    pub metrics: BTreeMap<String, f64>,
    /// α of the epoch's last step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub learning_rate: Option<f32>,
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

    /// The validation loss, or the loss where nothing was validated.
    pub(crate) fn judged(&self) -> f32 {
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

/// JSON has no NaN and no infinities: they are written as null, and null is read as NaN.
mod number {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer};

    pub(super) fn loss<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f32, D::Error> {
        Ok(Option::deserialize(deserializer)?.unwrap_or(f32::NAN))
    }

    pub(super) fn by_name<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeMap<String, f64>, D::Error> {
        let numbers: BTreeMap<String, Option<f64>> = Deserialize::deserialize(deserializer)?;
        let number = |(name, number): (String, Option<f64>)| (name, number.unwrap_or(f64::NAN));
        Ok(numbers.into_iter().map(number).collect())
    }
}

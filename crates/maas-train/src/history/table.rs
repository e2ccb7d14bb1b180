//! The history as CSV and as JSON.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

use super::{EpochRecord, History};
use crate::Error;

/// Files for other programs.
impl History {
    /// One line an epoch under a line of names: `epoch`, `loss`, the metrics, `validation_loss`, the metrics again with
    /// `validation_` before their names, `learning_rate`, `seconds`. What was not measured is an empty cell; columns that
    /// would be empty are left out.
    ///
    /// Numbers have as many digits as it takes to read the same bits again.
    ///
    /// ```
    /// use maas_train::{EpochRecord, History};
    ///
    /// let mut history = History::default();
    /// history.push(EpochRecord::new(1, 0.5).with_validation_loss(0.75));
    /// assert_eq!(history.to_csv(), "epoch,loss,validation_loss,seconds\n1,0.5,0.75,0\n");
    /// ```
    #[must_use]
    pub fn to_csv(&self) -> String {
        let names: BTreeSet<&str> = (self.epochs.iter())
            .flat_map(|record| {
                record
                    .metrics
                    .keys()
                    .chain(record.validation_metrics.keys())
            })
            .map(String::as_str)
            .collect();
        let mut columns = vec![
            self.column("epoch", |record| Some(record.epoch.to_string())),
            self.column("loss", |record| Some(record.loss.to_string())),
        ];
        columns.extend(
            names.iter().map(|&name| {
                self.column(name, |record| record.metrics.get(name).map(f64::to_string))
            }),
        );
        columns.push(self.column("validation_loss", |record| {
            record.validation_loss.map(|loss| loss.to_string())
        }));
        columns.extend(names.iter().map(|&name| {
            self.column(&format!("validation_{name}"), |record| {
                record.validation_metrics.get(name).map(f64::to_string)
            })
        }));
        columns.push(self.column("learning_rate", |record| {
            record.learning_rate.map(|rate| rate.to_string())
        }));
        columns.push(self.column("seconds", |record| Some(record.seconds.to_string())));
        columns.retain(|(_, cells)| cells.is_empty() || cells.iter().any(Option::is_some));

        let mut csv = String::new();
        for (index, (name, _)) in columns.iter().enumerate() {
            let _ = write!(csv, "{}{}", separator(index), quoted(name));
        }
        csv.push('\n');
        for row in 0..self.epochs.len() {
            for (index, (_, cells)) in columns.iter().enumerate() {
                let cell = cells[row].as_deref().unwrap_or_default();
                let _ = write!(csv, "{}{cell}", separator(index));
            }
            csv.push('\n');
        }
        csv
    }

    /// Write [`to_csv`](Self::to_csv) to a file, whole or not at all.
    ///
    /// ```
    /// let path = std::env::temp_dir().join(format!("maas-history-{}.csv", std::process::id()));
    /// maas_train::History::default().save_csv(&path)?;
    /// assert!(std::fs::read_to_string(&path)?.starts_with("epoch,loss"));
    /// # std::fs::remove_file(&path)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Write`].
    pub fn save_csv(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        write(path, &self.to_csv())
    }

    /// The history as JSON, as serde writes it. JSON has no NaN and no infinities: such a loss or metric is `null`.
    ///
    /// ```
    /// use maas_train::{EpochRecord, History};
    ///
    /// let mut history = History::default();
    /// history.push(EpochRecord::new(1, 0.5));
    /// assert!(history.to_json().contains(r#""loss": 0.5"#));
    /// assert_eq!(History::from_json(&history.to_json())?, history);
    /// # Ok::<(), maas_train::Error>(())
    /// ```
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("a history has string keys only")
    }

    /// Read what [`to_json`](Self::to_json) wrote.
    ///
    /// ```
    /// assert!(maas_train::History::from_json("[]").is_err());
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::HistoryJson`].
    pub fn from_json(json: &str) -> Result<Self, Error> {
        serde_json::from_str(json).map_err(Error::HistoryJson)
    }

    /// Write [`to_json`](Self::to_json) to a file, whole or not at all.
    ///
    /// ```
    /// let path = std::env::temp_dir().join(format!("maas-history-{}.json", std::process::id()));
    /// maas_train::History::default().save_json(&path)?;
    /// # std::fs::remove_file(&path)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Write`].
    pub fn save_json(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        write(path, &self.to_json())
    }

    /// A name and a cell an epoch.
    fn column(
        &self,
        name: &str,
        cell: impl Fn(&EpochRecord) -> Option<String>,
    ) -> (String, Vec<Option<String>>) {
        (name.to_owned(), self.epochs.iter().map(cell).collect())
    }
}

pub(super) fn write(path: impl AsRef<Path>, text: &str) -> Result<(), Error> {
    maas_core::write_atomically(path, |writer| writer.write_all(text.as_bytes()))
        .map_err(Error::Write)
}

fn separator(index: usize) -> &'static str {
    if index == 0 { "" } else { "," }
}

/// As RFC 4180 has it.
fn quoted(name: &str) -> String {
    if name.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", name.replace('"', "\"\""))
    } else {
        name.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_figure_has_its_column() {
        let mut history = History::default();
        let mut record = EpochRecord::new(1, 0.1);
        record.metrics.insert("a,b".into(), 0.5);
        record.learning_rate = Some(1e-3);
        history.push(record);
        let mut record = EpochRecord::new(2, 0.05).with_validation_loss(f32::NAN);
        record.validation_metrics.insert("r2".into(), f64::INFINITY);
        record.seconds = 0.25;
        history.push(record);
        assert_eq!(
            history.to_csv(),
            "epoch,loss,\"a,b\",validation_loss,validation_r2,learning_rate,seconds\n\
             1,0.1,0.5,,,0.001,0\n\
             2,0.05,,NaN,inf,,0.25\n"
        );
    }

    #[test]
    fn json_survives_what_is_not_a_number() {
        let mut history = History::default();
        let mut record = EpochRecord::new(1, f32::NAN);
        record.metrics.insert("auc".into(), f64::NAN);
        history.push(record);
        let again = History::from_json(&history.to_json()).unwrap();
        assert!(again.epochs[0].loss.is_nan() && again.epochs[0].metrics["auc"].is_nan());
    }
}

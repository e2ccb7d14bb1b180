//! The history as a page of charts.

use std::collections::BTreeSet;
use std::path::Path;

use maas_chart::{Chart, Mark, Series, page, significant};

use super::table::write;
use super::{Ending, EpochRecord, History};
use crate::Error;

const TRAINING: &str = "#1f6fb4";
const VALIDATION: &str = "#d9602b";
const RATE: &str = "#4a8c3f";

/// Charts.
impl History {
    /// A page of line charts over the epochs, as one self-contained SVG document: the loss, every metric, each over
    /// training and validation data, and the learning rate where it was recorded. The best epoch is marked in all of
    /// them: the one whose weights early stopping kept, otherwise [`best`](Self::best).
    ///
    /// A vertical axis is logarithmic when all values are positive and the largest is at least 25 times the smallest.
    ///
    /// ```
    /// # use maas_train::{EpochRecord, History};
    /// let mut history = History::default();
    /// history.push(EpochRecord::new(1, 0.5));
    /// assert!(history.to_svg().contains("<polyline"));
    /// ```
    #[must_use]
    pub fn to_svg(&self) -> String {
        page("Training", &self.summary(), &self.charts())
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
        write(path, &self.to_svg())
    }

    fn summary(&self) -> String {
        let epochs = match self.epochs.len() {
            1 => "1 epoch".to_owned(),
            epochs => format!("{epochs} epochs"),
        };
        format!("{epochs} in {:.1} s, {}", self.seconds(), self.ending)
    }

    fn charts(&self) -> Vec<Chart> {
        let mut charts = vec![self.chart(
            "Loss",
            "loss",
            |record| Some(record.loss.into()),
            |record| record.validation_loss.map(f64::from),
        )];
        let names: BTreeSet<&str> = (self.epochs.iter())
            .flat_map(|record| {
                record
                    .metrics
                    .keys()
                    .chain(record.validation_metrics.keys())
            })
            .map(String::as_str)
            .collect();
        for name in names {
            let words = name.replace('_', " ");
            charts.push(self.chart(
                &words,
                &words,
                |record| record.metrics.get(name).copied(),
                |record| record.validation_metrics.get(name).copied(),
            ));
        }
        let rate = |record: &EpochRecord| record.learning_rate.map(f64::from);
        if self.epochs.iter().any(|record| rate(record).is_some()) {
            let line = self.line("at the end of the epoch", RATE, &rate);
            let chart = Chart::new("Learning rate", "epoch", "learning rate").counting();
            charts.push(chart.series(line).mark(self.mark(&rate)));
        }
        charts
    }

    /// Training and validation values of one figure.
    fn chart(
        &self,
        title: &str,
        unit: &str,
        training: impl Fn(&EpochRecord) -> Option<f64>,
        validation: impl Fn(&EpochRecord) -> Option<f64>,
    ) -> Chart {
        let mut words = title.chars();
        let title = words.next().map_or_else(String::new, |first| {
            first.to_uppercase().chain(words).collect()
        });
        Chart::new(title, "epoch", unit)
            .counting()
            .series(self.line("training", TRAINING, &training))
            .series(self.line("validation", VALIDATION, &validation))
            .mark(self.mark(&|record| validation(record).or_else(|| training(record))))
    }

    fn line(
        &self,
        name: &str,
        colour: &str,
        value: &dyn Fn(&EpochRecord) -> Option<f64>,
    ) -> Series {
        let points = self.epochs.iter();
        let points = points.filter_map(|record| Some((record.epoch as f64, value(record)?)));
        Series::new(name, colour, points.collect::<Vec<_>>())
    }

    /// What the value was in the best epoch.
    fn mark(&self, value: &dyn Fn(&EpochRecord) -> Option<f64>) -> Option<Mark> {
        let record = self.best_epoch()?;
        let value = value(record)?;
        Some(Mark {
            point: (record.epoch as f64, value),
            text: format!("{} in the best epoch, {}", significant(value), record.epoch),
        })
    }

    /// The epoch that early stopping kept, otherwise the best by loss.
    fn best_epoch(&self) -> Option<&EpochRecord> {
        match self.ending {
            Ending::EarlyStopping { best_epoch } => (self.epochs.iter())
                .find(|record| record.epoch == best_epoch)
                .or_else(|| self.best()),
            _ => self.best(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_figure_has_a_chart() {
        let mut history = History::default();
        for epoch in 1..=3 {
            let mut record = EpochRecord::new(epoch, 1.0 / epoch as f32).with_validation_loss(0.5);
            record.metrics.insert("a<b".into(), 0.5);
            record.learning_rate = Some(0.1);
            history.push(record);
        }
        let svg = history.to_svg();
        assert_eq!(svg.matches("<polyline").count(), 4);
        for text in [
            "Loss",
            "A&lt;b",
            "Learning rate",
            "validation",
            "in the best epoch, 1",
        ] {
            assert!(svg.contains(text), "{text}: {svg}");
        }
        assert!(!svg.contains("a<b"));
    }

    #[test]
    fn no_epochs_are_a_page_too() {
        assert!(History::default().to_svg().contains("0 epochs"));
    }
}

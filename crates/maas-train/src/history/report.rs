//! The history as a page of charts.

use std::collections::BTreeSet;
use std::fmt::{self, Write};
use std::path::Path;

use super::chart::{Chart, Escaped, Frame, Mark, Series, significant};
use super::table::write;
use super::{Ending, EpochRecord, History};
use crate::Error;

const TRAINING: &str = "#1f6fb4";
const VALIDATION: &str = "#d9602b";
const RATE: &str = "#4a8c3f";

/// A chart that stands alone, and one beside others.
const ALONE: (f64, f64) = (760.0, 400.0);
const BESIDE: (f64, f64) = (600.0, 340.0);
const HEADING: f64 = 46.0;

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
        let mut svg = String::new();
        self.write_svg(&mut svg)
            .expect("writing to a string does not fail");
        svg
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

    fn write_svg(&self, svg: &mut String) -> fmt::Result {
        let charts = self.charts();
        let columns = charts.len().min(2);
        let rows = charts.len().div_ceil(2);
        let (width, height) = if columns == 1 { ALONE } else { BESIDE };
        let (page_width, page_height) = (width * columns as f64, HEADING + height * rows as f64);
        write!(
            svg,
            r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {page_width} {page_height}" width="{page_width}" height="{page_height}" role="img" font-family="Helvetica, Arial, sans-serif" font-size="13" fill="#333333">"##
        )?;
        write!(
            svg,
            r##"<title>Training</title><rect width="100%" height="100%" fill="#ffffff"/>"##
        )?;
        write!(
            svg,
            r#"<text x="78" y="30" font-size="18" font-weight="bold">Training</text><text x="164" y="30">{}</text>"#,
            Escaped(&self.summary())
        )?;
        for (index, chart) in charts.iter().enumerate() {
            let frame = Frame {
                left: width * (index % 2) as f64,
                top: HEADING + height * (index / 2) as f64,
                width,
                height,
            };
            chart.write(svg, frame)?;
        }
        svg.push_str("</svg>\n");
        Ok(())
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
            let mut chart = self.chart("Learning rate", "learning rate", rate, |_| None);
            chart.series[0].colour = RATE;
            chart.series[0].name = "at the end of the epoch".to_owned();
            charts.push(chart);
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
        let line = |name: &str, colour, value: &dyn Fn(&EpochRecord) -> Option<f64>| Series {
            name: name.to_owned(),
            colour,
            points: (self.epochs.iter())
                .filter_map(|record| Some((record.epoch as f64, value(record)?)))
                .collect(),
        };
        let mark = self.best_epoch().and_then(|record| {
            let value = validation(record).or_else(|| training(record))?;
            Some(Mark {
                point: (record.epoch as f64, value),
                text: format!("{} in the best epoch, {}", significant(value), record.epoch),
            })
        });
        let mut words = title.chars();
        let title = words.next().map_or_else(String::new, |first| {
            first.to_uppercase().chain(words).collect()
        });
        Chart {
            title,
            x_label: "epoch",
            y_label: unit.to_owned(),
            series: vec![
                line("training", TRAINING, &training),
                line("validation", VALIDATION, &validation),
            ],
            mark,
        }
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

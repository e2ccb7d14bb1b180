//! Sensitivities for people.

use std::fmt;
use std::path::Path;

use maas_chart::{Chart, Series, page, significant};
use maas_core::grouped;

use super::{Level, Sensitivity};
use crate::Error;
use crate::file::save;
use crate::table::{Rows, aligned, markdown};

impl Sensitivity {
    /// The table as Markdown.
    ///
    /// ```
    /// # use {maas_compress::{Level, Sensitivity}, maas_core::Seed, maas_nn::Sequential};
    /// let network = Sequential::rows(4).dense(1).build(Seed(7))?;
    /// let sensitivity = Sensitivity::scan_with(&network, &[Level::Int8], "error", |_| Ok(0.5))?;
    /// assert!(sensitivity.to_markdown().contains("| dense | 4 | 0.5000 |"));
    /// # Ok::<(), maas_compress::Error>(())
    /// ```
    pub fn to_markdown(&self) -> String {
        markdown(&self.rows())
    }

    /// The metric over the sparsity of each layer, a line a layer, as an SVG that needs no other file. Levels that are no
    /// sparsities are left out.
    ///
    /// ```
    /// # use {maas_compress::{Level, Sensitivity}, maas_core::Seed, maas_nn::Sequential};
    /// let network = Sequential::rows(4).dense(1).build(Seed(7))?;
    /// let sensitivity = Sensitivity::scan_with(&network, &[Level::Sparsity(0.5)], "error", |_| Ok(0.5))?;
    /// assert!(sensitivity.to_svg().contains("<polyline"));
    /// # Ok::<(), maas_compress::Error>(())
    /// ```
    pub fn to_svg(&self) -> String {
        let mut chart = Chart::new(
            "One layer pruned, the others whole",
            "zeros",
            &self.metric[..],
        );
        for (layer, colour) in self.layers.iter().zip(COLOURS.iter().cycle()) {
            let pairs = self.levels.iter().zip(&layer.metric);
            let mut points: Vec<(f64, f64)> = pairs
                .filter_map(|(level, &metric)| match level {
                    Level::Sparsity(sparsity) => Some((*sparsity, metric)),
                    _ => None,
                })
                .chain([(0.0, self.before)])
                .collect();
            points.sort_by(|a, b| a.0.total_cmp(&b.0));
            chart = chart.series(Series::new(&layer.layer[..], *colour, points));
        }
        page(
            "Sensitivity",
            &format!("{} by layer", self.metric),
            &[chart],
        )
    }

    /// Writes [`to_svg`](Self::to_svg) to a file, whole or not at all.
    ///
    /// # Errors
    /// [`Error::Io`].
    ///
    /// ```no_run
    /// # use {maas_compress::Sensitivity, maas_core::Seed, maas_nn::Sequential};
    /// # let network = Sequential::rows(4).dense(1).build(Seed(7))?;
    /// Sensitivity::scan_with(&network, &[], "error", |_| Ok(0.5))?.save_svg("sensitivity.svg")?;
    /// # Ok::<(), maas_compress::Error>(())
    /// ```
    pub fn save_svg(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        save(path.as_ref(), self.to_svg().as_bytes())
    }

    fn rows(&self) -> Rows {
        let mut header = vec!["layer".to_owned(), "weights".to_owned()];
        header.extend(self.levels.iter().map(Level::to_string));
        let mut rows = vec![header];
        for layer in &self.layers {
            let mut row = vec![layer.layer.clone(), grouped(layer.weights as u64)];
            row.extend(layer.metric.iter().map(|&metric| significant(metric)));
            rows.push(row);
        }
        rows
    }
}

/// For a terminal.
impl fmt::Display for Sensitivity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}, {} as it is", self.metric, significant(self.before))?;
        aligned(f, &self.rows())
    }
}

const COLOURS: [&str; 6] = [
    "#1f6fb4", "#d9602b", "#4a8c3f", "#8a56a8", "#b08d1a", "#5f6b76",
];

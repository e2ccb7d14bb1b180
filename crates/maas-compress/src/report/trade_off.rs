//! Size against accuracy.

use std::path::Path;

use maas_chart::{Chart, Mark, Series, page};
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::file::save;

/// The sizes of networks' files and their metrics: what was to be compressed, and what has become of it.
///
/// ```
/// use maas_compress::{Compressor, HardThreshold};
/// use maas_core::Seed;
/// use maas_data::Dataset;
/// use maas_nn::Sequential;
/// use ndarray::Array2;
///
/// let data = Dataset::new(Array2::ones((8, 64)).view(), Array2::ones((8, 1)).view()).unwrap();
/// let network = Sequential::new(data.features()).dense(64).relu().dense(1).build(Seed(7))?;
/// let compressed = |sparsity: f64| {
///     let compressor = Compressor::new(HardThreshold::to_sparsity(sparsity));
///     compressor.run(&mut network.clone(), &data).map(|(_, report)| report)
/// };
///
/// let mut trade_off = compressed(0.5)?.trade_off;
/// trade_off.after.extend(compressed(0.9)?.trade_off.after);
/// assert!(trade_off.after[1].bytes < trade_off.after[0].bytes);
/// assert_eq!(trade_off.to_svg().matches("<polyline").count(), 2);
/// # Ok::<(), maas_compress::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TradeOff {
    /// What the metric is called.
    pub metric: String,
    /// The network before, in its dense file.
    pub before: SizedMetric,
    /// Compressed networks, in any order; what a search has found comes last.
    pub after: Vec<SizedMetric>,
}

/// A network's size and its metric.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SizedMetric {
    /// Bytes of its file.
    pub bytes: usize,
    /// Its metric.
    pub metric: f64,
}

impl SizedMetric {
    pub(crate) fn new(bytes: usize, metric: f64) -> Self {
        Self { bytes, metric }
    }

    fn point(self) -> (f64, f64) {
        (self.bytes as f64, self.metric)
    }
}

impl TradeOff {
    /// The metric over the size, as an SVG that needs no other file: the network before, the others, and a ring round the
    /// last of them.
    ///
    /// See the type for an example.
    pub fn to_svg(&self) -> String {
        let mut points: Vec<(f64, f64)> = self.after.iter().map(|after| after.point()).collect();
        let mark = points.last().map(|&point| Mark {
            point,
            text: "the result".to_owned(),
        });
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        let chart = Chart::new(
            "Size against accuracy",
            "bytes of the file",
            &self.metric[..],
        )
        .series(Series::new("compressed", "#1f6fb4", points))
        .series(Series::new("before", "#d9602b", [self.before.point()]))
        .mark(mark);
        page(
            "Compression",
            &format!("{} over the size of the file", self.metric),
            &[chart],
        )
    }

    /// Writes [`to_svg`](Self::to_svg) to a file, whole or not at all.
    ///
    /// # Errors
    /// [`Error::Io`].
    ///
    /// ```no_run
    /// # fn save(report: &maas_compress::Report) -> Result<(), maas_compress::Error> {
    /// report.trade_off.save_svg("size.svg")
    /// # }
    /// ```
    pub fn save_svg(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        save(path.as_ref(), self.to_svg().as_bytes())
    }
}

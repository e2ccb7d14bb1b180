//! What compressing a network has changed.

mod interval;
mod layer;
mod remarks;
mod text;
mod trade_off;

pub use interval::Interval;
pub use layer::{LayerReport, OtherLayer, OutputChange};
pub use trade_off::{SizedMetric, TradeOff};

use maas_data::Dataset;
use maas_nn::{Network, PackedNetwork, Representation};
use serde::{Deserialize, Serialize};

use crate::compile::{Sample, Target, compare};
use crate::measure::Measured;
use crate::{CompressedNetwork, Error, Latency, Pruned, ShrinkReport};

/// What compressing a network has changed, all of it measured: sizes of the files, times of calls on this machine, and
/// the metric.
///
/// As text for a terminal by `Display`, as [Markdown](Report::to_markdown), as JSON by serde; [`trade_off`](Report::trade_off)
/// draws sizes against the metric.
///
/// ```
/// use maas_compress::{Compressor, SoftThreshold};
/// use maas_core::Seed;
/// use maas_data::Dataset;
/// use maas_nn::Sequential;
/// use ndarray::Array2;
///
/// let data = Dataset::new(Array2::ones((8, 4)).view(), Array2::ones((8, 1)).view()).unwrap();
/// let mut network = Sequential::new(data.features()).dense(64).relu().dense(1).build(Seed(7))?;
/// let (_, report) = Compressor::new(SoftThreshold::to_sparsity(0.9)).run(&mut network, &data)?;
/// assert_eq!((report.weights, report.nonzeros()), (320, 32));
/// assert!(report.compression() > 1.0);
/// assert!(report.to_string().contains("10.0 times fewer"));
/// assert!(report.to_markdown().starts_with("|  | before | after |  |"));
/// assert!(report.layers[0].sparsity() > 0.5);
/// assert!(report.layers[0].latency_after.is_some());
/// assert_eq!(report.layers[0].criterion.as_deref(), Some("SoftThreshold"));
/// assert!(report.layers[0].bytes_after < report.layers[0].bytes_before);
/// # Ok::<(), maas_compress::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Report {
    /// How many weights the network had.
    pub weights_before: usize,
    /// How many of them were zero.
    pub zeros_before: usize,
    /// How many weights the network has.
    pub weights: usize,
    /// How many of them are zero.
    pub zeros_after: usize,
    /// The λ of the threshold, where there was one.
    pub lambda: Option<f32>,
    /// Bytes of the network's own file, dense, before.
    pub bytes_before: usize,
    /// Bytes of the compressed network's file.
    pub bytes_after: usize,
    /// Rows of the calls that were timed.
    pub target_rows: usize,
    /// How long such a call took before.
    pub latency_before: Latency,
    /// How long it takes now.
    pub latency_after: Latency,
    /// What the metric is called.
    pub metric: String,
    /// The metric of the network before.
    pub metric_before: f64,
    /// The metric of the compressed network.
    pub metric_after: f64,
    /// The interval of the metric before, where it is known how to compute one.
    pub interval_before: Option<Interval>,
    /// The interval of the metric of the compressed network.
    pub interval_after: Option<Interval>,
    /// The dense layers that the network had.
    pub layers: Vec<LayerReport>,
    /// The other layers with parameters that the network has.
    pub others: Vec<OtherLayer>,
    /// What left the network, where it was shrunk.
    pub shrunk: Option<ShrinkReport>,
    /// Sizes and metrics of this network and, from a search, of all that were tried.
    pub trade_off: TradeOff,
}

/// How a network was compressed.
#[derive(Debug)]
pub(crate) struct Method<'a> {
    /// What chose the weights that became zero.
    pub(crate) name: &'a str,
    /// Its λ, where it has one.
    pub(crate) lambda: Option<f32>,
    /// What left.
    pub(crate) shrunk: Option<ShrinkReport>,
}

impl Report {
    pub(crate) fn new(
        (before, metric_before): (&Network, Measured),
        (after, metric_after): (&CompressedNetwork, Measured),
        method: Method<'_>,
        target: &Target,
        data: &Dataset,
    ) -> Result<Self, Error> {
        let sample = Sample::of(data, target.rows);
        let (old, new) = (Pruned::of(before), after.pruned());
        let (bytes_before, written) = (before.to_bytes().len(), after.written()?);
        let layers = layer::layers(before, (after, &written), method.name, target, &sample)?;
        let bytes_after = written.bytes.len();
        let dense = PackedNetwork::new(before.clone(), |_| Representation::Dense)?;
        let [latency_before, latency_after] = compare([&dense, after], target, &sample)?;
        Ok(Self {
            weights_before: old.weights,
            zeros_before: old.zeros,
            weights: new.weights,
            zeros_after: new.zeros,
            lambda: method.lambda,
            bytes_before,
            bytes_after,
            target_rows: target.rows,
            latency_before,
            latency_after,
            trade_off: TradeOff {
                metric: metric_after.name.clone(),
                before: SizedMetric::new(bytes_before, metric_before.value),
                after: vec![SizedMetric::new(bytes_after, metric_after.value)],
            },
            metric: metric_after.name,
            metric_before: metric_before.value,
            metric_after: metric_after.value,
            interval_before: metric_before.interval,
            interval_after: metric_after.interval,
            layers,
            others: layer::others(after.network(), &written),
            shrunk: method.shrunk,
        })
    }

    /// How many weights are not zero now.
    ///
    /// See the type for an example.
    pub fn nonzeros(&self) -> usize {
        self.weights - self.zeros_after
    }

    /// How many times smaller the file is.
    ///
    /// See the type for an example.
    pub fn compression(&self) -> f64 {
        self.bytes_before as f64 / self.bytes_after as f64
    }

    /// How many times faster a call is.
    ///
    /// ```
    /// # use {maas_compress::{Compressor, SoftThreshold}, maas_core::Seed, maas_data::Dataset};
    /// # use {maas_nn::Sequential, ndarray::Array2};
    /// # let data = Dataset::new(Array2::ones((8, 4)).view(), Array2::ones((8, 1)).view()).unwrap();
    /// # let mut network = Sequential::new(data.features()).dense(4).dense(1).build(Seed(7))?;
    /// let (_, report) = Compressor::new(SoftThreshold::to_sparsity(0.9)).run(&mut network, &data)?;
    /// assert!(report.speedup() > 0.0);
    /// # Ok::<(), maas_compress::Error>(())
    /// ```
    pub fn speedup(&self) -> f64 {
        self.latency_before.median.as_secs_f64() / self.latency_after.median.as_secs_f64()
    }
}

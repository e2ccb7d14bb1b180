//! How much a metric suffers from each layer.

mod level;
mod text;

pub use level::Level;

use maas_data::Dataset;
use maas_nn::Network;
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::measure::measure;
use crate::prune::finite_weights;

/// A network's metric when one layer alone is compressed, for each dense layer and level, without fine-tuning.
///
/// As text by `Display`, as [Markdown](Sensitivity::to_markdown), as a [chart](Sensitivity::to_svg), as JSON by serde.
///
/// ```
/// use maas_compress::{Level, Sensitivity};
/// use maas_core::Seed;
/// use maas_data::Dataset;
/// use maas_nn::Sequential;
/// use ndarray::Array2;
///
/// let data = Dataset::new(Array2::ones((8, 4)).view(), Array2::ones((8, 1)).view()).unwrap();
/// let network = Sequential::new(data.features()).dense(64).relu().dense(1).build(Seed(7))?;
/// let levels = [Level::Sparsity(0.5), Level::Sparsity(0.9), Level::Codebook(16), Level::Int8];
/// let sensitivity = Sensitivity::scan(&network, &data, &levels)?;
/// assert_eq!(sensitivity.layers[1].metric.len(), 4);
/// println!("{sensitivity}");
/// # Ok::<(), maas_compress::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Sensitivity {
    /// What the metric is called.
    pub metric: String,
    /// The metric of the network as it is.
    pub before: f64,
    /// The levels, in the order given.
    pub levels: Vec<Level>,
    /// The dense layers.
    pub layers: Vec<LayerSensitivity>,
}

/// The metric when one layer is compressed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LayerSensitivity {
    /// The layer.
    pub layer: String,
    /// How many weights it has.
    pub weights: usize,
    /// The metric at each level.
    pub metric: Vec<f64>,
}

impl Sensitivity {
    /// Measures on these data, which were not trained on: the root mean squared error of a regression, the accuracy of a
    /// classification.
    ///
    /// # Errors
    /// [`Error::Sparsity`], [`Error::NoValues`] for levels that make no sense, [`Error::NotFinite`], [`Error::Network`] when
    /// network and data do not fit.
    ///
    /// See the type for an example.
    pub fn scan(network: &Network, data: &Dataset, levels: &[Level]) -> Result<Self, Error> {
        let name = measure(network, data)?.name;
        let metric = |network: &Network| Ok(measure(network, data)?.value);
        Self::scan_with(network, levels, name, metric)
    }

    /// Measures another metric.
    ///
    /// # Errors
    /// As for [`Sensitivity::scan`], and what the closure reports.
    ///
    /// ```
    /// # use {maas_compress::{Error, Level, Sensitivity}, maas_core::Seed, maas_nn::{Network, Sequential}};
    /// let network = Sequential::rows(4).dense(8).relu().dense(1).build(Seed(7))?;
    /// let largest = |network: &Network| {
    ///     let magnitudes = network.parameters().iter().map(|weight| weight.abs());
    ///     Ok::<_, Error>(magnitudes.fold(0.0, f32::max).into())
    /// };
    /// let sensitivity = Sensitivity::scan_with(&network, &[Level::Sparsity(1.0)], "largest weight", largest)?;
    /// assert!(sensitivity.layers[0].metric[0] < sensitivity.before || sensitivity.layers[1].metric[0] < sensitivity.before);
    /// # Ok::<(), Error>(())
    /// ```
    pub fn scan_with(
        network: &Network,
        levels: &[Level],
        name: impl Into<String>,
        mut metric: impl FnMut(&Network) -> Result<f64, Error>,
    ) -> Result<Self, Error> {
        finite_weights(network)?;
        let before = metric(network)?;
        let mut layers = Vec::new();
        for node in &network.spec().nodes {
            if network.arithmetic(&node.name).is_err() {
                continue;
            }
            let mut at_levels = Vec::with_capacity(levels.len());
            for level in levels {
                let mut compressed = network.clone();
                level.apply(&mut compressed, &node.name)?;
                at_levels.push(metric(&compressed)?);
            }
            layers.push(LayerSensitivity {
                layer: node.name.clone(),
                weights: network.segment(&format!("{}.kernel", node.name))?.len(),
                metric: at_levels,
            });
        }
        Ok(Self {
            metric: name.into(),
            before,
            levels: levels.to_vec(),
            layers,
        })
    }
}

use maas_nn::Network;

use super::Quantize;
use super::kmeans::{kmeans, nearest};
use super::selection::Selection;
use crate::Error;
use crate::prune::finite_weights;

/// At most so many different weights a layer, beside zero: each weight becomes the nearest of the layer's k-means (Han, Mao and
/// Dally, 2015). The file keeps the few values once, and a short code a weight; layers compute in single precision.
///
/// ```
/// use maas_compress::{Codebook, HardThreshold, Prune, Quantize};
/// use maas_core::Seed;
/// use maas_nn::Sequential;
///
/// let mut network = Sequential::rows(64).dense(64).relu().dense(10).build(Seed(7))?;
/// HardThreshold::to_sparsity(0.9).prune(&mut network)?;
/// let zeros = maas_compress::Pruned::of(&network).zeros;
/// Codebook::new(16).exclude("dense_1").quantize(&mut network)?;
/// assert_eq!(maas_compress::Pruned::of(&network).zeros, zeros);
/// # Ok::<(), maas_compress::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Codebook {
    values: usize,
    layers: Selection,
}

impl Codebook {
    /// All dense layers, with at most this many different weights each.
    ///
    /// See the type for an example.
    pub fn new(values: usize) -> Self {
        Self {
            values,
            layers: Selection::default(),
        }
    }

    /// This layer, and others named so, in place of all.
    ///
    /// ```
    /// # use {maas_compress::{Codebook, Quantize}, maas_core::Seed, maas_nn::Sequential};
    /// let mut network = Sequential::rows(4).dense(16).relu().dense(1).build(Seed(7))?;
    /// let before = network.segment("dense_1.kernel")?.to_owned();
    /// Codebook::new(16).only("dense").quantize(&mut network)?;
    /// assert_eq!(network.segment("dense_1.kernel")?, before);
    /// # Ok::<(), maas_compress::Error>(())
    /// ```
    pub fn only(self, layer: impl Into<String>) -> Self {
        Self {
            layers: self.layers.only(layer),
            ..self
        }
    }

    /// Leaves a layer as it is.
    ///
    /// See the type for an example.
    pub fn exclude(self, layer: impl Into<String>) -> Self {
        Self {
            layers: self.layers.exclude(layer),
            ..self
        }
    }
}

impl Quantize for Codebook {
    /// # Errors
    /// [`Error::NoValues`] for a codebook without values, [`Error::NotFinite`], [`Error::Network`] for a layer to be left
    /// out that is not there.
    fn quantize(&self, network: &mut Network) -> Result<(), Error> {
        if self.values == 0 {
            return Err(Error::NoValues);
        }
        finite_weights(network)?;
        for (_, layer) in self.layers.layers(network)? {
            let mut kernel = network.segment_mut(&format!("{layer}.kernel"))?;
            let mut sorted: Vec<f32> = kernel.iter().copied().filter(|&w| w != 0.0).collect();
            sorted.sort_by(f32::total_cmp);
            let centres = kmeans(&sorted, self.values);
            for weight in kernel.iter_mut().filter(|weight| **weight != 0.0) {
                *weight = centres[nearest(&centres, *weight)];
            }
        }
        Ok(())
    }
}

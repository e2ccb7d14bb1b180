use maas_nn::{Network, Segment};
use serde_json::{Value, json};

use super::Quantize;
use super::palette::Palette;
use super::selection::Selection;
use crate::Error;
use crate::prune::{check_finite, finite_weights};

/// At most so many different weights a layer, beside zero: each weight becomes the nearest of the layer's k-means (Han, Mao and
/// Dally, 2015). The file keeps the few values once, and a short code a weight; layers compute in single precision.
///
/// The values have log₂ k + 4 significant bits: what is behind is a 32nd of the distance of two neighbours. A layer that has no
/// more different weights than that is left as it is, so that rounding twice is rounding once, and rounding what
/// [`CodebookTraining`](crate::CodebookTraining) has trained changes nothing.
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
    biases: Biases,
    layers: Selection,
}

/// What becomes of biases.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Biases {
    #[default]
    Kept,
    Rounded,
}

impl Codebook {
    /// All dense layers, with at most this many different weights each.
    ///
    /// See the type for an example.
    pub fn new(values: usize) -> Self {
        Self {
            values,
            biases: Biases::default(),
            layers: Selection::default(),
        }
    }

    /// Rounds biases too, those of each layer to as many values of their own.
    ///
    /// ```
    /// # use {maas_compress::{Codebook, Quantize}, maas_core::Seed, maas_nn::Sequential, ndarray::array};
    /// let mut network = Sequential::rows(4).dense(4).build(Seed(7))?;
    /// network.segment_mut("dense.bias")?.assign(&array![1.0, 1.5, -2.0, 0.0].into_dyn());
    /// Codebook::new(2).with_biases().quantize(&mut network)?;
    /// assert_eq!(network.segment("dense.bias")?, array![1.25, 1.25, -2.0, 0.0].into_dyn());
    /// # Ok::<(), maas_compress::Error>(())
    /// ```
    pub fn with_biases(self) -> Self {
        Self {
            biases: Biases::Rounded,
            ..self
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

    pub(super) fn values(&self) -> usize {
        self.values
    }

    /// Its numbers, as data.
    pub(super) fn config(&self) -> Value {
        let biases = self.biases == Biases::Rounded;
        json!({ "values": self.values, "biases": biases, "layers": self.layers.config() })
    }

    /// What is rounded.
    pub(super) fn segments(&self, network: &Network) -> Result<Vec<Segment>, Error> {
        let layers = self.layers.layers(network)?;
        let is = |segment: &Segment, layer: &str| match segment.name.strip_prefix(layer) {
            Some(".kernel") => true,
            Some(".bias") => self.biases == Biases::Rounded,
            _ => false,
        };
        let chosen = |segment: &&Segment| layers.iter().any(|(_, layer)| is(segment, layer));
        Ok(network.segments().iter().filter(chosen).cloned().collect())
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
        let segments = self.segments(network)?;
        check_finite(network, &segments)?;
        for segment in segments {
            let numbers = &mut network.parameters_mut()[segment.range];
            let palette = Palette::of(numbers, self.values);
            for number in numbers {
                *number = palette.nearest(*number);
            }
        }
        Ok(())
    }
}

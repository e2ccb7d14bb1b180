use std::fmt;

use maas_core::grouped;
use maas_nn::Network;
use serde::{Deserialize, Serialize};

use super::curve::Choice;
use crate::{Codebook, Error, Int8, Magnitude, Prune, Pruner, Quantize};

/// How far each layer of a network is compressed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Plan {
    /// A line for each dense layer, in the order of the network.
    pub layers: Vec<LayerPlan>,
}

/// How far a layer is compressed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LayerPlan {
    /// The layer.
    pub layer: String,
    /// How many weights it has.
    pub weights: usize,
    /// The fraction of them that become zero.
    pub sparsity: f64,
    /// What becomes of the others.
    pub bits: Bits,
}

/// What weights that are not zero are rounded to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Bits {
    /// Nothing: single precision.
    Full,
    /// The integers of eight bits; inputs too, row by row.
    Int8,
    /// So many values a layer, at most.
    Codebook(usize),
}

impl Plan {
    /// The zeros of all layers together, as a fraction.
    ///
    /// See [`BudgetSearch`](crate::BudgetSearch) for an example.
    pub fn sparsity(&self) -> f64 {
        let weights: usize = self.layers.iter().map(|layer| layer.weights).sum();
        let zeros = self
            .layers
            .iter()
            .map(|layer| layer.sparsity * layer.weights as f64);
        zeros.sum::<f64>() / weights.max(1) as f64
    }

    /// Bytes that the weights take in a file, about.
    pub(super) fn bytes(&self) -> f64 {
        self.layers.iter().map(LayerPlan::bytes).sum()
    }

    /// Makes the plan's zeros, and masks them.
    pub(super) fn prune(&self, network: &mut Network) -> Result<(), Error> {
        self.layers
            .iter()
            .try_for_each(|layer| layer.prune(network))
    }

    /// Rounds what is not zero.
    pub(super) fn quantize(&self, network: &mut Network) -> Result<(), Error> {
        self.layers
            .iter()
            .try_for_each(|layer| layer.quantize(network))
    }
}

impl<'a> FromIterator<&'a Choice> for Plan {
    fn from_iter<I: IntoIterator<Item = &'a Choice>>(choices: I) -> Self {
        let layers = choices.into_iter().map(|choice| choice.plan.clone());
        Self {
            layers: layers.collect(),
        }
    }
}

impl LayerPlan {
    pub(super) fn prune(&self, network: &mut Network) -> Result<(), Error> {
        if self.sparsity == 0.0 {
            return Ok(());
        }
        let pruner = Pruner::new(Magnitude, self.sparsity).only(&self.layer[..]);
        pruner.prune(network).map(drop)
    }

    pub(super) fn quantize(&self, network: &mut Network) -> Result<(), Error> {
        match self.bits {
            Bits::Full => Ok(()),
            Bits::Int8 => Int8::dynamic().only(&self.layer[..]).quantize(network),
            Bits::Codebook(values) => Codebook::new(values)
                .only(&self.layer[..])
                .quantize(network),
        }
    }

    /// Bytes that the layer's weights take in a file, about: the entropy of the zeros' places, and the bits of the others.
    pub(super) fn bytes(&self) -> f64 {
        let nonzeros = (1.0 - self.sparsity) * self.weights as f64;
        let entropy = |p: f64| if p > 0.0 { -p * p.log2() } else { 0.0 };
        let places = self.weights as f64 * (entropy(self.sparsity) + entropy(1.0 - self.sparsity));
        let bits = match self.bits {
            Bits::Full => 32.0,
            Bits::Int8 => 8.0,
            Bits::Codebook(values) => (values.max(2) as f64).log2(),
        };
        (places + nonzeros * bits) / 8.0
    }
}

impl fmt::Display for Bits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full => f.write_str("f32"),
            Self::Int8 => f.write_str("int8"),
            Self::Codebook(values) => write!(f, "{values} values"),
        }
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let header = ["layer", "weights", "zeros", "bits"].map(str::to_owned);
        let mut rows = vec![header.to_vec()];
        rows.extend(self.layers.iter().map(|layer| {
            vec![
                layer.layer.clone(),
                grouped(layer.weights as u64),
                format!("{:.1} %", 100.0 * layer.sparsity),
                layer.bits.to_string(),
            ]
        }));
        crate::table::aligned(f, &rows)
    }
}

use std::fmt;

use maas_nn::Network;
use serde::{Deserialize, Serialize};

use crate::{Codebook, Error, HardThreshold, Int8, Quantize};

/// How far a layer is compressed.
///
/// ```
/// use maas_compress::Level;
/// assert_eq!(Level::Sparsity(0.95).to_string(), "95 % zeros");
/// assert_eq!(Level::Codebook(16).to_string(), "16 values");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Level {
    /// This fraction of its weights is zero: those of least magnitude.
    Sparsity(f64),
    /// It has at most this many different weights beside zero.
    Codebook(usize),
    /// Weights and inputs have eight bits, with a scale for each unit and row.
    Int8,
}

impl Level {
    pub(super) fn apply(self, network: &mut Network, layer: &str) -> Result<(), Error> {
        match self {
            Self::Sparsity(sparsity) => {
                let kernel = network.segment_mut(&format!("{layer}.kernel"))?;
                HardThreshold::to_sparsity(sparsity).apply(kernel)?;
                Ok(())
            }
            Self::Codebook(values) => Codebook::new(values).only(layer).quantize(network),
            Self::Int8 => Int8::dynamic().only(layer).quantize(network),
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sparsity(sparsity) => write!(f, "{} % zeros", (1000.0 * sparsity).round() / 10.0),
            Self::Codebook(values) => write!(f, "{values} values"),
            Self::Int8 => f.write_str("int8"),
        }
    }
}

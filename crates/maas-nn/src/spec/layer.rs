use maas_core::Moments;
use maas_kernels::Activation;
use serde::{Deserialize, Serialize};

use super::{ActivationName, Initializer};

/// One layer of an architecture, as data.
///
/// ```
/// use maas_nn::LayerSpec;
///
/// let dense: LayerSpec = serde_json::from_str(r#"{"dense": {"units": 64}}"#)?;
/// assert_eq!(dense, LayerSpec::dense(64));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum LayerSpec {
    /// y = x·W + b, with the kernel W of `inputs` × `units`.
    Dense {
        /// Outputs a row.
        units: usize,
        /// Whether b is there.
        #[serde(default = "yes")]
        bias: bool,
        /// How W starts.
        #[serde(default)]
        kernel_initializer: Initializer,
        /// How b starts.
        #[serde(default = "zeros")]
        bias_initializer: Initializer,
    },
    /// y = f(x), element by element.
    Activation(#[serde(with = "super::activation")] Activation),
    /// y = exp(x) / Σ exp(x) over the last axis.
    Softmax,
    /// In training, zeroes elements with probability `rate` and scales the others by 1 / (1 − rate); else y = x.
    Dropout {
        /// In [0, 1).
        rate: f32,
    },
    /// A row of any shape as a row of numbers.
    Flatten,
    /// y = (x − mean) / deviation, column by column.
    Normalization {
        /// A mean and a deviation for each number of a row.
        moments: Moments,
    },
    /// y = x · deviation + mean, column by column.
    Denormalization {
        /// A mean and a deviation for each number of a row.
        moments: Moments,
    },
    /// A user's layer, resolved by a table of [`Layers`](crate::Layers).
    Custom {
        /// Its kind.
        kind: String,
        /// Its configuration.
        config: serde_json::Value,
    },
}

impl LayerSpec {
    /// A dense layer with Keras' defaults: a bias that starts at zero, a Glorot uniform kernel.
    ///
    /// ```
    /// assert_eq!(maas_nn::LayerSpec::dense(64).kind(), "dense");
    /// ```
    pub fn dense(units: usize) -> Self {
        Self::Dense {
            units,
            bias: true,
            kernel_initializer: Initializer::GlorotUniform,
            bias_initializer: Initializer::Zeros,
        }
    }

    /// The field's name for the layer's kind: `dense`, `relu`, or a user's own.
    ///
    /// ```
    /// use maas_nn::{Activation, LayerSpec};
    /// assert_eq!(LayerSpec::Activation(Activation::Relu).kind(), "relu");
    /// ```
    pub fn kind(&self) -> &str {
        match self {
            Self::Dense { .. } => "dense",
            Self::Activation(activation) => activation.field_name(),
            Self::Softmax => "softmax",
            Self::Dropout { .. } => "dropout",
            Self::Flatten => "flatten",
            Self::Normalization { .. } => "normalization",
            Self::Denormalization { .. } => "denormalization",
            Self::Custom { kind, .. } => kind,
        }
    }
}

fn yes() -> bool {
    true
}

fn zeros() -> Initializer {
    Initializer::Zeros
}

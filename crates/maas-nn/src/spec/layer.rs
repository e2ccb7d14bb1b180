use maas_core::Moments;
use maas_kernels::Activation;
use serde::{Deserialize, Serialize};

use super::{ActivationName, Initializer};
use crate::Arithmetic;

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
        /// What x·W is computed with.
        #[serde(default, skip_serializing_if = "Arithmetic::is_f32")]
        arithmetic: Arithmetic,
    },
    /// y = f(x), element by element.
    Activation(#[serde(with = "super::activation::Stored")] Activation),
    /// y = exp(x) / Σ exp(x) over the last axis.
    Softmax,
    /// In training, zeroes elements with probability `rate` and scales the others by 1 / (1 − rate); else y = x.
    Dropout {
        /// In [0, 1).
        rate: f32,
    },
    /// In training, adds normal noise of this standard deviation; else y = x.
    GaussianNoise {
        /// At least 0.
        deviation: f32,
    },
    /// y = gamma · (x − mean) / √(variance + epsilon) + beta, feature by feature over the last axis (Ioffe and Szegedy,
    /// 2015). In training the mean and the variance are those of the pass's rows, and running ones move on:
    /// r ← momentum · r + (1 − momentum) · batch. Else, and where the layer is frozen, they are the running ones.
    BatchNorm {
        /// In [0, 1].
        #[serde(default = "momentum")]
        momentum: f32,
        /// Above 0.
        #[serde(default = "epsilon")]
        epsilon: f32,
        /// Whether beta is there; else it is 0.
        #[serde(default = "yes", skip_serializing_if = "is_true")]
        center: bool,
        /// Whether gamma is there; else it is 1.
        #[serde(default = "yes", skip_serializing_if = "is_true")]
        scale: bool,
    },
    /// y = gamma · (x − mean) / √(variance + epsilon) + beta, with the mean and the variance of each vector along the
    /// last axis (Ba, Kiros and Hinton, 2016).
    LayerNorm {
        /// Above 0.
        #[serde(default = "epsilon")]
        epsilon: f32,
    },
    /// Each id's vector of a table: rows of [..] ids become rows of [.., width] numbers.
    Embedding {
        /// How many ids there are: 0 up to `vocabulary` − 1.
        vocabulary: usize,
        /// Numbers a vector.
        width: usize,
        /// How the table starts.
        #[serde(default = "embedding")]
        initializer: Initializer,
    },
    /// A row of any shape as a row of numbers.
    Flatten,
    /// A row's numbers in another shape.
    Reshape {
        /// The shape of a row, of as many numbers.
        shape: Vec<usize>,
    },
    /// y = x₀ + x₁ + …, of values of one shape.
    Add,
    /// y = x₀ · x₁ · …, element by element, of values of one shape.
    Multiply,
    /// The values' vectors along the last axis, one behind the other.
    Concatenate,
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
            arithmetic: Arithmetic::F32,
        }
    }

    /// The same layer with another arithmetic, where it is a dense one.
    ///
    /// ```
    /// use maas_nn::{Arithmetic, LayerSpec};
    /// assert_ne!(LayerSpec::dense(64).with_arithmetic(Arithmetic::Bf16), LayerSpec::dense(64));
    /// assert_eq!(LayerSpec::Softmax.with_arithmetic(Arithmetic::Bf16), LayerSpec::Softmax);
    /// ```
    #[must_use]
    pub fn with_arithmetic(mut self, of_products: Arithmetic) -> Self {
        if let Self::Dense { arithmetic, .. } = &mut self {
            *arithmetic = of_products;
        }
        self
    }

    /// A batch normalisation with Keras' defaults: momentum 0.99, epsilon 1e-3, with beta and gamma.
    ///
    /// ```
    /// assert_eq!(maas_nn::LayerSpec::batch_norm().kind(), "batch_norm");
    /// ```
    pub fn batch_norm() -> Self {
        Self::BatchNorm {
            momentum: momentum(),
            epsilon: epsilon(),
            center: true,
            scale: true,
        }
    }

    /// A layer normalisation with Keras' default: epsilon 1e-3.
    ///
    /// ```
    /// assert_eq!(maas_nn::LayerSpec::layer_norm().kind(), "layer_norm");
    /// ```
    pub fn layer_norm() -> Self {
        Self::LayerNorm { epsilon: epsilon() }
    }

    /// A table of `vocabulary` vectors with Keras' default: uniform from −0.05 to 0.05.
    ///
    /// ```
    /// assert_eq!(maas_nn::LayerSpec::embedding(1000, 16).kind(), "embedding");
    /// ```
    pub fn embedding(vocabulary: usize, width: usize) -> Self {
        Self::Embedding {
            vocabulary,
            width,
            initializer: embedding(),
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
            Self::GaussianNoise { .. } => "gaussian_noise",
            Self::BatchNorm { .. } => "batch_norm",
            Self::LayerNorm { .. } => "layer_norm",
            Self::Embedding { .. } => "embedding",
            Self::Flatten => "flatten",
            Self::Reshape { .. } => "reshape",
            Self::Add => "add",
            Self::Multiply => "multiply",
            Self::Concatenate => "concatenate",
            Self::Normalization { .. } => "normalization",
            Self::Denormalization { .. } => "denormalization",
            Self::Custom { kind, .. } => kind,
        }
    }
}

fn yes() -> bool {
    true
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_true(value: &bool) -> bool {
    *value
}

fn momentum() -> f32 {
    0.99
}

fn epsilon() -> f32 {
    1e-3
}

fn embedding() -> Initializer {
    Initializer::Uniform {
        low: -0.05,
        high: 0.05,
    }
}

fn zeros() -> Initializer {
    Initializer::Zeros
}

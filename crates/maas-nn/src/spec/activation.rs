//! Activations in files: `"relu"`, `{"leaky_relu": {"slope": 0.2}}`.

use maas_kernels::Activation;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
#[serde(remote = "Activation", rename_all = "snake_case")]
#[non_exhaustive]
pub(crate) enum Stored {
    Linear,
    Relu,
    LeakyRelu { slope: f32 },
    Elu { alpha: f32 },
    Selu,
    Gelu,
    GeluTanh,
    Silu,
    Mish,
    Tanh,
    Sigmoid,
    HardSigmoid,
    Softplus,
    Softsign,
}

/// The field's name for an activation.
pub(crate) trait ActivationName {
    fn field_name(self) -> &'static str;
}

impl ActivationName for Activation {
    fn field_name(self) -> &'static str {
        match self {
            Self::Linear => "linear",
            Self::Relu => "relu",
            Self::LeakyRelu { .. } => "leaky_relu",
            Self::Elu { .. } => "elu",
            Self::Selu => "selu",
            Self::Gelu => "gelu",
            Self::GeluTanh => "gelu_tanh",
            Self::Silu => "silu",
            Self::Mish => "mish",
            Self::Tanh => "tanh",
            Self::Sigmoid => "sigmoid",
            Self::HardSigmoid => "hard_sigmoid",
            Self::Softplus => "softplus",
            Self::Softsign => "softsign",
            _ => "activation",
        }
    }
}

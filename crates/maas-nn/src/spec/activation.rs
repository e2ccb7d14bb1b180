//! Activations in files: `"relu"`, `{"leaky_relu": {"slope": 0.2}}`.

use maas_kernels::Activation;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Stored {
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

pub(crate) fn serialize<S: Serializer>(
    activation: &Activation,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let stored = match *activation {
        Activation::Linear => Stored::Linear,
        Activation::Relu => Stored::Relu,
        Activation::LeakyRelu { slope } => Stored::LeakyRelu { slope },
        Activation::Elu { alpha } => Stored::Elu { alpha },
        Activation::Selu => Stored::Selu,
        Activation::Gelu => Stored::Gelu,
        Activation::GeluTanh => Stored::GeluTanh,
        Activation::Silu => Stored::Silu,
        Activation::Mish => Stored::Mish,
        Activation::Tanh => Stored::Tanh,
        Activation::Sigmoid => Stored::Sigmoid,
        Activation::HardSigmoid => Stored::HardSigmoid,
        Activation::Softplus => Stored::Softplus,
        Activation::Softsign => Stored::Softsign,
        unknown => {
            return Err(serde::ser::Error::custom(format_args!(
                "activation {unknown:?} has no name in files"
            )));
        }
    };
    stored.serialize(serializer)
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Activation, D::Error> {
    Ok(match Stored::deserialize(deserializer)? {
        Stored::Linear => Activation::Linear,
        Stored::Relu => Activation::Relu,
        Stored::LeakyRelu { slope } => Activation::LeakyRelu { slope },
        Stored::Elu { alpha } => Activation::Elu { alpha },
        Stored::Selu => Activation::Selu,
        Stored::Gelu => Activation::Gelu,
        Stored::GeluTanh => Activation::GeluTanh,
        Stored::Silu => Activation::Silu,
        Stored::Mish => Activation::Mish,
        Stored::Tanh => Activation::Tanh,
        Stored::Sigmoid => Activation::Sigmoid,
        Stored::HardSigmoid => Activation::HardSigmoid,
        Stored::Softplus => Activation::Softplus,
        Stored::Softsign => Activation::Softsign,
    })
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

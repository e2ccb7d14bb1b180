//! Activations in files: `"relu"`, `{"leaky_relu": {"slope": 0.2}}`.

use maas_kernels::Activation;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Stored {
    Linear,
    Relu,
    LeakyRelu { slope: f32 },
    Gelu,
    Silu,
    Tanh,
    Sigmoid,
}

pub(crate) fn serialize<S: Serializer>(
    activation: &Activation,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let stored = match *activation {
        Activation::Linear => Stored::Linear,
        Activation::Relu => Stored::Relu,
        Activation::LeakyRelu { slope } => Stored::LeakyRelu { slope },
        Activation::Gelu => Stored::Gelu,
        Activation::Silu => Stored::Silu,
        Activation::Tanh => Stored::Tanh,
        Activation::Sigmoid => Stored::Sigmoid,
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
        Stored::Gelu => Activation::Gelu,
        Stored::Silu => Activation::Silu,
        Stored::Tanh => Activation::Tanh,
        Stored::Sigmoid => Activation::Sigmoid,
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
            Self::Gelu => "gelu",
            Self::Silu => "silu",
            Self::Tanh => "tanh",
            Self::Sigmoid => "sigmoid",
            _ => "activation",
        }
    }
}

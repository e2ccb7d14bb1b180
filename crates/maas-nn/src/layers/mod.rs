//! The layers that come with the library, and the table that resolves users' own.

mod activation;
mod dense;
mod dropout;
mod flatten;
mod moments;
mod softmax;
mod table;

pub use table::{FromConfig, Layers};

pub(crate) use dense::Dense;

use std::sync::Arc;

use maas_kernels::Activation;

use crate::{Error, Layer, LayerSpec};

/// Elements of a cheap function that are worth a thread.
const ELEMENTS: usize = 16 * 1024;

/// Elements of an activation or its derivative that are worth a thread.
fn elements_of(activation: Activation) -> usize {
    match activation {
        Activation::Linear | Activation::Relu | Activation::LeakyRelu { .. } => ELEMENTS,
        _ => ELEMENTS / 8,
    }
}

/// The layer that a specification describes.
pub(crate) fn resolve(spec: &LayerSpec, layers: &Layers) -> Result<Arc<dyn Layer>, Error> {
    Ok(match spec {
        LayerSpec::Dense {
            units,
            bias,
            kernel_initializer,
            bias_initializer,
        } => Arc::new(Dense {
            units: *units,
            bias: *bias,
            kernel_initializer: *kernel_initializer,
            bias_initializer: *bias_initializer,
            activation: Activation::Linear,
        }),
        LayerSpec::Activation(function) => Arc::new(activation::Elementwise(*function)),
        LayerSpec::Softmax => Arc::new(softmax::Softmax),
        LayerSpec::Dropout { rate } => Arc::new(dropout::Dropout { rate: *rate }),
        LayerSpec::Flatten => Arc::new(flatten::Flatten),
        LayerSpec::Normalization { moments } => Arc::new(moments::Normalization {
            moments: moments.clone(),
        }),
        LayerSpec::Denormalization { moments } => Arc::new(moments::Denormalization {
            moments: moments.clone(),
        }),
        LayerSpec::Custom { kind, config } => layers.make(kind, config)?,
    })
}

//! The layers that come with the library, and the table that resolves users' own.

mod activation;
mod batch_norm;
mod dense;
mod draws;
mod dropout;
mod embedding;
mod join;
mod layer_norm;
mod moments;
mod noise;
mod reshape;
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
        Activation::Linear
        | Activation::Relu
        | Activation::LeakyRelu { .. }
        | Activation::HardSigmoid
        | Activation::Softsign => ELEMENTS,
        _ => ELEMENTS / 8,
    }
}

/// Numbers on the last axis; a single number has an axis of one.
fn last(shape: &[usize]) -> usize {
    shape.last().copied().unwrap_or(1)
}

/// The layer that a specification describes.
pub(crate) fn resolve(spec: &LayerSpec, layers: &Layers) -> Result<Arc<dyn Layer>, Error> {
    Ok(match spec {
        LayerSpec::Dense {
            units,
            bias,
            kernel_initializer,
            bias_initializer,
            arithmetic,
        } => Arc::new(Dense {
            units: *units,
            bias: *bias,
            kernel_initializer: *kernel_initializer,
            bias_initializer: *bias_initializer,
            arithmetic: *arithmetic,
            activation: Activation::Linear,
        }),
        LayerSpec::Activation(function) => Arc::new(activation::Elementwise(*function)),
        LayerSpec::Softmax => Arc::new(softmax::Softmax),
        LayerSpec::Dropout { rate } => Arc::new(dropout::Dropout { rate: *rate }),
        &LayerSpec::BatchNorm {
            momentum,
            epsilon,
            center,
            scale,
        } => Arc::new(batch_norm::BatchNorm {
            momentum,
            epsilon,
            center,
            scale,
        }),
        &LayerSpec::LayerNorm { epsilon } => Arc::new(layer_norm::LayerNorm { epsilon }),
        &LayerSpec::Embedding {
            vocabulary,
            width,
            initializer,
        } => Arc::new(embedding::Embedding {
            vocabulary,
            width,
            initializer,
        }),
        &LayerSpec::GaussianNoise { deviation } => Arc::new(noise::GaussianNoise { deviation }),
        LayerSpec::Flatten => Arc::new(reshape::Reshape::Flat),
        LayerSpec::Reshape { shape } => Arc::new(reshape::Reshape::To(shape.clone())),
        LayerSpec::Add => Arc::new(join::Add),
        LayerSpec::Multiply => Arc::new(join::Multiply),
        LayerSpec::Concatenate => Arc::new(join::Concatenate),
        LayerSpec::Normalization { moments } => Arc::new(moments::Normalization {
            moments: moments.clone(),
        }),
        LayerSpec::Denormalization { moments } => Arc::new(moments::Denormalization {
            moments: moments.clone(),
        }),
        LayerSpec::Custom { kind, config } => layers.make(kind, config)?,
    })
}

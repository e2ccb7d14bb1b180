use maas_core::{Dimension, Signature, TensorSpec};

/// Whether all tensors of a model have rows, of which there may be any number.
pub(crate) fn is_batched(signature: &Signature) -> bool {
    let mut all = signature.inputs().iter().chain(signature.outputs());
    all.all(|spec: &TensorSpec| spec.shape().first() == Some(&Dimension::Free))
}

use maas_core::{Dimension, Signature, TensorSpec};
use maas_service::Description;

/// Whether all tensors of a model have rows, of which there may be any number.
pub(crate) fn is_batched(signature: &Signature) -> bool {
    let mut all = signature.inputs().iter().chain(signature.outputs());
    all.all(|spec: &TensorSpec| spec.shape().first() == Some(&Dimension::Free))
}

/// How many rows a request may have, as configurations have it: 0 says that there are none.
pub(crate) fn max_batch_size(description: &Description) -> i32 {
    if !is_batched(&description.signature) {
        return 0;
    }
    let most = description.max_rows.unwrap_or(usize::MAX);
    i32::try_from(most).unwrap_or(i32::MAX).max(1)
}

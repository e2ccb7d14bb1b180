//! Requests without JSON text.

use std::sync::Arc;

use bytes::Bytes;
use maas_core::{DType, Dimension, Shape, Signature, Tensor};
use maas_service::InferRequest;

use super::Rejection;

/// Reads a request without JSON text, whose body is the one input of a model of this signature.
pub(crate) fn raw_request(
    body: Bytes,
    signature: &Signature,
    model: &Arc<str>,
    version: Option<&str>,
) -> Result<InferRequest, Rejection> {
    let [spec] = signature.inputs() else {
        let found = signature.inputs().len();
        return Err(format!(
            "a request without JSON text needs a model with one input, this one has {found}"
        )
        .into());
    };
    if body.is_empty() {
        return Err("the body is empty: expected the bytes of the input".into());
    }
    let tensor = match spec.dtype() {
        DType::Bytes => Tensor::strings(one_string(spec.shape())?, &[body]),
        dtype => {
            let shape = raw_shape(spec.shape(), dtype.size().unwrap_or(1), body.len())?;
            Tensor::from_shared(dtype, shape, body)
        }
    };
    let tensor = tensor
        .map_err(|error| Rejection::Malformed(format!("input `{}`: {error}", spec.name())))?;
    let mut request = InferRequest::new(Arc::clone(model)).input(spec.name(), tensor);
    request.version = version.map(Arc::from);
    Ok(request)
}

/// The lengths of the dimensions of `bytes` that stand without a shape: at most one is found out. Where another one than
/// the batch is free, the batch has one row.
fn raw_shape(dimensions: &[Dimension], size: usize, bytes: usize) -> Result<Shape, String> {
    let is_free = |dimension: &Dimension| matches!(dimension, Dimension::Free);
    let free = match dimensions.iter().filter(|d| is_free(d)).count() {
        0 => None,
        1 => dimensions.iter().position(is_free),
        2 if is_free(&dimensions[0]) => dimensions.iter().rposition(is_free),
        more => {
            return Err(format!(
                "a request without JSON text leaves one dimension to be found out, the model has {more}"
            ));
        }
    };
    let mut lengths: Vec<usize> = dimensions
        .iter()
        .map(|dimension| match dimension {
            Dimension::Fixed(length) => *length,
            _ => 1,
        })
        .collect();
    if let Some(free) = free {
        let row = lengths
            .iter()
            .try_fold(size, |row, &length| row.checked_mul(length));
        match row {
            Some(row) if row > 0 && bytes.is_multiple_of(row) => lengths[free] = bytes / row,
            row => {
                return Err(format!(
                    "the body has {bytes} bytes, expected a multiple of {}",
                    row.unwrap_or(usize::MAX)
                ));
            }
        }
    }
    Ok(lengths.into())
}

/// A body without JSON text is one byte string.
fn one_string(dimensions: &[Dimension]) -> Result<Shape, String> {
    if dimensions.iter().all(|dimension| dimension.admits(1)) {
        Ok(vec![1; dimensions.len()].into())
    } else {
        Err("a request without JSON text has one byte string, the model takes more".to_owned())
    }
}

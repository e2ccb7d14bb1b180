//! Rows × columns of f32 as a request, and back.

use maas_core::{DType, Signature, Tensor, TensorSpec};
use ndarray::{Array2, ArrayView2};

use crate::{InferRequest, InferResponse, ServeError};

pub(crate) fn request(
    signature: &Signature,
    rows: &ArrayView2<'_, f32>,
) -> Result<InferRequest, ServeError> {
    let [input] = signature.inputs() else {
        return Err(not_tabular(&format!("{} inputs", signature.inputs().len())));
    };
    check_type(input)?;
    check_type(
        signature
            .outputs()
            .first()
            .ok_or_else(|| not_tabular("no output"))?,
    )?;
    let shape = match input.fixed_row_shape() {
        Some(row) if input.row_elements() == Some(rows.ncols()) => {
            [&[rows.nrows()], row.as_slice()].concat()
        }
        _ => rows.shape().to_vec(),
    };
    let tensor = match rows.as_slice() {
        Some(values) => Tensor::from_slice(shape, values),
        None => Tensor::from_slice(shape, &rows.iter().copied().collect::<Vec<f32>>()),
    };
    Ok(InferRequest::new("").input(input.name(), tensor.map_err(ServeError::Input)?))
}

pub(crate) fn answer(response: &InferResponse) -> Result<Array2<f32>, ServeError> {
    let output = response
        .outputs
        .first()
        .ok_or_else(|| not_tabular("no output"))?;
    let values = output.tensor.as_slice::<f32>().map_err(ServeError::Model)?;
    let rows = output.tensor.rows();
    let columns = output.tensor.shape().dims().iter().skip(1).product();
    Array2::from_shape_vec((rows, columns), values.to_vec())
        .map_err(|_| not_tabular(&format!("shape {}", output.tensor.shape())))
}

fn check_type(spec: &TensorSpec) -> Result<(), ServeError> {
    match spec.dtype() {
        DType::Fp32 => Ok(()),
        other => Err(not_tabular(&format!("`{}` of type {other}", spec.name()))),
    }
}

fn not_tabular(found: &str) -> ServeError {
    ServeError::NotTabular {
        found: found.to_owned(),
    }
}

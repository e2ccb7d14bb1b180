//! Requests against signatures.

use std::sync::Arc;

use maas_core::{Signature, Tensor, TensorSpec};

use crate::{InferRequest, ServeError};

/// The inputs in the signature's order.
pub(crate) fn inputs(
    signature: &Signature,
    request: &InferRequest,
) -> Result<Vec<Arc<Tensor>>, ServeError> {
    let specs = signature.inputs();
    let mut ordered: Vec<Option<&Arc<Tensor>>> = vec![None; specs.len()];
    for input in &request.inputs {
        let index = position(specs, &input.name).ok_or_else(|| ServeError::UnknownInput {
            name: input.name.to_string(),
            expected: names(specs),
        })?;
        if ordered[index].replace(&input.tensor).is_some() {
            return Err(ServeError::RepeatedInput {
                name: input.name.to_string(),
            });
        }
    }
    let present = |(tensor, spec): (Option<&Arc<Tensor>>, &TensorSpec)| {
        tensor.cloned().ok_or_else(|| ServeError::MissingInput {
            name: spec.name().to_owned(),
        })
    };
    ordered.into_iter().zip(specs).map(present).collect()
}

/// The positions in the signature of the outputs asked for, in the order asked for; all when none is.
pub(crate) fn outputs(
    signature: &Signature,
    request: &InferRequest,
) -> Result<Vec<usize>, ServeError> {
    let specs = signature.outputs();
    if request.outputs.is_empty() {
        return Ok((0..specs.len()).collect());
    }
    let mut wanted = Vec::with_capacity(request.outputs.len().min(specs.len()));
    for output in &request.outputs {
        let index = position(specs, &output.name).ok_or_else(|| ServeError::UnknownOutput {
            name: output.name.to_string(),
            expected: names(specs),
        })?;
        if wanted.contains(&index) {
            return Err(ServeError::RepeatedOutput {
                name: output.name.to_string(),
            });
        }
        wanted.push(index);
    }
    Ok(wanted)
}

fn position(specs: &[TensorSpec], name: &str) -> Option<usize> {
    specs.iter().position(|spec| spec.name() == name)
}

fn names(specs: &[TensorSpec]) -> Vec<String> {
    specs.iter().map(|spec| spec.name().to_owned()).collect()
}
